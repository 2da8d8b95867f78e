"""``rules``: the default classifier. Fourteen dimensions and a learned term, fitted together; words that ask for a minimum tier; the conversation."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace

from openclaw_oauthrouter.canonical.routing import Classification, DimensionScore, RequestFeatures, Tier
from openclaw_oauthrouter.classifier.conversation import belongs_to_task, in_context
from openclaw_oauthrouter.classifier.learned import LearnedScore
from openclaw_oauthrouter.classifier.lexicon import Lexicon
from openclaw_oauthrouter.classifier.minimum_tiers import highest_minimum_tier
from openclaw_oauthrouter.classifier.parameters import CutPoints, Parameters, tier_at
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Dimension


class Rules:
    """Scores the user's words, cuts the score into tiers, then looks at the words' minimum tiers and at the conversation.

    :param dimensions: what to score by; a dimension of its own adds its weighted score to the sum
    :param learned: whether the learned term takes part; chooses the fit whose cut points apply
    :param profile: ``economy``, ``balanced`` or ``quality``
    :param cut_points: scores at which MEDIUM, COMPLEX and REASONING begin, instead of the profile's
    :raises ConfigurationError: unknown profile, or cut points that do not rise
    """

    name = "rules"

    def __init__(
        self,
        dimensions: Sequence[Dimension],
        *,
        learned: bool = True,
        profile: str = "balanced",
        cut_points: CutPoints | None = None,
    ) -> None:
        self._parameters = Parameters.load(learned=learned)
        self._learned = learned
        self._lexicon = Lexicon()
        self.dimensions = tuple(dimensions)
        if learned and all(dimension.name != LearnedScore.name for dimension in dimensions):
            self.dimensions += (LearnedScore(self._parameters.weights[LearnedScore.name]),)
        self.cut_points = _rising(cut_points or self._parameters.cut_points(profile))

    def for_profile(self, profile: str) -> Rules:
        """The same classifier with another profile's cut points; cheap, everything loaded is shared.

        :raises ConfigurationError: unknown profile
        """
        sibling = copy.copy(self)
        sibling.cut_points = self._parameters.cut_points(profile)
        return sibling

    def classify(self, features: RequestFeatures) -> Classification:
        """Classify one request. Constant cost: it reads the excerpt in ``features.text``."""
        features = self._read(features)
        classified = self._by_words(features)
        return in_context(classified, features, self._task_tier(features))

    def _read(self, features: RequestFeatures) -> RequestFeatures:
        """Find the keywords, once for all dimensions."""
        text = features.text.lower().replace("’", "'")
        return replace(features, keywords=self._lexicon.prompt.find(text))

    def _by_words(self, features: RequestFeatures) -> Classification:
        """By the turn's own words."""
        scores = tuple(dimension.score(features) for dimension in self.dimensions)
        score = sum(one.score * one.weight for one in scores)
        tier = tier_at(score, self.cut_points)
        confidence = self._confidence(score)
        reasoning = f"score={score:.2f} | {', '.join(one.signal for one in _by_share(scores) if one.signal)}"
        minimum = highest_minimum_tier(self._lexicon.minimum_tiers, features.keywords)
        if minimum is None or minimum[0].rank <= tier.rank:
            return Classification(tier, score, confidence, self.name, reasoning, scores)
        note = f"at least {minimum[0]}: {minimum[1]}"
        # The score is lifted too, so that a higher score never means a lower tier.
        lifted = max(score, self.cut_points[minimum[0].rank - 1])
        sure = self._parameters.minimum_tier_confidence
        return Classification(minimum[0], lifted, sure, self.name, f"{reasoning} | {note}", scores, (note,))

    def _task_tier(self, features: RequestFeatures) -> Tier | None:
        """Tier of the task this turn goes on with: remembered, or found anew from the task's words."""
        if not belongs_to_task(features, self._lexicon.conversation.find):
            return None
        if features.previous_tier is not None or not features.task_text:
            return features.previous_tier
        task = RequestFeatures(features.task_text, len(features.task_text))
        return self._by_words(self._read(task)).tier

    def _confidence(self, score: float) -> float:
        intercept, slope = self._parameters.confidence
        distance = min(abs(score - start) for start in self.cut_points)
        return 1 / (1 + math.exp(-(intercept + slope * distance)))


def _by_share(scores: Sequence[DimensionScore]) -> list[DimensionScore]:
    """What weighed most comes first."""
    return sorted(scores, key=lambda one: -abs(one.score * one.weight))


def _rising(cuts: CutPoints) -> CutPoints:
    if list(cuts) != sorted(cuts):
        raise ConfigurationError(f"routing.cut_points must rise from MEDIUM to REASONING, not {cuts!r}")
    return cuts

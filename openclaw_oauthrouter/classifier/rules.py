"""``rules``: the default classifier. Fourteen dimensions and a learned term, fitted together; words that ask for a minimum tier; the conversation."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import NamedTuple

from openclaw_oauthrouter.canonical.routing import Classification, DimensionScore, RequestFeatures, RequestKind, Tier
from openclaw_oauthrouter.canonical.value import changed
from openclaw_oauthrouter.classifier.asked import asked_for
from openclaw_oauthrouter.classifier.conversation import belongs_to_task, in_context, opens_task, turn_of
from openclaw_oauthrouter.classifier.dimensions import BUILT_IN
from openclaw_oauthrouter.classifier.learned import LearnedScore, shipped_term
from openclaw_oauthrouter.classifier.lexicon import shipped_lexicon
from openclaw_oauthrouter.classifier.minimum_tiers import highest_minimum_tier
from openclaw_oauthrouter.classifier.parameters import AgentCutPoints, CutPoints, Parameters, letters_of, tier_at
from openclaw_oauthrouter.classifier.remembered import RememberedTexts
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Dimension

SEARCHED = 3000
"""Letters of the earlier turns that are read to find a task that is not remembered."""


REPORT_LETTERS, REPORT_MARKS = 300, 2
"""Length from which, and different marks of a report with which, a text is taken for an agent's task."""


OWN_DIMENSIONS = (*BUILT_IN, LearnedScore)


class _Said(NamedTuple):
    """What was found out about a text: all of it that depends on nothing else.

    :ivar scores: of our dimensions
    :ivar minimum: the highest least tier that its words ask for, and why
    :ivar score: sum of the scores by their weights
    :ivar reasoning: the same in words
    :ivar letters: its length
    """

    keywords: dict[str, tuple[str, ...]]
    scores: tuple[DimensionScore, ...]
    minimum: tuple[Tier, str] | None
    score: float
    reasoning: str
    letters: float | None


class _Ours:
    """Our own dimensions: those that read a list of keywords are asked only about texts that hold one of it, which most do not.

    :param dimensions: in the order in which explanations name them
    """

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        nothing = RequestFeatures("", 0)
        self._unasked = [one.score(nothing) for one in dimensions]
        self._by_list: dict[str, list[tuple[int, Dimension]]] = {}
        self._always: list[tuple[int, Dimension]] = []
        for place, one in enumerate(dimensions):
            wanted = getattr(one, "keywords", None)
            (self._always if wanted is None else self._by_list.setdefault(wanted, [])).append((place, one))

    def scores(self, features: RequestFeatures) -> tuple[DimensionScore, ...]:
        """What each says of a text."""
        scores = self._unasked.copy()
        for place, one in self._always:
            scores[place] = one.score(features)
        for name in features.keywords:
            for place, one in self._by_list.get(name, ()):
                scores[place] = one.score(features)
        return tuple(scores)


class Rules:
    """Scores the user's words, cuts the score into tiers, then looks at the words' minimum tiers and at the conversation.

    :param dimensions: what to score by; a dimension of its own adds its weighted score to the sum
    :param learned: whether the learned term takes part; chooses the fit whose cut points apply
    :param profile: ``economy``, ``balanced`` or ``quality``
    :param cut_points: scores at which MEDIUM, COMPLEX and REASONING begin, instead of the profile's
    :param agent_cut_points: where COMPLEX and REASONING begin for an agent's task of ``AGENT_LETTERS`` letters, instead of the profile's
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
        agent_cut_points: tuple[float, float] | None = None,
    ) -> None:
        self._parameters = Parameters.load(learned=learned)
        self._learned = learned
        self._lexicon = shipped_lexicon()
        self.dimensions = tuple(dimensions)
        if learned and all(dimension.name != LearnedScore.name for dimension in dimensions):
            self.dimensions += (shipped_term(self._parameters.weights[LearnedScore.name]),)
        ours = [one for one in self.dimensions if type(one) in OWN_DIMENSIONS]
        self._ours = _Ours(ours)
        self._others = [one for one in self.dimensions if type(one) not in OWN_DIMENSIONS]
        self._remembered: RememberedTexts[_Said] = RememberedTexts(256)
        self._reasons: RememberedTexts[str] = RememberedTexts(256)
        self.cut_points = _rising(cut_points or self._parameters.cut_points(profile))
        self._profile = profile
        self._fixed = cut_points is not None and agent_cut_points is None
        self._agent = AgentCutPoints.load(learned=learned)
        if agent_cut_points is not None:
            self._agent = self._agent.with_profile(profile, agent_cut_points)

    def for_profile(self, profile: str) -> Rules:
        """The same classifier with another profile's cut points; cheap, everything loaded is shared.

        :raises ConfigurationError: unknown profile
        """
        sibling = copy.copy(self)
        sibling.cut_points = self._parameters.cut_points(profile)
        sibling._profile, sibling._fixed = profile, False
        return sibling

    def classify(self, features: RequestFeatures) -> Classification:
        """Classify one request. Constant cost: it reads the excerpt in ``features.text``."""
        if features.kind is RequestKind.SIDE:
            return Classification(Tier.SIMPLE, self.cut_points[0], 1.0, self.name, "a side request of the client")
        features = self._read(features)
        classified = self._by_words(features)
        if features.kind is RequestKind.COMPACTION:
            return self._compaction(classified, features)
        if features.kind is RequestKind.ASIDE:
            return classified
        opens = opens_task(features)
        belongs = not opens and belongs_to_task(features, self._lexicon.conversation.find)
        classified = in_context(classified, features, self._task_tier(features) if belongs else None)
        turn = turn_of(classified, features, belongs=belongs, opens=opens)
        return classified if turn == classified.turn else changed(classified, turn=turn)

    def _read(self, features: RequestFeatures) -> RequestFeatures:
        """Find the keywords, once for all dimensions."""
        known = self._remembered.get(features.text)
        found = known.keywords if known is not None else self._lexicon.prompt.find(features.text.lower().replace("’", "'"))
        if features.keywords:
            return changed(features, keywords=dict(found))
        # Filled in rather than copied: of two dozen fields nothing else changes, and every request comes by here.
        features.keywords.update(found)
        return features

    def _said(self, features: RequestFeatures) -> _Said:
        """Our dimensions read nothing but the text and its keywords, so what they said of one is remembered."""
        said = self._remembered.get(features.text)
        if said is None:
            scores = self._ours.scores(features)
            minimum = highest_minimum_tier(self._lexicon.minimum_tiers, features.keywords)
            said = self._remembered.put(features.text, _said(dict(features.keywords), scores, minimum))
        if self._others:
            scores = said.scores + tuple([one.score(features) for one in self._others])
            said = _said(said.keywords, scores, said.minimum)
        return said

    def _by_words(self, features: RequestFeatures) -> Classification:
        """By the turn's own words."""
        said = self._said(features)
        score, scores, reasoning, minimum = said.score, said.scores, said.reasoning, said.minimum
        agent = features.agent or _is_report(features)
        cuts = self._cuts(said.letters, agent=agent)
        tier = tier_at(score, cuts)
        if minimum is None and tier is Tier.SIMPLE:
            minimum = self._asked(features.text)
        if minimum is None or minimum[0].rank <= tier.rank:
            return Classification(tier, score, self._confidence(score, cuts), self.name, reasoning, scores, agent=agent)
        note = f"at least {minimum[0]}: {minimum[1]}"
        # The score is lifted too, so that a higher score never means a lower tier.
        lifted = max(score, cuts[minimum[0].rank - 1])
        sure = self._parameters.minimum_tier_confidence
        return Classification(minimum[0], lifted, sure, self.name, f"{reasoning} | {note}", scores, (note,), agent=agent)

    def _asked(self, text: str) -> tuple[Tier, str] | None:
        """MEDIUM at least where work is asked for; remembered."""
        reason = self._reasons.get(text)
        if reason is None:
            reason = self._reasons.put(text, asked_for(text) or "")
        return (Tier.MEDIUM, reason) if reason else None

    def _compaction(self, classified: Classification, features: RequestFeatures) -> Classification:
        """A summary that the task goes on with asks for some care, whatever the words around it."""
        tier = min(Tier.MEDIUM, features.previous_tier or Tier.MEDIUM, key=lambda tier: tier.rank)
        return changed(classified, tier=tier, reasoning="a compaction of the conversation", minimum_tiers=(), turn="continues")

    def _task_tier(self, features: RequestFeatures) -> Tier | None:
        """Tier of the task this turn goes on with: remembered, or found anew from the words of the turns before."""
        if features.previous_tier is not None or not features.task_text:
            return features.previous_tier
        tasks = [features.task_text]
        if len(features.earlier_text) > len(features.task_text):
            # A digression may have come between; the task is the most demanding of what was said.
            tasks.append(features.earlier_text[:SEARCHED])
        found = [self._by_words(self._read(RequestFeatures(task, len(task), agent=features.agent))).tier for task in tasks]
        return max(found, key=lambda tier: tier.rank)

    def _cuts(self, letters: float | None, *, agent: bool) -> CutPoints:
        """An agent's borders rise with the length of its task, unless the user has set them."""
        if not agent or self._fixed or letters is None:
            return self.cut_points
        return self._agent.at(self._profile, self.cut_points, letters)

    def _confidence(self, score: float, cuts: CutPoints) -> float:
        intercept, slope = self._parameters.confidence
        medium, complex_, reasoning = cuts
        distance = min(abs(score - medium), abs(score - complex_), abs(score - reasoning))
        return 1 / (1 + math.exp(-(intercept + slope * distance)))


def _said(keywords: dict[str, tuple[str, ...]], scores: tuple[DimensionScore, ...], minimum: tuple[Tier, str] | None) -> _Said:
    shares = [one.score * one.weight for one in scores]
    score = sum(shares)
    # What weighed most comes first; what weighs nothing has nothing to say.
    said = sorted([(-abs(share), place) for place, share in enumerate(shares) if scores[place].signal])
    reasoning = f"score={score:.2f} | {', '.join([str(scores[place].signal) for _, place in said])}"
    return _Said(keywords, scores, minimum, score, reasoning, letters_of(scores))


def _is_report(features: RequestFeatures) -> bool:
    """A bug report or change request of some length, as agents are given them: a task for one, whatever tools are offered."""
    return features.text_length >= REPORT_LETTERS and len(features.keywords.get("report", ())) >= REPORT_MARKS


def _rising(cuts: CutPoints) -> CutPoints:
    if list(cuts) != sorted(cuts):
        raise ConfigurationError(f"routing.cut_points must rise from MEDIUM to REASONING, not {cuts!r}")
    return cuts

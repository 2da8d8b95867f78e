"""Fits what is in ``rules.json``: weights of the dimensions, cut points of the profiles, the curve of confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from corpus import Prompt
from linear import Array, Problem, balanced, solve, stepped
from wording import SPREAD

from openclaw_oauthrouter.canonical.routing import RequestFeatures, Tier
from openclaw_oauthrouter.classifier.dimensions import DIMENSION_NAMES, builtin_dimensions
from openclaw_oauthrouter.classifier.learned import LearnedScore
from openclaw_oauthrouter.classifier.lexicon import Lexicon
from openclaw_oauthrouter.classifier.minimum_tiers import highest_minimum_tier
from openclaw_oauthrouter.classifier.parameters import CutPoints, tier_at

NAMES = DIMENSION_NAMES

PRIOR: Mapping[str, float] = {
    "tokenCount": 1.5,
    "reasoningMarkers": 1.08,
    "codePresence": 0.9,
    "simpleIndicators": 0.72,
    "multiStepPatterns": 0.72,
    "technicalTerms": 0.6,
    "creativeMarkers": 0.3,
    "questionComplexity": 0.3,
    "constraintCount": 0.24,
    "imperativeVerbs": 0.18,
    "outputFormat": 0.18,
    "referenceComplexity": 0.12,
    "domainSpecificity": 0.12,
    "negationComplexity": 0.06,
}
"""The weights of ``rules-v1`` times six; length, which is continuous here, as half the logarithm."""

PENALTY = 60.0
"""How firmly weights are held at the prior: the sources differ by subject more than the dimensions' meaning should."""

LEAST_SHARE = 0.5
"""Part of its prior that every weight keeps, even where the learned term already says the same."""

ACCEPTABLE: Mapping[int, tuple[Tier, ...]] = {
    0: (Tier.SIMPLE,),
    1: (Tier.SIMPLE, Tier.MEDIUM),
    2: (Tier.MEDIUM, Tier.COMPLEX),
    3: (Tier.COMPLEX, Tier.REASONING),
}

PROFILES: Mapping[str, tuple[float, float, float]] = {
    "economy": (0.003, 0.65, 0.1),
    "balanced": (0.018, 0.83, 0.25),
    "quality": (0.05, 0.92, 0.5),
}
"""Policy: share of chit-chat that goes beyond SIMPLE, of hard prompts that reach COMPLEX, and REASONING."""

_BAND_OF_CUT = (0, 3, 3)


def dimension_scores(prompts: Sequence[Prompt]) -> tuple[Array, list[RequestFeatures]]:
    """What each dimension says of each prompt, and the prompts with their keywords."""
    lexicon = Lexicon()
    dimensions = builtin_dimensions(dict.fromkeys(NAMES, 1.0))
    read = [
        replace(prompt.features, keywords=lexicon.prompt.find(prompt.features.text.lower().replace("’", "'")))
        for prompt in prompts
    ]
    return np.array([[dimension.score(features).score for dimension in dimensions] for features in read]), read


def fit_weights(prompts: Sequence[Prompt], scores: Array) -> dict[str, float]:
    """Weights that sum to one, by name, in the order of the columns.

    :param scores: one column a dimension; the learned term's, if it takes part, comes last and from models that had not seen the prompt
    """
    size = len(NAMES)
    names = (*NAMES, LearnedScore.name)[: scores.shape[1]]
    learned = scores[:, size] * SPREAD if len(names) > size else np.zeros(len(prompts))
    banded = np.array([position for position, prompt in enumerate(prompts) if prompt.band is not None])
    bands = np.array([prompts[position].band for position in banded])
    example_weights = balanced(bands, [prompts[position].group for position in banded])
    count = len(banded)
    matrix = np.vstack([np.hstack([scores[banded, :size], np.tile(np.eye(3)[step], (count, 1))]) for step in range(3)])
    signs = np.concatenate([np.where(bands > step, 1.0, -1.0) for step in range(3)])
    prior = np.concatenate([[PRIOR[name] for name in NAMES], np.zeros(3)])
    penalty = np.concatenate([np.full(size, PENALTY), np.full(3, 1e-6)])
    problem = Problem(matrix, signs, stepped(example_weights), penalty, prior, np.tile(learned[banded], 3))
    found = solve(problem, [(LEAST_SHARE * PRIOR[name], None) for name in NAMES] + [(None, None)] * 3)[:size]
    weights = [*found.tolist(), SPREAD][: len(names)]
    return {name: round(weight / sum(weights), 4) for name, weight in zip(names, weights, strict=True)}


def cut_points(prompts: Sequence[Prompt], totals: Array) -> dict[str, dict[str, float]]:
    """Where the tiers of each profile begin, as quantiles of the bands' scores."""
    bands = np.array([-1 if prompt.band is None else prompt.band for prompt in prompts])
    found = {}
    for profile, shares in PROFILES.items():
        starts = [float(np.quantile(totals[bands == band], 1 - share)) for band, share in zip(_BAND_OF_CUT, shares, strict=True)]
        found[profile] = dict(zip(("MEDIUM", "COMPLEX", "REASONING"), (round(start, 3) for start in sorted(starts)), strict=True))
    return found


def confidence(prompts: Sequence[Prompt], totals: Array, cuts: CutPoints) -> list[float]:
    """Intercept and slope: how likely a tier is acceptable at a distance from the nearest cut point."""
    banded = [position for position, prompt in enumerate(prompts) if prompt.band is not None]
    distance = np.array([min(abs(totals[position] - start) for start in cuts) for position in banded])
    right = np.array([tier_at(totals[position], cuts) in ACCEPTABLE[prompts[position].band or 0] for position in banded])
    bands = np.array([prompts[position].band for position in banded])
    weights = balanced(bands, [prompts[position].group for position in banded])
    matrix = np.column_stack([np.ones(len(banded)), distance])
    zero = np.zeros(2)
    problem = Problem(matrix, np.where(right, 1.0, -1.0), weights, np.full(2, 1e-3), zero, np.zeros(len(banded)))
    return [round(value, 2) for value in solve(problem, [(None, None), (0.0, None)]).tolist()]


def minimum_tier_confidence(prompts: Sequence[Prompt], read: Sequence[RequestFeatures], totals: Array, cuts: CutPoints) -> float:
    """Share of the prompts that a minimum tier lifts to COMPLEX or REASONING and that belong to the upper bands."""
    minimum_tiers = Lexicon().minimum_tiers
    right = lifted = 0
    for prompt, features, total in zip(prompts, read, totals, strict=True):
        minimum = highest_minimum_tier(minimum_tiers, features.keywords)
        if prompt.band is None or minimum is None or not Tier.MEDIUM.rank < minimum[0].rank > tier_at(total, cuts).rank:
            continue
        lifted += 1
        right += prompt.band >= 2
    return round((right + 1) / (lifted + 2), 2)

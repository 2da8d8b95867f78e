"""The whole fit: the learned term first, then the weights that go with it, on scores of prompts it had not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import wording
from corpus import FOLDS, Prompt, Split, held_out
from linear import Array
from weights import confidence, cut_points, dimension_scores, fit_weights, minimum_tier_confidence

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.classifier.learned import LearnedScore

SPLITS: tuple[Split, ...] = ("rows", "sources")
"""Cut points have to hold for new prompts of known kinds and for kinds never seen: both count alike."""


def fit_all(prompts: Sequence[Prompt]) -> dict[str, JsonObject]:
    """The data files by name."""
    unseen = {split: unseen_scores(prompts, split) for split in SPLITS}
    return {
        "learned.json": wording.fit(prompts),
        "rules.json": {"with_learned": fit_rules(prompts, unseen), "without_learned": fit_rules(prompts, None)},
    }


def unseen_scores(prompts: Sequence[Prompt], split: Split) -> Array:
    """The learned term's score of each prompt, from a model fitted without the prompt's fold."""
    scores = np.zeros(len(prompts))
    for fold in range(FOLDS):
        inside, outside = held_out(prompts, split, fold)
        term = LearnedScore(1.0, wording.fit([prompts[position] for position in inside]))
        for position in outside:
            scores[position] = term.score(prompts[position].features).score
    return scores


def fit_rules(prompts: Sequence[Prompt], learned: dict[Split, Array] | None) -> JsonObject:
    """Weights and what depends on them; every prompt counts once under each split."""
    scores, read = dimension_scores(prompts)
    columns = [scores] * len(SPLITS)
    if learned is not None:
        columns = [np.column_stack([scores, learned[split]]) for split in SPLITS]
    doubled = list(prompts) * len(SPLITS)
    stacked = np.vstack(columns)
    weights = fit_weights(doubled, stacked)
    totals = stacked @ np.array(list(weights.values()))
    cuts = cut_points(doubled, totals)
    used = (cuts["balanced"]["MEDIUM"], cuts["balanced"]["COMPLEX"], cuts["balanced"]["REASONING"])
    return {
        "weights": weights,
        "cut_points": cuts,
        "confidence": confidence(doubled, totals, used),
        "minimum_tier_confidence": minimum_tier_confidence(doubled, read * len(SPLITS), totals, used),
    }

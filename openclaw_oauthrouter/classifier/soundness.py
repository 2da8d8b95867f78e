"""Whether what a third party's classifier answers can be worked with: found out here, not by whoever reads it later."""

from __future__ import annotations

import inspect
import math
from typing import get_args

from openclaw_oauthrouter.canonical.routing import Classification, DimensionScore, Tier, TurnKind

_TURNS = frozenset(get_args(TurnKind))
_TEXTS = ("method", "reasoning")
_NUMBERS = ("score", "confidence")


def fault_of(answer: object) -> str | None:
    """What is wrong with an answer, in words that say what would be right; ``None`` for a sound one."""
    if not isinstance(answer, Classification):
        if inspect.iscoroutine(answer):
            answer.close()  # nobody will await it
        return f"returned {_named(answer)} instead of a Classification"
    tier: object = answer.tier
    if not isinstance(tier, Tier):
        return f"returned {_named(tier)} as its tier instead of a Tier"
    for name in _TEXTS:
        if not isinstance(getattr(answer, name), str):
            return f"returned {_named(getattr(answer, name))} as its {name} instead of text"
    for name in _NUMBERS:
        if not _is_number(getattr(answer, name)):
            return f"returned {_named(getattr(answer, name))} as its {name} instead of a finite number"
    if answer.trouble is not None and not _is_number(answer.trouble):
        return f"returned {_named(answer.trouble)} as its trouble instead of a number or None"
    if answer.turn not in _TURNS:
        return f"returned {_named(answer.turn)} as its turn instead of one of {', '.join(sorted(_TURNS))}"
    return _fault_of_parts(answer)


def _fault_of_parts(answer: Classification) -> str | None:
    if not isinstance(answer.dimensions, tuple | list) or not all(map(_is_dimension, answer.dimensions)):
        return "returned dimensions that are not DimensionScores with finite numbers"
    notes = answer.minimum_tiers
    if not isinstance(notes, tuple | list) or not all(isinstance(note, str) for note in notes):
        return "returned minimum_tiers that are not texts"
    return None


def _is_dimension(one: object) -> bool:
    return (
        isinstance(one, DimensionScore)
        and isinstance(one.name, str)
        and (one.signal is None or isinstance(one.signal, str))
        and _is_number(one.score)
        and _is_number(one.weight)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _named(value: object) -> str:
    """The value itself only where there are few such values: faults are counted by their words."""
    few = value is None or isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value))
    return repr(value) if few else f"some {type(value).__name__}"

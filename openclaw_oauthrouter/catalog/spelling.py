"""Tells a slip of the fingers from a model that is new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.catalog.families import bare_id, shipped_families
from openclaw_oauthrouter.catalog.presets import presets

SLIP = 0.88
"""Two names at least this similar (``difflib``) differ by a letter or two."""


def misspelt(info: ModelInfo, listed: Sequence[ModelInfo]) -> str | None:
    """The listed id that was meant by one that is not listed; ``None`` when it may well exist.

    A model of a family that is known may be newer than any list, and so may one that differs in its numbers only. What an endpoint
    that nothing is known of serves is not for us to say.

    :param listed: what its provider is known to serve
    """
    if info.provider not in presets() or any(info.id == other.id for other in listed):
        return None
    place = shipped_families().place(info.id)
    if place is not None and not place.family.endswith("-other"):
        return None
    name = bare_id(info.id)
    letters = _letters(name)
    similar = [(_similarity(name, bare_id(other.id)), other.id) for other in listed if _letters(bare_id(other.id)) != letters]
    likeness, meant = max(similar, default=(0.0, ""))
    return meant if likeness >= SLIP else None


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Known names that look like one that is not."""
    return get_close_matches(name, list(known), n=most, cutoff=0.6)


def _letters(name: str) -> str:
    return "".join(filter(str.isalpha, name))


def _similarity(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()

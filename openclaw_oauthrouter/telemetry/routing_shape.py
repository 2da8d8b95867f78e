"""What a replay relies on in a line, beside what all readers do: the recorded decision, whole."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import CacheUse, Flight, RequestKind, Tier
from openclaw_oauthrouter.telemetry.line_shape import DAMAGED

_MOST = 1e15
"""Larger than any figure of ours, and small enough to calculate with."""

_Figure = Annotated[float, Meta(ge=-_MOST, le=_MOST)]
_Whole = Annotated[int, Meta(ge=0, le=int(_MOST))]


class _Sum(msgspec.Struct, rename="camel", gc=False):
    turn: _Figure
    coming: _Figure
    window: _Figure
    shortfall: _Figure
    preference: _Figure
    total: _Figure
    cached_tokens: _Whole
    shadow: _Figure
    rank: _Whole
    place: _Whole
    price: tuple[_Figure | None, _Figure | None, _Figure | None, _Figure | None]


class _Hop(msgspec.Struct, gc=False):
    model: str
    cost: _Sum | None = None
    credential: str | None = None


class _Forecast(msgspec.Struct, rename="camel", gc=False):
    needed: Tier
    input_tokens: _Whole
    output_tokens: _Whole
    growth_tokens: _Whole
    turns: _Figure
    shortfall: _Figure
    preference: _Figure
    lift: _Figure
    stake: _Figure
    cache: CacheUse = "5m"


class _Dimension(msgspec.Struct, gc=False):
    score: _Figure
    weight: _Figure


class _Routing(msgspec.Struct, rename="camel", gc=False):
    hops: tuple[_Hop, ...] = ()
    asked_tier: Tier | None = None
    needs: tuple[str, ...] = ()
    remembers_since: _Whole = 0
    asked_profile: Literal["economy", "balanced", "quality"] | None = None
    forecast: _Forecast | None = None
    score: _Figure = 0.0
    trouble: _Figure | None = None
    floors: tuple[str, ...] = ()
    dimensions: tuple[_Dimension, ...] = ()


class _Features(msgspec.Struct, gc=False):
    kind: RequestKind = RequestKind.MAIN
    flight: Flight | None = None
    reasoning_effort: str | None = None


class _Tokens(msgspec.Struct, rename="camel", gc=False):
    cache_creation_1h: _Whole = msgspec.field(default=0, name="cacheCreation1h")
    web_searches: _Whole = 0
    service_tier: str | None = None
    speed: str | None = None


class _Line(msgspec.Struct, gc=False):
    routing: _Routing | None = None
    tokens: _Tokens | None = None
    features: _Features | None = None


def is_whole(event: JsonObject) -> bool:
    """Whether a record holds its decision as a gateway writes it, so that it can be made again."""
    try:
        msgspec.convert(event, _Line)
    except DAMAGED:
        return False
    return True

"""What readers of a trace file may rely on: the types of the fields they use, checked once for each line."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from openclaw_oauthrouter.canonical.json import JsonObject

_LAST_MILLISECOND = 253_402_300_799_000
"""The end of the year 9999: no calendar of ours goes further."""

_Count = Annotated[int, Meta(ge=0)]
_Tier = Literal["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]


class Tokens(msgspec.Struct, rename="camel", gc=False):
    """``tokens`` of a line."""

    input: _Count = 0
    output: _Count = 0
    cache_read: _Count = 0
    cache_creation: _Count = 0


class Cost(msgspec.Struct, rename="camel", gc=False):
    """``cost`` of a line, in US dollars."""

    actual: float | None = None
    baseline: float | None = None
    unpriced: str | None = None


class _Named(msgspec.Struct, rename="camel", gc=False):
    model: str


class _Skipped(_Named, rename="camel", gc=False):
    reason: str


class _Attempt(_Named, rename="camel", gc=False):
    provider: str
    outcome: str


class _Dimension(msgspec.Struct, rename="camel", gc=False):
    name: str
    score: float
    weight: float


class Routing(msgspec.Struct, rename="camel", gc=False):
    """``routing`` of a line."""

    method: str = ""
    hops: tuple[_Named, ...] = ()
    skipped: tuple[_Skipped, ...] = ()
    baseline_model: str | None = None
    judged_tier: _Tier | None = None
    score: float = 0.0
    floors: tuple[str, ...] = ()
    dimensions: tuple[_Dimension, ...] = ()


class _Features(msgspec.Struct, gc=False):
    tool_names: tuple[str, ...] | None = None
    max_output_tokens: int | None = None
    input_tokens: _Count = 0


class Step(msgspec.Struct, rename="camel", gc=False):
    """``fallback`` and ``preRoute`` of a line."""

    triggered: bool = False


class _Spend(msgspec.Struct, rename="camel", gc=False):
    decision: str = ""


class Window(msgspec.Struct, rename="camel", gc=False):
    """One of a line's ``windows``."""

    window: str
    estimated_share: float | None = None


class Line(msgspec.Struct, rename="camel", gc=False):
    """One request. Fields that nobody reads may hold anything: newer versions add some."""

    ts: Annotated[float, Meta(ge=0, le=_LAST_MILLISECOND)]
    request_id: Any = None
    path: str = ""
    client: str | None = None
    conversation: str | None = None
    dialect: str = ""
    provider_id: Any = None
    model_id_requested: str | None = None
    model_id_resolved: str | None = None
    model_id_routed: str | None = None
    routing_tier: _Tier | None = None
    routing_confidence: float = 0.0
    routing_reasoning: str = ""
    status: Annotated[int, Meta(ge=0, le=999)] | None = None
    error_type: Any = None
    latency_ms: float | None = None
    subscription: Any = None
    paid_by: str | None = None
    routing: Routing | None = None
    attempts: tuple[_Attempt, ...] = ()
    features: _Features | None = None
    tokens: Tokens | None = None
    cost: Cost | None = None
    fallback: Step | None = None
    pre_route: Step | None = None
    spend: _Spend | None = None
    windows: tuple[Window, ...] | None = None


read_line = msgspec.json.Decoder(Line).decode
"""A line as a record; raises one of ``DAMAGED`` when it is torn, not ours, or holds what no record of ours does."""

DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def line_of(event: JsonObject) -> Line:
    """A record that was read already.

    :raises msgspec.ValidationError: it is none of ours
    """
    return msgspec.convert(event, Line)


def has_shape(value: object) -> bool:
    """Whether a line's JSON is a record that every reader can work with."""
    try:
        msgspec.convert(value, Line)
    except DAMAGED:
        return False
    return True

"""What readers of a trace file may rely on: the types of the fields they use, checked once for each line."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from openclaw_oauthrouter.canonical.routing import Tier

_LAST_MILLISECOND = 253_402_300_799_000
"""The end of the year 9999: no calendar of ours goes further."""

_Moment = Annotated[float, Field(ge=0, le=_LAST_MILLISECOND)]
_Status = Annotated[int, Field(ge=0, le=999)]
_Count = Annotated[int, Field(ge=0)]


class _Shape(BaseModel):
    # Fields that nobody reads here may hold anything: newer versions add some.
    model_config = ConfigDict(alias_generator=to_camel, strict=True, extra="ignore", allow_inf_nan=False)


class _Tokens(_Shape):
    input: _Count = 0
    output: _Count = 0
    cache_read: _Count = 0
    cache_creation: _Count = 0


class _Cost(_Shape):
    actual: float | None = None
    baseline: float | None = None
    unpriced: str | None = None


class _Named(_Shape):
    model: str


class _Skipped(_Named):
    reason: str


class _Attempt(_Named):
    provider: str
    outcome: str


class _Dimension(_Shape):
    name: str
    score: float
    weight: float


class _Routing(_Shape):
    method: str = ""
    candidates: list[_Named] = []
    skipped: list[_Skipped] = []
    baseline_model: str | None = None
    judged_tier: Annotated[Tier | None, Field(strict=False)] = None
    score: float = 0.0
    minimum_tiers: list[str] = []
    dimensions: list[_Dimension] = []


class _Features(_Shape):
    model_config = ConfigDict(alias_generator=None)

    tool_names: list[str] | None = None
    max_output_tokens: int | None = None
    input_tokens: _Count = 0


class _Step(_Shape):
    triggered: bool = False


class _Spend(_Shape):
    decision: str = ""


class _Line(_Shape):
    ts: _Moment
    path: str = ""
    client: str | None = None
    conversation: str | None = None
    dialect: str = ""
    model_id_requested: str | None = None
    model_id_resolved: str | None = None
    model_id_routed: str | None = None
    routing_tier: Annotated[Tier | None, Field(strict=False)] = None
    routing_confidence: float = 0.0
    routing_reasoning: str = ""
    status: _Status | None = None
    latency_ms: float | None = None
    routing: _Routing | None = None
    attempts: list[_Attempt] = []
    features: _Features | None = None
    tokens: _Tokens | None = None
    cost: _Cost | None = None
    fallback: _Step | None = None
    pre_route: _Step | None = None
    spend: _Spend | None = None


def has_shape(value: object) -> bool:
    """Whether a line's JSON is a record that every reader can work with."""
    try:
        _Line.model_validate(value)
    except ValidationError:
        return False
    return True

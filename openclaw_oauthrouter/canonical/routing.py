"""Tiers, the features a classifier sees, and the decisions that follow."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from openclaw_oauthrouter.canonical.model_info import ModelInfo as ModelInfo  # noqa: PLC0414
from openclaw_oauthrouter.canonical.pricing import Price as Price  # noqa: PLC0414


class Tier(StrEnum):
    """How capable a model the request needs; ``rank`` rises with capability."""

    SIMPLE = "SIMPLE"
    MEDIUM = "MEDIUM"
    COMPLEX = "COMPLEX"
    REASONING = "REASONING"

    @property
    def rank(self) -> int:
        """0 for SIMPLE to 3 for REASONING."""
        return _RANKS[self]


_RANKS = {tier: rank for rank, tier in enumerate(Tier)}


@dataclass(frozen=True, slots=True)
class RequestFeatures:
    """What a classifier may look at; prepared once per request, frozen.

    :ivar text: the user's own words of the current task, host envelopes stripped, bounded to a head-and-tail view
    :ivar text_length: characters before bounding
    :ivar system_text: the system prompt (not a sign of difficulty by itself)
    :ivar turn_count: user messages in the conversation that hold words of the user
    :ivar is_tool_result_turn: the last turn only carries tool results
    :ivar previous_tier: tier of the conversation's last answer, if the gateway remembers it
    :ivar input_tokens: estimate of the whole request
    :ivar task_text: the last substantial words of the user before ``text``, bounded likewise; what a "yes, do it" refers to
    :ivar image_count: images of the user's own, anywhere in the request; not those that tools answered with
    :ivar turn_image_count: images that came with ``text``
    :ivar raw_last_user_text: the last user message as it was sent, wrapping and all
    :ivar raw_last_user_images: images of that message
    :ivar keywords: distinct keywords found in ``text``, by list; filled in once by the default classifier for its dimensions
    """

    text: str
    text_length: int
    system_text: str = ""
    turn_count: int = 1
    is_tool_result_turn: bool = False
    has_assistant_turn: bool = False
    tool_names: tuple[str, ...] = ()
    image_count: int = 0
    file_count: int = 0
    structured_output: bool = False
    reasoning_effort: str | None = None
    max_output_tokens: int | None = None
    input_tokens: int = 0
    previous_tier: Tier | None = None
    conversation: str | None = None
    task_text: str = ""
    turn_image_count: int = 0
    raw_last_user_text: str = ""
    raw_last_user_images: int = 0
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """One named dimension's say.

    :ivar score: -1 to 1; higher wants a stronger tier
    :ivar signal: what it found, for the explanation
    """

    name: str
    score: float
    weight: float
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    """A classifier's answer.

    :ivar score: higher means a stronger tier
    :ivar confidence: 0 to 1; reported, never used to override the tier
    :ivar method: who decided: ``rules``, ``rules-v1``, or a plugin's name
    :ivar reasoning: one line for people
    :ivar floors: rules that lifted the tier, in words
    """

    tier: Tier
    score: float
    confidence: float
    method: str
    reasoning: str
    dimensions: tuple[DimensionScore, ...] = ()
    minimum_tiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One stop of a route: a model at a provider.

    :ivar only_on: statuses of the failure before it that may lead here; empty: any failure that another provider can mend
    """

    info: ModelInfo
    tier: Tier | None = None
    reason: str = ""
    only_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedCandidate:
    """A model that was considered and passed over before a call was wasted."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """Where a request goes and why.

    :ivar model: ``provider/model`` of the first hop
    :ivar cost_estimate: US dollars the call is expected to cost, before the fact; ``None`` when a price is not known
    :ivar baseline_cost: what the baseline model (default: the REASONING primary) is expected to cost, likewise
    :ivar savings: 0 to 1, share of the baseline that is expected to be saved; what was saved stands in the trace
    :ivar hops: the models to try, in order
    """

    model: str
    tier: Tier | None
    confidence: float
    method: str
    reasoning: str
    cost_estimate: float | None = None
    baseline_cost: float | None = None
    savings: float | None = None
    score: float = 0.0
    baseline_model: str | None = None
    candidates: tuple[Candidate, ...] = ()
    skipped: tuple[SkippedCandidate, ...] = ()
    classification: Classification | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens a request is expected to use, before the fact."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class RouteHints:
    """What one request asks of the router beyond its model id.

    :ivar tier: use this tier, whatever the classifier says
    :ivar profile: ``economy``, ``balanced`` or ``quality``
    :ivar max_tier: never go above this tier
    """

    tier: Tier | None = None
    profile: Literal["economy", "balanced", "quality"] | None = None
    max_tier: Tier | None = None


_FORMER_NAMES = {"ModelCard": "ModelInfo", "Hop": "Candidate", "SkippedHop": "SkippedCandidate"}


def __getattr__(name: str) -> object:
    if name not in _FORMER_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{name!r} is now {_FORMER_NAMES[name]!r}", DeprecationWarning, stacklevel=2)
    return globals()[_FORMER_NAMES[name]]

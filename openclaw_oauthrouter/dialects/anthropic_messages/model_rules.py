"""What each Claude model refuses or lacks, as one table: a body made for one model is often a 400 at another.

Facts as of November 2026, gathered from providers' profiles that state live verification. A newer model than the table knows gets the
strictest rules, because every generation so far has removed options.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from openclaw_oauthrouter.canonical.routing import ModelInfo

Effort = Literal["low", "medium", "high", "xhigh", "max"]
ThinkingType = Literal["enabled", "adaptive", "disabled", "between_tools"]

ALL_EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class ModelRules:
    """What one model takes.

    :ivar sampling: ``any`` sampling fields, ``one`` of temperature and top_p, or ``none``
    :ivar thinking: values of ``thinking.type`` that are not a 400
    :ivar thinks_by_default: thinks when the request says nothing
    :ivar efforts: values of ``output_config.effort``; empty when the field is a 400
    :ivar prefill: the conversation may end with an assistant message
    :ivar forced_tool_choice: ``tool_choice`` may be ``any`` or ``tool`` (never together with budgeted thinking)
    :ivar system_messages: honours role ``system`` inside ``messages``
    :ivar binds_thinking: refuses thinking blocks replayed after anything before them has changed
    :ivar max_output_tokens: the most that ``max_tokens`` may ask for; ``None`` when not known
    """

    sampling: Literal["any", "one", "none"]
    thinking: frozenset[ThinkingType]
    thinks_by_default: bool
    efforts: tuple[Effort, ...]
    prefill: bool
    forced_tool_choice: bool
    system_messages: bool
    binds_thinking: bool
    max_output_tokens: int | None


def _thinking(*types: ThinkingType) -> frozenset[ThinkingType]:
    return frozenset(types)


_GENERATION_4_5 = ModelRules(
    sampling="one",
    thinking=_thinking("enabled", "disabled"),
    thinks_by_default=False,
    efforts=(),
    prefill=True,
    forced_tool_choice=True,
    system_messages=False,
    binds_thinking=False,
    max_output_tokens=64_000,
)
_GENERATION_4_6 = replace(
    _GENERATION_4_5,
    thinking=_thinking("enabled", "adaptive", "disabled"),
    efforts=("low", "medium", "high", "max"),
    prefill=False,
    max_output_tokens=128_000,
)
_OPUS_4_7 = replace(_GENERATION_4_6, sampling="none", thinking=_thinking("adaptive", "disabled"), efforts=ALL_EFFORTS)
_OPUS_4_8 = replace(_OPUS_4_7, system_messages=True)
_SONNET_5 = replace(_OPUS_4_7, thinks_by_default=True)
_OPUS_5 = replace(_SONNET_5, system_messages=True)
_FABLE_5 = replace(_OPUS_5, thinking=_thinking("adaptive"))
_FABLE_5_1 = replace(_FABLE_5, forced_tool_choice=False, binds_thinking=True)
_SONNET_5_5 = replace(_SONNET_5, thinking=_thinking("adaptive", "between_tools"), forced_tool_choice=False, binds_thinking=True)
# It takes system messages but distrusts them after a tool result, so they are not relied on.
_HAIKU_5_5 = replace(_SONNET_5, binds_thinking=True)

MODEL_RULES: dict[str, ModelRules] = {
    "claude-haiku-4-5": _GENERATION_4_5,
    "claude-sonnet-4-5": _GENERATION_4_5,
    "claude-opus-4-5": replace(_GENERATION_4_5, efforts=("low", "medium", "high")),
    "claude-sonnet-4-6": _GENERATION_4_6,
    "claude-opus-4-6": _GENERATION_4_6,
    "claude-opus-4-7": _OPUS_4_7,
    "claude-opus-4-8": _OPUS_4_8,
    "claude-sonnet-5": _SONNET_5,
    "claude-opus-5": _OPUS_5,
    "claude-fable-5": _FABLE_5,
    "claude-mythos-5": _FABLE_5,
    "claude-fable-5-1": _FABLE_5_1,
    "claude-mythos-5-1": _FABLE_5_1,
    "claude-fable-5-2": _FABLE_5_1,
    "claude-mythos-5-2": _FABLE_5_1,
    "claude-opus-5-5": _FABLE_5_1,
    "claude-sonnet-5-5": _SONNET_5_5,
    "claude-haiku-5-5": _HAIKU_5_5,
}
"""Family and version -> rules."""

NEWEST = _FABLE_5_1
"""For Claude models the table does not know."""

COMPATIBLE = replace(
    _GENERATION_4_5, sampling="any", thinking=_thinking("enabled", "adaptive", "disabled"), max_output_tokens=None
)
"""For models of other makers behind a Messages endpoint: nothing is known, so little is taken away."""

# A date behind the version has eight digits, a minor version one or two.
_FAMILY_AND_VERSION = re.compile(r"claude-[a-z]+-\d+(?:-\d{1,2}(?!\d))?")


def normal_id(model: str) -> str:
    """A model id without provider prefix, version dots written as dashes: ``anthropic/claude-opus-4.6`` -> ``claude-opus-4-6``."""
    bare = model.rpartition("/")[2]
    return bare.replace(".", "-") if bare.startswith("claude-") else bare


def rules_for(info: ModelInfo) -> ModelRules:
    """The rules of a model; the card's own output limit wins over the table's."""
    name = normal_id(info.id)
    match = _FAMILY_AND_VERSION.match(name)
    rules = MODEL_RULES.get(match[0], NEWEST) if match else NEWEST if name.startswith("claude-") else COMPATIBLE
    if info.max_output_tokens is None:
        return rules
    return replace(rules, max_output_tokens=info.max_output_tokens)

"""What each family of models takes in a request, found by the model's id: the rows that the catalog's own data does not give.

Facts as of November 2026: vendors' documentation and error texts, and the profiles of clients that state live verification. Of a Claude
model newer than the table the strictest is assumed, because every generation so far has removed options; of any other unknown model,
nothing is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo, ThinkingOff

MESSAGES = "anthropic_messages"
CODEX = "openai-codex"

_ALL_EFFORTS = ("low", "medium", "high", "xhigh", "max")

# ---------------------------------------------------------------------------------------------------------------- Claude

_CLAUDE_4_5 = Accepts(
    temperature_limit=1.0,
    temperature_with_top_p=False,
    penalties=False,
    sampling_while_reasoning=False,
    verbosity=False,
    reasons=True,
    efforts=(),
    adaptive=False,
    strong_effort_without_thinking=False,
    thinking_before_calls=True,
    forced_choice_while_thinking=False,
    custom_tools=False,
    system_messages=False,
    structured_output=("json_schema",),
    prefill_while_reasoning=False,
    prefill_ends_in_space=False,
    call_id_limit=64,
)
_CLAUDE_4_6 = replace(_CLAUDE_4_5, adaptive=True, efforts=("low", "medium", "high", "max"), prefill=False)
_OPUS_4_7 = replace(_CLAUDE_4_6, temperature=False, top_p=False, top_k=False, budget=False, efforts=_ALL_EFFORTS)
_OPUS_4_8 = replace(_OPUS_4_7, system_messages=True)
_SONNET_5 = replace(_OPUS_4_7, reasons_by_default=True)
_OPUS_5 = replace(_SONNET_5, system_messages=True)
_FABLE_5 = replace(_OPUS_5, thinking_off="never")
_FABLE_5_1 = replace(_FABLE_5, forced_tool_choice=False, binds_thinking=True)

CLAUDE: dict[str, Accepts] = {
    "claude-haiku-4-5": replace(_CLAUDE_4_5, tool_changes=False),
    "claude-sonnet-4-5": _CLAUDE_4_5,
    "claude-opus-4-5": replace(_CLAUDE_4_5, efforts=("low", "medium", "high")),
    "claude-sonnet-4-6": _CLAUDE_4_6,
    "claude-opus-4-6": _CLAUDE_4_6,
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
    "claude-sonnet-5-5": replace(_SONNET_5, thinking_off="between_tools", forced_tool_choice=False, binds_thinking=True),
    # It takes system messages but distrusts them after a tool result, so they are not relied on.
    "claude-haiku-5-5": replace(_SONNET_5, binds_thinking=True),
}
"""Family and version -> what it takes."""

_CLAUDE_OUTPUT = {"claude-haiku-4-5": 64_000, "claude-sonnet-4-5": 64_000, "claude-opus-4-5": 64_000}
_NEWEST_CLAUDE = replace(_FABLE_5_1, known=False)
# A date behind the version has eight digits, a minor version one or two.
_CLAUDE_ID = re.compile(r"claude-[a-z]+-\d+(?:-\d{1,2}(?!\d))?")

_MESSAGES_OF_OTHERS = Accepts(
    known=False,
    efforts=(),
    temperature_limit=1.0,
    penalties=False,
    verbosity=False,
    custom_tools=False,
    system_messages=False,
    thinking_before_calls=True,
    strong_effort_without_thinking=False,
    forced_choice_while_thinking=False,
    structured_output=("json_schema",),
    tool_changes=False,
    prefill_while_reasoning=False,
    prefill_ends_in_space=False,
    sampling_while_reasoning=False,
    call_id_limit=64,
)
"""Models of other makers behind a Messages endpoint: nothing is known but what the protocol itself lacks."""

# ---------------------------------------------------------------------------------------------------------------- OpenAI

_OPENAI = Accepts(
    top_k=False, prefill=True, budget=False, adaptive=False, cache_marks=False, user_limit=64, safety_identifier_limit=64
)
_OPENAI_IDS = replace(_OPENAI, item_id_limit=64, call_id_limit=64)
_CLASSIC = replace(_OPENAI_IDS, reasons=False, efforts=(), verbosity=False, developer_role=True)
_O_SERIES = replace(
    _OPENAI_IDS,
    reasons=True,
    reasons_by_default=True,
    efforts=("low", "medium", "high"),
    thinking_off="never",
    temperature=False,
    top_p=False,
    penalties=False,
    stop=False,
    verbosity=False,
)
_GPT_5 = replace(_O_SERIES, efforts=("minimal", "low", "medium", "high"), verbosity=True)
_GPT_5_1 = replace(
    _GPT_5,
    efforts=("none", "low", "medium", "high"),
    thinking_off="disabled",
    temperature=True,
    top_p=True,
    sampling_while_reasoning=False,
)
_GPT_5_2 = replace(_GPT_5_1, efforts=("none", "low", "medium", "high", "xhigh"))
_GPT_6 = replace(_GPT_5_1, efforts=("none", "low", "medium", "high", "xhigh", "max"))
_CODEX_MODEL = replace(_O_SERIES, efforts=("low", "medium", "high"), verbosity=True)
_CODEX_STRONG = replace(_CODEX_MODEL, efforts=("low", "medium", "high", "xhigh"))

# The first pattern that the id begins with counts.
_OPENAI_FAMILIES: tuple[tuple[re.Pattern[str], Accepts], ...] = tuple(
    (re.compile(pattern), accepts)
    for pattern, accepts in (
        (r"gpt-[34]|chatgpt|gpt-.*-chat|text-|davinci|babbage", _CLASSIC),
        (r"o\d", _O_SERIES),
        (r"gpt-5\.1-codex-max|gpt-5\.[2-9]-codex", _CODEX_STRONG),
        (r"gpt-5(?:\.\d)?-codex|codex", _CODEX_MODEL),
        (r"gpt-5\.1", _GPT_5_1),
        (r"gpt-5\.\d", _GPT_5_2),
        (r"gpt-5", _GPT_5),
        (r"gpt-\d", _GPT_6),
    )
)

_WITHOUT_BUDGET = frozenset({"openai_chat_completions", "openai_responses"})
"""Dialects in which reasoning cannot be asked for by a number of tokens."""
_UNKNOWN = Accepts(known=False, budget=False, adaptive=False)
_UNKNOWN_OF_OPENAI = replace(_UNKNOWN, user_limit=64)

# -------------------------------------------------------------------------------------------------------------- DeepSeek

_DEEPSEEK = Accepts(
    developer_role=False,
    cache_marks=False,
    structured_output=("json_object",),
    strict_tools=False,
    verbosity=False,
    budget=False,
    adaptive=False,
    max_tokens_field="max_tokens",
    user_limit=64,
)
_DEEPSEEK_CHAT = replace(_DEEPSEEK, reasons=False, efforts=())
_DEEPSEEK_REASONS = replace(
    _DEEPSEEK, reasons=True, reasons_by_default=True, efforts=(), thinking_off="never", reasoning_in_tool_loops=True
)
_DEEPSEEK_V4 = replace(_DEEPSEEK, reasoning_in_tool_loops=True)


# ---------------------------------------------------------------------------------------------------------------- Gemini

_GEMINI = Accepts(
    reasons=True,
    reasons_by_default=True,
    verbosity=False,
    adaptive=False,
    system_messages=False,
    developer_role=False,
    parallel_tool_calls=False,
    strict_tools=False,
    cache_marks=False,
    custom_tools=False,
)
_GEMINI_2 = replace(_GEMINI, reasons=False, reasons_by_default=False, budget=False, efforts=())
_GEMINI_2_5 = replace(_GEMINI, efforts=())
_GEMINI_3 = replace(_GEMINI, budget=False, adaptive=True, efforts=("low", "medium", "high"), thinking_off="never")

# The first pattern that the id begins with counts. Source: Google's guide to thinking.
_GEMINI_FAMILIES: tuple[tuple[re.Pattern[str], Accepts], ...] = tuple(
    (re.compile(pattern), accepts)
    for pattern, accepts in (
        (r"gemini-(?:1\.|2\.0)", _GEMINI_2),
        (r"gemini-2\.5-pro", replace(_GEMINI_2_5, thinking_off="never")),
        (r"gemini-2\.5", _GEMINI_2_5),
        (r"gemini-\d+(?:\.\d+)?-flash", replace(_GEMINI_3, efforts=("minimal", "low", "medium", "high"))),
        (r"gemini-", _GEMINI_3),
    )
)


def with_accepts(info: ModelInfo, dialect: str) -> ModelInfo:
    """The same facts, with what the model takes filled in where the catalog does not say.

    :param dialect: the one the model is asked in
    """
    return info if info.accepts is not None else _with_accepts(info, dialect)


@lru_cache(maxsize=1024)
def _with_accepts(info: ModelInfo, dialect: str) -> ModelInfo:
    limit = info.max_output_tokens or (_claude_output(info.id) if dialect == MESSAGES else None)
    return replace(info, accepts=_with_efforts(accepts_of(info.provider, info.id, dialect), info), max_output_tokens=limit)


def _with_efforts(accepts: Accepts, info: ModelInfo) -> Accepts:
    """The published efforts of this very model count more than those of its family."""
    if not info.efforts or not accepts.efforts:
        return accepts
    told = info.efforts if info.provider != CODEX else tuple(name for name in info.efforts if name not in ("none", "minimal"))
    # Whoever knew "none" and knows it no more always reasons.
    off: ThinkingOff = "never" if "none" in accepts.efforts and "none" not in told else accepts.thinking_off
    return replace(accepts, efforts=told, thinking_off=off)


CHAT = "openai_chat_completions"
_CHAT_CALL_ID = 40
"""Longest id of a call that OpenAI takes in Chat Completions; in Responses it is 64."""
_CHAT_USER = 64
"""``user`` as the strictest of the endpoints that speak Chat Completions takes it; others stop at 128."""


def accepts_of(provider: str, model: str, dialect: str) -> Accepts:
    """What a model takes.

    :param provider: the configured name
    :param model: the provider's own id, perhaps with its maker's name in front (``anthropic/claude-opus-4.6``)
    :param dialect: the one it is asked in
    """
    accepts = _accepts_of(provider, model, dialect)
    if dialect != CHAT:
        return accepts
    limit = _CHAT_CALL_ID if accepts.call_id_limit is not None else None
    return replace(accepts, user_limit=accepts.user_limit or _CHAT_USER, call_id_limit=limit)


def _accepts_of(provider: str, model: str, dialect: str) -> Accepts:
    name = _bare(model)
    if name.startswith("claude-"):
        match = _CLAUDE_ID.match(name)
        return CLAUDE.get(match[0], _NEWEST_CLAUDE) if match else _NEWEST_CLAUDE
    if dialect == MESSAGES:
        return _MESSAGES_OF_OTHERS
    if name.startswith("deepseek"):
        return _deepseek(name)
    if name.startswith("gemini-"):
        return next(accepts for pattern, accepts in _GEMINI_FAMILIES if pattern.match(name))
    found = next((accepts for pattern, accepts in _OPENAI_FAMILIES if pattern.match(name)), None)
    if provider == CODEX:
        return _at_codex(found or replace(_CODEX_STRONG, known=False))
    return found or (
        _UNKNOWN_OF_OPENAI if provider == "openai" else _UNKNOWN if dialect in _WITHOUT_BUDGET else Accepts(known=False)
    )


def _deepseek(name: str) -> Accepts:
    if name.startswith("deepseek-chat"):
        return _DEEPSEEK_CHAT
    return _DEEPSEEK_REASONS if name.startswith("deepseek-reasoner") else _DEEPSEEK_V4


def _at_codex(accepts: Accepts) -> Accepts:
    """The ChatGPT backend takes no efforts below ``low``, no sampling, and bounds every id."""
    efforts = tuple(effort for effort in accepts.efforts or () if effort not in ("none", "minimal"))
    return replace(
        accepts,
        efforts=efforts,
        thinking_off="never",
        temperature=False,
        top_p=False,
        penalties=False,
        stop=False,
        item_id_limit=64,
        call_id_limit=64,
        service_tiers=("default", "priority", "auto"),
    )


def _claude_output(model: str) -> int | None:
    """The most a Claude model of the table writes."""
    match = _CLAUDE_ID.match(_bare(model))
    return _CLAUDE_OUTPUT.get(match[0], 128_000) if match and match[0] in CLAUDE else None


def _bare(model: str) -> str:
    """An id without its maker's name in front, a Claude version's dots written as dashes."""
    bare = model.rpartition("/")[2].lower()
    return bare.replace(".", "-") if bare.startswith("claude-") else bare

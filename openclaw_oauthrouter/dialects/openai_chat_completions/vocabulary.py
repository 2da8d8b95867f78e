"""The words Chat Completions uses for what the canonical vocabulary names differently: finish reasons, fields, token counts, ids."""

from __future__ import annotations

from typing import Final

from openclaw_oauthrouter.canonical.events import FinishReason
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage, reported_cost, token_count

DIALECT: Final = "openai_chat_completions"

FINISH_REASONS: Final[dict[FinishReason, str]] = {
    "stop": "stop",
    "length": "length",
    "tool_call": "tool_calls",
    "content_filter": "content_filter",
    "pause": "stop",
}
"""Canonical to wire. ``pause`` has no word here; the caller sees a finished turn."""

CANONICAL_FINISH_REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",  # Mistral's word for a full context window
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "refusal": "content_filter",
    "sensitive": "content_filter",  # Zhipu
}
"""Wire to canonical, whatever the case; any other word counts as ``stop``."""

BROKEN_OFF: Final = frozenset({"error", "abort", "aborted", "cancelled", "insufficient_system_resource", "network_error"})
"""Words for an answer that the provider itself broke off (DeepSeek, vLLM, SGLang, Zhipu): no end of a turn."""

AUDIO_FORMATS: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
"""``input_audio.format`` to media type."""

FOREIGN_FIELDS: Final = frozenset({"input", "instructions", "max_output_tokens", "text", "system", "stop_sequences"})
"""Fields of Responses and Messages bodies that have a counterpart here."""

CANONICAL_FIELDS: Final = frozenset(
    {
        "model",
        "messages",
        "tools",
        "functions",
        "tool_choice",
        "function_call",
        "parallel_tool_calls",
        "max_completion_tokens",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "stream",
        "stream_options",
        "response_format",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "verbosity",
        "user",
        "safety_identifier",
        "service_tier",
        "prompt_cache_key",
        "cache_control",
        "web_search_options",
        "logprobs",
    }
    | FOREIGN_FIELDS
)
"""Request fields ``ChatRequest`` has a word for; all others are kept in ``ChatRequest.native``."""

_ID_PREFIX = "chatcmpl-"


def completion_id(id_: str, now: float) -> str:
    """The client's id of an answer: the provider's, or one made of the time in microseconds when it gave none.

    :param now: Unix seconds
    """
    if not id_:
        return f"{_ID_PREFIX}{int(now * 1e6):x}"
    return id_ if id_.startswith(_ID_PREFIX) else _ID_PREFIX + id_


def encode_usage(usage: Usage) -> JsonObject:
    """Write token counts; the detail objects only appear when they say something."""
    out: JsonObject = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    read, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    if read or written:
        out["prompt_tokens_details"] = (
            {"cached_tokens": read, "cache_write_tokens": written} if written else {"cached_tokens": read}
        )
    if usage.reasoning_output_tokens:
        out["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_output_tokens}
    return out


_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


def decode_usage(usage: FrozenObject, service_tier: str | None = None) -> Usage:
    """Read token counts, vendors' own spellings of cached tokens included."""
    if _COUNTS.issuperset(usage):
        return Usage(token_count(usage, "prompt_tokens"), token_count(usage, "completion_tokens"), service_tier=service_tier)
    prompt = usage.get("prompt_tokens_details")
    completion = usage.get("completion_tokens_details")
    reasoning = token_count(completion, "reasoning_tokens")
    input_tokens, output_tokens = token_count(usage, "prompt_tokens"), token_count(usage, "completion_tokens")
    # xAI counts reasoning beside the answer instead of within it; its total gives that away.
    if reasoning and token_count(usage, "total_tokens") == input_tokens + output_tokens + reasoning:
        output_tokens += reasoning
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_input_tokens=token_count(prompt, "cached_tokens")
        or token_count(usage, "prompt_cache_hit_tokens")
        or token_count(usage, "cached_tokens"),
        cache_creation_input_tokens=token_count(prompt, "cache_write_tokens"),
        reasoning_output_tokens=reasoning,
        service_tier=service_tier,
        web_search_requests=token_count(usage.get("server_tool_use"), "web_search_requests"),
        input_audio_tokens=token_count(prompt, "audio_tokens"),
        output_audio_tokens=token_count(completion, "audio_tokens"),
        provider_cost=reported_cost(usage),
    )

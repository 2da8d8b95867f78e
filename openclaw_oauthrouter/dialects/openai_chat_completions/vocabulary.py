"""The words Chat Completions uses for things the canonical vocabulary names differently."""

from __future__ import annotations

from typing import Final

from openclaw_oauthrouter.canonical.events import FinishReason

NAME: Final = "openai_chat_completions"

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
    "model_length": "length",  # Mistral's word for a full context window
    "tool_calls": "tool_call",
    "function_call": "tool_call",
    "content_filter": "content_filter",
}
"""Wire to canonical; any other word counts as ``stop``."""

AUDIO_FORMATS: Final = {"wav": "audio/wav", "mp3": "audio/mpeg"}
"""``input_audio.format`` to media type."""

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
        "logprobs",
    }
)
"""Request fields ``ChatRequest`` has a word for; all others are kept in ``ChatRequest.native``."""

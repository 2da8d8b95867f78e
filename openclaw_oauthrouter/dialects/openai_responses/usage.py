"""Token counts, both ways."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage


def decode_usage(usage: FrozenObject, service_tier: str | None = None) -> Usage:
    """Read ``response.usage``; what is missing counts as nothing."""
    prompt = usage.get("input_tokens_details") or {}
    answer = usage.get("output_tokens_details") or {}
    return Usage(
        input_tokens=usage.get("input_tokens") or 0,
        output_tokens=usage.get("output_tokens") or 0,
        cache_read_input_tokens=prompt.get("cached_tokens") or 0,
        cache_creation_input_tokens=prompt.get("cache_write_tokens") or 0,
        reasoning_output_tokens=answer.get("reasoning_tokens") or 0,
        service_tier=service_tier,
    )


def encode_usage(usage: Usage) -> JsonObject:
    """Write ``response.usage``."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_input_tokens,
            "cache_write_tokens": usage.cache_creation_input_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_output_tokens},
        "total_tokens": usage.total_tokens,
    }

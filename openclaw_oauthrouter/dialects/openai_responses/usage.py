"""Token counts, both ways."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage, token_count


def decode_usage(usage: FrozenObject, service_tier: str | None = None) -> Usage:
    """Read ``response.usage``; what is missing counts as nothing."""
    prompt = usage.get("input_tokens_details")
    answer = usage.get("output_tokens_details")
    return Usage(
        input_tokens=token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_input_tokens=token_count(prompt, "cached_tokens"),
        cache_creation_input_tokens=token_count(prompt, "cache_write_tokens"),
        reasoning_output_tokens=token_count(answer, "reasoning_tokens"),
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

"""Token counts: Chat Completions' words and the canonical ones."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage, token_count


def encode_usage(usage: Usage) -> JsonObject:
    """Write token counts; the detail objects only appear when they say something."""
    out: JsonObject = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    prompt = {"cached_tokens": usage.cache_read_input_tokens, "cache_write_tokens": usage.cache_creation_input_tokens}
    if any(prompt.values()):
        out["prompt_tokens_details"] = {key: count for key, count in prompt.items() if count or key == "cached_tokens"}
    if usage.reasoning_output_tokens:
        out["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_output_tokens}
    return out


def decode_usage(usage: FrozenObject, service_tier: str | None = None) -> Usage:
    """Read token counts, vendors' own spellings of cached tokens included."""
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
    )

"""Token counts, both ways: Anthropic counts cached tokens beside ``input_tokens``, the canonical vocabulary inside."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage, token_count

_TIER_IN = {"standard": "default", "priority": "priority", "batch": "batch"}
_TIER_OUT = {canonical: wire for wire, canonical in _TIER_IN.items()}


def decode_usage(wire: FrozenObject) -> Usage:
    """Read a ``usage`` object; anything missing or null counts as zero."""
    created = token_count(wire, "cache_creation_input_tokens")
    read = token_count(wire, "cache_read_input_tokens")
    return Usage(
        input_tokens=token_count(wire, "input_tokens") + created + read,
        output_tokens=token_count(wire, "output_tokens"),
        cache_read_input_tokens=read,
        cache_creation_input_tokens=created,
        cache_creation_1h_input_tokens=token_count(wire.get("cache_creation"), "ephemeral_1h_input_tokens"),
        reasoning_output_tokens=token_count(wire.get("output_tokens_details"), "thinking_tokens"),
        service_tier=_TIER_IN.get(str(wire.get("service_tier"))),
        speed=_word(wire, "speed"),
        inference_geo=_word(wire, "inference_geo"),
        web_search_requests=token_count(wire.get("server_tool_use"), "web_search_requests"),
    )


def _word(wire: FrozenObject, key: str) -> str | None:
    value = wire.get(key)
    return value if isinstance(value, str) else None


def encode_usage(usage: Usage) -> JsonObject:
    """Write a ``usage`` object."""
    created = usage.cache_creation_input_tokens
    wire: JsonObject = {
        "input_tokens": max(0, usage.input_tokens - created - usage.cache_read_input_tokens),
        "output_tokens": usage.output_tokens,
        "cache_creation_input_tokens": created,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
    }
    if usage.cache_creation_1h_input_tokens:
        hour = usage.cache_creation_1h_input_tokens
        wire["cache_creation"] = {"ephemeral_5m_input_tokens": max(0, created - hour), "ephemeral_1h_input_tokens": hour}
    if usage.web_search_requests:
        wire["server_tool_use"] = {"web_search_requests": usage.web_search_requests}
    if usage.reasoning_output_tokens:
        wire["output_tokens_details"] = {"thinking_tokens": usage.reasoning_output_tokens}
    tier = _TIER_OUT.get(str(usage.service_tier))
    if tier is not None:
        wire["service_tier"] = tier
    return wire

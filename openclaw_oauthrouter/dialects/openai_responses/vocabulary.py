"""The dialect's name, its limits, flat names of grouped tools, and token counts both ways."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.usage import Usage, reported_cost, token_count

DIALECT = "openai_responses"

MAX_ID = 64
"""Longest id of an item, and of a call, that the API takes."""


def wire_call_id(call_id: str) -> str:
    """A call id the API accepts; the same id always becomes the same, so calls and answers still meet."""
    return call_id if 0 < len(call_id) <= MAX_ID else f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:32]}"


def flat_name(namespace: str, name: str) -> str:
    """The name under which other dialects see a tool of a ``namespace`` group."""
    return f"{namespace}__{name}"


BILLED_TOOLS = ("web_search_call", "file_search_call", "code_interpreter_call")
"""Output items of tools that OpenAI runs and bills by the use; ``response.usage`` does not count them."""


def decode_usage(usage: FrozenObject, service_tier: str | None = None, tools: Mapping[str, int] | None = None) -> Usage:
    """Read ``response.usage``; what is missing counts as nothing.

    :param tools: how many output items there were of each of ``BILLED_TOOLS``
    """
    uses = tools or {}
    prompt = usage.get("input_tokens_details")
    answer = usage.get("output_tokens_details")
    return Usage(
        input_tokens=token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "output_tokens"),
        cache_read_input_tokens=token_count(prompt, "cached_tokens"),
        cache_creation_input_tokens=token_count(prompt, "cache_write_tokens"),
        reasoning_output_tokens=token_count(answer, "reasoning_tokens"),
        service_tier=service_tier,
        web_search_requests=uses.get("web_search_call", 0),
        file_search_requests=uses.get("file_search_call", 0),
        code_execution_requests=uses.get("code_interpreter_call", 0),
        provider_cost=reported_cost(usage),
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

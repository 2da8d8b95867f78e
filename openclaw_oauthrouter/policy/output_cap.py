"""Makes the cap on an answer's length true: a client that names none gets ours, in the request and in the body that is relayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo

_FIELDS: Mapping[str, str] = {
    "openai_chat_completions": "max_completion_tokens",
    "openai_responses": "max_output_tokens",
    "anthropic_messages": "max_tokens",
}
"""The body's field in each dialect; one that is not listed is capped where it is translated, not where it is relayed."""


def with_output_cap(request: ChatRequest, info: ModelInfo, most: int | None) -> ChatRequest:
    """The request with an upper bound on its answer.

    :param most: ``maxRequestOutputTokens``; ``None`` changes nothing, and neither does a request that names a bound itself
    """
    if most is None or request.max_output_tokens is not None:
        return request
    cap = most if info.max_output_tokens is None else min(most, info.max_output_tokens)
    field = _FIELDS.get(request.dialect)
    body = request.body if field is None else {**request.body, field: cap}
    return replace(request, max_output_tokens=cap, body=body)

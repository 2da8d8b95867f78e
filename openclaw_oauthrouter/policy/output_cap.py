"""Makes the bound on an answer's length true: in the request, and in the body that is relayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "openai_chat_completions": ("max_completion_tokens", "max_tokens"),
    "openai_responses": ("max_output_tokens",),
    "anthropic_messages": ("max_tokens",),
    "gemini_generate_content": ("generationConfig", "maxOutputTokens"),
}
"""The body's field in each dialect, with its former name; one that is not listed is capped where it is translated."""


def with_output_cap(request: ChatRequest, info: ModelInfo, most: int | None) -> ChatRequest:
    """The request with an upper bound on its answer.

    :param most: tokens; ``None`` changes nothing, and neither does a bound above one that the request names itself
    """
    if most is None:
        return request
    cap = most if info.max_output_tokens is None else min(most, info.max_output_tokens)
    if request.max_output_tokens is not None and request.max_output_tokens <= cap:
        return request
    return replace(request, max_output_tokens=cap, body=_bounded(request.body, request.dialect, cap))


def _bounded(body: FrozenObject, dialect: str, cap: int) -> FrozenObject:
    fields = _FIELDS.get(dialect)
    if fields is None:
        return body
    if dialect == "gemini_generate_content":
        group, name = fields
        inner = body.get(group)
        return {**body, group: {**(inner if isinstance(inner, Mapping) else {}), name: cap}}
    present = [name for name in fields if body.get(name) is not None] or [fields[0]]
    return {**body, **dict.fromkeys(present, cap)}

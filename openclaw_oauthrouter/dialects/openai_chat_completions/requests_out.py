"""A request of another dialect: canonical -> Chat Completions."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note, Reasoning, ResponseFormat
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.tool_names import changed_names
from openclaw_oauthrouter.dialects.openai_chat_completions.messages_out import encode_messages
from openclaw_oauthrouter.dialects.openai_chat_completions.tools_out import encode_tools

_EFFORT_BY_BUDGET = ((1, "none"), (2048, "low"), (8192, "medium"))
"""Thinking budgets below the first figure mean the second; anything above is ``high``."""

_SERVICE_TIERS = {"auto": "auto", "default": "default", "flex": "flex", "priority": "priority", "standard_only": "default"}


def encode_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """Write a request for a model.

    :raises InvalidRequestError: a block or tool has no counterpart in Chat Completions
    """
    notes: list[Note] = []
    body: JsonObject = {
        "model": info.id,
        "messages": encode_messages(request, notes),
        **encode_tools(request, notes),
        "max_completion_tokens": _max_tokens(request, info, notes),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop),
        "response_format": _response_format(request.response_format),
        "reasoning_effort": _effort(request.reasoning, notes),
        "verbosity": request.verbosity,
        "user": request.user,
        "service_tier": _SERVICE_TIERS.get(request.service_tier or ""),
        "prompt_cache_key": request.prompt_cache_key,
        "logprobs": request.logprobs or None,
    }
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    dropped = [*request.native, *(["top_k"] if request.top_k is not None else [])]
    notes.extend(Note("dropped", field, "Chat Completions has no such field") for field in dropped)
    said = {key: value for key, value in body.items() if value is not None and value != []}
    return EncodedRequest(said, notes=tuple(notes), tool_names=changed_names(request.tools))


def _max_tokens(request: ChatRequest, info: ModelInfo, notes: list[Note]) -> int | None:
    asked, most = request.max_output_tokens, info.max_output_tokens
    if asked is None or most is None or asked <= most:
        return asked
    notes.append(Note("mapped", "max_tokens", f"{info.id} writes at most {most} tokens"))
    return most


def _effort(reasoning: Reasoning | None, notes: list[Note]) -> str | None:
    if reasoning is None or reasoning.effort or reasoning.budget_tokens is None:
        return reasoning.effort if reasoning else None
    budget = reasoning.budget_tokens
    effort = next((word for limit, word in _EFFORT_BY_BUDGET if budget < limit), "high")
    notes.append(Note("mapped", "thinking.budget_tokens", f"{budget} tokens became effort {effort!r}"))
    return effort


def _response_format(format_: ResponseFormat | None) -> JsonObject | None:
    if format_ is None:
        return None
    if format_.kind != "json_schema":
        return {"type": format_.kind}
    described = {
        "name": format_.name or "answer",
        "description": format_.description,
        "schema": format_.schema,
        "strict": format_.strict,
    }
    return {"type": "json_schema", "json_schema": {key: value for key, value in described.items() if value is not None}}

"""Writes a request that came in another dialect as a Messages body."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from openclaw_oauthrouter.canonical.content import ReasoningPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.repair import repair
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message, Note, Reasoning
from openclaw_oauthrouter.dialects.anthropic_messages.adaptation import apply_model_rules
from openclaw_oauthrouter.dialects.anthropic_messages.blocks_out import PartWriter
from openclaw_oauthrouter.dialects.anthropic_messages.cache_marks import place_cache_marks
from openclaw_oauthrouter.dialects.anthropic_messages.conversation_out import lay_out
from openclaw_oauthrouter.dialects.anthropic_messages.model_rules import ModelRules, normal_id
from openclaw_oauthrouter.dialects.anthropic_messages.schemas import fit_schema
from openclaw_oauthrouter.dialects.anthropic_messages.tool_names import ToolNames
from openclaw_oauthrouter.dialects.anthropic_messages.tools_out import write_tool_choice, write_tools
from openclaw_oauthrouter.errors import InvalidRequestError

DEFAULT_MAX_TOKENS = 64_000
"""For a model whose output limit nobody knows."""

JSON_ONLY = "Reply with one JSON object and nothing else."

_SERVICE_TIERS = {"default": "standard_only", "flex": "standard_only", "priority": "auto"}
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
# Bookkeeping of other dialects: nothing the caller waits for depends on it.
_SILENT = frozenset({"user", "safety_identifier", "metadata", "client_metadata", "store", "response_format", "n", "modalities"})


def encode_foreign_request(request: ChatRequest, model: str, rules: ModelRules, *, system_in_place: bool) -> EncodedRequest:
    """Write a request of another dialect.

    :raises InvalidRequestError: it asks for something that cannot be said here
    """
    _refuse_what_cannot_be_said(request)
    messages, notes = repair(request.messages)
    if rules.binds_thinking:
        messages = _without_earlier_reasoning(messages)
    names = ToolNames()
    tools, tool_notes = write_tools(request, names)
    writer = PartWriter(names, request.foreign_opaque)
    system, turns = lay_out(messages, writer, system_in_place=system_in_place)
    body: JsonObject = {
        "model": normal_id(model),
        "max_tokens": request.max_output_tokens or rules.max_output_tokens or DEFAULT_MAX_TOKENS,
    }
    if request.response_format is not None and request.response_format.kind == "json_object":
        system.append({"type": "text", "text": JSON_ONLY})
    if system:
        body["system"] = system
    body["messages"] = turns
    if tools:
        body["tools"] = tools
        choice = write_tool_choice(request, names)
        if choice is not None:
            body["tool_choice"] = choice
    body.update(_settings(request))
    place_cache_marks(body)
    adapted = apply_model_rules(body, rules)
    dropped = _dropped(request)
    return EncodedRequest(body, (*notes, *tool_notes, *writer.notes, *dropped, *adapted), names.changed())


def _settings(request: ChatRequest) -> Iterator[tuple[str, object]]:
    """Everything beside the conversation, in neutral form: what the model refuses is dealt with afterwards."""
    for name in ("temperature", "top_p", "top_k"):
        if (value := getattr(request, name)) is not None:
            yield name, value
    # ``user`` is a session's name at some clients and an e-mail address at others; only this field is meant for providers.
    user = request.body.get("safety_identifier")
    optional = {
        "stop_sequences": [text for text in request.stop if text.strip()],
        "stream": request.stream,
        "service_tier": _SERVICE_TIERS.get(request.service_tier or ""),
        "metadata": {"user_id": user} if isinstance(user, str) and user else None,
        "thinking": _thinking(request.reasoning) if request.reasoning is not None else None,
        "output_config": dict(_output_config(request)),
    }
    yield from ((name, value) for name, value in optional.items() if value)


def _thinking(reasoning: Reasoning) -> JsonObject | None:
    if reasoning.effort == "none":
        return {"type": "disabled"}
    if reasoning.budget_tokens is not None:
        thinking: JsonObject = {"type": "enabled", "budget_tokens": reasoning.budget_tokens}
    elif reasoning.adaptive or reasoning.effort in _EFFORTS:
        thinking = {"type": "adaptive"}
    else:
        return None
    if reasoning.summary is not None:
        thinking["display"] = "summarized"
    return thinking


def _output_config(request: ChatRequest) -> Iterator[tuple[str, object]]:
    if request.reasoning is not None and request.reasoning.effort in _EFFORTS:
        yield "effort", _EFFORTS[request.reasoning.effort]
    wanted = request.response_format
    if wanted is not None and wanted.kind == "json_schema" and wanted.schema is not None:
        yield "format", {"type": "json_schema", "schema": fit_schema(dict(wanted.schema))}


def _dropped(request: ChatRequest) -> Iterator[Note]:
    for name in request.native:
        if name not in _SILENT:
            yield Note("dropped", name, "Claude models have no counterpart")
    if request.logprobs:
        yield Note("dropped", "logprobs", "Claude models do not report probabilities")
    if request.verbosity is not None:
        yield Note("dropped", "verbosity", "Claude models have no counterpart")
    if request.service_tier is not None and request.service_tier not in (*_SERVICE_TIERS, "auto"):
        yield Note("dropped", "service_tier", f"{request.service_tier!r} has no counterpart")


def _refuse_what_cannot_be_said(request: ChatRequest) -> None:
    choices = request.native.get("n")
    if isinstance(choices, int) and choices > 1:
        raise InvalidRequestError("Claude models give one answer; n must be 1", param="n")
    modalities = request.native.get("modalities")
    if isinstance(modalities, Container) and "audio" in modalities:
        raise InvalidRequestError("Claude models cannot answer in audio", param="modalities")
    if request.native.get("web_search_options") is not None:
        raise InvalidRequestError(
            "this model cannot be given web_search_options; offer it a search tool", param="web_search_options"
        )
    if request.max_output_tokens is not None and request.max_output_tokens < 1:
        raise InvalidRequestError("the answer's token limit must be at least 1", param="max_tokens")


def _without_earlier_reasoning(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Keep sealed thinking of the running tool loop only: a translated history is never the prefix it was bound to."""
    start = max(
        (at for at, message in enumerate(messages) if message.role == "user" and not _is_tool_result(message)), default=-1
    )
    return tuple(
        replace(message, parts=tuple(part for part in message.parts if not isinstance(part, ReasoningPart)))
        if at < start
        else message
        for at, message in enumerate(messages)
    )


def _is_tool_result(message: Message) -> bool:
    return any(isinstance(part, ToolCallResponsePart) for part in message.parts)

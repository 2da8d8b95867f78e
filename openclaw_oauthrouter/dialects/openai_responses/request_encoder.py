"""A canonical request, as a Responses body."""

from __future__ import annotations

import re
from typing import Any

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.repair import repair
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Note, Reasoning, ResponseFormat
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.tool_names import changed_names, wire_name
from openclaw_oauthrouter.dialects.openai_responses.item_encoder import InputEncoder, encode_instructions
from openclaw_oauthrouter.dialects.openai_responses.tool_encoder import encode_tool_choice, encode_tools

MIN_OUTPUT_TOKENS = 16
"""The API refuses a smaller ``max_output_tokens``."""

MAX_USER = 64
"""The API refuses a longer ``user``."""

_REASONING_MODEL = re.compile(r"(?:o\d|gpt-[5-9]|codex)(?!.*-chat)", re.IGNORECASE)
_CLASSIC_MODEL = re.compile(r"gpt-[34]|chatgpt|gpt-.*-chat", re.IGNORECASE)
_SERVICE_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})
_SHARED_FIELDS = frozenset({"metadata", "safety_identifier", "prompt_cache_retention", "prompt_cache_options"})
_EFFORT_OF_BUDGET = ((2048, "low"), (8192, "medium"))


def encode_request(request: ChatRequest, info: ModelInfo) -> EncodedRequest:
    """Write a request of another dialect's client.

    :raises InvalidRequestError: it holds audio
    """
    body, notes = _encode_conversation(request, info)
    for encode in (_encode_tools, _encode_answer, _encode_sampling, _encode_reasoning, _encode_extras):
        fields, more = encode(request, info)
        body |= fields
        notes += more
    return EncodedRequest(body, tuple(dict.fromkeys(notes)), changed_names(request.tools))


_Piece = tuple[JsonObject, list[Note]]


def _encode_conversation(request: ChatRequest, info: ModelInfo) -> _Piece:
    messages, notes = repair(request.messages)
    instructions, rest = encode_instructions(messages)
    encoder = InputEncoder(request.foreign_opaque)
    for message in rest:
        encoder.write(message)
    body: JsonObject = {"model": info.id, "input": encoder.items, "store": False}
    if instructions is not None:
        body["instructions"] = instructions
    if request.stream:
        body["stream"] = True
    return body, [*notes, *encoder.notes]


def _encode_tools(request: ChatRequest, _model_info: ModelInfo) -> _Piece:
    tools, notes = encode_tools(request.tools)
    if not tools:
        return {}, list(notes)
    body: JsonObject = {"tools": tools}
    if request.tool_choice is not None:
        choice = encode_tool_choice(request.tool_choice, request.tools)
        if choice is None:
            notes = (*notes, Note("dropped", "tool_choice", "the tool it names runs at another provider"))
        else:
            body["tool_choice"] = choice
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    return body, list(notes)


def _encode_answer(request: ChatRequest, _model_info: ModelInfo) -> _Piece:
    body: JsonObject = {}
    notes: list[Note] = []
    text: JsonObject = {}
    if request.response_format is not None:
        text["format"] = _encode_format(request.response_format)
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    if text:
        body["text"] = text
    if request.max_output_tokens is not None:
        body["max_output_tokens"] = max(request.max_output_tokens, MIN_OUTPUT_TOKENS)
        if request.max_output_tokens < MIN_OUTPUT_TOKENS:
            notes.append(Note("mapped", "max_output_tokens", f"raised to {MIN_OUTPUT_TOKENS}, the least the API takes"))
    return body, notes


def _encode_format(wanted: ResponseFormat) -> JsonObject:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    encoded: JsonObject = {"type": "json_schema", "name": wire_name(wanted.name or "answer"), "schema": wanted.schema or {}}
    if wanted.description is not None:
        encoded["description"] = wanted.description
    if wanted.strict is not None:
        encoded["strict"] = wanted.strict
    return encoded


def _encode_sampling(request: ChatRequest, info: ModelInfo) -> _Piece:
    wanted: dict[str, Any] = {"temperature": request.temperature, "top_p": request.top_p}
    unknown = {"top_k": request.top_k, "stop": request.stop or None, "logprobs": request.logprobs or None}
    notes = [_no_counterpart(name) for name, value in unknown.items() if value is not None]
    sampling = {name: value for name, value in wanted.items() if value is not None}
    thinks = request.reasoning is None or request.reasoning.effort != "none"
    if thinks and _REASONING_MODEL.match(_bare(info)):
        notes += [Note("dropped", name, f"{info.id} reasons, and then takes no sampling parameters") for name in sampling]
        return {}, notes
    return sampling, notes


def _encode_reasoning(request: ChatRequest, info: ModelInfo) -> _Piece:
    body: JsonObject = {}
    if _CLASSIC_MODEL.match(_bare(info)):
        return body, [] if request.reasoning is None else [Note("dropped", "reasoning", f"{info.id} does not reason")]
    if _REASONING_MODEL.match(_bare(info)):
        body["include"] = ["reasoning.encrypted_content"]
    if request.reasoning is not None:
        body["reasoning"] = _effort(request.reasoning)
    return body, []


def _effort(wanted: Reasoning) -> JsonObject:
    effort = wanted.effort
    if effort is None and wanted.budget_tokens is not None:
        effort = next((name for limit, name in _EFFORT_OF_BUDGET if wanted.budget_tokens < limit), "high")
    summary: JsonObject = {"summary": wanted.summary or "auto"}
    return {"effort": effort, **summary} if effort is not None else summary


def _encode_extras(request: ChatRequest, _model_info: ModelInfo) -> _Piece:
    body: JsonObject = {name: value for name, value in request.native.items() if name in _SHARED_FIELDS}
    notes = [_no_counterpart(name) for name in sorted(request.native.keys() - _SHARED_FIELDS)]
    candidates = (
        ("user", request.user, len(request.user or "") <= MAX_USER),
        ("service_tier", request.service_tier, request.service_tier in _SERVICE_TIERS),
        ("prompt_cache_key", request.prompt_cache_key, True),
    )
    for name, value, fits in candidates:
        if value is not None and fits:
            body[name] = value
        elif value is not None:
            notes.append(Note("dropped", name, "its value has no counterpart in the Responses API"))
    return body, notes


def _no_counterpart(name: str) -> Note:
    return Note("dropped", name, "has no counterpart in the Responses API")


def _bare(info: ModelInfo) -> str:
    return info.id.rpartition("/")[2]

"""A Responses client's request, as a canonical one."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat
from openclaw_oauthrouter.dialects.openai_responses import fields
from openclaw_oauthrouter.dialects.openai_responses.item_decoder import decode_input
from openclaw_oauthrouter.dialects.openai_responses.names import DIALECT
from openclaw_oauthrouter.dialects.openai_responses.tool_decoder import decode_tool_choice, decode_tools
from openclaw_oauthrouter.errors import InvalidRequestError

STATEFUL = ("previous_response_id", "conversation", "background", "prompt")
"""Fields that only mean something to a server that remembers."""

_CANONICAL = frozenset(
    {
        "model",
        "input",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
        "temperature",
        "top_p",
        "stream",
        "text",
        "reasoning",
        "user",
        "service_tier",
        "prompt_cache_key",
        "include",
        "store",
        *STATEFUL,
    }
)


def decode_request(body: JsonObject, headers: Mapping[str, str]) -> ChatRequest:
    """Read a request.

    :raises InvalidRequestError: naming the parameter
    """
    _refuse_state(body)
    if body.get("input") is None:
        raise InvalidRequestError("'input' is missing: send a string or a list of items", param="input")
    text = fields.optional(fields.mapping, body, "text") or {}
    tools, choice = body.get("tools"), body.get("tool_choice")
    return ChatRequest(
        dialect=DIALECT,
        model=fields.string(body.get("model"), "model"),
        messages=(*_instructions(body), *decode_input(body["input"])),
        body=body,
        headers=headers,
        tools=() if tools is None else decode_tools(tools),
        tool_choice=None if choice is None else decode_tool_choice(choice),
        parallel_tool_calls=fields.optional(fields.boolean, body, "parallel_tool_calls"),
        max_output_tokens=fields.optional(fields.count, body, "max_output_tokens"),
        temperature=fields.optional(fields.number, body, "temperature"),
        top_p=fields.optional(fields.number, body, "top_p"),
        stream=bool(fields.optional(fields.boolean, body, "stream")),
        include_usage=True,
        response_format=_response_format(fields.optional(fields.mapping, text, "format", "text")),
        reasoning=_reasoning(fields.optional(fields.mapping, body, "reasoning")),
        verbosity=fields.optional(fields.string, text, "verbosity", "text"),
        user=fields.optional(fields.string, body, "user"),
        service_tier=fields.optional(fields.string, body, "service_tier"),
        prompt_cache_key=fields.optional(fields.string, body, "prompt_cache_key"),
        logprobs="message.output_text.logprobs" in (fields.optional(fields.array, body, "include") or ()),
        native={name: value for name, value in body.items() if name not in _CANONICAL and value is not None},
    )


def _refuse_state(body: JsonObject) -> None:
    for name in STATEFUL:
        if body.get(name):
            raise InvalidRequestError(
                f"{name!r} needs a server that remembers; this gateway is stateless: send the whole conversation as 'input'",
                param=name,
            )


def _instructions(body: JsonObject) -> tuple[Message, ...]:
    text = fields.optional(fields.string, body, "instructions")
    return (Message("system", (TextPart(text),)),) if text else ()


def _response_format(value: JsonObject | None) -> ResponseFormat | None:
    if value is None:
        return None
    match value.get("type"):
        case "json_schema":
            where = "text.format"
            return ResponseFormat(
                "json_schema",
                schema=fields.mapping(value.get("schema"), f"{where}.schema"),
                name=fields.optional(fields.string, value, "name", where),
                description=fields.optional(fields.string, value, "description", where),
                strict=fields.optional(fields.boolean, value, "strict", where),
            )
        case "json_object":
            return ResponseFormat("json_object")
        case "text":
            return None
        case other:
            raise InvalidRequestError(f"text.format.type {other!r} is not known", param="text.format.type")


def _reasoning(value: JsonObject | None) -> Reasoning | None:
    if value is None:
        return None
    summary = value.get("summary") or value.get("generate_summary")
    return Reasoning(
        effort=fields.optional(fields.string, value, "effort", "reasoning"),
        summary=None if summary is None else fields.string(summary, "reasoning.summary"),
    )

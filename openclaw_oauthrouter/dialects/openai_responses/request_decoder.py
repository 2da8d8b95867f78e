"""A Responses client's request, as a canonical one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import cast

from openclaw_oauthrouter.canonical.content import (
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Role
from openclaw_oauthrouter.dialects.openai_responses import fields
from openclaw_oauthrouter.dialects.openai_responses.content import decode_content
from openclaw_oauthrouter.dialects.openai_responses.tools import decode_tool_choice, decode_tools
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT, flat_name
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
        reasoning=_wanted_reasoning(fields.optional(fields.mapping, body, "reasoning")),
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


def _wanted_reasoning(value: JsonObject | None) -> Reasoning | None:
    if value is None:
        return None
    summary = value.get("summary") or value.get("generate_summary")
    return Reasoning(
        effort=fields.optional(fields.string, value, "effort", "reasoning"),
        summary=None if summary is None else fields.string(summary, "reasoning.summary"),
    )


_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}


def decode_input(value: object) -> tuple[Message, ...]:
    """Messages in order; what one assistant turn is made of (reasoning, words, calls) becomes one message, and so do the answers to it.

    :raises InvalidRequestError: naming the item, for instance ``input[3].call_id``
    """
    if isinstance(value, str):
        return (Message("user", (TextPart(value),)),)
    turns: list[tuple[Role, bool, list[Part]]] = []
    for position, item in enumerate(fields.mappings(value, "input")):
        role, whole, parts = _decode_item(item, f"input[{position}]")
        if turns and not whole and turns[-1][:2] == (role, False):
            turns[-1][2].extend(parts)
        else:
            turns.append((role, whole, list(parts)))
    return tuple(Message(role, tuple(parts)) for role, _, parts in turns)


_Decoded = tuple[Role, bool, Iterable[Part]]
"""Role, whether the item is a message of its own rather than a piece of one, and its parts."""


def _decode_item(item: JsonObject, where: str) -> _Decoded:
    kind = item.get("type") or ("message" if "role" in item else None)
    decode = _ITEMS.get(fields.string(kind, f"{where}.type"))
    if decode is not None:
        return decode(item, where)
    # A hosted tool's call, its answer, a compaction: only OpenAI's own upstreams can read them.
    role: Role = "user" if str(kind).endswith("_output") else "assistant"
    return role, False, (NativePart(DIALECT, str(kind), item),)


def _message(item: JsonObject, where: str) -> _Decoded:
    name = fields.string(item.get("role"), f"{where}.role")
    role = _ROLES.get(name)
    if role is None:
        raise InvalidRequestError(f"role {name!r} is not one of {', '.join(_ROLES)}", param=f"{where}.role")
    return role, role != "assistant", decode_content(item.get("content"), f"{where}.content")


def _call(item: JsonObject, where: str) -> _Decoded:
    custom = item["type"] == "custom_tool_call"
    arguments = "input" if custom else "arguments"
    call = ToolCallPart(
        id=fields.string(item.get("call_id"), f"{where}.call_id"),
        name=_called(item, where),
        arguments=fields.string(item.get(arguments), f"{where}.{arguments}"),
        custom=custom,
    )
    return "assistant", False, (call,)


def _called(item: JsonObject, where: str) -> str:
    name = fields.string(item.get("name"), f"{where}.name")
    namespace = fields.optional(fields.string, item, "namespace", where)
    return flat_name(namespace, name) if namespace else name


def _answer(item: JsonObject, where: str) -> _Decoded:
    answer = ToolCallResponsePart(
        id=fields.string(item.get("call_id"), f"{where}.call_id"),
        content=cast("tuple[TextPart, ...]", decode_content(item.get("output"), f"{where}.output")),
        custom=item["type"] == "custom_tool_call_output",
    )
    return "user", False, (answer,)


def _reasoning(item: JsonObject, where: str) -> _Decoded:
    encrypted = fields.optional(fields.string, item, "encrypted_content", where)
    pieces = [piece for name in ("summary", "content") for piece in fields.mappings(item.get(name) or [], f"{where}.{name}")]
    text = "\n\n".join(piece["text"] for piece in pieces if isinstance(piece.get("text"), str))
    opaque = None
    if encrypted:
        opaque = unseal(encrypted) or Opaque("encrypted", encrypted, item_id=fields.optional(fields.string, item, "id", where))
    return "assistant", False, (ReasoningPart(text, opaque),) if text or opaque else ()


def _reference(_item: JsonObject, where: str) -> _Decoded:
    raise InvalidRequestError(
        "'item_reference' names an item stored at the provider; this gateway keeps none, send the item itself", param=where
    )


_ITEMS: dict[str, Callable[[JsonObject, str], _Decoded]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _answer,
    "custom_tool_call": _call,
    "custom_tool_call_output": _answer,
    "reasoning": _reasoning,
    "item_reference": _reference,
}

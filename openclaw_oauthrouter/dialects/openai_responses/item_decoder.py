"""The client's input items, as canonical messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from openclaw_oauthrouter.canonical.request import Message, Role
from openclaw_oauthrouter.dialects.openai_responses import fields
from openclaw_oauthrouter.dialects.openai_responses.content_decoder import decode_content
from openclaw_oauthrouter.dialects.openai_responses.names import DIALECT, flat_name
from openclaw_oauthrouter.errors import InvalidRequestError

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}


def decode_input(value: object) -> tuple[Message, ...]:
    """Messages in order; what one assistant turn is made of (reasoning, words, calls) becomes one message, and so do the answers to it.

    :raises InvalidRequestError: naming the item, for instance ``input[3].call_id``
    """
    if isinstance(value, str):
        return (Message("user", (TextPart(value),)),)
    turns: list[tuple[Role, bool, list[Part]]] = []
    for position, item in enumerate(fields.mappings(value, "input")):
        role, whole, parts = _decode(item, f"input[{position}]")
        if turns and not whole and turns[-1][:2] == (role, False):
            turns[-1][2].extend(parts)
        else:
            turns.append((role, whole, list(parts)))
    return tuple(Message(role, tuple(parts)) for role, _, parts in turns)


_Decoded = tuple[Role, bool, Iterable[Part]]
"""Role, whether the item is a message of its own rather than a piece of one, and its parts."""


def _decode(item: JsonObject, where: str) -> _Decoded:
    kind = item.get("type") or ("message" if "role" in item else None)
    decode = _DECODERS.get(fields.string(kind, f"{where}.type"))
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


_DECODERS: dict[str, Callable[[JsonObject, str], _Decoded]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _answer,
    "custom_tool_call": _call,
    "custom_tool_call_output": _answer,
    "reasoning": _reasoning,
    "item_reference": _reference,
}

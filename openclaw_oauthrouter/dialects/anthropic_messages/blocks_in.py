"""Reads the content blocks of a client's message."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import cast

import orjson

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    FilePart,
    Modality,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.dialects.anthropic_messages.fields import objects, optional, refuse, required
from openclaw_oauthrouter.dialects.anthropic_messages.name import DIALECT

_ResultContent = TextPart | BlobPart | UriPart | FilePart | NativePart


def read_content(content: object, at: str) -> tuple[Part, ...]:
    """Read a message's ``content``: a string or a list of blocks.

    :param at: where it stands, e.g. ``messages.0.content``
    :raises InvalidRequestError: naming the field
    """
    if isinstance(content, str):
        return (TextPart(content),)
    if not isinstance(content, list):
        refuse(at, "Input should be a string or a list of blocks")
    return tuple(read_block(block, place) for place, block in objects(content, at))


def read_block(block: JsonObject, at: str) -> Part:
    """Read one block; one that the canonical vocabulary has no word for stays as it is."""
    kind = required(block, "type", str, at)
    reader = _READERS.get(kind)
    return reader(block, at) if reader is not None else NativePart(DIALECT, kind, block)


def read_cache(block: JsonObject, at: str) -> CacheMark | None:
    """Read a block's ``cache_control``."""
    mark = optional(block, "cache_control", dict, at)
    return CacheMark(optional(mark, "ttl", str, f"{at}.cache_control") or "5m") if mark is not None else None


def _text(block: JsonObject, at: str) -> Part:
    return TextPart(required(block, "text", str, at), read_cache(block, at))


def _thinking(block: JsonObject, at: str) -> Part:
    return ReasoningPart(required(block, "thinking", str, at), _opaque("signature", optional(block, "signature", str, at)))


def _redacted_thinking(block: JsonObject, at: str) -> Part:
    return ReasoningPart("", _opaque("redacted", required(block, "data", str, at)))


def _opaque(kind: str, data: str | None) -> Opaque | None:
    if not data:
        return None
    return unseal(data) or Opaque("redacted" if kind == "redacted" else "signature", data)


def _tool_use(block: JsonObject, at: str) -> Part:
    arguments = orjson.dumps(required(block, "input", dict, at)).decode()
    return ToolCallPart(required(block, "id", str, at), required(block, "name", str, at), arguments, cache=read_cache(block, at))


def _tool_result(block: JsonObject, at: str) -> Part:
    content = block.get("content")
    parts = () if content is None else read_content(content, f"{at}.content")
    return ToolCallResponsePart(
        required(block, "tool_use_id", str, at),
        tuple(_as_result(part) for part in parts),
        is_error=optional(block, "is_error", bool, at) or False,
        cache=read_cache(block, at),
    )


def _as_result(part: Part) -> _ResultContent:
    if not isinstance(part, TextPart | BlobPart | UriPart | FilePart | NativePart):
        refuse("messages", "a tool result holds text, images, documents and search results only")
    return part


def _media(block: JsonObject, at: str) -> Part:
    modality = cast("Modality", block["type"])
    source = required(block, "source", dict, at)
    kind, where = required(source, "type", str, f"{at}.source"), f"{at}.source"
    title, cache = optional(block, "title", str, at), read_cache(block, at)
    match kind:
        case "base64":
            mime_type = required(source, "media_type", str, where)
            return BlobPart(modality, mime_type, required(source, "data", str, where), title, cache=cache)
        case "text":
            data = base64.b64encode(required(source, "data", str, where).encode()).decode("ascii")
            return BlobPart(modality, "text/plain", data, title, cache=cache)
        case "url":
            return UriPart(modality, required(source, "url", str, where), filename=title, cache=cache)
        case "file":
            return FilePart(modality, required(source, "file_id", str, where), title)
        case _:
            return NativePart(DIALECT, str(modality), block)


_READERS: dict[str, Callable[[JsonObject, str], Part]] = {
    "text": _text,
    "image": _media,
    "document": _media,
    "thinking": _thinking,
    "redacted_thinking": _redacted_thinking,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}

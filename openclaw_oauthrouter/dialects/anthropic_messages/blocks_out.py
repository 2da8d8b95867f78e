"""Writes one part of a message as a content block."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    FilePart,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import Note
from openclaw_oauthrouter.dialects.anthropic_messages.name import DIALECT
from openclaw_oauthrouter.dialects.anthropic_messages.tool_inputs import parsed
from openclaw_oauthrouter.dialects.anthropic_messages.tool_names import ToolNames
from openclaw_oauthrouter.errors import InvalidRequestError

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


class PartWriter:
    """Writes the parts of one request; remembers what had to be left out or changed.

    :param tool_names: names as the provider takes them
    :param foreign_opaque: sealed reasoning made by somebody else, which must not be sent
    """

    def __init__(self, tool_names: ToolNames, foreign_opaque: frozenset[str]) -> None:
        self.notes: list[Note] = []
        self._names = tool_names
        self._ids = ToolNames(limit=64)
        self._foreign = foreign_opaque

    def write(self, parts: Sequence[Part]) -> list[JsonObject]:
        """The blocks of one message's parts, in their order."""
        return [block for part in parts for block in _STEPS[type(part)](self, part)]

    def _text(self, part: TextPart) -> Iterator[JsonObject]:
        yield _marked({"type": "text", "text": part.text}, part.cache)

    def _refusal(self, part: RefusalPart) -> Iterator[JsonObject]:
        if part.text:
            yield {"type": "text", "text": part.text}

    def _media(self, part: BlobPart | UriPart) -> Iterator[JsonObject]:
        yield _marked(_media(part), part.cache)

    def _file(self, part: FilePart) -> Iterator[JsonObject]:
        raise InvalidRequestError(f"file {part.file_id!r} is stored at another provider; send its content", param="messages")

    def _native(self, part: NativePart) -> Iterator[JsonObject]:
        if part.dialect == DIALECT:
            yield dict(part.value)
        else:
            self._note("dropped", part.type, "this provider has no such block")

    def _thinking(self, part: ReasoningPart) -> Iterator[JsonObject]:
        block = thinking_block(part.text, part.opaque, self._foreign)
        if block is None:
            self._note("dropped", "reasoning", "only reasoning sealed by this provider can be sent back to it")
        else:
            yield block

    def _tool_use(self, part: ToolCallPart) -> Iterator[JsonObject]:
        block = {"type": "tool_use", "id": self._ids.add(part.id), "name": self._names.add(part.name), "input": self._input(part)}
        yield _marked(block, part.cache)

    def _input(self, part: ToolCallPart) -> JsonObject:
        if part.custom:
            return {"input": part.arguments}
        try:
            value = parsed(part.arguments)
        except ValueError:
            self._note("repaired", f"arguments of {part.name!r}", "they were not JSON")
            return {}
        if isinstance(value, dict):
            return value
        self._note("repaired", f"arguments of {part.name!r}", "they were not a JSON object")
        return {"_raw": part.arguments}

    def _tool_result(self, part: ToolCallResponsePart) -> Iterator[JsonObject]:
        block: JsonObject = {"type": "tool_result", "tool_use_id": self._ids.add(part.id)}
        content = [item for item in part.content if not isinstance(item, TextPart) or item.text]
        if len(content) == 1 and isinstance(content[0], TextPart) and content[0].cache is None:
            block["content"] = content[0].text
        elif content:
            block["content"] = self.write(content)
        if part.is_error:
            block["is_error"] = True
        yield _marked(block, part.cache)

    def _note(self, action: Any, subject: str, reason: str) -> None:
        self.notes.append(Note(action, subject, reason))


_STEPS: dict[type, Callable[[PartWriter, Any], Iterator[JsonObject]]] = {
    TextPart: PartWriter._text,
    RefusalPart: PartWriter._refusal,
    ReasoningPart: PartWriter._thinking,
    ToolCallPart: PartWriter._tool_use,
    ToolCallResponsePart: PartWriter._tool_result,
    BlobPart: PartWriter._media,
    UriPart: PartWriter._media,
    FilePart: PartWriter._file,
    NativePart: PartWriter._native,
}


def thinking_block(text: str, opaque: Opaque | None, foreign: frozenset[str]) -> JsonObject | None:
    """The block of a piece of reasoning; ``None`` unless this provider sealed it."""
    if opaque is None or opaque.data in foreign:
        return None
    if opaque.kind == "signature":
        return {"type": "thinking", "thinking": text, "signature": opaque.data}
    return {"type": "redacted_thinking", "data": opaque.data} if opaque.kind == "redacted" else None


def cache_control(mark: CacheMark) -> JsonObject:
    """A cache mark in this dialect's words."""
    return {"type": "ephemeral"} if mark.ttl == "5m" else {"type": "ephemeral", "ttl": mark.ttl}


def _marked(block: JsonObject, mark: CacheMark | None) -> JsonObject:
    if mark is not None:
        block["cache_control"] = cache_control(mark)
    return block


def _media(part: BlobPart | UriPart) -> JsonObject:
    if part.modality == "audio":
        raise InvalidRequestError("Claude models take no audio; send text, images or documents", param="messages")
    source = _inline(part) if isinstance(part, BlobPart) else _linked(part)
    block: JsonObject = {"type": part.modality, "source": source}
    if part.modality == "document" and part.filename:
        block["title"] = part.filename
    return block


def _inline(part: BlobPart) -> JsonObject:
    if part.modality == "image":
        if part.mime_type not in IMAGE_TYPES:
            raise InvalidRequestError(
                f"images of type {part.mime_type!r} are not taken; send JPEG, PNG, GIF or WebP", param="messages"
            )
        return {"type": "base64", "media_type": part.mime_type, "data": part.data}
    if part.mime_type == "application/pdf":
        return {"type": "base64", "media_type": "application/pdf", "data": part.data}
    if part.mime_type.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": _decoded(part)}
    raise InvalidRequestError(f"documents of type {part.mime_type!r} are not taken; send PDF or text", param="messages")


def _decoded(part: BlobPart) -> str:
    try:
        return base64.b64decode(part.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"document {part.filename!r} is not base64 of UTF-8 text", param="messages") from error


def _linked(part: UriPart) -> JsonObject:
    if not part.uri.startswith(("https://", "http://")):
        raise InvalidRequestError(f"{part.uri[:40]!r} is neither a data URL nor an http(s) address", param="messages")
    return {"type": "url", "url": part.uri}

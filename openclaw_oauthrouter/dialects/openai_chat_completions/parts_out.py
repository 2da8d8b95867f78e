"""Message content for an upstream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    FilePart,
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.media import data_url
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import AUDIO_FORMATS, NAME
from openclaw_oauthrouter.errors import InvalidRequestError

_FORMATS_BY_MEDIA_TYPE = {media_type: word for word, media_type in AUDIO_FORMATS.items()}


def encode_content(parts: Sequence[Part], path: str) -> str | list[JsonObject]:
    """Content as a string where a string can say it, which every provider reads; else as a list of parts.

    :raises InvalidRequestError: a part has no counterpart
    """
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    return [_PARTS[type(part)](part, path) for part in parts]


def _text(part: TextPart, _path: str) -> JsonObject:
    return {"type": "text", "text": part.text}


def _words(part: RefusalPart | ReasoningPart, _path: str) -> JsonObject:
    return {"type": "text", "text": part.text}


def _blob(part: BlobPart, _path: str) -> JsonObject:
    return _BLOBS[part.modality](part)


def _image(part: BlobPart) -> JsonObject:
    return _image_url(data_url(part.mime_type, part.data), part.detail)


def _document(part: BlobPart) -> JsonObject:
    file = {"filename": part.filename or "document", "file_data": data_url(part.mime_type, part.data)}
    return {"type": "file", "file": file}


def _audio(part: BlobPart) -> JsonObject:
    format_ = _FORMATS_BY_MEDIA_TYPE.get(part.mime_type, part.mime_type.partition("/")[2])
    return {"type": "input_audio", "input_audio": {"data": part.data, "format": format_}}


def _uri(part: UriPart, path: str) -> JsonObject:
    if part.modality == "image":
        return _image_url(part.uri, part.detail)
    raise _no_counterpart(f"a {part.modality} given by its address", path)


def _file(part: FilePart, path: str) -> JsonObject:
    raise _no_counterpart(f"file {part.file_id!r}, which is stored at another provider,", path)


def _native(part: NativePart, path: str) -> JsonObject:
    if part.dialect == NAME:
        return dict(part.value)
    raise _no_counterpart(f"a {part.type!r} block", path)


def _tool_call(_part: ToolCallPart, path: str) -> JsonObject:
    raise _no_counterpart("a tool call outside an assistant message", path)


def _image_url(url: str, detail: str | None) -> JsonObject:
    return {"type": "image_url", "image_url": {"url": url, **({"detail": detail} if detail else {})}}


def _no_counterpart(what: str, path: str) -> InvalidRequestError:
    return InvalidRequestError(f"{what} has no counterpart in Chat Completions; leave it out or send it inline", param=path)


_BLOBS: dict[str, Callable[[BlobPart], JsonObject]] = {"image": _image, "document": _document, "audio": _audio}

_PARTS: dict[type[Part], Callable[[Any, str], JsonObject]] = {
    TextPart: _text,
    RefusalPart: _words,
    ReasoningPart: _words,
    BlobPart: _blob,
    UriPart: _uri,
    FilePart: _file,
    NativePart: _native,
    ToolCallPart: _tool_call,
}

"""Content parts of messages and tool answers, both ways: what the client sent, and images and documents for an upstream."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable

from openclaw_oauthrouter.canonical.content import BlobPart, FilePart, Modality, NativePart, Part, RefusalPart, TextPart, UriPart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.media import data_url, modality_of, parse_data_url
from openclaw_oauthrouter.dialects.openai_responses import fields
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT
from openclaw_oauthrouter.errors import InvalidRequestError


def decode_content(value: object, where: str) -> tuple[Part, ...]:
    """A string or a list of parts; types we have no word for are kept as they are.

    :raises InvalidRequestError: a part is malformed
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (TextPart(value),)
    return tuple(_decode_part(part, f"{where}[{at}]") for at, part in enumerate(fields.mappings(value, where)))


def _decode_part(part: JsonObject, where: str) -> Part:
    kind = fields.string(part.get("type"), f"{where}.type")
    decode = _PARTS.get(kind)
    return NativePart(DIALECT, kind, part) if decode is None else decode(part, where)


def _text(part: JsonObject, where: str) -> Part:
    return TextPart(fields.string(part.get("text"), f"{where}.text"))


def _refusal(part: JsonObject, where: str) -> Part:
    return RefusalPart(fields.string(part.get("refusal"), f"{where}.refusal"))


def _image(part: JsonObject, where: str) -> Part:
    detail = fields.optional(fields.string, part, "detail", where)
    url = fields.optional(fields.string, part, "image_url", where)
    if url is not None:
        return _from_url("image", url, None, detail)
    return FilePart("image", _file_id(part, where, "image_url"))


def _file(part: JsonObject, where: str) -> Part:
    filename = fields.optional(fields.string, part, "filename", where)
    data = fields.optional(fields.string, part, "file_data", where)
    if data is not None:
        mime_type, content = parse_data_url(data) or ("application/pdf", data)
        return BlobPart(modality_of(mime_type), mime_type, content, filename)
    url = fields.optional(fields.string, part, "file_url", where)
    if url is not None:
        return _from_url("document", url, filename, None)
    return FilePart("document", _file_id(part, where, "file_data"), filename)


def _audio(part: JsonObject, where: str) -> Part:
    audio = fields.mapping(part.get("input_audio"), f"{where}.input_audio")
    kind = fields.string(audio.get("format"), f"{where}.input_audio.format")
    return BlobPart("audio", f"audio/{kind}", fields.string(audio.get("data"), f"{where}.input_audio.data"))


def _from_url(modality: Modality, url: str, filename: str | None, detail: str | None) -> Part:
    inline = parse_data_url(url)
    if inline is None:
        return UriPart(modality, url, filename=filename, detail=detail)
    return BlobPart(modality, inline[0], inline[1], filename, detail)


def _file_id(part: JsonObject, where: str, alternative: str) -> str:
    file_id = part.get("file_id")
    if not isinstance(file_id, str):
        raise InvalidRequestError(f"{where!r} needs {alternative!r} or 'file_id'", param=where)
    return file_id


_PARTS: dict[str, Callable[[JsonObject, str], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


def encode_media(part: BlobPart | UriPart | FilePart) -> JsonObject:
    """An ``input_image`` or ``input_file``.

    :raises InvalidRequestError: it is audio
    """
    if part.modality == "audio":
        raise InvalidRequestError(
            "the Responses API takes no audio; choose a model of a Chat Completions provider", param="messages"
        )
    return _encode_image(part) if part.modality == "image" else _encode_document(part)


def _encode_image(part: BlobPart | UriPart | FilePart) -> JsonObject:
    if isinstance(part, FilePart):
        return {"type": "input_image", "file_id": part.file_id, "detail": "auto"}
    url = part.uri if isinstance(part, UriPart) else data_url(part.mime_type, part.data)
    return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}


def _encode_document(part: BlobPart | UriPart | FilePart) -> JsonObject:
    if isinstance(part, FilePart):
        return {"type": "input_file", "file_id": part.file_id}
    if isinstance(part, UriPart):
        return {"type": "input_file", "file_url": part.uri}
    # The API tells the kind of an inline document by its name.
    filename = part.filename or f"document{mimetypes.guess_extension(part.mime_type) or ''}"
    return {"type": "input_file", "filename": filename, "file_data": data_url(part.mime_type, part.data)}

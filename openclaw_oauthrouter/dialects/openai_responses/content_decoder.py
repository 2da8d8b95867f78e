"""Content parts of the client's messages and tool answers, as canonical ones."""

from __future__ import annotations

from collections.abc import Callable

from openclaw_oauthrouter.canonical.content import BlobPart, FilePart, Modality, NativePart, Part, RefusalPart, TextPart, UriPart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.media import modality_of, parse_data_url
from openclaw_oauthrouter.dialects.openai_responses import fields
from openclaw_oauthrouter.dialects.openai_responses.names import DIALECT
from openclaw_oauthrouter.errors import InvalidRequestError


def decode_content(value: object, where: str) -> tuple[Part, ...]:
    """A string or a list of parts; types we have no word for are kept as they are.

    :raises InvalidRequestError: a part is malformed
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (TextPart(value),)
    return tuple(_decode(part, f"{where}[{at}]") for at, part in enumerate(fields.mappings(value, where)))


def _decode(part: JsonObject, where: str) -> Part:
    kind = fields.string(part.get("type"), f"{where}.type")
    decode = _DECODERS.get(kind)
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


_DECODERS: dict[str, Callable[[JsonObject, str], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}

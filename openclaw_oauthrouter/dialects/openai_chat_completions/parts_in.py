"""Message content of a client's request: a string or a list of parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    FilePart,
    NativePart,
    RefusalPart,
    TextPart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.media import modality_of, parse_data_url
from openclaw_oauthrouter.dialects.openai_chat_completions import schema
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import AUDIO_FORMATS, NAME

ContentPart = TextPart | BlobPart | UriPart | FilePart | NativePart

_LONG_TTLS = frozenset({"1h", "12h", "24h"})


def decode_content(message: FrozenObject, path: str, *, nullable: bool = False) -> Iterator[ContentPart | RefusalPart]:
    """The parts of ``message["content"]``; an empty string has none.

    :param nullable: whether the content may be missing
    :raises InvalidRequestError: naming the part
    """
    content = message.get("content")
    if isinstance(content, str):
        if content:
            yield TextPart(content)
    elif isinstance(content, list):
        for at, part in schema.objects(message, "content", path):
            yield _decode_part(part, at)
    elif content is not None or not nullable:
        schema.refuse(f"{path}.content", "expected a string or a list of content parts")


def cache_mark(holder: FrozenObject) -> CacheMark | None:
    """The cache breakpoint of a part or tool: Anthropic's ``cache_control`` or OpenAI's own spelling."""
    control = holder.get("cache_control") or holder.get("prompt_cache_breakpoint")
    if not isinstance(control, dict):
        return None
    ttl = control.get("ttl")
    return CacheMark("1h" if isinstance(ttl, str) and ttl in _LONG_TTLS else "5m")


def _decode_part(part: FrozenObject, path: str) -> ContentPart | RefusalPart:
    kind = schema.text(part, "type", path)
    decode = _PARTS.get(kind)
    # Providers of this dialect have parts of their own (video_url): the transparent lane carries them, other dialects refuse them.
    return decode(part, path) if decode else NativePart(NAME, kind, part)


def _text(part: FrozenObject, path: str) -> TextPart:
    return TextPart(_required_text(part, "text", path), cache_mark(part))


def _refusal(part: FrozenObject, path: str) -> RefusalPart:
    return RefusalPart(_required_text(part, "refusal", path))


def _image(part: FrozenObject, path: str) -> BlobPart | UriPart:
    image = part.get("image_url")
    if isinstance(image, str):
        image = {"url": image}
    if not isinstance(image, dict):
        schema.refuse(f"{path}.image_url", "expected an object with a url")
    path = f"{path}.image_url"
    url, detail = schema.text(image, "url", path), schema.optional_text(image, "detail", path)
    if url[:5].lower() != "data:":
        return UriPart("image", url, detail=detail, cache=cache_mark(part))
    mime_type, data = _data_url(url, f"{path}.url")
    return BlobPart("image", mime_type, data, detail=detail, cache=cache_mark(part))


def _file(part: FrozenObject, path: str) -> BlobPart | UriPart | FilePart:
    file = schema.object_at(part, "file", path)
    path = f"{path}.file"
    filename, file_id = schema.optional_text(file, "filename", path), schema.optional_text(file, "file_id", path)
    if file_id:
        return FilePart("document", file_id, filename)
    data = schema.text(file, "file_data", path)
    if data.startswith(("https://", "http://")):
        return UriPart("document", data, filename=filename, cache=cache_mark(part))
    mime_type = "application/pdf"
    if data[:5].lower() == "data:":
        mime_type, data = _data_url(data, f"{path}.file_data")
    return BlobPart(modality_of(mime_type), mime_type, data, filename=filename, cache=cache_mark(part))


def _audio(part: FrozenObject, path: str) -> BlobPart:
    audio = schema.object_at(part, "input_audio", path)
    path = f"{path}.input_audio"
    format_ = schema.text(audio, "format", path)
    mime_type = AUDIO_FORMATS.get(format_, f"audio/{format_}")
    return BlobPart("audio", mime_type, schema.text(audio, "data", path), cache=cache_mark(part))


def _data_url(url: str, path: str) -> tuple[str, str]:
    found = parse_data_url(url)
    if found is None:
        schema.refuse(path, "expected a data URL with a base64 body")
    return found


def _required_text(holder: FrozenObject, key: str, path: str) -> str:
    value = schema.optional_text(holder, key, path)
    if value is None:
        schema.refuse(f"{path}.{key}", "expected a string")
    return value


_PARTS: dict[str, Callable[[FrozenObject, str], ContentPart | RefusalPart]] = {
    "text": _text,
    "image_url": _image,
    "file": _file,
    "input_audio": _audio,
    "refusal": _refusal,
}

"""Content of messages, both ways: a client's parts, parts for an upstream, what upstreams answer in, and reasoning.

Sealed reasoning has no field of its own in the protocol. Clients that replay reasoning at all (LiteLLM and what is built on it) keep a
list of Anthropic-shaped blocks in ``thinking_blocks``, so that is the shape used here; what stands in ``signature`` or ``data`` is
sealed with its origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    Citation,
    FilePart,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject, whole_number
from openclaw_oauthrouter.canonical.media import data_url, modality_of, parse_data_url
from openclaw_oauthrouter.canonical.opaque import seal, unseal
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import AUDIO_FORMATS, DIALECT
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields

ContentPart = TextPart | BlobPart | UriPart | FilePart | NativePart

_LONG_TTLS = frozenset({"1h", "12h", "24h"})

# ------------------------------------------------------------------ a client's parts


def decode_content(message: JsonFields, *, nullable: bool = False) -> Iterator[ContentPart | RefusalPart]:
    """The parts of a message's ``content``; an empty string has none.

    :param nullable: whether the content may be missing
    :raises InvalidRequestError: naming the part
    """
    content = message.string_or_objects("content")
    if isinstance(content, str):
        if content:
            yield TextPart(content)
    elif content is not None:
        for part in content:
            yield _decode_part(part)
    elif not nullable:
        message.refuse("content", "expected a string or a list of content parts")


def cache_mark(holder: FrozenObject) -> CacheMark | None:
    """The cache breakpoint of a part or tool: Anthropic's ``cache_control`` or OpenAI's own spelling."""
    control = holder.get("cache_control") or holder.get("prompt_cache_breakpoint")
    if not isinstance(control, dict):
        return None
    ttl = control.get("ttl")
    return CacheMark("1h" if isinstance(ttl, str) and ttl in _LONG_TTLS else "5m")


def _decode_part(part: JsonFields) -> ContentPart | RefusalPart:
    kind = part.name("type")
    decode = _PARTS.get(kind)
    # Providers of this dialect have parts of their own (video_url): the transparent lane carries them, other dialects refuse them.
    return decode(part) if decode else NativePart(DIALECT, kind, part.holder)


def _text(part: JsonFields) -> TextPart:
    return TextPart(part.string("text"), cache_mark(part.holder))


def _refusal(part: JsonFields) -> RefusalPart:
    return RefusalPart(part.string("refusal"))


def _image(part: JsonFields) -> BlobPart | UriPart:
    cache = cache_mark(part.holder)
    if isinstance(part.get("image_url"), str):
        return _image_at(part, "image_url", None, cache)
    image = part.nested("image_url")
    return _image_at(image, "url", image.optional_string("detail"), cache)


def _image_at(holder: JsonFields, key: str, detail: str | None, cache: CacheMark | None) -> BlobPart | UriPart:
    url = holder.name(key)
    if url[:5].lower() != "data:":
        return UriPart("image", url, detail=detail, cache=cache)
    mime_type, data = _data_url(holder, key, url)
    return BlobPart("image", mime_type, data, detail=detail, cache=cache)


def _file(part: JsonFields) -> BlobPart | UriPart | FilePart:
    file, cache = part.nested("file"), cache_mark(part.holder)
    filename, file_id = file.optional_string("filename"), file.optional_string("file_id")
    if file_id:
        return FilePart("document", file_id, filename)
    data = file.name("file_data")
    if data.startswith(("https://", "http://")):
        return UriPart("document", data, filename=filename, cache=cache)
    mime_type = "application/pdf"
    if data[:5].lower() == "data:":
        mime_type, data = _data_url(file, "file_data", data)
    return BlobPart(modality_of(mime_type), mime_type, data, filename=filename, cache=cache)


def _audio(part: JsonFields) -> BlobPart:
    audio = part.nested("input_audio")
    format_ = audio.name("format")
    mime_type = AUDIO_FORMATS.get(format_, f"audio/{format_}")
    return BlobPart("audio", mime_type, audio.name("data"), cache=cache_mark(part.holder))


def _data_url(holder: JsonFields, key: str, url: str) -> tuple[str, str]:
    found = parse_data_url(url)
    if found is None:
        holder.refuse(key, "expected a data URL with a base64 body")
    return found


_PARTS: dict[str, Callable[[JsonFields], ContentPart | RefusalPart]] = {
    "text": _text,
    "image_url": _image,
    "file": _file,
    "input_audio": _audio,
    "refusal": _refusal,
}

# ------------------------------------------------------------------ parts for an upstream

_FORMATS_BY_MEDIA_TYPE = {media_type: word for word, media_type in AUDIO_FORMATS.items()}


def encode_content(parts: Sequence[Part], path: str) -> str | list[JsonObject]:
    """Content as a string where a string can say it, which every provider reads; else as a list of parts.

    :raises InvalidRequestError: a part has no counterpart
    """
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    return [_ENCODERS[type(part)](part, path) for part in parts]


def _encode_text(part: TextPart | RefusalPart | ReasoningPart, _path: str) -> JsonObject:
    return {"type": "text", "text": part.text}


def _encode_blob(part: BlobPart, _path: str) -> JsonObject:
    return _BLOBS[part.modality](part)


def _encode_image(part: BlobPart) -> JsonObject:
    return _image_url(data_url(part.mime_type, part.data), part.detail)


def _encode_document(part: BlobPart) -> JsonObject:
    file = {"filename": part.filename or "document", "file_data": data_url(part.mime_type, part.data)}
    return {"type": "file", "file": file}


def _encode_audio(part: BlobPart) -> JsonObject:
    format_ = _FORMATS_BY_MEDIA_TYPE.get(part.mime_type, part.mime_type.partition("/")[2])
    return {"type": "input_audio", "input_audio": {"data": part.data, "format": format_}}


def _encode_uri(part: UriPart, path: str) -> JsonObject:
    if part.modality == "image":
        return _image_url(part.uri, part.detail)
    raise _no_counterpart(f"a {part.modality} given by its address", path)


def _encode_file(part: FilePart, path: str) -> JsonObject:
    raise _no_counterpart(f"file {part.file_id!r}, which is stored at another provider,", path)


def _encode_native(part: NativePart, path: str) -> JsonObject:
    if part.dialect == DIALECT:
        return dict(part.value)
    raise _no_counterpart(f"a {part.type!r} block", path)


def _encode_tool_call(_part: ToolCallPart, path: str) -> JsonObject:
    raise _no_counterpart("a tool call outside an assistant message", path)


def _image_url(url: str, detail: str | None) -> JsonObject:
    return {"type": "image_url", "image_url": {"url": url, **({"detail": detail} if detail else {})}}


def _no_counterpart(what: str, path: str) -> InvalidRequestError:
    return InvalidRequestError(f"{what} has no counterpart in Chat Completions; leave it out or send it inline", param=path)


_BLOBS: dict[str, Callable[[BlobPart], JsonObject]] = {
    "image": _encode_image,
    "document": _encode_document,
    "audio": _encode_audio,
}

_ENCODERS: dict[type[Part], Callable[[Any, str], JsonObject]] = {
    TextPart: _encode_text,
    RefusalPart: _encode_text,
    ReasoningPart: _encode_text,
    BlobPart: _encode_blob,
    UriPart: _encode_uri,
    FilePart: _encode_file,
    NativePart: _encode_native,
    ToolCallPart: _encode_tool_call,
}

# ------------------------------------------------------------------ what upstreams answer in

Prose = Literal["text", "reasoning", "refusal"]

_PROSE_BLOCKS: dict[str, tuple[Prose, str]] = {
    "text": ("text", "text"),
    "output_text": ("text", "text"),
    "thinking": ("reasoning", "thinking"),
    "reasoning": ("reasoning", "text"),
    "refusal": ("refusal", "refusal"),
}


def prose(content: object) -> Iterator[tuple[Prose, str]]:
    """Words of a ``content`` that is a list of blocks (Mistral), by kind. Never yields an empty string."""
    for block in content if isinstance(content, list) else ():
        row = _PROSE_BLOCKS.get(block.get("type"))
        if row is None:
            continue
        kind, field = row
        words = "".join(_words(block.get(field)))
        if words:
            yield kind, words


def decode_annotation(annotation: FrozenObject) -> Citation | None:
    """A ``url_citation``; ``None`` for any other kind."""
    cited = annotation.get("url_citation")
    if not cited or not isinstance(cited.get("url"), str):
        return None
    title = cited.get("title")
    return Citation(
        cited["url"],
        title=title if isinstance(title, str) else "",
        start=whole_number(cited.get("start_index")),
        end=whole_number(cited.get("end_index")),
    )


def encode_citation(citation: Citation) -> JsonObject:
    """One entry of ``annotations``."""
    cited = {
        "start_index": citation.start,
        "end_index": citation.end,
        "url": citation.url,
        "title": citation.title,
    }
    return {"type": "url_citation", "url_citation": cited}


def _words(value: object) -> Iterator[str]:
    """A string, or Mistral's list of text blocks; one level deep, as it is on the wire."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (entry["text"] for entry in value if isinstance(entry, dict) and isinstance(entry.get("text"), str))


# ------------------------------------------------------------------ reasoning

_OPAQUE_FIELDS: dict[str, tuple[str, Literal["signature", "redacted"]]] = {
    "thinking": ("signature", "signature"),
    "redacted_thinking": ("data", "redacted"),
}


def encode_reasoning(text: str, opaque: Opaque) -> JsonObject:
    """One entry of ``thinking_blocks``."""
    if text or opaque.kind == "signature":
        return {"type": "thinking", "thinking": text, "signature": seal(opaque)}
    return {"type": "redacted_thinking", "data": seal(opaque)}


def decode_reasoning(message: JsonFields) -> Iterator[ReasoningPart]:
    """The reasoning an assistant message carries; blocks win over plain text, which only repeats them."""
    blocks = [_decode_block(block.holder) for block in message.objects("thinking_blocks")]
    if blocks:
        yield from (block for block in blocks if block.text or block.opaque)
        return
    text = message.optional_string("reasoning_content") or message.optional_string("reasoning")
    if text:
        yield ReasoningPart(text)


def sealed_data(block: FrozenObject) -> str | None:
    """What a block holds for its maker, as it stands on the wire; ``None`` if it holds nothing."""
    field = _OPAQUE_FIELDS.get(str(block.get("type")))
    value = block.get(field[0]) if field else None
    return value if isinstance(value, str) and value else None


def _decode_block(block: FrozenObject) -> ReasoningPart:
    text = block.get("thinking")
    data = sealed_data(block)
    words = text if isinstance(text, str) else ""
    if data is None:
        return ReasoningPart(words)
    kind = _OPAQUE_FIELDS[str(block["type"])][1]
    return ReasoningPart(words, unseal(data) or Opaque(kind, data))

"""Content of messages, both ways: a client's parts, parts for an upstream, what upstreams answer in, and reasoning.

Sealed reasoning has no field of its own in the protocol. Clients that replay reasoning at all (LiteLLM and what is built on it) keep a
list of Anthropic-shaped blocks in ``thinking_blocks``, so that is the shape used here; what stands in ``signature`` or ``data`` is
sealed with its origin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

import orjson

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    Citation,
    FilePart,
    Modality,
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
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject, whole_number
from openclaw_oauthrouter.canonical.media import data_url, modality_of, parse_data_url, text_of
from openclaw_oauthrouter.canonical.opaque import seal, unseal
from openclaw_oauthrouter.dialects.openai_chat_completions.vocabulary import AUDIO_FORMATS, DIALECT
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields

ContentPart = TextPart | BlobPart | UriPart | FilePart | NativePart

FOREIGN_PARTS = frozenset(
    {
        "input_text",
        "output_text",
        "input_image",
        "input_file",
        "image",
        "document",
        "tool_use",
        "tool_result",
        "thinking",
        "redacted_thinking",
        "search_result",
    }
)
"""Parts of Responses and Messages that clients (Cursor, LangChain) put into Chat messages; what they mean is plain, so they are read."""

Marks = Literal["breakpoints", "controls"]
"""How a cache is marked: by OpenAI's ``prompt_cache_breakpoint``, or by Anthropic's ``cache_control``."""

_LONG_TTLS = frozenset({"1h", "12h", "24h"})

# ------------------------------------------------------------------ a client's parts


def decode_content(message: JsonFields, key: str = "content", *, nullable: bool = False) -> Iterable[Part]:
    """The parts of a message's ``content``; an empty string has none.

    :param key: the field that holds it
    :param nullable: whether the content may be missing
    :raises InvalidRequestError: naming the part
    """
    content = message.string_or_objects(key)
    if isinstance(content, str):
        return (TextPart(content),) if content else ()
    if content is not None:
        return map(_decode_part, content)
    if not nullable:
        message.refuse(key, "expected a string or a list of content parts")
    return ()


def cache_mark(holder: FrozenObject) -> CacheMark | None:
    """The cache breakpoint of a part or tool: Anthropic's ``cache_control`` or OpenAI's own spelling."""
    control = holder.get("cache_control") or holder.get("prompt_cache_breakpoint")
    if not isinstance(control, dict):
        return None
    ttl = control.get("ttl")
    return CacheMark("1h" if isinstance(ttl, str) and ttl in _LONG_TTLS else "5m")


def is_foreign_part(part: FrozenObject) -> bool:
    """Whether a part has another dialect's shape. Mistral's thinking, whose words are a list, is at home here."""
    kind = part.get("type")
    if kind == "image":
        return isinstance(part.get("source"), dict)
    return kind in FOREIGN_PARTS and not isinstance(part.get("thinking"), list)


def is_plain(message: FrozenObject) -> bool:
    """Whether a message goes to every provider of this dialect as it stands, but for what has to be added to it."""
    content = message.get("content")
    if message.get("role") == "developer":
        return False
    return not isinstance(content, list) or not any(map(is_foreign_part, content))


def _decode_part(part: JsonFields) -> Part:
    kind = part.name("type")
    decode = _PARTS.get(kind)
    # Providers of this dialect have parts of their own (video_url): the transparent lane carries them, other dialects refuse them.
    return decode(part) if decode else NativePart(DIALECT, kind, part.holder, place=part.at())


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
    return _file_in(part.nested("file"), cache_mark(part.holder))


def _file_in(file: JsonFields, cache: CacheMark | None) -> BlobPart | UriPart | FilePart:
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


def _input_image(part: JsonFields) -> BlobPart | UriPart | FilePart:
    file_id = part.optional_string("file_id")
    if file_id:
        return FilePart("image", file_id)
    image = _image(part)
    return replace(image, detail=image.detail or part.optional_string("detail"))


def _input_file(part: JsonFields) -> BlobPart | UriPart | FilePart:
    filename, url = part.optional_string("filename"), part.optional_string("file_url")
    if url:
        return UriPart("document", url, filename=filename, cache=cache_mark(part.holder))
    return _file_in(part, cache_mark(part.holder))


def _anthropic_image(part: JsonFields) -> Part:
    return (
        _source(part, "image")
        if isinstance(part.get("source"), dict)
        else NativePart(DIALECT, "image", part.holder, place=part.at())
    )


def _source(part: JsonFields, modality: Modality) -> BlobPart | UriPart | FilePart | TextPart:
    """Anthropic's image or document; one of words becomes words."""
    source, title, context = part.nested("source"), part.optional_string("title"), part.optional_string("context")
    if source.get("type") in ("text", "content"):
        words = (
            [source.string("data")] if source.get("type") == "text" else [_only_words(found) for found in decode_content(source)]
        )
        if None in words:
            source.refuse("content", "a document made of blocks can hold text only here")
        return TextPart("\n".join(filter(None, (title, context, *words))), cache_mark(part.holder))
    found = source.choice("type", _SOURCES)(source, modality, title, cache_mark(part.holder))
    return found if isinstance(found, FilePart) or context is None else replace(found, context=context)


def _only_words(part: Part) -> str | None:
    return part.text if isinstance(part, TextPart) else None


_SOURCES: dict[str, Callable[[JsonFields, Modality, str | None, CacheMark | None], BlobPart | UriPart | FilePart]] = {
    "base64": lambda source, modality, title, cache: BlobPart(
        modality, source.name("media_type"), source.name("data"), title, cache=cache
    ),
    "url": lambda source, modality, title, cache: UriPart(modality, source.name("url"), filename=title, cache=cache),
    "file": lambda source, modality, title, _: FilePart(modality, source.name("file_id"), title),
}


def _tool_use(part: JsonFields) -> ToolCallPart:
    arguments = orjson.dumps(part.mapping("input")).decode()
    return ToolCallPart(part.name("id"), part.name("name"), arguments, cache=cache_mark(part.holder))


def _tool_result(part: JsonFields) -> ToolCallResponsePart:
    content = tuple(content_parts(part))
    is_error = part.optional_boolean("is_error") or False
    return ToolCallResponsePart(part.name("tool_use_id"), content, is_error, cache=cache_mark(part.holder))


def content_parts(holder: JsonFields, key: str = "content") -> Iterator[ContentPart]:
    """The content of a tool's answer; an answer within the answer counts for what it holds.

    :raises InvalidRequestError: it holds thinking or a call
    """
    for part in decode_content(holder, key, nullable=True):
        if isinstance(part, ToolCallResponsePart):
            yield from part.content
        elif isinstance(part, RefusalPart):
            yield TextPart(part.text)
        elif isinstance(part, ContentPart):
            yield part
        else:
            holder.refuse(key, "a tool's answer holds text and files only")


def _search_result(part: JsonFields) -> TextPart:
    head = "\n".join(filter(None, (part.optional_string("title"), part.optional_string("source"))))
    words = [part.text for part in decode_content(part) if isinstance(part, TextPart)]
    return TextPart("\n".join(filter(None, (head, *words))), cache_mark(part.holder))


def _thinking(part: JsonFields) -> ReasoningPart:
    if isinstance(part.get("thinking"), list):
        return ReasoningPart("".join(_words(part.get("thinking"))))
    return _decode_block(part.holder)


_PARTS: dict[str, Callable[[JsonFields], Part]] = {
    "text": _text,
    "image_url": _image,
    "file": _file,
    "input_audio": _audio,
    "refusal": _refusal,
    "input_text": _text,
    "output_text": _text,
    "input_image": _input_image,
    "input_file": _input_file,
    "image": _anthropic_image,
    "document": lambda part: _source(part, "document"),
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _thinking,
    "search_result": _search_result,
}

# ------------------------------------------------------------------ parts for an upstream

_FORMATS_BY_MEDIA_TYPE = {media_type: word for word, media_type in AUDIO_FORMATS.items()}


def encode_content(parts: Sequence[Part], path: str, *, marks: Marks | None = None) -> str | list[JsonObject]:
    """Content as a string where a string can say it, which every provider reads; else as a list of parts.

    :param marks: how the model's cache is marked; ``None``: not at all
    :raises InvalidRequestError: a part has no counterpart
    """
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], TextPart) and not (marks and parts[0].cache):
        return parts[0].text
    return [
        encoded
        for part in parts
        for encoded in (*_context(part), _ENCODERS[type(part)](part, path) | (_mark(part, marks) if marks else {}))
    ]


def _context(part: Part) -> Iterator[JsonObject]:
    """What Anthropic's documents say beside what they hold."""
    if isinstance(part, (BlobPart, UriPart)) and part.context:
        yield {"type": "text", "text": part.context}


def _mark(part: Part, marks: Marks) -> JsonObject:
    """Anthropic's mark, as OpenRouter and LiteLLM take it for Claude; or OpenAI's own, which lasts half an hour or twelve."""
    cache: CacheMark | None = getattr(part, "cache", None)
    if cache is None:
        return {}
    if marks == "breakpoints":
        return {"prompt_cache_breakpoint": {"mode": "explicit"} | ({"ttl": "12h"} if cache.ttl != "5m" else {})}
    return {"cache_control": {"type": "ephemeral"} | ({"ttl": cache.ttl} if cache.ttl != "5m" else {})}


def _encode_text(part: TextPart | RefusalPart | ReasoningPart, _path: str) -> JsonObject:
    return {"type": "text", "text": part.text}


def _encode_blob(part: BlobPart, _path: str) -> JsonObject:
    return _BLOBS[part.modality](part)


def _encode_image(part: BlobPart) -> JsonObject:
    return _image_url(data_url(part.mime_type, part.data), part.detail)


def _encode_document(part: BlobPart) -> JsonObject:
    words = text_of(part)
    if words is not None:
        return {"type": "text", "text": "\n".join(filter(None, (part.filename, words)))}
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

_REASONING_FIELDS = ("thinking_blocks", "reasoning_content", "reasoning", "reasoning_details")

_OPAQUE_FIELDS: dict[str, tuple[str, Literal["signature", "redacted"]]] = {
    "thinking": ("signature", "signature"),
    "redacted_thinking": ("data", "redacted"),
}


def encode_reasoning(text: str, opaque: Opaque) -> JsonObject:
    """One entry of ``thinking_blocks`` for a client."""
    return reasoning_block(text, opaque, seal(opaque))


def reasoning_block(text: str, opaque: Opaque, data: str) -> JsonObject:
    """One entry of ``thinking_blocks``.

    :param data: what stands in it for its maker
    """
    if text or opaque.kind == "signature":
        return {"type": "thinking", "thinking": text, "signature": data}
    return {"type": "redacted_thinking", "data": data}


def decode_reasoning(message: JsonFields) -> Iterator[ReasoningPart]:
    """The reasoning an assistant message carries; blocks win over plain text, which only repeats them."""
    if not any(key in message.holder for key in _REASONING_FIELDS):
        return
    blocks = [_decode_block(block.holder) for block in message.objects("thinking_blocks")]
    if blocks:
        yield from (block for block in blocks if block.text or block.opaque)
        return
    text = message.optional_string("reasoning_content") or message.optional_string("reasoning")
    details = [detail.holder for detail in message.objects("reasoning_details")]
    if text or details:
        yield ReasoningPart(text or words_of_details(details), sealed_details(details))


def words_of_details(details: Iterable[FrozenObject]) -> str:
    """The readable words in OpenRouter's list of reasoning blocks."""
    words = (detail.get("text") or detail.get("summary") for detail in details if isinstance(detail, dict))
    return "".join(text for text in words if isinstance(text, str))


def sealed_details(details: Sequence[FrozenObject]) -> Opaque | None:
    """OpenRouter's list as it must come back."""
    return Opaque("reasoning_details", orjson.dumps(details).decode()) if details else None


def join_details(held: list[JsonObject], fragments: Iterable[object]) -> None:
    """Add what a chunk brings of OpenRouter's list: fragments of one block have one index and are joined, as its clients do."""
    for fragment in fragments:
        if not isinstance(fragment, dict):
            continue
        begun = next((block for block in reversed(held) if _continues(fragment, block)), None)
        if begun is None:
            held.append(dict(fragment))
            continue
        for key, value in fragment.items():
            if key in ("text", "summary", "data") and isinstance(value, str) and isinstance(begun.get(key), str):
                begun[key] += value
            elif value is not None or key not in begun:
                begun[key] = value


def _continues(fragment: FrozenObject, block: FrozenObject) -> bool:
    if fragment.get("index") is None or any(fragment.get(key) != block.get(key) for key in ("index", "type")):
        return False
    return not fragment.get("id") or not block.get("id") or fragment["id"] == block["id"]


def signature_of(holder: FrozenObject) -> Opaque | None:
    """The ``thought_signature`` that Gemini's endpoint of this dialect puts on a tool call or a message."""
    extra = holder.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    if not isinstance(signature, str) or not signature:
        return None
    return unseal(signature) or Opaque("thought_signature", signature)


def encode_signature(signature: str) -> JsonObject:
    """The field that ``signature_of`` reads."""
    return {"extra_content": {"google": {"thought_signature": signature}}}


def _sealed_data(block: FrozenObject) -> str | None:
    """What a block holds for its maker, as it stands on the wire; ``None`` if it holds nothing."""
    field = _OPAQUE_FIELDS.get(str(block.get("type")))
    value = block.get(field[0]) if field else None
    return value if isinstance(value, str) and value else None


def _decode_block(block: FrozenObject) -> ReasoningPart:
    text = block.get("thinking")
    data = _sealed_data(block)
    words = text if isinstance(text, str) else ""
    if data is None:
        return ReasoningPart(words)
    kind = _OPAQUE_FIELDS[str(block["type"])][1]
    return ReasoningPart(words, unseal(data) or Opaque(kind, data))

"""Content of messages, tool answers and foreign items, both ways: what the client sent, and images and documents for an upstream."""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Callable, Mapping

import orjson

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    FilePart,
    Modality,
    NativePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    UriPart,
)
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject, is_text
from openclaw_oauthrouter.canonical.media import data_url, modality_of, parse_data_url, text_of
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT, MAX_ID
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields

MOST_WORDS = 4_000
"""Characters of a foreign item that are told in words."""

_SUMMARY_PREFIX = "oarsum1."

# ------------------------------------------------------------------------------------------------------- the client's content


def decode_content(holder: JsonFields, key: str) -> tuple[Part, ...]:
    """A string or a list of parts; types we have no word for are kept as they are.

    :raises InvalidRequestError: a part is malformed
    """
    content = holder.string_or_objects(key)
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple(_decode_part(part) for part in content)


def decode_output(holder: JsonFields, key: str) -> tuple[Part, ...]:
    """What a tool answered; anything that is neither text nor parts is told as JSON."""
    output = holder.get(key)
    if output is None or isinstance(output, (str, list)):
        return decode_content(holder, key)
    return (TextPart(as_words(output)),)


def _decode_part(part: JsonFields) -> Part:
    kind = part.string("type")
    decode = _PARTS.get(kind)
    return NativePart(DIALECT, kind, part.holder, place=part.at()) if decode is None else decode(part)


def _text(part: JsonFields) -> Part:
    return TextPart(part.string("text"), _mark(part))


def _mark(part: JsonFields) -> CacheMark | None:
    """OpenAI's breakpoint for its cache, which lasts half an hour or twelve."""
    held = part.get("prompt_cache_breakpoint")
    if not isinstance(held, dict):
        return None
    return CacheMark("1h" if held.get("ttl") == "12h" else "5m")


def encode_mark(part: Part) -> JsonObject:
    """The breakpoint of a part, where it has one."""
    cache: CacheMark | None = getattr(part, "cache", None)
    if cache is None:
        return {}
    return {"prompt_cache_breakpoint": {"mode": "explicit"} | ({"ttl": "12h"} if cache.ttl != "5m" else {})}


def _refusal(part: JsonFields) -> Part:
    return RefusalPart(part.string("refusal"))


def _image(part: JsonFields) -> Part:
    detail, url = part.optional_string("detail"), part.optional_string("image_url")
    if url is not None:
        return _from_url("image", url, None, detail, _mark(part))
    return FilePart("image", _file_id(part, "image_url"))


def _chat_image(part: JsonFields) -> Part:
    if isinstance(part.get("image_url"), str):
        return _image(part)
    image = part.nested("image_url")
    return _from_url("image", image.string("url"), None, image.optional_string("detail"))


def _messages_media(part: JsonFields) -> Part:
    """Anthropic's images and documents, which cannot be mistaken for anything else."""
    modality: Modality = "image" if part.get("type") == "image" else "document"
    source, title, context = part.nested("source"), part.optional_string("title"), part.optional_string("context")
    match source.string("type"):
        case "base64":
            return BlobPart(modality, source.string("media_type"), source.string("data"), title, context=context)
        case "url":
            return UriPart(modality, source.string("url"), filename=title, context=context)
        case "text":
            return TextPart("\n".join(filter(None, (title, context, source.string("data")))))
        case _:
            return NativePart(DIALECT, part.string("type"), part.holder, place=part.at())


def _messages_search_result(part: JsonFields) -> Part:
    words = [held.text for held in decode_content(part, "content") if isinstance(held, TextPart)]
    return TextPart("\n".join(filter(None, (part.optional_string("title"), part.optional_string("source"), *words))))


def _messages_thinking(part: JsonFields) -> Part:
    # Whose signature it is cannot be told here, so only its words are kept.
    return ReasoningPart(part.string("thinking"))


def _chat_file(part: JsonFields) -> Part:
    return _file(part.nested("file") if "file" in part else part)


def _file(part: JsonFields) -> Part:
    filename, data, url = (part.optional_string(name) for name in ("filename", "file_data", "file_url"))
    if data is not None:
        mime_type, content = parse_data_url(data) or ("application/pdf", data)
        return BlobPart(modality_of(mime_type), mime_type, content, filename, cache=_mark(part))
    if url is not None:
        return _from_url("document", url, filename, None, _mark(part))
    return FilePart("document", _file_id(part, "file_data"), filename)


def _audio(part: JsonFields) -> Part:
    audio = part.nested("input_audio")
    return BlobPart("audio", f"audio/{audio.string('format')}", audio.string("data"))


def _screenshot(part: JsonFields) -> Part:
    return _image(part) if "image_url" in part or "file_id" in part else TextPart("[screenshot]")


def _from_url(modality: Modality, url: str, filename: str | None, detail: str | None, cache: CacheMark | None = None) -> Part:
    inline = parse_data_url(url)
    if inline is None:
        return UriPart(modality, url, filename=filename, detail=detail, cache=cache)
    return BlobPart(modality, inline[0], inline[1], filename, detail, cache)


def _file_id(part: JsonFields, alternative: str) -> str:
    file_id = part.get("file_id")
    if not isinstance(file_id, str):
        where = part.at()
        raise InvalidRequestError(f"{where!r} needs {alternative!r} or 'file_id'", param=where)
    return file_id


_PARTS: dict[str, Callable[[JsonFields], Part]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "summary_text": _text,
    "reasoning_text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "image_url": _chat_image,
    "image": _messages_media,
    "document": _messages_media,
    "search_result": _messages_search_result,
    "thinking": _messages_thinking,
    "input_file": _file,
    "file": _chat_file,
    "input_audio": _audio,
    "computer_screenshot": _screenshot,
}


# ----------------------------------------------------------------------------------------------------------------- in words


def as_words(value: object) -> str:
    """Anything as words: text as it is, other JSON as JSON, cut where it would be too long for a conversation."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= MOST_WORDS else f"{text[:MOST_WORDS]}…"


def item_in_words(item: FrozenObject) -> str:
    """What a foreign item says to a model that has no such item."""
    kind = str(item.get("type"))
    say = _IN_WORDS.get(kind)
    if say is not None:
        return say(item)
    hidden = ("type", "id", "status", "call_id", "encrypted_content", "internal_chat_message_metadata_passthrough")
    told = {name: value for name, value in item.items() if name not in hidden and value not in (None, "", [], {})}
    return f"[{kind.replace('_', ' ')}: {as_words(told)}]" if told else ""


def _searched(item: FrozenObject) -> str:
    action = item.get("action")
    if not isinstance(action, Mapping):
        return "[searched the web]"
    query = action.get("query") or ", ".join(text for text in action.get("queries") or () if isinstance(text, str))
    target = query or action.get("url") or ""
    return f"[searched the web: {as_words(target)}]" if target else "[searched the web]"


def _ran_code(item: FrozenObject) -> str:
    return f"[ran code: {as_words(item.get('code') or '')}; it gave: {as_words(item.get('outputs') or 'nothing')}]"


def _called_server(item: FrozenObject) -> str:
    name, arguments = item.get("name") or "a tool", as_words(item.get("arguments") or "{}")
    return f"[called {name} with {arguments}; it answered: {as_words(item.get('error') or item.get('output') or 'nothing')}]"


def _drew(_item: FrozenObject) -> str:
    return "[an image was generated here]"


def _says_nothing(_item: FrozenObject) -> str:
    return ""


_IN_WORDS: dict[str, Callable[[FrozenObject], str]] = {
    "web_search_call": _searched,
    "code_interpreter_call": _ran_code,
    "mcp_call": _called_server,
    "image_generation_call": _drew,
    "mcp_list_tools": _says_nothing,
    "configuration_update": _says_nothing,
}

# ---------------------------------------------------------------------------------------------------------------- summaries

SUMMARISE = (
    "Write a summary of our conversation so far that lets another assistant go on with the work without having read it: what I "
    "asked for and why, what has been done and decided, files, names, commands and figures that matter, what failed, and what "
    "is to be done next. Answer with the summary only; call no tools."
)
"""What a model is asked that shall compact a conversation."""

UNREADABLE = "[Earlier parts of this conversation were compacted by another provider into a form that cannot be read here.]"


def seal_summary(text: str) -> str:
    """A summary as ``encrypted_content`` of a compaction item; readable by every gateway, so that any provider can go on."""
    return _SUMMARY_PREFIX + base64.urlsafe_b64encode(orjson.dumps({"t": text})).decode("ascii")


def read_summary(sealed: object) -> str | None:
    """The summary that ``seal_summary`` wrote; ``None`` for anything else."""
    if not isinstance(sealed, str) or not sealed.startswith(_SUMMARY_PREFIX):
        return None
    try:
        fields = orjson.loads(base64.urlsafe_b64decode(sealed[len(_SUMMARY_PREFIX) :]))
    except ValueError:
        return None
    text = fields.get("t") if isinstance(fields, dict) else None
    return text if is_text(text) else None


def told_summary(text: str) -> str:
    """A summary as the words of a user."""
    return f"Summary of our conversation so far:\n\n{text}"


# --------------------------------------------------------------------------------------------------------------- for an upstream


def as_asked(part: JsonObject) -> tuple[JsonObject, ...]:
    """A part of a user's message as the API takes it; itself where it has that shape, or one that nobody knows."""
    if part.get("type") in _OWN or part.get("type") not in _PARTS:
        return (part,)
    found = _decode_part(JsonFields(part))
    if isinstance(found, (TextPart, RefusalPart)):
        return ({"type": "input_text", "text": found.text},)
    if not isinstance(found, (BlobPart, UriPart, FilePart)) or found.modality == "audio":
        return (part,)
    context = None if isinstance(found, FilePart) else found.context
    return (*([{"type": "input_text", "text": context}] if context else ()), encode_media(found))


_OWN = frozenset({"input_text", "input_image", "input_file", "input_audio", "computer_screenshot"})


def encode_media(part: BlobPart | UriPart | FilePart) -> JsonObject:
    """An ``input_image`` or ``input_file``; a document of nothing but words as ``input_text``.

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
    words = text_of(part)
    if words is not None:
        return {"type": "input_text", "text": "\n".join(filter(None, (part.filename, words)))}
    # The API tells the kind of an inline document by its name.
    filename = part.filename or f"document{mimetypes.guess_extension(part.mime_type) or ''}"
    return {"type": "input_file", "filename": filename, "file_data": data_url(part.mime_type, part.data)}


# --------------------------------------------------------------------------------------------------- items that need no second look

ANSWER = "function_call_output"


def is_plain(item: FrozenObject) -> bool:
    """Whether it is what nearly all items are, words or a call or its answer, in a shape that the API takes: nothing to look for."""
    kind = item.get("type")
    if kind == "message":
        role, content = item.get("role"), item.get("content")
        if role not in _WORDS or "id" in item or "tool_calls" in item:
            return False
        return isinstance(content, str) or (
            isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == _WORDS[role] for part in content)
        )
    if kind == "function_call":
        return "id" not in item and isinstance(item.get("arguments"), str) and _is_short(item.get("call_id"))
    return kind == ANSWER and "id" not in item and isinstance(item.get("output"), str) and _is_short(item.get("call_id"))


_WORDS = {"user": "input_text", "assistant": "output_text"}


def _is_short(call_id: object) -> bool:
    return isinstance(call_id, str) and 0 < len(call_id) <= MAX_ID

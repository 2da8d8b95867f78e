"""Content blocks of a conversation, both ways: a client's blocks to canonical parts, canonical parts to blocks for the provider."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import orjson

from openclaw_oauthrouter.canonical.content import (
    RESULT_CONTENT,
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
    WebSearch,
)
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.canonical.media import is_textual, modality_of, parse_data_url, text_of
from openclaw_oauthrouter.canonical.opaque import attached, unseal
from openclaw_oauthrouter.canonical.request import Note
from openclaw_oauthrouter.dialects.anthropic_messages.tools import parsed_arguments
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import (
    DIALECT,
    MAX_CALL_ID,
    WireNames,
    cache_control,
    read_cache,
)
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.wire.json_fields import JsonFields

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
MADE_UP = "srvtoolu_oar_"
"""Begins the id of a search that another vendor's model made: its blocks are ours, and Anthropic would refuse them."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]{80}")
"""How the bytes of a file begin, where words would hold a blank."""

# ---------------------------------------------------------------------------------------------------------------- reading


def read_content(holder: JsonFields, key: str) -> tuple[Part, ...]:
    """Read a ``content``: a string or a list of blocks.

    :raises InvalidRequestError: naming the field
    """
    content = holder.string_or_objects(key)
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(content),)
    return attached([_read_block(block) for block in content])


def _read_block(block: JsonFields) -> Part:
    """One block; one that nobody knows stays as it is."""
    kind = block.string("type")
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(block)
    words = _WORDS.get(kind)
    said = None if words is None else words(block.holder)
    return NativePart(DIALECT, kind, block.holder, said, _search(block.holder), block.at() if said is None else "")


def _text(block: JsonFields) -> Part:
    return TextPart(block.string("text"), read_cache(block))


def _thinking(block: JsonFields) -> Part:
    return ReasoningPart(block.string("thinking"), _opaque("signature", block.optional_string("signature")))


def _refusal(block: JsonFields) -> Part:
    return RefusalPart(block.string("refusal"))


def _redacted_thinking(block: JsonFields) -> Part:
    return ReasoningPart("", _opaque("redacted", block.string("data")))


def _opaque(kind: str, data: str | None) -> Opaque | None:
    if not data:
        return None
    return unseal(data) or Opaque("redacted" if kind == "redacted" else "signature", data)


def _tool_use(block: JsonFields) -> Part:
    arguments = orjson.dumps(block.mapping("input")).decode()
    return ToolCallPart(block.string("id"), block.string("name"), arguments, cache=read_cache(block))


def _tool_result(block: JsonFields) -> Part:
    parts = tuple(TextPart(part.text) if isinstance(part, RefusalPart) else part for part in read_content(block, "content"))
    if not all(isinstance(part, RESULT_CONTENT) for part in parts):
        block.refuse("content", "a tool result holds text, images, documents and search results only")
    return ToolCallResponsePart(
        block.string("tool_use_id"),
        tuple(part for part in parts if isinstance(part, RESULT_CONTENT)),
        is_error=block.optional_boolean("is_error") or False,
        cache=read_cache(block),
    )


def _media(block: JsonFields) -> Part:
    modality = cast("Modality", block.string("type"))
    source = block.nested("source")
    title, cache, context = block.optional_string("title"), read_cache(block), block.optional_string("context")
    match source.string("type"):
        case "base64":
            return BlobPart(modality, source.string("media_type"), source.string("data"), title, cache=cache, context=context)
        case "text":
            data = base64.b64encode(source.string("data").encode()).decode("ascii")
            return BlobPart(modality, "text/plain", data, title, cache=cache, context=context)
        case "url":
            return UriPart(modality, source.string("url"), filename=title, cache=cache, context=context)
        case "file":
            return FilePart(modality, source.string("file_id"), title)
        case "content":
            return NativePart(DIALECT, modality, block.holder, _document_words(block.holder), place=block.at())
        case _:
            return NativePart(DIALECT, modality, block.holder, place=block.at())


def _server_tool_use(block: JsonFields) -> Part:
    if block.string("id").startswith(MADE_UP):
        return TextPart(_used(block.holder))
    return NativePart(DIALECT, "server_tool_use", block.holder, _used(block.holder), _search(block.holder))


def _search_result(block: JsonFields) -> Part:
    words = _found(block.holder)
    if (block.optional_string("tool_use_id") or "").startswith(MADE_UP):
        return TextPart(words)
    return NativePart(DIALECT, "web_search_tool_result", block.holder, words, _search(block.holder))


# Shapes of OpenAI's dialects that can mean one thing only; a client that mixes them up has still said what it wants.


def _image_url(block: JsonFields) -> Part:
    held = block.get("image_url")
    url = held if isinstance(held, str) else block.nested("image_url").string("url")
    return _addressed(block, url, "image", None)


def _input_file(block: JsonFields) -> Part:
    held = block.optional_nested("file") or block
    name = held.optional_string("filename")
    if "file_id" in held:
        return FilePart("document", held.string("file_id"), name)
    return _addressed(block, held.optional_string("file_url") or held.string("file_data"), "document", name)


def _addressed(block: JsonFields, url: str, modality: Modality, name: str | None) -> Part:
    data = parse_data_url(url)
    if data is None:
        return UriPart(modality, url, filename=name, cache=read_cache(block))
    return BlobPart(modality_of(data[0]), data[0], data[1], name, cache=read_cache(block))


_READERS: dict[str, Callable[[JsonFields], Part]] = {
    "text": _text,
    "image": _media,
    "document": _media,
    "thinking": _thinking,
    "redacted_thinking": _redacted_thinking,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "server_tool_use": _server_tool_use,
    "web_search_tool_result": _search_result,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "image_url": _image_url,
    "input_image": _image_url,
    "input_file": _input_file,
    "file": _input_file,
}

FOREIGN_SHAPES = frozenset({"input_text", "output_text", "refusal", "image_url", "input_image", "input_file", "file"})
"""Types of block that are other dialects' words for what this one has."""


# ------------------------------------------------------------------------------------------------------------ in words


def _strings(value: object, key: str = "text") -> list[str]:
    """All strings under a key, however deep, in order."""
    found: list[str] = []
    open_: list[object] = [value]
    while open_:
        item = open_.pop()
        if isinstance(item, dict):
            if isinstance(item.get(key), str):
                found.append(item[key])
            open_.extend(reversed(list(item.values())))
        elif isinstance(item, list):
            open_.extend(reversed(item))
    return found


def _document_words(block: FrozenObject) -> str | None:
    """A document made of blocks; ``None`` where not all of them are words."""
    content = block["source"].get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list) or any(not isinstance(held, dict) or held.get("type") != "text" for held in blocks):
        return None
    return "\n".join((*filter(None, (_string(block, "title"), _string(block, "context"))), *_strings(blocks)))


def _reference(block: FrozenObject) -> str:
    return f"The tool {_string(block, 'tool_name')!r} is available now."


def tool_of_change(block: FrozenObject) -> tuple[str, FrozenObject | None]:
    """The tool that an addition or removal is about: its name, and its definition where it brings one."""
    tool = block.get("tool")
    held = tool if isinstance(tool, dict) else {}
    definition = held.get("definition")
    if isinstance(definition, dict):
        return _string(definition, "name"), definition
    if isinstance(held.get("input_schema"), dict):
        return _string(held, "name"), held
    return _string(held, "name") or _string(held, "tool_name") or _string(held, "mcp_server_name"), None


def _added(block: FrozenObject) -> str:
    return f"The tool {tool_of_change(block)[0]!r} is available from now on."


def _removed(block: FrozenObject) -> str:
    return f"The tool {tool_of_change(block)[0]!r} is no longer available."


def _quoted(block: FrozenObject) -> str:
    head = [part for part in (_string(block, "title"), _string(block, "source")) if part]
    return "\n".join((*head, *_strings(block.get("content"))))


def _used(block: FrozenObject) -> str:
    input_ = block.get("input")
    query = input_.get("query") if isinstance(input_, dict) else None
    if block.get("name") == "web_search" and isinstance(query, str):
        return f"[searched the web for {query!r}]"
    return f"[used {_string(block, 'name')!r}: {orjson.dumps(input_).decode()}]"


def _found(block: FrozenObject) -> str:
    content = block.get("content")
    if not isinstance(content, list):
        return f"[the search failed: {_string(content, 'error_code')}]" if isinstance(content, dict) else ""
    rows = (f"- {_string(hit, 'title')} {_string(hit, 'url')}".rstrip() for hit in content if isinstance(hit, dict))
    return "\n".join(("[search results]", *rows))


def _output(block: FrozenObject) -> str:
    """What a tool of the provider's own answered: everything in it that is text."""
    content = block.get("content")
    words = [word for key in ("url", "title", "stdout", "stderr", "text", "error_code") for word in _strings(content, key)]
    words += [data for data in _strings(content, "data") if _BASE64.match(data) is None]
    return "\n".join(dict.fromkeys(word for word in words if word))


def _found_tools(block: FrozenObject) -> str:
    return " ".join(f"The tool {name!r} is available now." for name in _strings(block.get("content"), "tool_name"))


def _summary(block: FrozenObject) -> str:
    content = block.get("content")
    return content if isinstance(content, str) else "\n".join(_strings(content))


def _mcp_use(block: FrozenObject) -> str:
    return f"[used {_string(block, 'server_name')}/{_string(block, 'name')}: {orjson.dumps(block.get('input')).decode()}]"


def _nothing(_block: FrozenObject) -> str:
    return ""


_WORDS: dict[str, Callable[[FrozenObject], str]] = {
    "tool_reference": _reference,
    "tool_addition": _added,
    "tool_removal": _removed,
    "search_result": _quoted,
    "web_fetch_tool_result": _output,
    "code_execution_tool_result": _output,
    "bash_code_execution_tool_result": _output,
    "text_editor_code_execution_tool_result": _output,
    "tool_search_tool_result": _found_tools,
    "mcp_tool_use": _mcp_use,
    "mcp_tool_result": _output,
    "advisor_tool_result": _output,
    "browser_state": lambda block: "\n".join(_strings(block)),
    "compaction": _summary,
    "fallback": _nothing,
    "mcp_tool_listing": _nothing,
}
"""Blocks that only this dialect has, and what they say to a model that cannot be given them."""


def _search(block: FrozenObject) -> WebSearch | None:
    """A search of the web, as every dialect can tell it."""
    kind = block.get("type")
    if kind == "server_tool_use" and block.get("name") == "web_search":
        input_ = block.get("input")
        query = input_.get("query") if isinstance(input_, dict) else None
        return WebSearch(_string(block, "id"), query if isinstance(query, str) else "")
    if kind != "web_search_tool_result":
        return None
    content = block.get("content")
    hits = tuple(_hit(item) for item in content if isinstance(item, dict)) if isinstance(content, list) else None
    return WebSearch(_string(block, "tool_use_id"), hits=hits)


def read_search(block: FrozenObject) -> WebSearch | None:
    """The search that a block of an answer is a part of."""
    return _search(block)


def _hit(item: FrozenObject) -> Citation:
    return Citation(_string(item, "url"), _string(item, "title"))


def _string(holder: FrozenObject, key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


# ---------------------------------------------------------------------------------------------------------------- writing


Spelling = tuple[list[tuple[str, str]], list[tuple[str, str]]]
"""Ids of calls, and names of tools: as the client has them, and on the wire."""


class PartWriter:
    """Writes the parts of one request as blocks; remembers what had to be left out or changed.

    :param tool_names: names as the provider takes them
    :param unsigned: the provider takes thinking that nobody sealed
    """

    __slots__ = ("_ids", "_names", "notes", "unsigned")

    def __init__(self, tool_names: WireNames, *, unsigned: bool = False) -> None:
        self.notes: list[Note] = []
        self.unsigned = unsigned
        self._names = tool_names
        self._ids = WireNames(limit=MAX_CALL_ID)

    def write(self, parts: Sequence[Part]) -> list[JsonObject]:
        """The blocks of one message's parts, in their order."""
        blocks: list[JsonObject] = []
        for part in parts:
            if type(part) is TextPart and part.cache is None:
                blocks.append({"type": "text", "text": part.text})
            else:
                blocks += _STEPS[type(part)](self, part)
        return blocks

    def spelling(self, parts: Sequence[Part]) -> Spelling:
        """How ids and names in these parts, which have been written, are spelt."""
        ids = [part.id for part in parts if isinstance(part, (ToolCallPart, ToolCallResponsePart))]
        names = [part.name for part in parts if isinstance(part, ToolCallPart)]
        return [(id_, self._ids.add(id_)) for id_ in ids], [(name, self._names.add(name)) for name in names]

    def agrees(self, spelling: Spelling) -> bool:
        """Whether this request spells ids and names as another has; from now on they are spelt so or otherwise, as if they had been written."""
        for names, spelt in ((self._ids, spelling[0]), (self._names, spelling[1])):
            for name, wire in spelt:
                if (names.known.get(name) or names.add(name)) != wire:
                    return False
        return True

    def _text(self, part: TextPart) -> Iterator[JsonObject]:
        yield _marked({"type": "text", "text": part.text}, part.cache)

    def _refusal(self, part: RefusalPart) -> Iterator[JsonObject]:
        if part.text:
            yield {"type": "text", "text": part.text}

    def _media(self, part: BlobPart | UriPart) -> Iterator[JsonObject]:
        yield _marked(_write_media(part), part.cache)

    def _file(self, part: FilePart) -> Iterator[JsonObject]:
        raise InvalidRequestError(f"file {part.file_id!r} is stored at another provider; send its content", param="messages")

    def _native(self, part: NativePart) -> Iterator[JsonObject]:
        if part.dialect == DIALECT:
            yield dict(part.value)
        else:
            self._note("dropped", part.type, "this provider has no such block")

    def _thinking(self, part: ReasoningPart) -> Iterator[JsonObject]:
        block = thinking_block(part)
        if block is None and self.unsigned and part.text:
            yield {"type": "thinking", "thinking": part.text, "signature": ""}
        elif block is None:
            self._note("dropped", "reasoning", "only reasoning sealed by this provider can be sent back to it")
        else:
            yield block

    def _tool_use(self, part: ToolCallPart) -> Iterable[JsonObject]:
        id_, name = self._ids.add(part.id), self._names.known.get(part.name) or self._names.add(part.name)
        block = {"type": "tool_use", "id": id_, "name": name, "input": self._input(part)}
        return (block if part.cache is None else _marked(block, part.cache),)

    def _input(self, part: ToolCallPart) -> Any:
        if part.custom:
            return {"input": part.arguments}
        try:
            value = parsed_arguments(part.arguments)
        except ValueError:
            self._note("repaired", f"arguments of {part.name!r}", "they were not JSON")
            return {}
        if isinstance(value, (dict, orjson.Fragment)):
            return value
        self._note("repaired", f"arguments of {part.name!r}", "they were not a JSON object")
        return {"_raw": part.arguments}

    def _tool_result(self, part: ToolCallResponsePart) -> Iterable[JsonObject]:
        block: JsonObject = {"type": "tool_result", "tool_use_id": self._ids.known.get(part.id) or self._ids.add(part.id)}
        content: Sequence[Part] = part.content
        if len(content) > 1:
            content = [item for item in content if type(item) is not TextPart or item.text]
        first = content[0] if len(content) == 1 else None
        if type(first) is TextPart and first.cache is None:
            if first.text:
                block["content"] = first.text
        elif content and not (type(first) is TextPart and not first.text):
            block["content"] = self.write(content)
        if part.is_error:
            block["is_error"] = True
        return (block if part.cache is None else _marked(block, part.cache),)

    def _note(self, action: Any, subject: str, reason: str) -> None:
        self.notes.append(Note(action, subject, reason))


_STEPS: dict[type, Callable[[PartWriter, Any], Iterable[JsonObject]]] = {
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


def thinking_block(part: ReasoningPart) -> JsonObject | None:
    """The block of a piece of reasoning; ``None`` unless a provider of this dialect sealed it."""
    opaque = part.opaque
    if opaque is None:
        return None
    if opaque.kind == "signature":
        return {"type": "thinking", "thinking": part.text, "signature": opaque.data}
    return {"type": "redacted_thinking", "data": opaque.data} if opaque.kind == "redacted" else None


def _marked(block: JsonObject, mark: CacheMark | None) -> JsonObject:
    if mark is not None:
        block["cache_control"] = cache_control(mark)
    return block


def _write_media(part: BlobPart | UriPart) -> JsonObject:
    if part.modality == "audio":
        raise InvalidRequestError("Claude models take no audio; send text, images or documents", param="messages")
    source = _inline(part) if isinstance(part, BlobPart) else _linked(part)
    block: JsonObject = {"type": part.modality, "source": source}
    if part.modality == "document" and part.filename:
        block["title"] = part.filename
    if part.modality == "document" and part.context:
        block["context"] = part.context
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
    if is_textual(part.mime_type):
        return {"type": "text", "media_type": "text/plain", "data": _decoded(part)}
    raise InvalidRequestError(f"documents of type {part.mime_type!r} are not taken; send PDF or text", param="messages")


def _decoded(part: BlobPart) -> str:
    words = text_of(part)
    if words is None:
        raise InvalidRequestError(f"document {part.filename!r} is not base64 of UTF-8 text", param="messages")
    return words


def _linked(part: UriPart) -> JsonObject:
    if not part.uri.startswith(("https://", "http://")):
        raise InvalidRequestError(f"{part.uri[:40]!r} is neither a data URL nor an http(s) address", param="messages")
    return {"type": "url", "url": part.uri}


# ------------------------------------------------------------------------------------------------------------- citations


def write_citation(citation: Citation) -> JsonObject:
    """A source, as the search tool of this dialect would cite it; its empty index says that it is none of Anthropic's."""
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "cited_text": "",
        "encrypted_index": "",
    }


def is_made_up(citation: object) -> bool:
    """Whether ``write_citation`` made a citation."""
    return isinstance(citation, dict) and citation.get("encrypted_index") == ""


def search_blocks(search: WebSearch, hits: Sequence[Citation]) -> tuple[JsonObject, JsonObject]:
    """A search that another vendor's model made, as the call and the result that clients of this dialect show."""
    id_ = MADE_UP + _safe(search.id)
    call: JsonObject = {"type": "server_tool_use", "id": id_, "name": "web_search", "input": {"query": search.query}}
    found = [
        {"type": "web_search_result", "url": hit.url, "title": hit.title or hit.url, "encrypted_content": "", "page_age": None}
        for hit in hits
    ]
    failed = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    return call, {"type": "web_search_tool_result", "tool_use_id": id_, "content": failed if search.hits is None else found}


def _safe(id_: str) -> str:
    return WireNames(limit=40).add(id_)

"""Parts of a conversation, canonical -> Gemini."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping

import orjson

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
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
from openclaw_oauthrouter.canonical.fitting import GO_ON
from openclaw_oauthrouter.canonical.free_text import wrap_input
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.repair import repair
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Note
from openclaw_oauthrouter.canonical.tool_names import wire_name
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.dialects.gemini_generate_content.vocabulary import AFTER_TEXT, DIALECT, SKIP_SIGNATURE
from openclaw_oauthrouter.errors import InvalidRequestError

EMPTY_TURN = "(empty message)"
"""What a turn says whose parts have no counterpart: Gemini takes no content without parts."""

_MIME_TYPES = {"image": "image/jpeg", "document": "application/pdf", "audio": "audio/mpeg"}
"""Where an address does not tell."""


@value(frozen=True, slots=True)
class ContentWriter:
    """Writes ``systemInstruction`` and ``contents``.

    :ivar signs_calls: the model (Gemini 3 and later) numbers its calls, seals the first one of each step, and takes files in answers
    """

    notes: list[Note]
    signs_calls: bool

    def write(self, request: ChatRequest) -> JsonObject:
        """The conversation.

        :raises InvalidRequestError: a part has no counterpart
        """
        messages, repairs = repair(request.messages)
        self.notes.extend(repairs)
        names = {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCallPart)}
        system: list[JsonObject] = []
        contents: list[JsonObject] = []
        for position, message in enumerate(messages):
            path = f"messages[{position}]"
            if message.role == "system":
                system.extend(self._parts(message, path, names))
                continue
            role = "model" if message.role == "assistant" else "user"
            parts = list(self._parts(message, path, names))
            if role == "model" and not parts:
                continue
            self._add(contents, role, parts or [{"text": EMPTY_TURN}])
        if not contents or contents[0]["role"] == "model":
            contents.insert(0, {"role": "user", "parts": [{"text": GO_ON}]})
        if self.signs_calls:
            for content in contents:
                _excuse(content["parts"])
        return {"contents": contents} | ({"systemInstruction": {"parts": system}} if system else {})

    def _add(self, contents: list[JsonObject], role: str, parts: list[JsonObject]) -> None:
        """Turns of one side are one content: calls made together must stand together, and so must their answers."""
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": role, "parts": parts})

    def _parts(self, message: Message, path: str, names: Mapping[str, str]) -> Iterator[JsonObject]:
        for part in message.parts:
            yield from self._part(part, path, names)

    def _part(self, part: Part, path: str, names: Mapping[str, str]) -> Iterator[JsonObject]:
        match part:
            case TextPart(text):
                yield from _text(text, part.opaque)
            case RefusalPart(text):
                yield {"text": text}
            case ReasoningPart():
                yield from self._reasoning(part, path)
            case ToolCallPart():
                yield self._call(part)
            case ToolCallResponsePart():
                yield from self._answer(part, path, names)
            case NativePart():
                yield from self._native(part, path)
            case BlobPart() | UriPart() | FilePart():
                if part.filename:
                    yield {"text": f"{part.filename}:"}  # a file has no name of its own here
                yield _file(part, path)

    def _reasoning(self, part: ReasoningPart, path: str) -> Iterator[JsonObject]:
        if part.opaque is not None and part.opaque.kind == "thought_signature":
            yield {"text": part.text, "thought": True, "thoughtSignature": part.opaque.data}
        else:
            self.notes.append(Note("dropped", f"{path}.thinking", "thoughts of another model have no place in Gemini's"))

    def _call(self, part: ToolCallPart) -> JsonObject:
        call: JsonObject = {"name": wire_name(part.name), "args": _arguments(part)}
        if self.signs_calls:
            call["id"] = part.id
        sealed = part.opaque is not None and part.opaque.kind == "thought_signature"
        return {"functionCall": call} | ({"thoughtSignature": part.opaque.data} if part.opaque and sealed else {})

    def _answer(self, part: ToolCallResponsePart, path: str, names: Mapping[str, str]) -> Iterator[JsonObject]:
        words = "\n".join(filter(None, (_words_in_answer(item) for item in part.content)))
        files = [_file(item, path) for item in part.content if isinstance(item, (BlobPart, UriPart, FilePart))]
        others = [item for item in part.content if isinstance(item, NativePart)]
        for item in others:
            raise _no_counterpart(f"a {item.type!r} block in a tool's answer", path)
        response: JsonObject = {
            "name": wire_name(names.get(part.id, part.id)),
            "response": {"error" if part.is_error else "output": words},
        }
        if self.signs_calls:
            response["id"] = part.id
            if files:
                response["parts"] = files
            yield {"functionResponse": response}
            return
        yield {"functionResponse": response}
        yield from files

    def _native(self, part: NativePart, path: str) -> Iterator[JsonObject]:
        if part.dialect == DIALECT and part.search is None:
            yield dict(part.value)
        elif part.dialect != DIALECT:
            self.notes.append(Note("dropped", f"{path}.{part.type}", "Gemini has no such block"))


def _words_in_answer(item: Part) -> str | None:
    """A text, or the name of a file, which has none of its own here."""
    if isinstance(item, TextPart):
        return item.text
    return item.filename if isinstance(item, (BlobPart, UriPart, FilePart)) else None


def _text(text: str, opaque: Opaque | None) -> Iterator[JsonObject]:
    if opaque is None or opaque.kind != "thought_signature":
        yield {"text": text}
    elif opaque.item_id == AFTER_TEXT:
        yield {"text": text}
        yield {"text": "", "thoughtSignature": opaque.data}
    else:
        yield {"text": text, "thoughtSignature": opaque.data}


def _arguments(call: ToolCallPart) -> JsonObject | orjson.Fragment:
    """As the model wrote them: a number too large for a machine word must not change, nor stop the request."""
    text = wrap_input(call.arguments) if call.custom else call.arguments or "{}"
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = call.arguments
    return orjson.Fragment(text) if isinstance(found, dict) else {"input": found}


def _excuse(parts: list[JsonObject]) -> None:
    """Mark the first call of a step that no Gemini made; without, the whole request is refused."""
    calls = [part for part in parts if "functionCall" in part]
    if calls and not any("thoughtSignature" in call for call in calls):
        calls[0]["thoughtSignature"] = SKIP_SIGNATURE


def _file(part: BlobPart | UriPart | FilePart, path: str) -> JsonObject:
    if isinstance(part, BlobPart):
        return {"inlineData": {"mimeType": part.mime_type, "data": part.data}}
    if isinstance(part, UriPart):
        mime_type = part.mime_type or mimetypes.guess_type(part.uri.partition("?")[0])[0] or _MIME_TYPES[part.modality]
        return {"fileData": {"mimeType": mime_type, "fileUri": part.uri}}
    raise _no_counterpart(f"file {part.file_id!r}, which is stored at another provider,", path)


def _no_counterpart(what: str, path: str) -> InvalidRequestError:
    return InvalidRequestError(f"{what} has no counterpart in Gemini; leave it out or send it inline", param=path)

"""Reads one content block of an answer, whether it comes whole or in deltas; one small class per kind of block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import orjson

from openclaw_oauthrouter.canonical.content import Citation, Opaque
from openclaw_oauthrouter.canonical.events import CitationAdded, PartDelta, PartFinished, PartStarted, StreamEvent
from openclaw_oauthrouter.canonical.json import JsonObject, string
from openclaw_oauthrouter.dialects.anthropic_messages.name import DIALECT
from openclaw_oauthrouter.dialects.anthropic_messages.tool_inputs import read_input


class BlockReader(Protocol):
    """One block; ``text_length`` is what it adds to the text of the whole answer."""

    text_length: int

    def start(self) -> Iterator[StreamEvent]:
        """The block opens."""

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        """More of it; a delta of a type that is not known adds nothing."""

    def finish(self) -> Iterator[StreamEvent]:
        """The block closes."""


class TextBlock:
    """Words and their sources."""

    def __init__(self, index: int, block: JsonObject, offset: int) -> None:
        self._index = index
        self._whole = str(block.get("text") or "")
        self._citations: list[JsonObject] = list(block.get("citations") or ())
        self._offset = offset
        self.text_length = 0

    def start(self) -> Iterator[StreamEvent]:
        yield PartStarted(self._index, "text")
        yield from self._say(self._whole)

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        # A tuple, not a generator: this runs for every token.
        if delta["type"] == "text_delta":
            return self._say(delta["text"])
        if delta["type"] == "citations_delta":
            self._citations.append(delta["citation"])
        return ()

    def finish(self) -> Iterator[StreamEvent]:
        # A citation covers its whole block, whose length is only known now.
        end = self._offset + self.text_length
        for wire in self._citations:
            if wire.get("url"):
                yield CitationAdded(self._index, Citation(wire["url"], wire.get("title") or "", self._offset, end))
        yield PartFinished(self._index)

    def _say(self, text: str) -> tuple[StreamEvent, ...]:
        if not text:
            return ()
        self.text_length += len(text)
        return (PartDelta(self._index, string(text)),)


class ThinkingBlock:
    """Thinking in words, with the signature that seals it; the words may be left out."""

    text_length = 0

    def __init__(self, index: int, block: JsonObject, _offset: int) -> None:
        self._index = index
        self._whole = str(block.get("thinking") or "")
        self._signature = str(block.get("signature") or "")

    def start(self) -> Iterator[StreamEvent]:
        yield PartStarted(self._index, "reasoning")
        if self._whole:
            yield PartDelta(self._index, self._whole)

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        if delta["type"] == "thinking_delta" and delta["thinking"]:
            return (PartDelta(self._index, string(delta["thinking"])),)
        if delta["type"] == "signature_delta":
            self._signature = string(delta["signature"] or "")
        return ()

    def finish(self) -> Iterator[StreamEvent]:
        yield PartFinished(self._index, Opaque("signature", self._signature) if self._signature else None)


class RedactedThinkingBlock:
    """Thinking that only its maker can read."""

    text_length = 0

    def __init__(self, index: int, block: JsonObject, _offset: int) -> None:
        self._index = index
        self._data = string(block["data"])

    def start(self) -> Iterator[StreamEvent]:
        yield PartStarted(self._index, "reasoning")

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        return ()

    def finish(self) -> Iterator[StreamEvent]:
        yield PartFinished(self._index, Opaque("redacted", self._data))


class ToolUseBlock:
    """A call of one of the client's tools."""

    text_length = 0

    def __init__(self, index: int, block: JsonObject, _offset: int) -> None:
        self._index = index
        self._id = string(block["id"])
        self._name = string(block["name"])
        self._whole = block.get("input") or {}
        self._silent = True

    def start(self) -> Iterator[StreamEvent]:
        yield PartStarted(self._index, "tool_call", id=self._id, name=self._name)

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        if delta["type"] == "input_json_delta" and delta["partial_json"]:
            self._silent = False
            return (PartDelta(self._index, string(delta["partial_json"])),)
        return ()

    def finish(self) -> Iterator[StreamEvent]:
        if self._silent:
            # A call without arguments sends no delta at all, yet its arguments must be valid JSON.
            yield PartDelta(self._index, orjson.dumps(self._whole).decode())
        yield PartFinished(self._index)


class NativeBlock:
    """A block that only this dialect has a word for; handed on whole, once it is whole."""

    text_length = 0

    def __init__(self, index: int, block: JsonObject, _offset: int) -> None:
        self._index = index
        self._block = dict(block)
        self._input = ""

    def start(self) -> Iterator[StreamEvent]:
        return iter(())

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        if delta["type"] == "input_json_delta":
            self._input += delta["partial_json"]
        else:
            self._block.update((key, value) for key, value in delta.items() if key != "type")
        return ()

    def finish(self) -> Iterator[StreamEvent]:
        if self._input:
            self._block["input"] = read_input(self._input)
        yield PartStarted(self._index, "native", native=(DIALECT, str(self._block["type"]), self._block))
        yield PartFinished(self._index)


_READERS: dict[str, Callable[[int, JsonObject, int], BlockReader]] = {
    "text": TextBlock,
    "thinking": ThinkingBlock,
    "redacted_thinking": RedactedThinkingBlock,
    "tool_use": ToolUseBlock,
}


def open_block(index: int, block: JsonObject, offset: int) -> BlockReader:
    """The reader for a block.

    :param offset: length of the answer's text before it
    """
    return _READERS.get(block["type"], NativeBlock)(index, block, offset)

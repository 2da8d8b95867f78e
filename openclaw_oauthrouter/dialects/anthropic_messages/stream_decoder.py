"""Reads an answer: server-sent events or a whole message in, canonical events out.

IDLE -> OPEN -> DONE; every pair of state and event that means something is a row of ``TRANSITIONS``. Any other event is passed over:
the vendor adds event types as it likes, and some servers leave ``message_start`` or ``content_block_start`` out. A whole message needs no
machine: its blocks are read to parts one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, Protocol

import orjson

from openclaw_oauthrouter.canonical.content import Citation, NativePart, Opaque, Part, ReasoningPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import JsonObject, string
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.response import ChatResponse, WholeAnswer
from openclaw_oauthrouter.canonical.usage import Usage, is_reported
from openclaw_oauthrouter.dialects.anthropic_messages.content import read_search
from openclaw_oauthrouter.dialects.anthropic_messages.errors import decode_stream_error
from openclaw_oauthrouter.dialects.anthropic_messages.tools import read_input
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import DIALECT, decode_finish, decode_usage
from openclaw_oauthrouter.wire.event_stream import LITERAL
from openclaw_oauthrouter.wire.sse import ServerSentEvent

# ---------------------------------------------------------------------------------------------------------------- blocks


class BlockReader(Protocol):
    """One block.

    :ivar text_length: what it adds to the text of the whole answer
    :ivar grows_by: the field of a delta whose text ``extend`` would only hand on; ``None`` if it always does more
    """

    text_length: int
    grows_by: bytes | None

    def start(self) -> Iterator[StreamEvent]:
        """The block opens."""

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        """More of it; a delta of a type that is not known adds nothing."""

    def grow(self, length: int) -> int:
        """Text came in the field ``grows_by``; returns the part it belongs to."""

    def finish(self) -> Iterator[StreamEvent]:
        """The block closes."""


class TextBlock:
    """Words and their sources."""

    grows_by: bytes | None = b"text"

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

    def grow(self, length: int) -> int:
        self.text_length += length
        return self._index

    def finish(self) -> Iterator[StreamEvent]:
        # A citation covers its whole block, whose length is only known now.
        end = self._offset + self.text_length
        for citation in _citations(self._citations, self._offset, end):
            yield CitationAdded(self._index, citation)
        yield PartFinished(self._index)

    def _say(self, text: str) -> tuple[StreamEvent, ...]:
        if not text:
            return ()
        self.text_length += len(text)
        return (PartDelta(self._index, string(text)),)


def _citations(told: Iterable[JsonObject], start: int, end: int) -> Iterator[Citation]:
    """The sources of a block that is this stretch of the answer's text."""
    for wire in told:
        url, title = wire.get("url"), wire.get("title")
        if isinstance(url, str) and url:
            yield Citation(url, title if isinstance(title, str) else "", start, end)


class ThinkingBlock:
    """Thinking in words, with the signature that seals it; the words may be left out."""

    text_length = 0
    grows_by: bytes | None = b"thinking"

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

    def grow(self, length: int) -> int:
        return self._index

    def finish(self) -> Iterator[StreamEvent]:
        yield PartFinished(self._index, Opaque("signature", self._signature) if self._signature else None)


class RedactedThinkingBlock:
    """Thinking that only its maker can read."""

    text_length = 0
    grows_by: bytes | None = None

    def __init__(self, index: int, block: JsonObject, _offset: int) -> None:
        self._index = index
        self._data = string(block["data"])

    def start(self) -> Iterator[StreamEvent]:
        yield PartStarted(self._index, "reasoning")

    def extend(self, delta: JsonObject) -> Iterable[StreamEvent]:
        return ()

    def grow(self, length: int) -> int:
        return self._index

    def finish(self) -> Iterator[StreamEvent]:
        yield PartFinished(self._index, Opaque("redacted", self._data))


class ToolUseBlock:
    """A call of one of the client's tools."""

    text_length = 0
    grows_by: bytes | None = b"partial_json"

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

    def grow(self, length: int) -> int:
        self._silent = False
        return self._index

    def finish(self) -> Iterator[StreamEvent]:
        if self._silent:
            # A call without arguments sends no delta at all, yet its arguments must be valid JSON.
            yield PartDelta(self._index, orjson.dumps(self._whole).decode())
        yield PartFinished(self._index)


class NativeBlock:
    """A block that only this dialect has a word for; handed on whole, once it is whole."""

    text_length = 0
    grows_by: bytes | None = None

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

    def grow(self, length: int) -> int:
        return self._index

    def finish(self) -> Iterator[StreamEvent]:
        if self._input:
            self._block["input"] = read_input(self._input)
        native = (DIALECT, str(self._block["type"]), self._block)
        yield PartStarted(self._index, "native", native=native, search=read_search(self._block))
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


# --------------------------------------------------------------------------------------------------------------- machine

State = Literal["IDLE", "OPEN", "DONE"]


_DELTA = lazily(
    rb'(event: content_block_delta\ndata: \{"type": ?+"content_block_delta", ?+"index": ?+(0|[1-9]\d{0,8}+), ?+"delta": ?+'
    rb'\{"type": ?+"(text_delta", ?+"text|thinking_delta", ?+"thinking|input_json_delta", ?+"partial_json)": ?+' + LITERAL
    + rb"\} *+\} *+\n\n)"
)  # fmt: skip
"""The vendor fills events up with blanks."""


class MessagesEventMachine:
    """What the events of one answer mean; an ``EventMachine`` that ``GrowsInRuns``.

    :ivar done: the answer is complete
    """

    deltas = _DELTA
    steady = True

    def __init__(self) -> None:
        self.done = False
        self._state: State = "IDLE"
        self._blocks: dict[int, BlockReader] = {}
        self._growing: dict[tuple[bytes, ...], BlockReader] = {}
        self._usage: JsonObject = {}
        self._finish: JsonObject = {}
        self._opened = 0
        self._called = False
        self._text_length = 0

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        """Turn one event into canonical ones.

        :raises UpstreamError: the provider broke off
        """
        data = orjson.loads(event.data)
        return self.receive_json(event.event or data["type"], data)

    def receive_json(self, name: str, data: JsonObject) -> Iterable[StreamEvent]:
        """Turn one parsed event into canonical ones."""
        row = TRANSITIONS.get((self._state, name))
        if row is None:
            return ()
        self._state, step = row
        self.done = self._state == "DONE"
        return step(self, data)

    def extend(self, place: tuple[bytes, ...], text: str) -> int | None:
        """Deltas of one block."""
        block = self._growing.get(place)
        if block is None:
            index, kind = place
            block = self._blocks.get(int(index)) if self._state == "OPEN" else None
            if block is None or block.grows_by != kind.rpartition(b'"')[2]:
                return None
            self._growing[place] = block
        return block.grow(len(text))

    def finish(self) -> Iterable[StreamEvent]:
        """Nothing can be made up for a missing ``message_stop``."""
        return ()

    def _start(self, data: JsonObject) -> Iterator[StreamEvent]:
        message = data["message"]
        yield ResponseStarted(str(message.get("id") or ""), str(message.get("model") or ""))
        yield from self._report_usage(message)

    def _restart(self, data: JsonObject) -> Iterator[StreamEvent]:
        yield from self._report_usage(data["message"])

    def _open_block(self, data: JsonObject) -> Iterator[StreamEvent]:
        yield from self._close_block(data)
        block = open_block(self._opened, data["content_block"], self._text_length)
        self._called = self._called or isinstance(block, ToolUseBlock)
        self._blocks[data["index"]] = block
        self._growing.clear()
        self._opened += 1
        yield from block.start()

    def _extend_block(self, data: JsonObject) -> Iterable[StreamEvent]:
        block = self._blocks.get(data["index"])
        return self._extend_unopened(data) if block is None else block.extend(data["delta"])

    def _extend_unopened(self, data: JsonObject) -> Iterator[StreamEvent]:
        index = data["index"]
        yield from self._open_block({"index": index, "content_block": {"type": "text", "text": ""}})
        yield from self._blocks[index].extend(data["delta"])

    def _close_block(self, data: JsonObject) -> Iterator[StreamEvent]:
        block = self._blocks.pop(data["index"], None)
        self._growing.clear()
        if block is not None:
            yield from block.finish()
            self._text_length += block.text_length

    def _take_delta(self, data: JsonObject) -> Iterator[StreamEvent]:
        self._finish.update(data.get("delta") or {})
        yield from self._report_usage(data)

    def _stop(self, _data: JsonObject) -> Iterator[StreamEvent]:
        for index in sorted(self._blocks):
            yield from self._close_block({"index": index})
        yield decode_finish(self._finish, called=self._called)

    def _fail(self, data: JsonObject) -> Iterator[StreamEvent]:
        raise decode_stream_error(data)

    def _report_usage(self, holder: JsonObject) -> Iterator[StreamEvent]:
        told = holder.get("usage")
        if not isinstance(told, dict):
            return
        usage = {key: value for key, value in told.items() if value is not None}
        # The figures are cumulative: each report replaces what it names and says nothing of the rest.
        self._usage.update(usage)
        if usage and is_reported(self._usage, "input_tokens", "output_tokens"):
            yield UsageReported(decode_usage(self._usage))


Step = Callable[[MessagesEventMachine, JsonObject], Iterable[StreamEvent]]


def _unannounced(step: Step) -> Step:
    """A step of an answer whose ``message_start`` was left out."""

    def start(machine: MessagesEventMachine, data: JsonObject) -> Iterator[StreamEvent]:
        yield ResponseStarted("", "")
        yield from step(machine, data)

    return start


# The table is the class's own other half, hence its reach into the private steps.
TRANSITIONS: dict[tuple[State, str], tuple[State, Step]] = {
    ("IDLE", "message_start"): ("OPEN", MessagesEventMachine._start),
    ("IDLE", "content_block_start"): ("OPEN", _unannounced(MessagesEventMachine._open_block)),
    ("IDLE", "content_block_delta"): ("OPEN", _unannounced(MessagesEventMachine._extend_block)),
    ("IDLE", "message_delta"): ("OPEN", _unannounced(MessagesEventMachine._take_delta)),
    ("IDLE", "error"): ("DONE", MessagesEventMachine._fail),
    ("OPEN", "message_start"): ("OPEN", MessagesEventMachine._restart),
    ("OPEN", "content_block_start"): ("OPEN", MessagesEventMachine._open_block),
    ("OPEN", "content_block_delta"): ("OPEN", MessagesEventMachine._extend_block),
    ("OPEN", "content_block_stop"): ("OPEN", MessagesEventMachine._close_block),
    ("OPEN", "message_delta"): ("OPEN", MessagesEventMachine._take_delta),
    ("OPEN", "message_stop"): ("DONE", MessagesEventMachine._stop),
    ("OPEN", "error"): ("DONE", MessagesEventMachine._fail),
}
"""(state, event) -> (next state, step)."""


# ------------------------------------------------------------------------------------------------------- a whole message


def decode_message(body: JsonObject) -> WholeAnswer:
    """Read a whole message.

    :raises KeyError, TypeError, AttributeError: the body is not a message
    """
    parts: list[Part] = []
    called = False
    offset = 0
    for block in body["content"]:
        kind = block["type"]
        part = _PARTS.get(kind, _native)(block, offset)
        if kind == "text":
            offset += len(part.text)
        elif kind == "tool_use":
            called = True
        parts.append(part)
    told = body.get("usage")
    usage = decode_usage(told) if told and is_reported(told, "input_tokens", "output_tokens") else None
    end = decode_finish(body, called=called)
    return WholeAnswer(
        ChatResponse(
            str(body.get("id") or ""),
            str(body.get("model") or ""),
            tuple(parts),
            end.finish_reason,
            usage or Usage(),
            end.stop_sequence,
            end.explanation,
        ),
        usage,
    )


def _text(block: JsonObject, offset: int) -> TextPart:
    text = str(block.get("text") or "")
    cited = block.get("citations")
    return TextPart(text, citations=tuple(_citations(cited, offset, offset + len(text)))) if cited else TextPart(text)


def _thinking(block: JsonObject, _offset: int) -> ReasoningPart:
    signature = str(block.get("signature") or "")
    return ReasoningPart(str(block.get("thinking") or ""), Opaque("signature", signature) if signature else None)


def _redacted_thinking(block: JsonObject, _offset: int) -> ReasoningPart:
    return ReasoningPart("", Opaque("redacted", string(block["data"])))


def _tool_use(block: JsonObject, _offset: int) -> ToolCallPart:
    return ToolCallPart(string(block["id"]), string(block["name"]), orjson.dumps(block.get("input") or {}).decode())


def _native(block: JsonObject, _offset: int) -> NativePart:
    return NativePart(DIALECT, str(block["type"]), dict(block), search=read_search(block))


_PARTS: dict[str, Callable[[JsonObject, int], Any]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted_thinking,
    "tool_use": _tool_use,
}

"""Writes an answer: canonical events in, a Messages stream or a whole message out.

One machine says what goes out, event by event; a stream is its events as bytes, a whole message is the same events folded up. Blocks never
overlap, while canonical parts may, so parts are put one after the other. A part that says nothing gets no block, because a client that
sent an empty block back would be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.content import Citation, Opaque, WebSearch
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartDeltas,
    PartFinished,
    PartKind,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
    each_of,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.part_order import PartEvent, PartOrder
from openclaw_oauthrouter.canonical.response import ChatResponse, unfold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.anthropic_messages.content import search_blocks, write_citation
from openclaw_oauthrouter.dialects.anthropic_messages.errors import encode_error
from openclaw_oauthrouter.dialects.anthropic_messages.tools import read_input
from openclaw_oauthrouter.dialects.anthropic_messages.vocabulary import (
    CONTENT_TYPE,
    DIALECT,
    encode_finish,
    encode_usage,
    message_id,
)
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import encode_event, encode_texts

PING = encode_event(b'{"type":"ping"}', "ping")

# ---------------------------------------------------------------------------------------------------------------- blocks


class BlockWriter:
    """A block that begins with its first delta, so that a part without content leaves no trace.

    :ivar announced: ``content_block_start`` has been written
    """

    def __init__(self, part: PartStarted) -> None:
        self.part = part
        self.announced = False

    def opening(self) -> JsonObject:
        """The empty block of ``content_block_start``."""
        return {"type": "text", "text": ""}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterable[JsonObject]:
        """The deltas of one canonical event."""
        if isinstance(event, PartDelta):
            return ({"type": "text_delta", "text": event.text},)
        if isinstance(event, CitationAdded):
            return ({"type": "citations_delta", "citation": write_citation(event.citation)},)
        return ()


class ThinkingWriter(BlockWriter):
    """Reasoning; what seals it travels as the block's signature."""

    def opening(self) -> JsonObject:
        return {"type": "thinking", "thinking": "", "signature": ""}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterable[JsonObject]:
        if isinstance(event, PartDelta):
            return ({"type": "thinking_delta", "thinking": event.text},)
        if isinstance(event, PartFinished) and event.opaque is not None:
            return ({"type": "signature_delta", "signature": seal(event.opaque)},)
        return ()


class ToolUseWriter(BlockWriter):
    """A tool call; its block stands even without arguments."""

    def opening(self) -> JsonObject:
        return {"type": "tool_use", "id": self.part.id or "", "name": self.part.name or "", "input": {}}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterable[JsonObject]:
        return ({"type": "input_json_delta", "partial_json": event.text},) if isinstance(event, PartDelta) else ()


class NativeWriter(BlockWriter):
    """A block of this very dialect, whole."""

    def opening(self) -> JsonObject:
        return dict(self.part.native[2]) if self.part.native else {}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterable[JsonObject]:
        return ()


_WRITERS: dict[PartKind, Callable[[PartStarted], BlockWriter]] = {
    "reasoning": ThinkingWriter,
    "tool_call": ToolUseWriter,
    "native": NativeWriter,
}
_WHOLE = frozenset({"tool_call", "native"})
"""Kinds of part whose block stands without a delta."""

# --------------------------------------------------------------------------------------------------------------- machine


class MessageEvents:
    """What goes out for one answer, as the JSON of one event after the other.

    :param model: the name the client shall see
    :param searches: the client asked for a search of the web
    :ivar ended: the last event has gone out
    """

    def __init__(self, model: str, *, searches: bool = False) -> None:
        self.ended = False
        self._model = model
        self._usage = Usage()
        self._order = PartOrder()
        self._blocks = 0
        self._writer: BlockWriter | None = None
        self._called = False
        self._refused = False
        self._sources: dict[str, Citation] = {}
        self._searches: list[PartStarted] = []
        self._searched = not searches

    def receive(self, event: StreamEvent) -> Iterable[JsonObject]:
        """The events that one canonical event becomes."""
        return () if self.ended else _STEPS[type(event)](self, event)

    def growing(self, index: int) -> JsonObject | None:
        """The event that more of a part will become, its text left empty; ``None`` if more than that has to be said."""
        writer = self._writer
        if self.ended or writer is None or not writer.announced or not self._order.goes_on(index):
            return None
        for delta in writer.deltas(PartDelta(index, "")):
            return {"type": "content_block_delta", "index": self._blocks, "delta": delta}
        return None

    def fail(self, error: OAuthRouterError) -> Iterable[JsonObject]:
        """The ``error`` event that ends a stream; nothing if it has ended already."""
        if self.ended:
            return ()
        self.ended = True
        return ({"type": "error", "error": encode_error(error, "")["error"]},)

    def _start(self, event: ResponseStarted) -> Iterable[JsonObject]:
        message: JsonObject = {
            "id": message_id(event.id),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": encode_usage(self._usage),
        }
        return ({"type": "message_start", "message": message},)

    def _report(self, event: UsageReported) -> Iterable[JsonObject]:
        self._usage = event.usage
        return ()

    def _part(self, event: PartEvent) -> Iterable[JsonObject]:
        if isinstance(event, CitationAdded):
            self._sources.setdefault(event.citation.url, event.citation)
        turn = self._order.receive(event)
        if len(turn) == 1 and isinstance(turn[0], PartDelta):
            # The usual case, once for every token.
            return self._extend(turn[0])
        return (found for item in turn for found in self._in_turn(item))

    def _in_turn(self, event: PartEvent) -> Iterable[JsonObject]:
        if isinstance(event, PartStarted):
            return self._open(event)
        return self._close(event) if isinstance(event, PartFinished) else self._extend(event)

    def _open(self, part: PartStarted) -> Iterator[JsonObject]:
        self._called = self._called or part.kind == "tool_call"
        self._refused = self._refused or part.kind == "refusal"
        if part.opaque is not None:
            yield from self._carry(part, part.opaque)
        if part.kind == "native" and (part.native is None or part.native[0] != DIALECT):
            self._writer = None
            yield from self._search(part)
            return
        self._searched = self._searched or part.search is not None
        self._writer = _WRITERS.get(part.kind, BlockWriter)(part)
        if part.kind in _WHOLE:
            yield from self._announce(self._writer)

    def _extend(self, event: PartDelta | CitationAdded | PartFinished) -> Iterable[JsonObject]:
        writer = self._writer
        deltas = writer.deltas(event) if writer is not None else ()
        if writer is None or not deltas:
            return ()
        index = self._blocks
        written = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        return written if writer.announced else [*self._announce(writer), *written]

    def _announce(self, writer: BlockWriter) -> Iterable[JsonObject]:
        writer.announced = True
        return ({"type": "content_block_start", "index": self._blocks, "content_block": writer.opening()},)

    def _close(self, event: PartFinished) -> Iterator[JsonObject]:
        writer = self._writer
        if writer is None:
            return
        yield from self._extend(event)
        self._writer = None
        if writer.announced:
            yield {"type": "content_block_stop", "index": self._blocks}
            self._blocks += 1
        if event.opaque is not None and writer.part.kind in ("text", "tool_call"):
            yield from self._carry(writer.part, event.opaque)

    def _carry(self, part: PartStarted, opaque: Opaque) -> Iterator[JsonObject]:
        """What seals a text or a call, as a thought beside it: the one place that clients of this dialect keep for such things."""
        sealed = seal(opaque, of_text=True) if part.kind == "text" else seal(opaque, part.id or "")
        yield from self._whole({"type": "thinking", "thinking": "", "signature": ""}, "signature_delta", "signature", sealed)

    def _search(self, part: PartStarted) -> Iterator[JsonObject]:
        """A search that another vendor's model made; its result waits for the sources where they are only cited later."""
        search = part.search
        if search is None:
            return
        self._searched = True
        call, result = search_blocks(search, search.hits or ())
        input_ = orjson.dumps(call["input"]).decode()
        yield from self._whole({**call, "input": {}}, "input_json_delta", "partial_json", input_)
        if search.hits == ():
            self._searches.append(part)
        else:
            yield from self._whole(result)

    def _whole(self, block: JsonObject, delta: str = "", key: str = "", text: str = "") -> Iterator[JsonObject]:
        """A block with at most one delta."""
        yield {"type": "content_block_start", "index": self._blocks, "content_block": block}
        if delta:
            yield {"type": "content_block_delta", "index": self._blocks, "delta": {"type": delta, key: text}}
        yield {"type": "content_block_stop", "index": self._blocks}
        self._blocks += 1

    def _finish(self, event: ResponseFinished) -> Iterator[JsonObject]:
        for item in self._order.release():
            yield from self._in_turn(item)
        for part in self._searches:
            if part.search is not None:
                yield from self._whole(search_blocks(part.search, list(self._sources.values()))[1])
        if self._sources and not self._searched:
            # A provider that cites pages has searched, though it says nothing of how (Chat Completions).
            yield from self._search(PartStarted(0, "native", search=WebSearch("cited", hits=tuple(self._sources.values()))))
        self.ended = True
        finish = encode_finish(event, called=self._called, refused=self._refused)
        yield {"type": "message_delta", "delta": finish, "usage": encode_usage(self._usage)}
        yield {"type": "message_stop"}

    def _break_off(self, event: ResponseFailed) -> Iterable[JsonObject]:
        return self.fail(event.error)


_STEPS: dict[type, Callable[[MessageEvents, Any], Iterable[JsonObject]]] = {
    ResponseStarted: MessageEvents._start,
    UsageReported: MessageEvents._report,
    PartStarted: MessageEvents._part,
    PartDelta: MessageEvents._part,
    CitationAdded: MessageEvents._part,
    PartFinished: MessageEvents._part,
    ResponseFinished: MessageEvents._finish,
    ResponseFailed: MessageEvents._break_off,
}

# ----------------------------------------------------------------------------------------------------------------- bytes


class MessagesStreamEncoder:
    """One client stream; implements ``interfaces.StreamEncoder``.

    :param model: the name the client shall see
    :param searches: the client asked for a search of the web
    """

    content_type = CONTENT_TYPE

    def __init__(self, model: str, *, searches: bool = False) -> None:
        self._events = MessageEvents(model, searches=searches)
        self._growing: tuple[int, bytes, bytes] | None = None

    def send(self, frame: Frame) -> bytes:
        """Encode a frame."""
        out: list[bytes] = []
        for event in frame.told:
            if type(event) is PartDelta or type(event) is PartDeltas:
                out.append(self._more(event))
            else:
                self._growing = None
                out += [write_event(wire) for wire in self._events.receive(event)]  # type: ignore[arg-type] # no deltas here
        return out[0] if len(out) == 1 else b"".join(out)

    def _more(self, event: PartDelta | PartDeltas) -> bytes:
        """More of a part; once it goes on as it went, only the text has to be written."""
        if self._growing is not None:
            index, before, after = self._growing
            if index == event.index:
                if type(event) is PartDelta:
                    return before + orjson.dumps(event.text) + after
                return encode_texts(before, event.texts, after)  # type: ignore[union-attr] # it is one of two
        out = b"".join([write_event(wire) for each in each_of(event) for wire in self._events.receive(each)])
        usual = self._events.growing(event.index)
        if usual is not None:
            before, _, after = write_event(usual).partition(b'""')
            self._growing = event.index, before, after
        return out

    def keep_alive(self) -> bytes:
        """A ``ping``."""
        return PING

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with an ``error`` event; nothing if it has ended already."""
        self._growing = None
        return b"".join(write_event(wire) for wire in self._events.fail(error))


def write_event(event: JsonObject) -> bytes:
    """One event; its type is said twice, as the vendor does."""
    return encode_event(orjson.dumps(event), event["type"])


# --------------------------------------------------------------------------------------------------------- whole answers


def encode_response(response: ChatResponse, model: str, *, searches: bool = False) -> JsonObject:
    """Write a whole answer, as what its stream would have said.

    :param model: the name the client shall see
    :param searches: the client asked for a search of the web
    """
    events = MessageEvents(model, searches=searches)
    message: JsonObject = {}
    for event in unfold(response):
        for wire in events.receive(event):
            _FOLDS.get(wire["type"], _ignore)(message, wire)
    return message


def _begin(message: JsonObject, wire: JsonObject) -> None:
    message.update(wire["message"])


def _add_block(message: JsonObject, wire: JsonObject) -> None:
    message["content"].append(wire["content_block"])


def _add_delta(message: JsonObject, wire: JsonObject) -> None:
    block, delta = message["content"][-1], wire["delta"]
    match delta["type"]:
        case "citations_delta":
            block.setdefault("citations", []).append(delta["citation"])
        case "input_json_delta":
            # Held as text until the block is whole.
            block["input"] = f"{block['input'] or ''}{delta['partial_json']}"
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]


def _end_block(message: JsonObject, _wire: JsonObject) -> None:
    block = message["content"][-1]
    if isinstance(block.get("input"), str):
        block["input"] = read_input(block["input"])


def _end(message: JsonObject, wire: JsonObject) -> None:
    message.update(wire["delta"], usage=wire["usage"])


def _ignore(_message: JsonObject, _wire: JsonObject) -> None:
    """An event that adds nothing to the message."""


_FOLDS: dict[str, Callable[[JsonObject, JsonObject], None]] = {
    "message_start": _begin,
    "content_block_start": _add_block,
    "content_block_delta": _add_delta,
    "content_block_stop": _end_block,
    "message_delta": _end,
}

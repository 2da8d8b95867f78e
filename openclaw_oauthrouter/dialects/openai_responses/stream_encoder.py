"""The answer as its client sees it: canonical events, as the API's own; a whole answer is what the last of them carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.content import Opaque, WebSearch
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartDeltas,
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
    each_of,
)
from openclaw_oauthrouter.canonical.free_text import custom_names
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.part_order import PartEvent, PartOrder
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ChatResponse, unfold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_responses.content import seal_summary
from openclaw_oauthrouter.dialects.openai_responses.errors import belongs_in_stream, encode_fault
from openclaw_oauthrouter.dialects.openai_responses.item_writers import (
    CallWriter,
    ItemWriter,
    MessageWriter,
    ReasoningWriter,
    SearchCallWriter,
)
from openclaw_oauthrouter.dialects.openai_responses.tools import SEARCH, client_tools
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import DIALECT, ResponseObject, is_compaction
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import encode_event

CONTENT_TYPE = "text/event-stream"

KEEP_ALIVE = b": keep-alive\n\n"
"""All that is legal before ``response.created``, whose id another encoder may yet decide."""


class ResponsesStreamEncoder:
    """A ``StreamEncoder``; ends with a terminal event, never with ``[DONE]``.

    :param client: what the client calls itself (header ``originator``)
    """

    content_type = CONTENT_TYPE

    def __init__(self, writer: ResponseWriter, client: str = "") -> None:
        self._writer = writer
        self._client = client
        self._growing: GrowingText | None = None

    def open_with_failure(self, error: OAuthRouterError) -> bytes:
        """A stream of nothing but the failure, where the client acts on it only in this form; see ``errors.belongs_in_stream``."""
        return self.fail(error) if belongs_in_stream(error, self._client) else b""

    def send(self, frame: Frame) -> bytes:
        """Encode a frame."""
        out: list[bytes] = []
        for event in frame.told:
            if type(event) is PartDelta or type(event) is PartDeltas:
                out.append(self._more(event))
            else:
                self._growing = None
                out.append(encode(self._writer.receive(event)))  # type: ignore[arg-type] # no deltas here
        return out[0] if len(out) == 1 else b"".join(out)

    def _more(self, event: PartDelta | PartDeltas) -> bytes:
        """More of a part; once it goes on as it went, only the text has to be written."""
        growing = self._growing
        if growing is not None and growing.index == event.index:
            texts = (event.text,) if type(event) is PartDelta else event.texts  # type: ignore[union-attr] # it is one of two
            return growing.write(texts, len(event.text), self._writer)
        out = b"".join([encode(self._writer.receive(each)) for each in each_of(event)])
        self._growing = self._writer.growing(event.index)
        return out

    def keep_alive(self) -> bytes:
        """``response.in_progress`` once more, as not all clients count a comment; a comment before the first event."""
        return encode(self._writer.wait()) or KEEP_ALIVE

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with ``response.failed``."""
        self._growing = None
        return encode(self._writer.fail(error))


def encode(events: Iterable[JsonObject]) -> bytes:
    """Events as bytes; the SSE event is named like the JSON's ``type``."""
    return b"".join(encode_event(orjson.dumps(event), event["type"]) for event in events)


def encode_response(response: ChatResponse, writer: ResponseWriter) -> JsonObject:
    """Write a whole answer: what its stream would have ended with."""
    answer: JsonObject = {}
    for event in unfold(response):
        for wire in writer.receive(event):
            answer = wire.get("response", answer)
    return answer


class ResponseWriter:
    """One answer in the API's own order: created, in progress, items one after the other, the end; nothing after that."""

    def __init__(self, request: ChatRequest, model: str, clock: Clock, new_id: NewId) -> None:
        self._answer = ResponseObject(request.body, model, clock, new_id)
        self._output = OutputWriter(request, new_id)
        self._usage = Usage()
        self._number = 0
        self._refused = False
        self._over = False

    def receive(self, event: StreamEvent) -> Iterator[JsonObject]:
        """The wire events that follow from a canonical one."""
        if self._over:
            return
        match event:
            case ResponseFailed(error):
                yield from self.fail(error)
            case ResponseStarted():
                if not self._number and event.id.startswith("resp_"):
                    self._answer.identify(event.id)
                yield from self._start()
            case UsageReported(usage):
                self._usage = usage
            case ResponseFinished():
                yield from self._finish(event)
            case _:
                self._refused |= isinstance(event, PartStarted) and event.kind == "refusal"
                yield from self._start()
                yield from map(self._numbered, self._output.receive(event))

    def growing(self, index: int) -> GrowingText | None:
        """What writes more of a part; ``None`` if more than its text has to be said."""
        return None if self._over else self._output.growing(index)

    def number(self, count: int) -> int:
        """The number of the next event, of ``count`` that are written elsewhere."""
        number = self._number
        self._number += count
        return number

    def wait(self) -> Iterator[JsonObject]:
        """A sign of life: what the client knows already; nothing before the beginning and after the end."""
        if self._number and not self._over:
            yield self._stage("in_progress", self._answer.in_progress())

    def fail(self, error: OAuthRouterError) -> Iterator[JsonObject]:
        """The answer breaks off; a second call says nothing.

        Before the beginning, too, it is ``response.failed`` rather than ``error``, which Codex CLI and the SDK's accumulator pass over.
        """
        if self._over:
            return
        yield from self._start()
        self._over = True
        yield self._stage("failed", self._answer.failed(encode_fault(error)))

    def _start(self) -> Iterator[JsonObject]:
        if not self._number:
            yield self._stage("created", self._answer.in_progress())
            yield self._stage("in_progress", self._answer.in_progress())

    def _finish(self, event: ResponseFinished) -> Iterator[JsonObject]:
        yield from self._start()
        yield from map(self._numbered, self._output.close(cut=event.finish_reason == "length"))
        if event.finish_reason == "content_filter" and event.explanation and not self._refused:
            yield from self._refuse(event.explanation)
        self._over = True
        response = self._answer.finished(event, self._output.items, self._usage)
        yield self._stage(response["status"], response)

    def _refuse(self, explanation: str) -> Iterator[JsonObject]:
        for event in (PartStarted(_LAST, "refusal"), PartDelta(_LAST, explanation)):
            yield from map(self._numbered, self._output.receive(event))
        yield from map(self._numbered, self._output.close(cut=False))

    def _stage(self, name: str, response: JsonObject) -> JsonObject:
        return self._numbered({"type": f"response.{name}", "response": response})

    def _numbered(self, event: JsonObject) -> JsonObject:
        event["sequence_number"] = self._number
        self._number += 1
        return event


_LAST = 1 << 30
"""Index of a part of our own, after all of the provider's."""


class GrowingText:
    """Writes deltas of one item: all but text and number of such an event stays the same.

    :param usual: the event, its ``delta`` left empty
    :param note: keeps the texts and their length
    """

    __slots__ = ("_after", "_before", "_note", "index")

    def __init__(self, index: int, usual: JsonObject, note: Callable[[Sequence[str], int], None]) -> None:
        self.index = index
        before, _, after = encode([{**usual, "sequence_number": 0}]).partition(b'"delta":""')
        self._before = before + b'"delta":'
        self._after = after.removesuffix(b"0}\n\n")
        self._note = note

    def write(self, texts: Sequence[str], length: int, writer: ResponseWriter) -> bytes:
        """More text.

        :param length: of all of them
        :param writer: numbers the events
        """
        self._note(texts, length)
        before, after, number = self._before, self._after, writer.number(len(texts))
        events = [b"%b%b%b%d}\n\n" % (before, orjson.dumps(text), after, at) for at, text in enumerate(texts, number)]
        return events[0] if len(events) == 1 else b"".join(events)


class OutputWriter:
    """Yields wire events without ``sequence_number``.

    :ivar items: the items that are whole
    """

    def __init__(self, request: ChatRequest, new_id: NewId) -> None:
        self.items: list[JsonObject] = []
        self._new_id = new_id
        self._tools = client_tools(request.body)
        self._custom = custom_names(request)
        self._searches: dict[str, WebSearch] = {}
        self._summary: list[str] | None = [] if is_compaction(request.body) else None
        self._order = PartOrder()
        self._message: MessageWriter | None = None
        self._words: str | None = None
        self._item: ItemWriter | None = None
        self._call: CallWriter | None = None
        self._last: PartStarted | None = None
        self._text_length = 0

    def receive(self, event: PartEvent) -> Iterator[JsonObject]:
        """What follows from one event of a part."""
        yield from self._write(self._order.receive(event))

    def growing(self, index: int) -> GrowingText | None:
        """What writes more of a part, where nothing but its text is left to say of it."""
        if self._summary is not None or not self._order.goes_on(index):
            return None
        item = self._item or (self._message if self._words is None else None)
        usual = None if item is None else item.delta("")
        if item is None or usual is None:
            return None
        chunks, words = item.chunks, self._item is None

        def note(texts: Sequence[str], length: int) -> None:
            chunks.extend(texts)
            if words:
                self._text_length += length

        return GrowingText(index, {**usual, "output_index": len(self.items)}, note)

    def close(self, *, cut: bool) -> Iterator[JsonObject]:
        """Finish what is open.

        :param cut: the answer reached its limit; if it ends with a call, that one is not whole
        """
        yield from self._write(self._order.release())
        if self._call is not None:
            self._call.cut = cut
        yield from self._placed(self._close_call())
        yield from self._placed(self._close_message())
        for search in tuple(self._searches.values()):
            yield from self._placed(self._searched(search))
        if self._summary is not None:
            yield from self._placed(self._compacted("".join(self._summary)))

    def _compacted(self, summary: str) -> Iterator[JsonObject]:
        """What a client that asked for a compaction takes instead of words: exactly one such item."""
        item = {"type": "compaction", "id": f"cmp_{self._new_id()}", "encrypted_content": seal_summary(summary)}
        return _whole(item)

    def _write(self, events: Iterable[PartEvent]) -> Iterator[JsonObject]:
        for event in events:
            yield from self._placed(_STEPS[type(event)](self, event))

    def _placed(self, events: Iterable[JsonObject]) -> Iterator[JsonObject]:
        for event in events:
            yield {**event, "output_index": len(self.items)}
            if event["type"] == "response.output_item.done":
                self.items.append(event["item"])

    def _start(self, event: PartStarted) -> Iterator[JsonObject]:
        if self._summary is not None:
            self._words = event.kind
            return
        yield from self._close_call()
        if event.opaque is not None and event.kind in ("text", "tool_call"):
            yield from self._sealed(event, event.opaque)
        self._last = event
        if event.kind in ("text", "refusal"):
            # Opened by its first words: an empty message would be the only trace of an answer that is nothing but calls.
            self._words = event.kind
            return
        yield from self._close_message()
        if event.search is not None and event.native is not None and event.native[0] != DIALECT:
            yield from self._found(event.search)
            return
        if event.native is not None:
            yield from _native(event.native)
            return
        self._item = self._new_call(event) if event.kind == "tool_call" else ReasoningWriter(f"rs_{self._new_id()}")
        yield from self._item.open()

    def _sealed(self, event: PartStarted, opaque: Opaque) -> Iterator[JsonObject]:
        """What another maker sealed a text or a call with: a reasoning item that carries it, which clients send back; see ``opaque.attached``."""
        yield from self._close_message()
        sealed = seal(opaque, event.id) if event.kind == "tool_call" else seal(opaque, of_text=True)
        yield from _whole({"type": "reasoning", "id": f"rs_{self._new_id()}", "summary": [], "encrypted_content": sealed})

    def _found(self, search: WebSearch) -> Iterator[JsonObject]:
        """A search of the web by another maker: its call and its result come apart, here they are one item."""
        known = self._searches.get(search.id)
        if known is None and search.hits == ():
            self._searches[search.id] = search
            return iter(())
        return self._searched(replace(search, query=search.query or (known.query if known else "")))

    def _searched(self, search: WebSearch) -> Iterator[JsonObject]:
        self._searches.pop(search.id, None)
        sources = [{"type": "url", "url": hit.url} for hit in search.hits or ()]
        return _whole(
            {
                "type": "web_search_call",
                "id": f"ws_{search.id or self._new_id()}",
                "status": "completed" if search.hits is not None else "failed",
                "action": {"type": "search", "query": search.query, "queries": [search.query], "sources": sources},
            }
        )

    def _new_call(self, event: PartStarted) -> CallWriter:
        name = event.name or ""
        identity: JsonObject = {"call_id": event.id or f"call_{self._new_id()}", "name": name}
        if name == SEARCH and self._tools.searches:
            return SearchCallWriter(f"tsc_{self._new_id()}", identity, custom=False, unwrap=False)
        if name in self._tools.grouped:
            identity["namespace"], identity["name"] = self._tools.grouped[name]
        custom = event.custom or name in self._custom
        prefix = "ctc" if custom else "fc"
        return CallWriter(f"{prefix}_{self._new_id()}", identity, custom=custom, unwrap=custom and not event.custom)

    def _append(self, event: PartDelta) -> Iterator[JsonObject]:
        if self._summary is not None:
            self._summary += [event.text] if self._words == "text" else []
            return
        if self._item is not None:
            yield from self._item.append(event.text)
            return
        if self._message is None:
            self._message = MessageWriter(f"msg_{self._new_id()}")
            yield from self._message.open()
        if self._words is not None:
            yield from self._message.begin(self._words, self._text_length)
            self._words = None
        self._text_length += len(event.text)
        yield from self._message.append(event.text)

    def _cite(self, event: CitationAdded) -> Iterator[JsonObject]:
        if self._message is not None and self._words is None:
            yield from self._message.cite(event.citation)

    def _finish(self, event: PartFinished) -> Iterator[JsonObject]:
        if isinstance(self._item, CallWriter):
            # Whether the call is whole shows in what comes next: another part, or why the answer ended.
            self._call, self._item = self._item, None
        elif self._item is not None:
            yield from self._item.close(event.opaque)
            self._item = None
        elif self._message is not None:
            yield from self._message.end()
        self._words = None
        begun = self._last
        if event.opaque is not None and begun is not None and begun.kind in ("text", "tool_call"):
            yield from self._close_call()
            yield from self._sealed(begun, event.opaque)

    def _close_call(self) -> Iterator[JsonObject]:
        if self._call is not None:
            call, self._call = self._call, None
            yield from call.close(None)

    def _close_message(self) -> Iterator[JsonObject]:
        if self._message is not None:
            yield from self._message.close()
            self._message = None


def _whole(item: JsonObject) -> Iterator[JsonObject]:
    yield {"type": "response.output_item.added", "item": item}
    yield {"type": "response.output_item.done", "item": item}


def _native(native: tuple[str, str, Any]) -> Iterator[JsonObject]:
    dialect, _, value = native
    if dialect == DIALECT:
        yield from _whole(value)


_STEPS: dict[type[PartEvent], Callable[[OutputWriter, Any], Iterator[JsonObject]]] = {
    PartStarted: OutputWriter._start,
    PartDelta: OutputWriter._append,
    CitationAdded: OutputWriter._cite,
    PartFinished: OutputWriter._finish,
}

"""The answer as its client sees it: canonical events, as the API's own; a whole answer is what the last of them carries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import orjson

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.content import Citation, Opaque, WebSearch
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.free_text import custom_names, unwrap_input
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.part_order import PartEvent, PartOrder
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ChatResponse, unfold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_responses.content import seal_summary
from openclaw_oauthrouter.dialects.openai_responses.errors import belongs_in_stream, encode_fault
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

    def open_with_failure(self, error: OAuthRouterError) -> bytes:
        """A stream of nothing but the failure, where the client acts on it only in this form; see ``errors.belongs_in_stream``."""
        return self.fail(error) if belongs_in_stream(error, self._client) else b""

    def send(self, frame: Frame) -> bytes:
        """Encode a frame."""
        return b"".join(encode(self._writer.receive(event)) for event in frame.events)

    def keep_alive(self) -> bytes:
        """``response.in_progress`` once more, as not all clients count a comment; a comment before the first event."""
        return encode(self._writer.wait()) or KEEP_ALIVE

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with ``response.failed``."""
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


class ItemWriter(Protocol):
    """Yields wire events without ``output_index`` and ``sequence_number``."""

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""

    def append(self, text: str) -> Iterator[JsonObject]:
        """More of it."""

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish it."""


class ReasoningWriter:
    """A reasoning item: the text as its summary, the sealed form as its encrypted content."""

    def __init__(self, item_id: str) -> None:
        self._id = item_id
        self._chunks: list[str] = []

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item({})}

    def append(self, text: str) -> Iterator[JsonObject]:
        """More words; the first open the summary."""
        if not self._chunks:
            yield self._event("part.added", part=_summary(""))
        self._chunks.append(text)
        yield self._event("text.delta", delta=text)

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self._chunks)
        if text:
            yield self._event("text.done", text=text)
            yield self._event("part.done", part=_summary(text))
        sealed = {} if opaque is None else {"encrypted_content": _encrypted(opaque)}
        yield {"type": "response.output_item.done", "item": self._item(sealed, text)}

    def _event(self, name: str, **fields: object) -> JsonObject:
        return {"type": f"response.reasoning_summary_{name}", "item_id": self._id, "summary_index": 0, **fields}

    def _item(self, sealed: JsonObject, text: str = "") -> JsonObject:
        return {"type": "reasoning", "id": self._id, "summary": [_summary(text)] if text else [], **sealed}


class CallWriter:
    """A ``function_call`` item, or a ``custom_tool_call`` one, which takes free text.

    :param identity: ``call_id``, ``name`` and, for a grouped tool, ``namespace``
    :param unwrap: the client's tool takes free text, but the provider only knows JSON and wrote ``{"input": …}``
    :ivar cut: the answer reached its limit within the call
    """

    def __init__(self, item_id: str, identity: JsonObject, *, custom: bool, unwrap: bool) -> None:
        self._id = item_id
        self._identity = identity
        self._unwrap = unwrap
        self.cut = False
        self._chunks: list[str] = []
        self._type, self._field, self._event = (
            ("custom_tool_call", "input", "response.custom_tool_call_input")
            if custom
            else ("function_call", "arguments", "response.function_call_arguments")
        )

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item("", "in_progress")}

    def append(self, text: str) -> Iterator[JsonObject]:
        """More arguments."""
        self._chunks.append(text)
        if not self._unwrap:
            yield {"type": f"{self._event}.delta", "item_id": self._id, "delta": text}

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self._chunks)
        if self._unwrap:
            text = unwrap_input(text)
            yield {"type": f"{self._event}.delta", "item_id": self._id, "delta": text}
        elif not text and self._type == "function_call":
            text = "{}"
        yield {"type": f"{self._event}.done", "item_id": self._id, self._field: text, "name": self._identity["name"]}
        yield {"type": "response.output_item.done", "item": self._item(text, "incomplete" if self.cut else "completed")}

    def _item(self, text: str, status: str) -> JsonObject:
        return {"type": self._type, "id": self._id, "status": status, **self._identity, self._field: text}


class SearchCallWriter(CallWriter):
    """A ``tool_search_call``, by which Codex CLI is asked for further tools; its arguments are an object, and come whole."""

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._searching({}, "in_progress")}

    def append(self, text: str) -> Iterator[JsonObject]:
        """More arguments."""
        self._chunks.append(text)
        return iter(())

    def close(self, opaque: Opaque | None) -> Iterator[JsonObject]:
        """Finish the item."""
        text = "".join(self._chunks)
        try:
            arguments = orjson.loads(text or "{}")
        except orjson.JSONDecodeError:
            arguments = {"query": text}
        status = "incomplete" if self.cut else "completed"
        yield {"type": "response.output_item.done", "item": self._searching(arguments, status)}

    def _searching(self, arguments: object, status: str) -> JsonObject:
        call_id = self._identity["call_id"]
        item: JsonObject = {
            "type": "tool_search_call",
            "id": self._id,
            "call_id": call_id,
            "execution": "client",
            "status": status,
        }
        return {**item, "arguments": arguments}


def _summary(text: str) -> JsonObject:
    return {"type": "summary_text", "text": text}


def _encrypted(opaque: Opaque) -> str:
    # Content of this very dialect that nobody has marked goes back as it came; everything else must say whose it is.
    return opaque.data if opaque.kind == "encrypted" and not opaque.origin else seal(opaque)


class MessageWriter:
    """Yields wire events without ``output_index`` and ``sequence_number``."""

    def __init__(self, item_id: str) -> None:
        self._id = item_id
        self._content: list[JsonObject] = []
        self._kind: str | None = None
        self._base = 0
        self._chunks: list[str] = []
        self._citations: list[JsonObject] = []

    def open(self) -> Iterator[JsonObject]:
        """Announce the item."""
        yield {"type": "response.output_item.added", "item": self._item("in_progress")}

    def begin(self, kind: str, base: int) -> Iterator[JsonObject]:
        """Open a content part.

        :param kind: ``text`` or ``refusal``
        :param base: where its text begins in the text of the whole answer
        """
        self._kind, self._base, self._chunks, self._citations = kind, base, [], []
        yield self._event("content_part.added", part=self._part(""))

    def append(self, text: str) -> Iterator[JsonObject]:
        """More words."""
        self._chunks.append(text)
        yield (
            self._event("refusal.delta", delta=text)
            if self._kind == "refusal"
            else self._event("output_text.delta", delta=text, logprobs=[])
        )

    def cite(self, citation: Citation) -> Iterator[JsonObject]:
        """The open part names a source."""
        annotation = {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title,
            "start_index": max(citation.start - self._base, 0),
            "end_index": max(citation.end - self._base, 0),
        }
        number = len(self._citations)
        self._citations.append(annotation)
        yield self._event("output_text.annotation.added", annotation_index=number, annotation=annotation)

    def end(self) -> Iterator[JsonObject]:
        """Close the open content part, if there is one."""
        if self._kind is None:
            return
        text = "".join(self._chunks)
        part = self._part(text)
        if self._kind == "refusal":
            yield self._event("refusal.done", refusal=text)
        else:
            yield self._event("output_text.done", text=text, logprobs=[])
        yield self._event("content_part.done", part=part)
        self._content.append(part)
        self._kind = None

    def close(self) -> Iterator[JsonObject]:
        """Finish the item."""
        yield from self.end()
        yield {"type": "response.output_item.done", "item": self._item("completed")}

    def _event(self, name: str, **fields: object) -> JsonObject:
        return {"type": f"response.{name}", "item_id": self._id, "content_index": len(self._content), **fields}

    def _part(self, text: str) -> JsonObject:
        if self._kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": list(self._citations), "logprobs": []}

    def _item(self, status: str) -> JsonObject:
        return {"type": "message", "id": self._id, "status": status, "role": "assistant", "content": list(self._content)}

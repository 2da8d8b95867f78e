"""An upstream's Responses events, as canonical ones.

The whole protocol is in ``STEPS``; events that are not in it mean nothing to us and are passed over. Items are told apart by
``output_index``, because some upstreams change item ids on the way; and every text is taken from wherever it comes first, because the
ChatGPT backend ends with an empty ``output`` and does not always send deltas.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.content import Citation, Opaque, WebSearch
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    FinishReason,
    PartDelta,
    PartFinished,
    PartKind,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject, string, whole_number
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.usage import is_reported
from openclaw_oauthrouter.dialects.openai_responses.errors import error_in_stream
from openclaw_oauthrouter.dialects.openai_responses.vocabulary import BILLED_TOOLS, DIALECT, decode_usage
from openclaw_oauthrouter.errors import UpstreamProtocolError
from openclaw_oauthrouter.wire.event_stream import LITERAL
from openclaw_oauthrouter.wire.sse import ServerSentEvent

_UNFINISHED = frozenset({"failed", "cancelled", "queued", "in_progress"})

_NUMBER = rb"(?:0|[1-9]\d{0,14}+)"
_COUNTED = rb'"sequence_number": ?+' + _NUMBER
_DELTA = lazily(
    rb'((?:event: [\w.]++\n)?+data: \{"type": ?+"response\.(output_text|refusal|reasoning_summary_text|reasoning_text|'
    rb'function_call_arguments|custom_tool_call_input)\.delta", ?+(?:' + _COUNTED + rb", ?+)?+"
    rb'((?:"item_id": ?+"[^"\\\n]*+", ?+)?+"output_index": ?+' + _NUMBER + rb', ?+(?:"(?:content|summary)_index": ?+' + _NUMBER + rb", ?+)?+)"
    rb"(?:" + _COUNTED + rb', ?+)?+"delta": ?+' + LITERAL + rb"(?:, ?+" + _COUNTED + rb')?+(?:, ?+"logprobs": ?+\[\])?+'
    rb'(?:, ?+"obfuscation": ?+"[^"\\\n]*+")?+\}\n\n)'
)  # fmt: skip
"""More of a part, in the order in which OpenAI and those who follow it write the fields; in any other order it is parsed."""

_INDEX = lazily(rb'"(\w+)_index": ?(\d+)')
_SECTIONS = {b"reasoning_summary_text": (b"summary", "summary"), b"reasoning_text": (b"content", "content")}


class ResponsesMachine:
    """One answer; an ``EventMachine`` that ``GrowsInRuns``.

    :ivar items: what the answer consists of so far
    :ivar started: it has been said that there is one
    """

    deltas = _DELTA
    steady = False  # each is numbered

    def __init__(self, clock: Clock) -> None:
        self.done = False
        self.items = OutputItems()
        self._clock = clock
        self.started = False
        self._latest = 0
        self._searches: dict[str, set[str]] = {}
        self._places: dict[tuple[bytes, ...], tuple[int, Hashable, Hashable]] = {}

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        """Turn one wire event into canonical ones.

        :raises UpstreamError: the upstream says that it failed
        """
        if event.data == b"[DONE]":
            return ()
        data = orjson.loads(event.data)
        kind = data.setdefault("type", event.event or ("error" if "error" in data else ""))
        step = STEPS.get(kind)
        return () if step is None else step(self, data)

    def extend(self, place: tuple[bytes, ...], text: str) -> int | None:
        """Deltas of one segment of an item."""
        found = self._places.get(place)
        if found is None:
            found = self._places[place] = _place(*place)
        at, key, segment = found
        if at < 0 or not self.started:
            return None
        index = self.items.extend(key, segment, len(text))
        if index is not None:
            self._latest = at
        return index

    def finish(self) -> Iterable[StreamEvent]:
        """Nothing is due: only a terminal event completes an answer."""
        return ()

    def start(self, data: JsonObject) -> Sequence[StreamEvent]:
        """Say once that the answer exists, whichever event comes first."""
        if self.started:
            return ()
        self.started = True
        response = data.get("response") or {}
        return (ResponseStarted(str(response.get("id") or ""), str(response.get("model") or "")),)

    def end(self, data: JsonObject) -> Iterator[StreamEvent]:
        """The answer is over; the event's type says how, or the status where the type does not.

        :raises UpstreamError: it failed
        """
        response = data["response"]
        kind = data["type"].removeprefix("response.")
        status = (response.get("status") or kind) if kind == "done" else kind
        yield from self.start(data)
        if is_reported(response.get("usage"), "input_tokens", "output_tokens"):
            for item in response.get("output") or []:
                self.note_search(item)
            tier = response.get("service_tier")
            searches = {kind: len(ids) for kind, ids in self._searches.items()}
            yield UsageReported(decode_usage(response["usage"], tier if isinstance(tier, str) else None, searches))
        if status in _UNFINISHED:
            raise error_in_stream(response.get("error") or {"message": f"the answer ended as {status!r}"}, self._clock())
        yield from self.items.closed(response.get("output") or [])
        self.done = True
        yield ResponseFinished(self._finish_reason(status, response))

    def fail(self, data: JsonObject) -> Iterator[StreamEvent]:
        """The upstream gives up.

        :raises UpstreamError: always
        """
        raise error_in_stream(data.get("error") or data, self._clock())

    def note_search(self, item: JsonObject) -> None:
        """Count a tool run by the provider that it bills apart, once by its id; pages it opened after a search are free."""
        kind = item.get("type")
        if kind not in BILLED_TOOLS:
            return
        action = item.get("action")
        if isinstance(action, dict) and action.get("type", "search") != "search":
            return
        self._searches.setdefault(kind, set()).add(str(item.get("id")))

    def locate(self, data: JsonObject) -> int:
        """The position of the item an event speaks of; the latest one where it does not say."""
        position = data.get("output_index")
        if isinstance(position, int):
            self._latest = position
        return self._latest

    def _finish_reason(self, status: str, response: JsonObject) -> FinishReason:
        if status == "incomplete":
            reason = (response.get("incomplete_details") or {}).get("reason")
            return "content_filter" if reason == "content_filter" else "length"
        if self.items.called_tool:
            return "tool_call"
        # The Codex backend says by this that the model has only announced what it will do next.
        return "pause" if response.get("end_turn") is False else "stop"


def _place(kind: bytes, indexes: bytes) -> tuple[int, Hashable, Hashable]:
    """Position of the item, key of the part and name of the segment that a delta adds to; position -1 if it does not say."""
    told = {name: int(number) for name, number in _INDEX.findall(indexes)}
    at = told.get(b"output", -1)
    if kind in (b"output_text", b"refusal"):
        return at, (at, told.get(b"content", 0)), None
    if kind in _SECTIONS:
        name, section = _SECTIONS[kind]
        return at, at, (section, told.get(name, 0))
    return at, at, None


def decode_response(body: JsonObject, clock: Clock) -> Sequence[StreamEvent]:
    """Read a whole answer as the events it would have streamed.

    :raises UpstreamError: the answer failed, or is none
    """
    if not isinstance(body.get("output"), list) and not body.get("error"):
        raise UpstreamProtocolError("the provider's answer holds no 'output'")
    machine = ResponsesMachine(clock)
    status = body.get("status") or ("failed" if body.get("error") else "completed")
    try:
        return tuple(machine.end({"type": "response.done", "response": {**body, "status": status}}))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamProtocolError(f"the provider's answer is broken: {type(error).__name__}") from error


Step = Callable[[ResponsesMachine, JsonObject], Iterable[StreamEvent]]


def _item(machine: ResponsesMachine, data: JsonObject) -> Iterator[StreamEvent]:
    yield from machine.start({})
    items, at = machine.items, machine.locate(data)
    if data["type"] == "response.output_item.done":
        machine.note_search(data["item"])
    yield from (items.opened if data["type"] == "response.output_item.added" else items.finished)(at, data["item"])


def _words(kind: PartKind, field: str, whole: bool) -> Step:
    def step(machine: ResponsesMachine, data: JsonObject) -> Sequence[StreamEvent]:
        content = data.get("content_index") or 0
        words = machine.items.wrote(machine.locate(data), content, kind, _text(data.get(field)), whole=whole)
        return words if machine.started else (*machine.start({}), *words)

    return step


def _reasoning(section: str, field: str, whole: bool) -> Step:
    def step(machine: ResponsesMachine, data: JsonObject) -> Sequence[StreamEvent]:
        position = data.get(f"{section}_index") or 0
        words = machine.items.reasoned(machine.locate(data), section, position, _text(data.get(field)), whole=whole)
        return (*machine.start({}), *words)

    return step


def _arguments(field: str, whole: bool) -> Step:
    def step(machine: ResponsesMachine, data: JsonObject) -> Sequence[StreamEvent]:
        return machine.items.argued(machine.locate(data), _text(data.get(field)), whole=whole)

    return step


def _annotation(machine: ResponsesMachine, data: JsonObject) -> Iterator[StreamEvent]:
    return machine.items.cited(machine.locate(data), data.get("content_index") or 0, data["annotation"])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    # The ChatGPT backend has been seen to wrap a delta in an object.
    if isinstance(value, dict):
        value = next((value[name] for name in ("partial_json", "delta", "arguments", "text") if name in value), "")
    return value if isinstance(value, str) else ""


STEPS: dict[str, Step] = {
    "response.created": ResponsesMachine.start,
    "response.queued": ResponsesMachine.start,
    "response.in_progress": ResponsesMachine.start,
    "response.output_item.added": _item,
    "response.output_item.done": _item,
    "response.output_text.delta": _words("text", "delta", whole=False),
    "response.output_text.done": _words("text", "text", whole=True),
    "response.output_text.annotation.added": _annotation,
    "response.refusal.delta": _words("refusal", "delta", whole=False),
    "response.refusal.done": _words("refusal", "refusal", whole=True),
    "response.reasoning_summary_text.delta": _reasoning("summary", "delta", whole=False),
    "response.reasoning_summary_text.done": _reasoning("summary", "text", whole=True),
    "response.reasoning_text.delta": _reasoning("content", "delta", whole=False),
    "response.reasoning_text.done": _reasoning("content", "text", whole=True),
    "response.function_call_arguments.delta": _arguments("delta", whole=False),
    "response.function_call_arguments.done": _arguments("arguments", whole=True),
    "response.custom_tool_call_input.delta": _arguments("delta", whole=False),
    "response.custom_tool_call_input.done": _arguments("input", whole=True),
    "response.completed": ResponsesMachine.end,
    "response.incomplete": ResponsesMachine.end,
    "response.failed": ResponsesMachine.end,
    "response.cancelled": ResponsesMachine.end,
    "response.done": ResponsesMachine.end,
    "error": ResponsesMachine.fail,
}
"""Wire event -> what it means."""


CALLS = frozenset({"function_call", "custom_tool_call"})


class OutputItems:
    """Items by position; the words of one may come as deltas, as ``.done`` events, in the finished item, or in the final list.

    :ivar called_tool: a tool of the client's was called
    """

    def __init__(self) -> None:
        self.called_tool = False
        self._parts = OutputParts()
        self.extend = self._parts.extend
        self._types: dict[int, str] = {}
        self._call_ids: dict[int, str] = {}

    def opened(self, at: int, item: JsonObject) -> Iterator[StreamEvent]:
        """An item begins; a call without its name yet is held back until it is whole."""
        kind = self._types[at] = item.get("type") or ""
        if kind in CALLS and item.get("name"):
            yield from self._start_call(at, item)

    def wrote(self, at: int, content: int, kind: PartKind, text: str, *, whole: bool) -> Sequence[StreamEvent]:
        """Words or a refusal in a message."""
        self._types.setdefault(at, "message")
        return self._grow((at, content), kind, text, None, whole)

    def reasoned(self, at: int, section: str, position: int, text: str, *, whole: bool) -> Sequence[StreamEvent]:
        """Words of a summary or of the reasoning itself."""
        self._types.setdefault(at, "reasoning")
        return self._grow(at, "reasoning", text, (section, position), whole)

    def argued(self, at: int, text: str, *, whole: bool) -> Sequence[StreamEvent]:
        """Arguments of a call."""
        return self._parts.complete(at, text) if whole else self._parts.append(at, text)

    def cited(self, at: int, content: int, annotation: JsonObject) -> Iterator[StreamEvent]:
        """A message names a source; files that only the provider can open are none."""
        if _names_source(annotation):
            citation = Citation(
                url=_as_text(annotation.get("url")),
                title=_as_text(annotation.get("title")),
                start=whole_number(annotation.get("start_index")),
                end=whole_number(annotation.get("end_index")),
            )
            yield from self._parts.cite((at, content), citation)

    def finished(self, at: int, item: JsonObject) -> Iterator[StreamEvent]:
        """An item is whole."""
        kind = self._types[at] = item.get("type") or ""
        finish = _FINISHERS.get(kind)
        yield from self._parts.native(at, kind, item, _search_of(item)) if finish is None else finish(self, at, item)

    def closed(self, output: list[JsonObject]) -> Iterator[StreamEvent]:
        """The answer is over; its final list of items adds what the stream left out."""
        # A shorter list than was streamed (the ChatGPT backend sends an empty one) says nothing about positions.
        positions_match = len(output) >= len(self._types)
        for at, item in enumerate(output):
            known = self._types.get(at)
            if known == item.get("type") or (known is None and positions_match):
                yield from self.finished(at, item)
        yield from self._parts.finish_all()

    def _grow(self, key: object, kind: PartKind, text: str, segment: object, whole: bool) -> Sequence[StreamEvent]:
        if not text:
            return ()
        started = self._parts.start(key, kind)
        grown = self._parts.complete(key, text, segment) if whole else self._parts.append(key, text, segment)
        return (*started, *grown) if started else grown

    def _start_call(self, at: int, item: JsonObject) -> Iterator[StreamEvent]:
        self.called_tool = True
        call_id = self._call_ids.setdefault(at, self._unique(string(item.get("call_id") or item.get("id") or f"call_{at}")))
        custom = item["type"] == "custom_tool_call"
        yield from self._parts.start(at, "tool_call", id=call_id, name=string(item.get("name") or ""), custom=custom)

    def _unique(self, call_id: str) -> str:
        """The id, or another where an item before has it: two calls under one would be one to the client."""
        used = self._call_ids.values()
        return call_id if call_id not in used else next(name for n in count(2) if (name := f"{call_id}_{n}") not in used)

    def _finish_call(self, at: int, item: JsonObject) -> Iterator[StreamEvent]:
        yield from self._start_call(at, item)
        arguments = item.get("input" if item["type"] == "custom_tool_call" else "arguments")
        yield from self._parts.complete(at, _as_text(arguments))
        yield from self._parts.finish(at)

    def _finish_message(self, at: int, item: JsonObject) -> Iterator[StreamEvent]:
        for position, part in enumerate(item.get("content") or ()):
            finish = _CONTENT.get(part.get("type") or "")
            if finish is not None:
                yield from finish(self, at, position, part)
            yield from self._parts.finish((at, position))

    def _finish_text(self, at: int, position: int, part: JsonObject) -> Iterator[StreamEvent]:
        yield from self.wrote(at, position, "text", string(part.get("text") or ""), whole=True)
        sources = [annotation for annotation in part.get("annotations") or () if _names_source(annotation)]
        for annotation in sources[self._parts.citations((at, position)) :]:
            yield from self.cited(at, position, annotation)

    def _finish_refusal(self, at: int, position: int, part: JsonObject) -> Iterator[StreamEvent]:
        yield from self.wrote(at, position, "refusal", string(part.get("refusal") or ""), whole=True)

    def _finish_reasoning(self, at: int, item: JsonObject) -> Iterator[StreamEvent]:
        for section in ("summary", "content"):
            for position, piece in enumerate(item.get(section) or ()):
                yield from self.reasoned(at, section, position, string(piece.get("text") or ""), whole=True)
        encrypted = item.get("encrypted_content")
        if not encrypted:
            yield from self._parts.finish(at)
            return
        yield from self._parts.start(at, "reasoning")
        yield from self._parts.finish(at, Opaque("encrypted", string(encrypted), item_id=_as_text(item.get("id")) or None))


def _search_of(item: JsonObject) -> WebSearch | None:
    """What a hosted search of the web was for and what it found, as far as the item says; the text's citations say more."""
    if item.get("type") != "web_search_call":
        return None
    action = item.get("action")
    told = action if isinstance(action, dict) else {}
    queries = told.get("queries")
    first = queries[0] if isinstance(queries, list) and queries else None
    sources = told.get("sources")
    found = [source for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []
    hits = tuple(
        Citation(url=source["url"], title=_as_text(source.get("title"))) for source in found if isinstance(source.get("url"), str)
    )
    return WebSearch(
        id=_as_text(item.get("id")),
        query=_as_text(told.get("query") or first or told.get("url")),
        hits=None if item.get("status") == "failed" else hits,
    )


def _names_source(annotation: JsonObject) -> bool:
    return annotation.get("type") == "url_citation"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_FINISHERS: dict[str, Callable[[OutputItems, int, JsonObject], Iterator[StreamEvent]]] = {
    "message": OutputItems._finish_message,
    "reasoning": OutputItems._finish_reasoning,
    "function_call": OutputItems._finish_call,
    "custom_tool_call": OutputItems._finish_call,
}
_CONTENT: dict[str, Callable[[OutputItems, int, int, JsonObject], Iterator[StreamEvent]]] = {
    "output_text": OutputItems._finish_text,
    "refusal": OutputItems._finish_refusal,
}


@dataclass(slots=True)
class GrowingPart:
    """One canonical part.

    :ivar seen: characters received of each segment (a reasoning part has one per summary part, others one in all)
    :ivar base: where its text begins in the text of the whole answer
    """

    index: int
    kind: PartKind
    custom: bool = False
    base: int = 0
    seen: dict[Hashable, int] = field(default_factory=dict)
    cited: int = 0
    open: bool = True


class OutputParts:
    """Numbers the parts and says what is new about them."""

    def __init__(self) -> None:
        self._parts: dict[Hashable, GrowingPart] = {}
        self._text_length = 0

    def start(
        self, key: Hashable, kind: PartKind, *, id: str | None = None, name: str | None = None, custom: bool = False
    ) -> Sequence[StreamEvent]:
        """Open the part, unless it is."""
        if key in self._parts:
            return ()
        part = self._parts[key] = GrowingPart(len(self._parts), kind, custom, self._text_length)
        return (PartStarted(part.index, kind, id, name, custom),)

    def native(self, key: Hashable, type: str, value: FrozenObject, search: WebSearch | None = None) -> Sequence[StreamEvent]:
        """A whole item we have no word for, unless it was there before.

        What it is sealed with (a compaction) is told, so that it goes back to nobody but its maker.
        """
        if key in self._parts:
            return ()
        part = self._parts[key] = GrowingPart(len(self._parts), "native", open=False)
        sealed = value.get("encrypted_content")
        opaque = Opaque("encrypted", sealed) if isinstance(sealed, str) and sealed else None
        started = PartStarted(part.index, "native", native=(DIALECT, type, value), opaque=opaque, search=search)
        return started, PartFinished(part.index)

    def append(self, key: Hashable, text: str, segment: Hashable = None) -> Sequence[StreamEvent]:
        """More text of an open part; segments of one part are set apart by a blank line."""
        part = self._parts.get(key)
        if part is None or not part.open or not text:
            return ()
        seen = part.seen.get(segment)
        part.seen[segment] = (seen or 0) + len(text)
        if part.kind == "text":
            self._text_length += len(text)
        delta = PartDelta(part.index, text)
        return (delta,) if seen is not None or len(part.seen) == 1 else (PartDelta(part.index, "\n\n"), delta)

    def extend(self, key: Hashable, segment: Hashable, length: int) -> int | None:
        """What ``append`` notes, where it would say nothing but the text itself; the part's index, ``None`` where it would say more."""
        part = self._parts.get(key)
        if part is None or not part.open or segment not in part.seen:
            return None
        part.seen[segment] += length
        if part.kind == "text":
            self._text_length += length
        return part.index

    def complete(self, key: Hashable, whole: str, segment: Hashable = None) -> Sequence[StreamEvent]:
        """The whole text of a segment; only what the deltas left out is new."""
        part = self._parts.get(key)
        return () if part is None else self.append(key, whole[part.seen.get(segment, 0) :], segment)

    def cite(self, key: Hashable, citation: Citation) -> Sequence[StreamEvent]:
        """The text names a source; offsets are those of the part."""
        part = self._parts.get(key)
        if part is None or not part.open:
            return ()
        part.cited += 1
        return (CitationAdded(part.index, replace(citation, start=part.base + citation.start, end=part.base + citation.end)),)

    def citations(self, key: Hashable) -> int:
        """How many sources the part has named so far."""
        part = self._parts.get(key)
        return part.cited if part is not None else 0

    def finish(self, key: Hashable, opaque: Opaque | None = None) -> Sequence[StreamEvent]:
        """Close the part, unless it is closed."""
        part = self._parts.get(key)
        if part is None or not part.open:
            return ()
        part.open = False
        finished = PartFinished(part.index, opaque)
        # No arguments at all is how some say "none"; the canonical form is JSON.
        needs_json = part.kind == "tool_call" and not part.custom and not part.seen
        return (PartDelta(part.index, "{}"), finished) if needs_json else (finished,)

    def finish_all(self) -> Sequence[StreamEvent]:
        """Close whatever is open."""
        return [event for key in self._parts for event in self.finish(key)]

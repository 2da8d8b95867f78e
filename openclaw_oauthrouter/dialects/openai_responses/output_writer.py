"""Canonical parts, as the output items of an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from openclaw_oauthrouter.canonical.clock import NewId
from openclaw_oauthrouter.canonical.events import CitationAdded, PartDelta, PartFinished, PartStarted
from openclaw_oauthrouter.canonical.free_text import custom_names
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.dialects.openai_responses.item_writers import CallWriter, ItemWriter, ReasoningWriter
from openclaw_oauthrouter.dialects.openai_responses.message_writer import MessageWriter
from openclaw_oauthrouter.dialects.openai_responses.names import DIALECT
from openclaw_oauthrouter.dialects.openai_responses.part_order import PartEvent, PartOrder
from openclaw_oauthrouter.dialects.openai_responses.tool_decoder import grouped_names


class OutputWriter:
    """Yields wire events without ``sequence_number``.

    :ivar items: the items that are whole
    """

    def __init__(self, request: ChatRequest, new_id: NewId) -> None:
        self.items: list[JsonObject] = []
        self._new_id = new_id
        self._grouped = grouped_names(request.body)
        self._custom = custom_names(request)
        self._order = PartOrder()
        self._message: MessageWriter | None = None
        self._words: str | None = None
        self._item: ItemWriter | None = None
        self._call: CallWriter | None = None
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

    def _write(self, events: Iterable[PartEvent]) -> Iterator[JsonObject]:
        for event in events:
            yield from self._placed(_STEPS[type(event)](self, event))

    def _placed(self, events: Iterable[JsonObject]) -> Iterator[JsonObject]:
        for event in events:
            yield {**event, "output_index": len(self.items)}
            if event["type"] == "response.output_item.done":
                self.items.append(event["item"])

    def _start(self, event: PartStarted) -> Iterator[JsonObject]:
        yield from self._close_call()
        if event.kind in ("text", "refusal"):
            # Opened by its first words: an empty message would be the only trace of an answer that is nothing but calls.
            self._words = event.kind
            return
        yield from self._close_message()
        if event.native is not None:
            yield from _native(event.native)
            return
        self._item = self._new_call(event) if event.kind == "tool_call" else ReasoningWriter(f"rs_{self._new_id()}")
        yield from self._item.open()

    def _new_call(self, event: PartStarted) -> CallWriter:
        name = event.name or ""
        identity: JsonObject = {"call_id": event.id or f"call_{self._new_id()}", "name": name}
        if name in self._grouped:
            identity["namespace"], identity["name"] = self._grouped[name]
        custom = event.custom or name in self._custom
        prefix = "ctc" if custom else "fc"
        return CallWriter(f"{prefix}_{self._new_id()}", identity, custom=custom, unwrap=custom and not event.custom)

    def _append(self, event: PartDelta) -> Iterator[JsonObject]:
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

    def _close_call(self) -> Iterator[JsonObject]:
        if self._call is not None:
            call, self._call = self._call, None
            yield from call.close(None)

    def _close_message(self) -> Iterator[JsonObject]:
        if self._message is not None:
            yield from self._message.close()
            self._message = None


def _native(native: tuple[str, str, Any]) -> Iterator[JsonObject]:
    dialect, _, value = native
    if dialect == DIALECT:
        yield {"type": "response.output_item.added", "item": value}
        yield {"type": "response.output_item.done", "item": value}


_STEPS: dict[type[PartEvent], Callable[[OutputWriter, Any], Iterator[JsonObject]]] = {
    PartStarted: OutputWriter._start,
    PartDelta: OutputWriter._append,
    CitationAdded: OutputWriter._cite,
    PartFinished: OutputWriter._finish,
}

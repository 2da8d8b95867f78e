"""Reads the items of an answer, piece by piece or whole, into canonical parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from openclaw_oauthrouter.canonical.content import Citation, Opaque
from openclaw_oauthrouter.canonical.events import PartKind, StreamEvent
from openclaw_oauthrouter.canonical.json import JsonObject, string, whole_number
from openclaw_oauthrouter.dialects.openai_responses.output_parts import OutputParts

CALLS = frozenset({"function_call", "custom_tool_call"})


class OutputItems:
    """Items by position; the words of one may come as deltas, as ``.done`` events, in the finished item, or in the final list.

    :ivar called_tool: a tool of the client's was called
    """

    def __init__(self) -> None:
        self.called_tool = False
        self._parts = OutputParts()
        self._types: dict[int, str] = {}

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
        yield from self._parts.native(at, kind, item) if finish is None else finish(self, at, item)

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
        call_id = string(item.get("call_id") or item.get("id") or f"call_{at}")
        custom = item["type"] == "custom_tool_call"
        yield from self._parts.start(at, "tool_call", id=call_id, name=string(item.get("name") or ""), custom=custom)

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

"""Writes one part of an answer as the events of one content block; one small class per kind of part."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from openclaw_oauthrouter.canonical.content import Citation
from openclaw_oauthrouter.canonical.events import CitationAdded, PartDelta, PartFinished, PartKind, PartStarted
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.dialects.anthropic_messages.frames import write_event
from openclaw_oauthrouter.dialects.anthropic_messages.name import DIALECT


class BlockWriter:
    """A block that begins with its first delta, so that a part without content leaves no trace.

    :ivar announced: ``content_block_start`` has been written
    :ivar closed: the part has ended
    """

    def __init__(self, part: PartStarted) -> None:
        self.part = part
        self.announced = False
        self.closed = False

    def write(self, event: PartDelta | CitationAdded | PartFinished, index: int) -> Iterator[bytes]:
        """The wire events of one canonical event.

        :param index: the block's number on the wire
        """
        for delta in self.deltas(event):
            yield from self._announce(index)
            yield write_event("content_block_delta", index=index, delta=delta)
        if isinstance(event, PartFinished):
            self.closed = True
            if self.announced:
                yield write_event("content_block_stop", index=index)

    def opening(self) -> JsonObject:
        """The empty block of ``content_block_start``."""
        return {"type": "text", "text": ""}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterator[JsonObject]:
        """The deltas of one canonical event."""
        match event:
            case PartDelta(_, text):
                yield {"type": "text_delta", "text": text}
            case CitationAdded(_, citation):
                yield {"type": "citations_delta", "citation": write_citation(citation)}

    def _announce(self, index: int) -> Iterator[bytes]:
        if not self.announced:
            self.announced = True
            yield write_event("content_block_start", index=index, content_block=self.opening())


class ThinkingWriter(BlockWriter):
    """Reasoning; what seals it travels as the block's signature."""

    def opening(self) -> JsonObject:
        return {"type": "thinking", "thinking": "", "signature": ""}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterator[JsonObject]:
        match event:
            case PartDelta(_, text):
                yield {"type": "thinking_delta", "thinking": text}
            case PartFinished(_, opaque) if opaque is not None:
                yield {"type": "signature_delta", "signature": seal(opaque)}


class ToolUseWriter(BlockWriter):
    """A tool call; its block stands even without arguments."""

    def opening(self) -> JsonObject:
        return {"type": "tool_use", "id": self.part.id or "", "name": self.part.name or "", "input": {}}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterator[JsonObject]:
        if isinstance(event, PartDelta):
            yield {"type": "input_json_delta", "partial_json": event.text}

    def write(self, event: PartDelta | CitationAdded | PartFinished, index: int) -> Iterator[bytes]:
        yield from self._announce(index)
        yield from super().write(event, index)


class NativeWriter(BlockWriter):
    """A block of this very dialect, whole; a block of another one is left out."""

    def opening(self) -> JsonObject:
        return dict(self.part.native[2]) if self.part.native else {}

    def deltas(self, event: PartDelta | CitationAdded | PartFinished) -> Iterator[JsonObject]:
        return iter(())

    def write(self, event: PartDelta | CitationAdded | PartFinished, index: int) -> Iterator[bytes]:
        if self.part.native and self.part.native[0] == DIALECT:
            yield from self._announce(index)
        yield from super().write(event, index)


_WRITERS: dict[PartKind, Callable[[PartStarted], BlockWriter]] = {
    "reasoning": ThinkingWriter,
    "tool_call": ToolUseWriter,
    "native": NativeWriter,
}


def block_writer(part: PartStarted) -> BlockWriter:
    """The writer for a part; text and refusals are both text here."""
    return _WRITERS.get(part.kind, BlockWriter)(part)


def write_citation(citation: Citation) -> JsonObject:
    """A source, as the search tool of this dialect would cite it."""
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "cited_text": "",
        "encrypted_index": "",
    }

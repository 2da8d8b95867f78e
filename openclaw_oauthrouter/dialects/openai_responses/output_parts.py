"""Follows the parts of an answer while they grow, whichever of deltas, ``.done`` events and whole items a provider sends."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.content import Citation, Opaque
from openclaw_oauthrouter.canonical.events import CitationAdded, PartDelta, PartFinished, PartKind, PartStarted, StreamEvent
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.dialects.openai_responses.names import DIALECT


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
        self._count = 0
        self._text_length = 0

    def start(
        self, key: Hashable, kind: PartKind, *, id: str | None = None, name: str | None = None, custom: bool = False
    ) -> Iterator[StreamEvent]:
        """Open the part, unless it is."""
        if key not in self._parts:
            part = GrowingPart(self._count, kind, custom, self._text_length)
            self._count += 1
            self._parts[key] = part
            yield PartStarted(part.index, kind, id, name, custom)

    def native(self, key: Hashable, type: str, value: FrozenObject) -> Iterator[StreamEvent]:
        """A whole item we have no word for, unless it was there before."""
        if key not in self._parts:
            part = self._parts[key] = GrowingPart(self._count, "native", open=False)
            self._count += 1
            yield PartStarted(part.index, "native", native=(DIALECT, type, value))
            yield PartFinished(part.index)

    def append(self, key: Hashable, text: str, segment: Hashable = None) -> Iterator[StreamEvent]:
        """More text of an open part; segments of one part are set apart by a blank line."""
        part = self._parts.get(key)
        if part is None or not part.open or not text:
            return
        if part.seen and segment not in part.seen:
            yield PartDelta(part.index, "\n\n")
        part.seen[segment] = part.seen.get(segment, 0) + len(text)
        if part.kind == "text":
            self._text_length += len(text)
        yield PartDelta(part.index, text)

    def complete(self, key: Hashable, whole: str, segment: Hashable = None) -> Iterator[StreamEvent]:
        """The whole text of a segment; only what the deltas left out is new."""
        part = self._parts.get(key)
        if part is not None:
            yield from self.append(key, whole[part.seen.get(segment, 0) :], segment)

    def cite(self, key: Hashable, citation: Citation) -> Iterator[StreamEvent]:
        """The text names a source; offsets are those of the part."""
        part = self._parts.get(key)
        if part is not None and part.open:
            part.cited += 1
            start, end = part.base + citation.start, part.base + citation.end
            yield CitationAdded(part.index, Citation(citation.url, citation.title, start, end))

    def citations(self, key: Hashable) -> int:
        """How many sources the part has named so far."""
        part = self._parts.get(key)
        return part.cited if part is not None else 0

    def finish(self, key: Hashable, opaque: Opaque | None = None) -> Iterator[StreamEvent]:
        """Close the part, unless it is closed."""
        part = self._parts.get(key)
        if part is None or not part.open:
            return
        if part.kind == "tool_call" and not part.custom and not part.seen:
            # No arguments at all is how some say "none"; the canonical form is JSON.
            yield PartDelta(part.index, "{}")
        part.open = False
        yield PartFinished(part.index, opaque)

    def finish_all(self) -> Iterator[StreamEvent]:
        """Close whatever is open."""
        for key in list(self._parts):
            yield from self.finish(key)

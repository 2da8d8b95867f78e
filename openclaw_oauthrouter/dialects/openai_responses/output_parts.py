"""Follows the parts of an answer while they grow, whichever of deltas, ``.done`` events and whole items a provider sends."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

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
        self._text_length = 0

    def start(
        self, key: Hashable, kind: PartKind, *, id: str | None = None, name: str | None = None, custom: bool = False
    ) -> Sequence[StreamEvent]:
        """Open the part, unless it is."""
        if key in self._parts:
            return ()
        part = self._parts[key] = GrowingPart(len(self._parts), kind, custom, self._text_length)
        return (PartStarted(part.index, kind, id, name, custom),)

    def native(self, key: Hashable, type: str, value: FrozenObject) -> Sequence[StreamEvent]:
        """A whole item we have no word for, unless it was there before."""
        if key in self._parts:
            return ()
        part = self._parts[key] = GrowingPart(len(self._parts), "native", open=False)
        return PartStarted(part.index, "native", native=(DIALECT, type, value)), PartFinished(part.index)

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

"""The canonical event stream: what every dialect's stream is decoded to and encoded from.

Order: ``ResponseStarted``, then for each part ``PartStarted``, ``PartDelta``…, ``PartFinished``, then ``UsageReported``
and one terminal event, ``ResponseFinished`` or ``ResponseFailed``. Parts may interleave (Chat upstreams send tool calls
0, 1, 0), so an encoder whose dialect forbids it buffers. ``UsageReported`` is cumulative and may come several times, before or
after any part; the last one counts. A decoder that reaches the end of its input before a terminal event says so with ``ResponseFailed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Literal, cast

from openclaw_oauthrouter.canonical.content import Citation, Opaque, WebSearch
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import UpstreamError

FinishReason = Literal["stop", "length", "tool_call", "content_filter", "pause"]
PartKind = Literal["text", "reasoning", "tool_call", "refusal", "native"]


@value(frozen=True, slots=True)
class ResponseStarted:
    """The provider accepted the request.

    :ivar id: the provider's id of the answer
    :ivar model: the model as the provider names it
    """

    id: str
    model: str


@value(frozen=True, slots=True)
class PartStarted:
    """A part opens.

    :ivar index: identifies the part in the events that follow; unique, rising, not necessarily dense
    :ivar id: tool-call id
    :ivar name: tool name
    :ivar custom: the tool takes free text
    :ivar native: the whole block, for kind ``native``: ``dialect``, ``type`` and ``value``
    :ivar opaque: what seals a text or a tool call, where it is known from the beginning; a client's dialect that has no field for it says it
        before the part, so a decoder gives it here whenever it can
    :ivar search: what a native part is, where it is a search of the web that the provider made
    """

    index: int
    kind: PartKind
    id: str | None = None
    name: str | None = None
    custom: bool = False
    native: tuple[str, str, FrozenObject] | None = None
    opaque: Opaque | None = None
    search: WebSearch | None = None


@value(frozen=True, slots=True)
class PartDelta:
    """More of a part: words, reasoning, or argument text; never empty."""

    index: int
    text: str


@value(frozen=True, slots=True)
class CitationAdded:
    """The text part names a source."""

    index: int
    citation: Citation


@value(frozen=True, slots=True)
class PartFinished:
    """A part closes.

    :ivar opaque: what seals the part, known only at its end; ``None`` leaves what ``PartStarted`` said
    """

    index: int
    opaque: Opaque | None = None


@value(frozen=True, slots=True)
class UsageReported:
    """Token counts so far; replaces any earlier report."""

    usage: Usage


@value(frozen=True, slots=True)
class ResponseFinished:
    """The answer is complete.

    :ivar stop_sequence: the stop string that ended it
    :ivar explanation: the provider's words on a refusal
    """

    finish_reason: FinishReason
    stop_sequence: str | None = None
    explanation: str | None = None


@value(frozen=True, slots=True)
class ResponseFailed:
    """The answer broke off."""

    error: UpstreamError


StreamEvent = (
    ResponseStarted | PartStarted | PartDelta | CitationAdded | PartFinished | UsageReported | ResponseFinished | ResponseFailed
)


@value(frozen=True, slots=True)
class PartDeltas:
    """Several ``PartDelta`` of one part in a row, as one object: what most network reads of a fast stream are.

    :ivar texts: one for each; none is empty
    :ivar text: all of them joined
    """

    index: int
    texts: Sequence[str]
    text: str


@value(frozen=True, slots=True)
class Frame:
    """What one network read brought, whole events only.

    :ivar raw: the bytes of those events as the upstream sent them; the transparent lane forwards them. Never holds the event
        that made the stream fail: an encoder's ``fail`` says it in the client's dialect
    :ivar told: their meaning, deltas that came together as one object; ``events`` has each by itself
    :ivar plain: nothing but deltas is among the events, so whoever looks for anything else need not look; a frame that does not
        say so may still hold nothing else
    """

    raw: bytes
    told: Sequence[StreamEvent | PartDeltas] = field(default=())
    plain: bool = False

    @property
    def events(self) -> tuple[StreamEvent, ...]:
        """The meaning of the bytes, event by event."""
        for event in self.told:
            if type(event) is PartDeltas:
                return tuple(each for event in self.told for each in each_of(event))
        return cast("tuple[StreamEvent, ...]", tuple(self.told))


def each_of(event: StreamEvent | PartDeltas) -> Iterable[StreamEvent]:
    """Deltas that came together, each by itself; any other event as it is."""
    if isinstance(event, PartDeltas):
        return [PartDelta(event.index, text) for text in event.texts]
    return (event,)

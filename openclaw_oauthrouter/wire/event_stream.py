"""Drives a dialect's event machine from bytes: framing, damage and early ends are handled once, here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from openclaw_oauthrouter.canonical.events import Frame, PartDelta, ResponseFailed, StreamEvent
from openclaw_oauthrouter.errors import Refusal, UpstreamConnectionError, UpstreamError, UpstreamProtocolError
from openclaw_oauthrouter.wire.sse import EventTooLarge, ServerSentEvent, ServerSentEventDecoder, closed, raw_before


class EventMachine(Protocol):
    """What a dialect makes of its server-sent events.

    :ivar done: a terminal event was seen; nothing after it counts
    """

    done: bool

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        """Turn one wire event into canonical ones.

        May raise ``UpstreamError`` for an error event, and ``ValueError``, ``KeyError``, ``TypeError`` or ``AttributeError`` on data of the
        wrong shape: the driver turns each into a ``ResponseFailed``.
        """

    def finish(self) -> Iterable[StreamEvent]:
        """Events due when the connection has ended; empty if the stream is complete or cannot be completed."""


class EventStreamDecoder:
    """A ``StreamDecoder`` over an ``EventMachine``."""

    def __init__(self, machine: EventMachine) -> None:
        self._machine = machine
        self._sse = ServerSentEventDecoder()
        self._failed = False

    def receive(self, chunk: bytes) -> Frame:
        """Decode what one network read brought."""
        if self._failed:
            return Frame(b"")
        try:
            raw, events = self._sse.feed(chunk)
        except EventTooLarge as error:
            return self._fail(b"", [], UpstreamProtocolError(f"the provider's stream is broken: {error}"))
        return self._drive(raw, events)

    def finish(self) -> Frame:
        """The connection has ended."""
        if self._failed:
            return Frame(b"")
        raw, events = self._sse.finish()
        if not any(event.data for event in events):
            # The beginning of an event that never came; whoever forwarded it would send an empty one.
            return self._ended(Frame(b""))
        return self._ended(self._drive(raw, events))

    def _ended(self, frame: Frame) -> Frame:
        if self._is_over():
            return frame
        out = [*frame.events, *self._machine.finish()]
        if self._machine.done:
            return Frame(frame.raw, tuple(out))
        return self._fail(
            closed(frame.raw), out, UpstreamConnectionError("the provider's stream ended before the answer was complete")
        )

    def _is_over(self) -> bool:
        return self._failed or self._machine.done

    def _drive(self, raw: bytes, events: list[ServerSentEvent]) -> Frame:
        out: list[StreamEvent] = []
        machine = self._machine
        for position, event in enumerate(events):
            if machine.done:
                # What an upstream adds after the end must not reach a client that takes every event seriously.
                return Frame(raw_before(raw, position), tuple(out))
            try:
                out.extend(machine.receive(event))
            except UpstreamError as error:
                error.refusal = Refusal(event.data)
                return self._fail(raw_before(raw, position), out, error)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                broken = UpstreamProtocolError(
                    f"the provider's stream is broken: {type(error).__name__} in event {event.event!r}"
                )
                return self._fail(raw_before(raw, position), out, broken)
        return Frame(raw, tuple(out), _is_plain(out))

    def _fail(self, raw: bytes, out: list[StreamEvent], error: UpstreamError) -> Frame:
        self._failed = True
        return Frame(raw, (*out, ResponseFailed(error)))


def _is_plain(events: list[StreamEvent]) -> bool:
    for event in events:  # noqa: SIM110 - on the path of every token, where a generator would cost more than the loop
        if type(event) is not PartDelta:
            return False
    return True

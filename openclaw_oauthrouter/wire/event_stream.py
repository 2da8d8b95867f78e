"""Drives a dialect's event machine from bytes: framing, damage and early ends are handled once, here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Protocol

import orjson

from openclaw_oauthrouter.canonical.events import Frame, PartDelta, PartDeltas, ResponseFailed, StreamEvent
from openclaw_oauthrouter.errors import Refusal, UpstreamConnectionError, UpstreamError, UpstreamProtocolError
from openclaw_oauthrouter.wire.sse import EventTooLarge, ServerSentEvent, ServerSentEventDecoder, closed, events_in, raw_before

LITERAL = rb'("(?!")[^"\\]*+(?:\\.[^"\\]*+)*+")'
"""A JSON string that says something, as a group; whether it is right in all respects is seen when it is read."""


Told = StreamEvent | PartDeltas


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


class GrowsInRuns(EventMachine, Protocol):
    """A machine that knows the usual delta by its look, so that a run of them need not be parsed one by one.

    :ivar deltas: matches one whole event, blank line included, that adds text to a part. Its groups: the whole event, what tells which
        part, and last the text (``LITERAL``)
    :ivar steady: what stands before the text is mostly the same in all deltas of a part
    """

    deltas: re.Pattern[bytes]
    steady: bool

    def extend(self, place: tuple[bytes, ...], text: str) -> int | None:
        """The same text came in one or more deltas: what ``receive`` would have noted of them.

        :param place: the groups between the first and the last
        :return: the part it belongs to; ``None`` if ``receive`` would say more of any of them than a ``PartDelta``; nothing is noted then
        """


class _Look:
    """What stands around the text of the usual deltas of one part.

    :ivar before: up to the quotation mark that opens the text
    :ivar size: of ``before``
    :ivar after: all that has come behind the closing mark so far: some vendors fill events up with blanks
    :ivar longest: of these, and one more
    :ivar tail: the first of these
    :ivar between: two texts of deltas with that tail
    """

    __slots__ = ("after", "before", "between", "longest", "place", "size", "tail")

    def __init__(self, before: bytes, place: tuple[bytes, ...], tail: bytes) -> None:
        self.before = before
        self.size = len(before)
        self.place = place
        self.after = {tail}
        self.longest = len(tail) + 1
        self.tail = tail
        self.between = tail + before[:-1]

    def add(self, tail: bytes) -> None:
        """It looks different behind the text."""
        self.after.add(tail)
        self.longest = max(self.longest, len(tail) + 1)


_MOST_LOOKS = 64


class EventStreamDecoder:
    """A ``StreamDecoder`` over an ``EventMachine``."""

    def __init__(self, machine: EventMachine) -> None:
        self._machine = machine
        # Not isinstance(): a Protocol's own check would cost more than a token.
        self._grows: GrowsInRuns | None = machine if hasattr(machine, "deltas") else None  # type: ignore[assignment]
        self._sse = ServerSentEventDecoder()
        self._failed = False
        self._one_delta: Callable[[bytes], re.Match[bytes] | None] | None = None
        self._look: _Look | None = None

    def receive(self, chunk: bytes) -> Frame:
        """Decode what one network read brought."""
        if self._one_delta is not None:
            # Nearly all that a stream brings are usual deltas, which look like the last one but for their text.
            delta: PartDelta | PartDeltas | None = None
            look = self._look
            if look is not None and chunk.startswith(look.before):
                end = chunk.find(b'"', look.size) + 1
                if chunk[end : end + look.longest] in look.after:
                    delta = self._delta(look.place, chunk[look.size - 1 : end])
                else:
                    delta = self._alike(chunk, look)
            if delta is None and chunk.find(b"\n\n") == len(chunk) - 2:
                match = self._one_delta(chunk)
                delta = None if match is None else self._looked_at(match)
            if delta is not None:
                return Frame(chunk, (delta,), True)
        frame = self._receive(chunk)
        grows = self._grows
        usual = grows is not None and not grows.done and not self._failed and self._sse.clean
        self._one_delta = grows.deltas.fullmatch if grows is not None and usual else None
        return frame

    def _delta(self, place: tuple[bytes, ...], literal: bytes) -> PartDelta | None:
        """A usual delta, if it says no more than its text."""
        try:
            text = orjson.loads(literal)
        except ValueError:
            return None
        index = self._grows.extend(place, text) if text else None  # type: ignore[union-attr] # only such machines have usual deltas
        return None if index is None else PartDelta(index, text)

    def _alike(self, chunk: bytes, look: _Look) -> PartDelta | PartDeltas | None:
        """Several usual deltas that differ in nothing but their texts."""
        if not chunk.endswith(look.tail):
            return None
        texts, text = _texts(chunk[look.size - 1 : -len(look.tail)].split(look.between))
        index = self._grows.extend(look.place, text) if text else None  # type: ignore[union-attr] # as in ``_delta``
        return None if index is None else _grown(index, texts, text)

    def _looked_at(self, match: re.Match[bytes]) -> PartDelta | None:
        """A usual delta; what stands around its text is remembered."""
        groups = match.groups()
        delta = self._delta(groups[1:-1], groups[-1])
        if delta is not None and self._grows.steady:  # type: ignore[union-attr] # as in ``_delta``
            self._remember(match)
        return delta

    def _remember(self, match: re.Match[bytes]) -> None:
        event, groups, look = match.string, match.groups(), self._look
        start, end = match.span(len(groups))
        if look is None or look.before != event[: start + 1]:
            self._look = _Look(event[: start + 1], groups[1:-1], event[end:])
        elif len(look.after) < _MOST_LOOKS:
            look.add(event[end:])

    def _receive(self, chunk: bytes) -> Frame:
        if self._failed:
            return Frame(b"")
        told: list[Told] = []
        try:
            raw = self._sse.take(chunk)
        except EventTooLarge as error:
            self._fail(told, UpstreamProtocolError(f"the provider's stream is broken: {error}"))
            return Frame(b"", tuple(told))
        return self._read(raw, told)

    def finish(self) -> Frame:
        """The connection has ended."""
        if self._failed:
            return Frame(b"")
        raw = self._sse.rest()
        if not any(event.data for event in events_in(raw)):
            # The beginning of an event that never came; whoever forwarded it would send an empty one.
            raw = b""
        told: list[Told] = []
        raw = raw[: self._drive(raw, told)]
        if self._is_over():
            return Frame(raw, tuple(told))
        told += self._machine.finish()
        if not self._machine.done:
            raw = closed(raw)
            self._fail(told, UpstreamConnectionError("the provider's stream ended before the answer was complete"))
        return Frame(raw, tuple(told))

    def _is_over(self) -> bool:
        return self._failed or self._machine.done

    def _read(self, raw: bytes, told: list[Told]) -> Frame:
        grows = None if raw.find(b"\r") >= 0 else self._grows
        size = self._drive(raw, told) if grows is None else self._drive_runs(raw, told, grows)
        if size < len(raw):
            return Frame(raw[:size], tuple(told))
        return Frame(raw, tuple(told), _is_plain(told))

    def _drive_runs(self, raw: bytes, told: list[Told], machine: GrowsInRuns) -> int:
        """The same as ``_drive``; runs of usual deltas are read at once, what stands between them event by event."""
        pieces = machine.deltas.split(raw)
        # What is between two matches, which is mostly nothing, and the groups of each match.
        step, last, at, size = machine.deltas.groups + 1, len(pieces) - 1, 0, 0
        while True:
            between = pieces[at]
            if between:
                if at < last and not between.endswith(b"\n\n"):
                    between = raw[size:]  # what matched looks like an event, but stands within another
                taken = self._drive(between, told)
                size += taken
                if taken < len(between):
                    return size
            if at == last or size == len(raw):
                return size
            end = at + step
            while end < last and not pieces[end]:
                end += step
            whole, taken = self._take_run(pieces[at + 1 : end], step, told, machine)
            size += taken
            if taken < whole:
                return size
            at = end

    def _take_run(self, run: list[bytes], step: int, told: list[Told], machine: GrowsInRuns) -> tuple[int, int]:
        """Its bytes, and how many of them the client may see as they are."""
        whole = sum(map(len, run[::step]))
        if self._grow(machine, run, step, told):
            return whole, whole
        # The first of them may be what opens the part that the others extend.
        first, rest = run[0], run[step:]
        taken = self._drive(first, told)
        if taken < len(first) or not rest:
            return whole, taken
        if self._grow(machine, rest, step, told):
            return whole, whole
        return whole, taken + self._drive(b"".join(rest[::step]), told)

    def _grow(self, machine: GrowsInRuns, run: list[bytes], step: int, told: list[Told]) -> bool:
        """Take a run of deltas; whether that can be done without looking at each."""
        if machine.done:
            return False
        place = run[1 : step - 2]
        for at, name in enumerate(place, 1):
            names = run[at::step]
            if names.count(name) < len(names):
                return False
        texts, text = _texts(run[step - 2 :: step])
        index = machine.extend(tuple(place), text) if text else None
        if index is None:
            return False
        told.append(_grown(index, texts, text))
        if machine.steady and (self._look is None or not run[0].startswith(self._look.before)):
            match = machine.deltas.fullmatch(run[0])
            if match is not None:
                self._remember(match)
        return True

    def _drive(self, raw: bytes, told: list[Told]) -> int:
        """Read whole events; returns how many bytes of them the client may see as they are."""
        machine = self._machine
        for position, event in enumerate(events_in(raw)):
            if machine.done:
                # What an upstream adds after the end must not reach a client that takes every event seriously.
                return len(raw_before(raw, position))
            try:
                told.extend(machine.receive(event))
            except UpstreamError as error:
                error.refusal = Refusal(event.data)
                self._fail(told, error)
                return len(raw_before(raw, position))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                words = f"the provider's stream is broken: {type(error).__name__} in event {event.event!r}"
                self._fail(told, UpstreamProtocolError(words))
                return len(raw_before(raw, position))
        return len(raw)

    def _fail(self, told: list[Told], error: UpstreamError) -> None:
        self._failed = True
        told.append(ResponseFailed(error))


def _texts(literals: list[bytes]) -> tuple[list[str], str]:
    """What JSON strings say, and all of it joined; nothing if one of them is none, or is empty."""
    try:
        # A line break cannot stand in a string, so one that has no end of its own cannot hide in the next.
        texts: list[str] = orjson.loads(b"[" + b"\n,".join(literals) + b"]")
        text = "".join(texts)
    except (ValueError, TypeError):
        return [], ""
    return (texts, text) if len(texts) == len(literals) and all(texts) else ([], "")


def _grown(index: int, texts: list[str], text: str) -> PartDelta | PartDeltas:
    return PartDelta(index, text) if len(texts) == 1 else PartDeltas(index, texts, text)


def _is_plain(told: list[Told]) -> bool:
    for event in told:  # noqa: SIM110 - on the path of every token, where a generator would cost more than the loop
        if type(event) is not PartDelta and type(event) is not PartDeltas:
            return False
    return True

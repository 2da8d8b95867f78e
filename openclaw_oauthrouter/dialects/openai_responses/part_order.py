"""Puts interleaved parts one after the other: the API's items never overlap, and clients rely on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from openclaw_oauthrouter.canonical.events import CitationAdded, PartDelta, PartFinished, PartStarted

PartEvent = PartStarted | PartDelta | CitationAdded | PartFinished


class PartOrder:
    """Lets the oldest open part through at once and holds the others back until it is their turn."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[PartEvent]] = {}
        self._turns: deque[int] = deque()

    def receive(self, event: PartEvent) -> Iterator[PartEvent]:
        """The events that may go out now."""
        if isinstance(event, PartStarted):
            self._turns.append(event.index)
            self._waiting[event.index] = []
        if event.index not in self._waiting:
            return
        if event.index != self._turns[0]:
            self._waiting[event.index].append(event)
            return
        yield event
        if isinstance(event, PartFinished):
            self._waiting.pop(self._turns.popleft())
            yield from self._next_turn()

    def release(self) -> Iterator[PartEvent]:
        """The answer is over: everything held back, and an end for every part that has none."""
        while self._turns:
            yield from self.receive(PartFinished(self._turns[0]))

    def _next_turn(self) -> Iterator[PartEvent]:
        while self._turns:
            held, self._waiting[self._turns[0]] = self._waiting[self._turns[0]], []
            yield from held
            if not (held and isinstance(held[-1], PartFinished)):
                return
            self._waiting.pop(self._turns.popleft())

"""Puts interleaved parts one after the other: the API's items never overlap, and clients rely on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from openclaw_oauthrouter.canonical.events import CitationAdded, PartDelta, PartFinished, PartStarted

PartEvent = PartStarted | PartDelta | CitationAdded | PartFinished


@dataclass(slots=True, eq=False)
class _Turn:
    """One part: what is held back of it, and whether it is whole."""

    held: list[PartEvent] = field(default_factory=list)
    over: bool = False


class PartOrder:
    """Lets the oldest open part through at once and holds the others back until it is their turn."""

    def __init__(self) -> None:
        self._open: dict[int, _Turn] = {}
        self._turns: deque[_Turn] = deque()

    def receive(self, event: PartEvent) -> Sequence[PartEvent]:
        """The events that may go out now."""
        if isinstance(event, PartStarted):
            return self._start(event)
        turn = self._open.get(event.index)
        if turn is None:
            return ()
        if isinstance(event, PartFinished):
            del self._open[event.index]
            turn.over = True
        if turn is not self._turns[0]:
            turn.held.append(event)
            return ()
        return (event, *self._next_turns()) if turn.over else (event,)

    def goes_on(self, index: int) -> bool:
        """Whether it is this part's turn, so that more of it may go out at once."""
        turn = self._open.get(index)
        return turn is not None and turn is self._turns[0]

    def release(self) -> Sequence[PartEvent]:
        """The answer is over: everything held back, and an end for every part that has none."""
        return [event for index in list(self._open) for event in self.receive(PartFinished(index))]

    def _start(self, event: PartStarted) -> Sequence[PartEvent]:
        # An index that is still open says that the provider began anew without ending what was there.
        ended = self.receive(PartFinished(event.index))
        turn = self._open[event.index] = _Turn([event])
        self._turns.append(turn)
        if turn is not self._turns[0]:
            return ended
        turn.held = []
        return (*ended, event)

    def _next_turns(self) -> list[PartEvent]:
        out: list[PartEvent] = []
        while self._turns:
            turn = self._turns[0]
            out += turn.held
            turn.held = []
            # The part whose turn it was is whole, and so are those after it that ended while they waited.
            if not turn.over:
                break
            self._turns.popleft()
        return out

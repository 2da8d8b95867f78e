"""One timer for all the steps of a call: its connection, its first byte, each silence within its stream."""

from __future__ import annotations

import asyncio

from openclaw_oauthrouter.upstream.deadline import Deadline

_NEVER = float("inf")


class StepTimer:
    """Cancels the task that made it once a step has lasted too long, or the deadline has passed; ``ran_out`` tells that from a client
    that left.

    Whoever waits calls ``listen`` before and ``heard`` after, takes the ``CancelledError`` in between to ``ran_out``, and calls ``stop``
    at the end. A timer set anew for every step and every token would cost more than decoding the token: one timer looks instead when
    the earliest step could have lasted too long, and then waits for what is left.

    :ivar now: the event loop's time
    :ivar since: when the present step began, ``None`` between two of them; after one that was listened for, setting it to ``now()`` ends
        that step and begins another of the same length
    """

    __slots__ = ("_cancelling", "_deadline", "_looks_at", "_loop", "_out", "_seconds", "_task", "_timer", "now", "since")

    def __init__(self, deadline: Deadline) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - whoever waits is one
        self._task = task
        self._loop = task.get_loop()
        self.now = self._loop.time
        self._cancelling = task.cancelling()
        self._deadline = deadline
        self._seconds = 0.0
        self.since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = _NEVER
        self._out = False

    def listen(self, seconds: float) -> None:
        """A step begins, which may last so long."""
        self.since = now = self.now()
        self._seconds = seconds
        ends = now + seconds
        if ends < self._looks_at or self._timer is None:
            self._look_at(min(ends, self._deadline.at))

    def heard(self) -> None:
        """The step is over: the clock stands still until the next one."""
        self.since = None

    def ran_out(self) -> bool:
        """Whether a ``CancelledError`` that has just come is this timer's; it is taken back then, and the step is over."""
        self.since = None
        if not self._out:
            return False
        self._out = False
        return self._task.uncancel() <= self._cancelling

    def stop(self) -> None:
        """No step follows."""
        self.since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = moment
        self._timer = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        self._timer = None
        self._looks_at = _NEVER
        if self.since is None:
            return
        ends = min(self.since + self._seconds, self._deadline.at)
        if ends > self.now():
            self._look_at(ends)
        else:
            # What has come in this very turn of the loop is taken first.
            self._loop.call_soon(self._end, self.since)

    def _end(self, since: float) -> None:
        if self.since == since:
            self.since = None
            self._out = True
            self._task.cancel()
        elif self.since is not None and self._timer is None:
            self._look_at(min(self.since + self._seconds, self._deadline.at))

"""A limit on silence within a stream."""

from __future__ import annotations

import asyncio
from types import TracebackType

from openclaw_oauthrouter.upstream.deadline import Deadline

_NEVER = float("inf")


class IdleTimeout:
    """Raises ``TimeoutError`` in its ``async with`` block once nothing was heard for too long, or the deadline has passed.

    A timer set anew for every token would cost more than decoding the token. One timer looks instead when the earliest silence
    could have lasted too long, and then waits for what is left.

    :param seconds: of silence, at first
    """

    def __init__(self, deadline: Deadline, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._deadline = deadline
        self._seconds = seconds
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = _NEVER

    async def __aenter__(self) -> IdleTimeout:
        await self._timeout.__aenter__()
        self.listen(self._seconds)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(kind, error, traceback)

    def heard(self) -> None:
        """Something came: the clock stands still until ``listen``."""
        self._since = None
        if self._timeout.when() is not None:
            # It came in the very step in which the time was up; without this, whoever takes it would be cancelled.
            self._timeout.reschedule(None)

    def listen(self, seconds: float) -> None:
        """Wait for more, for so long at most."""
        self._since = self._loop.time()
        # As long a silence as before ends later than what is looked for already.
        if seconds < self._seconds or self._timer is None:
            self._seconds = seconds
            self._look_at(self._ends())
        else:
            self._seconds = seconds
            if self._looks_at == _NEVER:
                self._look_at(self._ends())

    def _ends(self) -> float:
        since = self._loop.time() if self._since is None else self._since
        return min(since + self._seconds, self._deadline.at)

    def _look_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._looks_at = moment
        self._timer = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        if self._since is None:
            self._look_at(now + self._seconds)
        elif self._ends() > now:
            self._look_at(self._ends())
        else:
            self._looks_at = _NEVER
            self._timeout.reschedule(now)

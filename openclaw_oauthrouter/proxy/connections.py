"""All clients of one listening socket: their number, their bounds, and their end; Hypercorn serves those who speak HTTP/2 or WebSockets."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.proxy.asgi import STOPPING
from openclaw_oauthrouter.proxy.http1 import Application, Http1Connection, Times

if TYPE_CHECKING:
    from openclaw_oauthrouter.proxy.hypercorn_connection import Hypercorn

IDLE_CONNECTION_SECONDS = 120.0
"""Agents think between two turns; a connection that closes meanwhile costs them a new one, or an error."""

STRANGERS_IDLE_SECONDS = 15.0
"""The same for who has shown no token: a health check that comes back sooner keeps its connection."""

_LAST_WORDS_SECONDS = 3.0
"""What an answer that must end has for an error in its dialect, and its upstream to be closed."""


class Connections:
    """Owner of every connection.

    :ivar draining: no connection outlives the answer it is giving
    """

    def __init__(self, application: Application, settings: ServerSettings, clock: Clock) -> None:
        self.draining = False
        self._application = application
        self._settings = settings
        self._clock = clock
        self._times = Times(settings.header_seconds, IDLE_CONNECTION_SECONDS, settings.write_seconds, STRANGERS_IDLE_SECONDS)
        self._open: set[Http1Connection] = set()
        self._hypercorn: Hypercorn | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._date = (0, b"")

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._open) + len(self._tasks)

    def protocol(self) -> Http1Connection:
        """What serves the next client."""
        return Http1Connection(self._application, self, self._times, asyncio.get_running_loop())

    def opened(self, connection: Http1Connection) -> bool:
        """Whether there is room for one more."""
        if self.open >= self._settings.max_connections and not self._make_room():
            return False
        self._open.add(connection)
        return True

    def _make_room(self) -> bool:
        """Close the connection that has been idle for longest, one of a stranger if there is any; ``False`` when all are at work."""
        idle = [connection for connection in self._open if connection.idle]
        if not idle:
            return False
        oldest = min(idle, key=lambda connection: (connection.known, connection.idle_since))
        self._open.discard(oldest)
        oldest.close()
        return True

    def closed(self, connection: Http1Connection) -> None:
        """A client has gone."""
        self._open.discard(connection)

    def date(self) -> bytes:
        """The present time as HTTP writes it, made once a second."""
        now = int(self._clock())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True).encode())
        return self._date[1]

    def hand_over(self, connection: Http1Connection, data: bytes) -> None:
        """Let Hypercorn speak with a client, who has sent ``data`` so far."""
        if self._hypercorn is None:
            # Few clients need it, and it takes a sixth of the time that a start takes.
            from openclaw_oauthrouter.proxy.hypercorn_connection import Hypercorn

            self._hypercorn = Hypercorn(self._application, self._settings, IDLE_CONNECTION_SECONDS)  # type: ignore[arg-type]
        task = self._hypercorn.serve(connection.transport, data, connection.loop)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Close idle connections now and the others after their answer, but no later than ``seconds`` from now."""
        self.draining = True
        if self._hypercorn is not None:
            await self._hypercorn.context.terminated.set()
        for connection in list(self._open):
            if connection.idle:
                connection.close()
        running = [*self._tasks, *(connection.task for connection in self._open if connection.task is not None)]
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel(STOPPING)
            if late:
                _, stuck = await asyncio.wait(late, timeout=_LAST_WORDS_SECONDS)
                for task in stuck:
                    task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for connection in list(self._open):
            connection.close()

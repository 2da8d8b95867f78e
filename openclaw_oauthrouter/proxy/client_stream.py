"""A streamed answer towards one client: sends the head late, and speaks up when the upstream is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from openclaw_oauthrouter.canonical.flow import Wait, taken
from openclaw_oauthrouter.interfaces import StreamEncoder
from openclaw_oauthrouter.proxy.client import Client


class ClientStream:
    """Use as an async context manager around the whole answer.

    The head goes out with the first bytes: until then a failure can still be a proper HTTP error. If nothing at all has been sent for
    ``keep_alive_seconds``, a keep-alive is, head included.

    :param encoder: of the reply, once there is one; before that one that only waits
    :param head: the answer's headers, asked for when they are needed
    """

    def __init__(
        self, client: Client, encoder: StreamEncoder, head: Callable[[], Mapping[str, str]], keep_alive_seconds: float
    ) -> None:
        self.encoder = encoder
        self.started = False
        self._client = client
        self._head = head
        self._seconds = keep_alive_seconds
        self._silent = True
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._beat: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ClientStream:
        self._timer = self._loop.call_later(self._seconds, self._look)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._beat is not None:
            self._beat.cancel()
            with suppress(asyncio.CancelledError):
                await self._beat

    def write(self, data: bytes) -> Wait | None:
        """Send bytes; none are no message. Returns what has to be waited for before more is sent."""
        if not data:
            return None
        self._silent = False
        if self.started:
            return self._client.send(data)
        self.started = True
        return self._client.begin(
            200, {"content-type": self.encoder.content_type, "cache-control": "no-cache", **self._head()}, data
        )

    async def end(self) -> None:
        """The answer is complete."""
        await taken(self._client.end())

    def _look(self) -> None:
        self._timer = self._loop.call_later(self._seconds, self._look)
        if self._silent and (self._beat is None or self._beat.done()):
            wait = self.write(self.encoder.keep_alive())
            self._beat = self._loop.create_task(taken(wait)) if wait is not None else None
        self._silent = True

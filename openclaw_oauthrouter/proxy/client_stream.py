"""A streamed answer towards one client: sends the head late, and speaks up when the upstream is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from openclaw_oauthrouter.canonical.flow import Wait, taken
from openclaw_oauthrouter.interfaces import StreamEncoder
from openclaw_oauthrouter.proxy.asgi import Headers, SendNow


class ClientStream:
    """Use as an async context manager around the whole answer.

    The head goes out with the first bytes: until then a failure can still be a proper HTTP error. If nothing at all has been sent for
    ``keep_alive_seconds``, a keep-alive is, head included.

    :param encoder: of the reply, once there is one; before that one that only waits
    :param head: the answer's headers, asked for when they are needed
    """

    def __init__(self, send: SendNow, encoder: StreamEncoder, head: Callable[[], Headers], keep_alive_seconds: float) -> None:
        self.encoder = encoder
        self.started = False
        self._send = send
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
        body = {"type": "http.response.body", "body": data, "more_body": True}
        if self.started:
            return self._send(body)
        self.started = True
        headers = [(b"content-type", self.encoder.content_type.encode()), (b"cache-control", b"no-cache"), *self._head()]
        wait = self._send({"type": "http.response.start", "status": 200, "headers": headers})
        return self._send(body) if wait is None else partial(self._after, wait, body)

    async def _after(self, wait: Wait, body: dict[str, object]) -> None:
        await wait()
        await taken(self._send(body))

    async def end(self) -> None:
        """The answer is complete."""
        await taken(self._send({"type": "http.response.body", "body": b"", "more_body": False}))

    def _look(self) -> None:
        self._timer = self._loop.call_later(self._seconds, self._look)
        if self._silent and (self._beat is None or self._beat.done()):
            wait = self.write(self.encoder.keep_alive())
            self._beat = self._loop.create_task(taken(wait)) if wait is not None else None
        self._silent = True

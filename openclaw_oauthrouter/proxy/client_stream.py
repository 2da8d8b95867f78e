"""A streamed answer towards one client: sends the head late, and speaks up when the upstream is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from openclaw_oauthrouter.interfaces import StreamEncoder
from openclaw_oauthrouter.proxy.asgi import Headers, Send


class ClientStream:
    """Use as an async context manager around the whole answer.

    The head goes out with the first bytes: until then a failure can still be a proper HTTP error. If nothing at all has been sent for
    ``keep_alive_seconds``, a keep-alive is, head included.

    :param encoder: of the reply, once there is one; before that one that only waits
    :param head: the answer's headers, asked for when they are needed
    """

    def __init__(self, send: Send, encoder: StreamEncoder, head: Callable[[], Headers], keep_alive_seconds: float) -> None:
        self.encoder = encoder
        self.started = False
        self._send = send
        self._head = head
        self._seconds = keep_alive_seconds
        self._silent = True
        self._beat: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ClientStream:
        self._beat = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._beat is not None:
            self._beat.cancel()
            with suppress(asyncio.CancelledError):
                await self._beat

    async def write(self, data: bytes) -> None:
        """Send bytes; none are no message."""
        if not data:
            return
        self._silent = False
        if not self.started:
            self.started = True
            headers = [(b"content-type", self.encoder.content_type.encode()), (b"cache-control", b"no-cache"), *self._head()]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        """The answer is complete."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _keep_alive(self) -> None:
        while True:
            self._silent = True
            await asyncio.sleep(self._seconds)
            if self._silent:
                await self.write(self.encoder.keep_alive())

"""One connection to a provider: opened, asked again and again, closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import cast

import httpx
from aiohappyeyeballs import start_connection

from openclaw_oauthrouter.upstream.http_answer import HttpAnswer

_SECOND_ADDRESS_AFTER = 0.25
"""Seconds until an address of the other family is tried too (RFC 8305)."""


class HttpConnection(asyncio.Protocol):
    """Carries one request at a time.

    :ivar idle_since: the event loop's time of the last answer's end
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: HttpAnswer | None = None
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes, leave: Callable[[HttpConnection, bool], None]) -> HttpAnswer:
        """Send a request.

        :param request: head and body
        :param leave: called at the end of the answer with whether another request may follow
        """
        assert self._transport is not None  # noqa: S101 - ``connect`` gives away nothing else
        answer = HttpAnswer(self._pause, lambda reusable: self._leave(reusable, leave))
        self._answer = answer
        self._transport.write(request)
        return answer

    def close(self) -> None:
        """Close at once; an answer that is not complete breaks off."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # whatever is said without being asked is no answer to the next request
        else:
            self._answer.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.ended(exc)

    def _leave(self, reusable: bool, leave: Callable[[HttpConnection, bool], None]) -> None:
        self._answer = None
        leave(self, reusable and self.usable)

    def _pause(self, wanted: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if wanted:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


async def connect(host: str, port: int, context: ssl.SSLContext | None) -> HttpConnection:
    """Open a connection.

    :param context: for TLS
    :raises httpx.ConnectError: the host cannot be found, reached or trusted
    """
    loop = asyncio.get_running_loop()
    try:
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        reached = await start_connection(addresses, happy_eyeballs_delay=_SECOND_ADDRESS_AFTER)
        # A provider that thinks for minutes must not be forgotten by what stands between.
        reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        _, connection = await loop.create_connection(
            HttpConnection, sock=reached, ssl=context, server_hostname=host if context else None
        )
    except (OSError, RuntimeError) as error:
        raise httpx.ConnectError(str(error) or type(error).__name__) from error
    return connection

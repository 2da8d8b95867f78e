"""httpx's transport interface over connections that are used again.

httpx's own pool scans every connection on each request and passes every chunk through a chain of calls, which at 32 concurrent
streams costs more than all our work together. This one speaks HTTP/1.1 without a proxy, and nothing else.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable
from functools import cached_property

import httpx

from openclaw_oauthrouter.upstream.http_connection import HttpConnection, connect

_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]


class HttpPool(httpx.AsyncBaseTransport):
    """Sends requests whose bodies are bytes.

    :param limit: requests at a time; more wait for ``extensions["timeout"]["pool"]`` seconds
    :param idle_seconds: how long an unused connection is kept
    :param create_context: makes the TLS context, once, when it is first needed
    """

    def __init__(self, limit: int, idle_seconds: float, create_context: Callable[[], ssl.SSLContext]) -> None:
        self._idle_seconds = idle_seconds
        self._create_context = create_context
        self._slots = asyncio.Semaphore(limit)
        self._idle: defaultdict[Origin, list[HttpConnection]] = defaultdict(list)
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the head of its answer.

        :raises httpx.TransportError: as httpx's own transport
        """
        message, origin = encoded(request), _origin(request.url)
        limits = request.extensions.get("timeout", {})
        await self._slot(limits.get("pool"))
        try:
            connection = self._unused(origin) or await self._connect(origin, limits.get("connect"))
        except BaseException:
            self._slots.release()
            raise

        def leave(left: HttpConnection, reusable: bool) -> None:
            self._slots.release()
            self._keep(origin, left) if reusable and not self._closed else left.close()

        answer = connection.ask(message, leave)
        try:
            status = await answer.head
        except BaseException:
            await answer.aclose()
            raise
        return httpx.Response(status, headers=answer.headers, stream=answer, request=request)

    async def aclose(self) -> None:
        """Close unused connections now and the others after their answers."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._create_context()

    async def _slot(self, seconds: float | None) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout("too many requests at a time (upstream.max_connections)") from None

    def _unused(self, origin: Origin) -> HttpConnection | None:
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, origin: Origin, seconds: float | None) -> HttpConnection:
        scheme, host, port = origin
        try:
            async with asyncio.timeout(seconds):
                return await connect(host, port, self._context if scheme == "https" else None)
        except TimeoutError:
            raise httpx.ConnectTimeout(f"no connection within {seconds:g} s") from None

    def _keep(self, origin: Origin, connection: HttpConnection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle[origin].append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(self._idle_seconds, self._close_old)

    def _close_old(self) -> None:
        """Close what has not been used for long; the oldest of each origin come first."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for origin, connections in list(self._idle.items()):
            fresh = [connection for connection in connections if now - connection.idle_since < self._idle_seconds]
            for connection in connections[: len(connections) - len(fresh)]:
                connection.close()
            if fresh:
                self._idle[origin] = fresh
            else:
                del self._idle[origin]
        self._sweep = loop.call_later(self._idle_seconds / 2, self._close_old) if self._idle else None


def encoded(request: httpx.Request) -> bytes:
    """Head and body.

    :raises httpx.LocalProtocolError: a header would break out of its line
    """
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%b: %b" % header for header in request.headers.raw]
    if "accept-encoding" not in request.headers:
        lines.append(b"accept-encoding: identity")  # a compressed stream comes late
    head = b"\r\n".join(lines)
    if not head.count(b"\r") == head.count(b"\n") == len(lines) - 1:
        raise httpx.LocalProtocolError("a header holds a line break")
    return b"%b\r\n\r\n%b" % (head, request.content)


def _origin(url: httpx.URL) -> Origin:
    if url.scheme not in _PORTS:
        raise httpx.UnsupportedProtocol(f"{url.scheme or 'no scheme'} is neither http nor https")
    return url.scheme, url.host, url.port or _PORTS[url.scheme]

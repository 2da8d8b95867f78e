"""httpx's transport interface over connections that are used again.

httpx's own pool scans every connection on each request and passes every chunk through a chain of calls, which at 32 concurrent
streams costs more than all our work together. This one speaks HTTP/1.1, also through a plain HTTP proxy, and nothing else.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from functools import cached_property

import httpx

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.post import Post, lines_of, origin_of
from openclaw_oauthrouter.upstream.http_answer import Answered, HttpAnswer
from openclaw_oauthrouter.upstream.http_connection import HttpConnection, connect
from openclaw_oauthrouter.upstream.proxies import Proxies, Proxy

UNDELIVERED_SECONDS = 3.0
"""How long a kept connection may take to have a first byte acknowledged; a living peer needs a round trip."""

CLOCKS_APART_SECONDS = 5.0

LARGE = 1 << 20
"""Bytes of a body from which on other requests have their turn between two steps of it."""

Origin = tuple[str, str, int]


class _Stale(Exception):
    """A kept connection was dead; nothing of a request has been answered."""


class HttpPool(httpx.AsyncBaseTransport):
    """Sends requests whose bodies are bytes.

    :param limit: requests to one host at a time; more wait for ``extensions["timeout"]["pool"]`` seconds
    :param idle_seconds: how long an unused connection is kept
    :param create_context: makes the TLS context, once, when it is first needed
    :param proxies: what stands before which host
    :param wall: Unix seconds
    """

    def __init__(
        self,
        limit: int,
        idle_seconds: float,
        create_context: Callable[[], ssl.SSLContext],
        proxies: Proxies | None = None,
        wall: Clock = time.time,
    ) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._create_context = create_context
        self._proxies = proxies or Proxies({})
        self._wall = wall
        self._busy: defaultdict[Origin, int] = defaultdict(int)
        self._waiting: defaultdict[Origin, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._idle: defaultdict[Origin, list[HttpConnection]] = defaultdict(list)
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def in_use(self) -> dict[str, int]:
        """How many requests are under way to each host."""
        return {host: busy for (_, host, _), busy in self._busy.items()}

    def waiting(self) -> dict[str, int]:
        """How many requests wait for a connection to each host that has had as many as it may."""
        return {host: len(queue) for (_, host, _), queue in self._waiting.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the head of its answer.

        A kept connection may have died unseen. A request that it lost before the peer acknowledged a byte, or before a byte of an answer
        came, is sent once more on a new one.

        :raises httpx.TransportError: as httpx's own transport
        """
        origin = (request.address.origin if isinstance(request, Post) else None) or _origin(request.url)
        proxy = self._proxies.before(*origin)
        large = len(request.content) >= LARGE
        if large:
            await asyncio.sleep(
                0
            )  # writing it as JSON, laying it behind its head and sending it take some milliseconds each, and others wait
        message = encoded(request, proxy if origin[0] == "http" else None)
        if large:
            await asyncio.sleep(0)
        limits = request.extensions.get("timeout", {})
        try:
            answer, status = await self._exchange(origin, message, proxy, limits)
        except _Stale:
            answer, status = await self._exchange(origin, message, proxy, limits, anew=True)
        return Answered(status, answer, request)

    async def _exchange(
        self,
        origin: Origin,
        message: bytes,
        proxy: Proxy | None,
        limits: Mapping[str, float | None],
        *,
        anew: bool = False,
    ) -> tuple[HttpAnswer, int]:
        if self._busy[origin] < self._limit:
            self._busy[origin] += 1
        else:
            await self._wait(origin, limits.get("pool"))
        try:
            kept = None if anew else self._unused(origin)
            connection = kept or await self._connect(origin, proxy, limits.get("connect"))
        except BaseException:
            self._release(origin)
            raise

        def leave(left: HttpConnection, reusable: bool) -> None:
            self._release(origin)
            self._keep(origin, left) if reusable and not self._closed else left.close()

        answer = connection.ask(message, leave)
        watch = answer.loop.call_later(UNDELIVERED_SECONDS, _look, connection, answer, len(message)) if kept else None
        try:
            return answer, await answer.head
        except httpx.TransportError as error:
            await answer.aclose()
            if kept and not answer.began:
                raise _Stale from error
            raise
        except BaseException:
            await answer.aclose()
            raise
        finally:
            if watch is not None:
                watch.cancel()

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

    async def _wait(self, origin: Origin, seconds: float | None) -> None:
        """Until somebody who leaves hands his place on."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._waiting[origin]
        queue.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._release(origin)  # the place came too late
            if isinstance(error, TimeoutError):
                raise httpx.PoolTimeout(f"{self._limit} requests are under way to it (upstream.max_connections)") from None
            raise
        finally:
            if turn in queue:
                queue.remove(turn)

    def _release(self, origin: Origin) -> None:
        queue = self._waiting.get(origin)
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy[origin] -= 1

    def _unused(self, origin: Origin) -> HttpConnection | None:
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            if connection.usable and not self._slept(connection):
                return connection
            connection.close()
        return None

    def _slept(self, connection: HttpConnection) -> bool:
        """Whether the machine was asleep while a connection was idle: the wall clock went on, the loop's stood still."""
        awake = asyncio.get_running_loop().time() - connection.idle_since
        return abs((self._wall() - connection.idle_wall) - awake) > CLOCKS_APART_SECONDS

    async def _connect(self, origin: Origin, proxy: Proxy | None, seconds: float | None) -> HttpConnection:
        scheme, host, port = origin
        try:
            async with asyncio.timeout(seconds):
                return await connect(host, port, self._context if scheme == "https" else None, proxy)
        except TimeoutError:
            through = f" through the proxy {proxy.shown}" if proxy else ""
            raise httpx.ConnectTimeout(f"no connection{through} within {seconds:g} s") from None

    def _keep(self, origin: Origin, connection: HttpConnection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since, connection.idle_wall = loop.time(), self._wall()
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


def _look(connection: HttpConnection, answer: HttpAnswer, size: int) -> None:
    """Give up on a connection whose peer has not acknowledged a byte of a request for seconds."""
    left = connection.undelivered
    if left is not None and left >= size:
        answer.give_up(httpx.ReadTimeout("the peer of a kept connection is gone"))


def encoded(request: httpx.Request, proxy: Proxy | None = None) -> bytes:
    """Head and body.

    :param proxy: the one that the request is handed to as a whole
    :raises httpx.LocalProtocolError: a header would break out of its line
    """
    if isinstance(request, Post):
        target, (fields, number) = request.address.target, request.lines()
    else:
        target, (fields, number) = request.url.raw_path, lines_of(request.headers)
    if proxy is not None:
        target = str(request.url).encode("ascii")
    if proxy is not None and proxy.authorization is not None:
        fields, number = b"proxy-authorization: %b\r\n%b" % (proxy.authorization, fields), number + 1
    head = b"%b %b HTTP/1.1\r\n%b" % (request.method.encode("ascii"), target, fields)
    if not head.count(b"\r") == head.count(b"\n") == number:
        raise httpx.LocalProtocolError("a header holds a line break")
    packed = (
        b"" if b"\r\naccept-encoding:" in head.lower() else b"\r\naccept-encoding: identity"
    )  # a compressed stream comes late
    return b"%b%b\r\n\r\n%b" % (head, packed, request.content)


def _origin(url: httpx.URL) -> Origin:
    origin = origin_of(url)
    if origin is None:
        raise httpx.UnsupportedProtocol(f"{url.scheme or 'no scheme'} is neither http nor https")
    return origin

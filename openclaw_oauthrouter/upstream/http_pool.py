"""httpx's transport interface over connections that are used again.

httpx's own pool scans every connection on each request and passes every chunk through a chain of calls, which at 32 concurrent
streams costs more than all our work together. This one speaks HTTP/1.1, also through a plain HTTP proxy, and nothing else.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from functools import cached_property

import httpx

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.post import Post, lines_of, origin_of
from openclaw_oauthrouter.upstream.http_answer import Answered
from openclaw_oauthrouter.upstream.http_connection import HttpConnection, connect
from openclaw_oauthrouter.upstream.proxies import Proxies, Proxy

UNDELIVERED_SECONDS = 3.0
"""How long a kept connection may take, and a third more, to have a first byte acknowledged; a living peer needs a round trip."""

CLOCKS_APART_SECONDS = 5.0

LARGE = 1 << 20
"""Bytes of a body from which on other requests have their turn between two steps of it."""

Origin = tuple[str, str, int]


class _Host:
    """What goes on with one host.

    :ivar busy: requests that have a place
    :ivar waiting: those that wait for one; ``None`` while nobody ever had to
    :ivar idle: kept connections, the last used at the end
    :ivar proxy: what stands before it
    """

    __slots__ = ("busy", "idle", "origin", "proxy", "waiting")

    def __init__(self, origin: Origin, proxy: Proxy | None) -> None:
        self.origin = origin
        self.proxy = proxy
        self.busy = 0
        self.waiting: deque[asyncio.Future[None]] | None = None
        self.idle: list[HttpConnection] = []


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
        self._hosts: dict[Origin, _Host] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._asked: set[HttpConnection] = set()
        self._listening: asyncio.TimerHandle | None = None
        self._closed = False

    def in_use(self) -> dict[str, int]:
        """How many requests are under way to each host."""
        return {host.origin[1]: host.busy for host in self._hosts.values()}

    def waiting(self) -> dict[str, int]:
        """How many requests wait for a connection to each host that has had as many as it may."""
        return {host.origin[1]: len(host.waiting) for host in self._hosts.values() if host.waiting is not None}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for the head of its answer.

        A kept connection may have died unseen. A request that it lost before the peer acknowledged a byte, or before a byte of an answer
        came, is sent once more on a new one.

        :raises httpx.TransportError: as httpx's own transport
        """
        origin = (request.address.origin if isinstance(request, Post) else None) or _origin(request.url)
        host = self._hosts.get(origin) or self._new_host(origin)
        large = len(request.content) >= LARGE
        if large:  # writing it as JSON, laying it behind its head and sending it take some milliseconds each, and others wait
            await asyncio.sleep(0)
        message = encoded(request, host.proxy if origin[0] == "http" else None)
        if large:
            await asyncio.sleep(0)
        limits = request.extensions.get("timeout", {})
        stale = False
        while True:
            if host.busy < self._limit:
                host.busy += 1
            else:
                await self._wait(host, limits.get("pool"))
            kept = None if stale else self._unused(host)
            connection = kept or await self._connected(host, limits.get("connect"))
            answer = connection.ask(message, self._left)
            if kept is not None:
                self._listen_to(kept, len(message))
            try:
                return Answered(await answer.head, answer, request)
            except BaseException as error:
                answer.leave()
                stale = kept is not None and not answer.began and isinstance(error, httpx.TransportError)
                if not stale:
                    raise

    async def aclose(self) -> None:
        """Close unused connections now and the others after their answers."""
        self._closed = True
        for timer in (self._sweep, self._listening):
            if timer is not None:
                timer.cancel()
        for host in self._hosts.values():
            for connection in host.idle:
                connection.close()
            host.idle.clear()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._create_context()

    def _new_host(self, origin: Origin) -> _Host:
        host = self._hosts[origin] = _Host(origin, self._proxies.before(*origin))
        return host

    async def _wait(self, host: _Host, seconds: float | None) -> None:
        """Until somebody who leaves hands his place on."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if host.waiting is None:
            host.waiting = deque()
        queue = host.waiting
        queue.append(turn)
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                _release(host)  # the place came too late
            if isinstance(error, TimeoutError):
                raise httpx.PoolTimeout(f"{self._limit} requests are under way to it (upstream.max_connections)") from None
            raise
        finally:
            if turn in queue:
                queue.remove(turn)

    def _unused(self, host: _Host) -> HttpConnection | None:
        while host.idle:
            connection = host.idle.pop()
            if connection.usable and not self._slept(connection):
                return connection
            connection.close()
        return None

    def _slept(self, connection: HttpConnection) -> bool:
        """Whether the machine was asleep while a connection was idle: the wall clock went on, the loop's stood still."""
        awake = connection.loop.time() - connection.idle_since
        return abs((self._wall() - connection.idle_wall) - awake) > CLOCKS_APART_SECONDS

    async def _connected(self, host: _Host, seconds: float | None) -> HttpConnection:
        """A new connection, for a request that has a place."""
        try:
            connection = await self._connect(host.origin, host.proxy, seconds)
        except BaseException:
            _release(host)
            raise
        connection.host = host.origin
        return connection

    async def _connect(self, origin: Origin, proxy: Proxy | None, seconds: float | None) -> HttpConnection:
        scheme, host, port = origin
        try:
            async with asyncio.timeout(seconds):
                return await connect(host, port, self._context if scheme == "https" else None, proxy)
        except TimeoutError:
            through = f" through the proxy {proxy.shown}" if proxy else ""
            raise httpx.ConnectTimeout(f"no connection{through} within {seconds:g} s") from None

    def _left(self, connection: HttpConnection, reusable: bool) -> None:
        """A request has had its answer: its place is free, and so may be its connection."""
        host = self._hosts[connection.host]
        if host.waiting:
            _release(host)
        else:
            host.busy -= 1
        if not reusable or self._closed:
            connection.close()
            return
        connection.idle_since, connection.idle_wall = connection.loop.time(), self._wall()
        host.idle.append(connection)
        if self._sweep is None:
            self._sweep = connection.loop.call_later(self._idle_seconds, self._close_old)

    def _close_old(self) -> None:
        """Close what has not been used for long; the oldest of each host come first."""
        loop = asyncio.get_running_loop()
        now, kept = loop.time(), False
        for host in self._hosts.values():
            fresh = [connection for connection in host.idle if now - connection.idle_since < self._idle_seconds]
            for connection in host.idle[: len(host.idle) - len(fresh)]:
                connection.close()
            host.idle = fresh
            kept = kept or bool(fresh)
        self._sweep = loop.call_later(self._idle_seconds / 2, self._close_old) if kept else None

    def _listen_to(self, connection: HttpConnection, size: int) -> None:
        """Have it looked at whether a peer that was silent for a while takes a request. A timer for each would cost more than a look at
        all of them now and then.

        :param size: bytes of the request
        """
        connection.asked_at, connection.asked_bytes = connection.loop.time(), size
        self._asked.add(connection)
        if self._listening is None:
            self._listening = connection.loop.call_later(UNDELIVERED_SECONDS, self._listen)

    def _listen(self) -> None:
        """Give up on connections whose peer has not acknowledged a byte of a request for seconds."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [one for one in self._asked if now - one.asked_at >= UNDELIVERED_SECONDS]:
            self._asked.discard(connection)
            answer = connection.unheard
            left = connection.undelivered if answer is not None else None
            if answer is not None and left is not None and left >= connection.asked_bytes:
                answer.give_up(httpx.ReadTimeout("the peer of a kept connection is gone"))
        self._listening = loop.call_later(UNDELIVERED_SECONDS / 3, self._listen) if self._asked else None


def _release(host: _Host) -> None:
    """Hand a place on to whoever waits longest for one."""
    while host.waiting:
        turn = host.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return
    host.busy -= 1


def encoded(request: httpx.Request, proxy: Proxy | None = None) -> bytes:
    """Head and body.

    :param proxy: the one that the request is handed to as a whole
    :raises httpx.LocalProtocolError: a header would break out of its line
    """
    message = request.message() if proxy is None and isinstance(request, Post) else None
    if message is not None:
        return message
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

"""One connection to a provider: opened, asked again and again, closed."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import httpx
from aiohappyeyeballs import start_connection

from openclaw_oauthrouter.upstream.certificates import ADVICE
from openclaw_oauthrouter.upstream.http_answer import AnswerParser, HttpAnswer
from openclaw_oauthrouter.upstream.proxies import Proxy

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_WATCH = (
    ("TCP_KEEPIDLE", 30),
    ("TCP_KEEPALIVE", 30),  # what macOS calls the same
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 30_000),
)
"""Seconds of silence before the system asks whether the peer is there, between two such questions, and how many; and milliseconds that
what was sent may go unacknowledged."""

_SIOCOUTQ = 0x5411
"""Linux: bytes of a socket's send queue that are not acknowledged."""

_LONGEST_PROXY_ANSWER = 1 << 16

_SECOND_ADDRESS_AFTER = 0.25
"""Seconds until an address of the other family is tried too (RFC 8305)."""


class HttpConnection(asyncio.Protocol):
    """Carries one request at a time. Made within the event loop.

    :ivar loop: the event loop
    :ivar parser: of its answers
    :ivar host: scheme, host and port that it leads to, for its pool
    :ivar asked_at: the event loop's time of the last request that was sent on it as a kept one; so ``asked_bytes``, how long it was
    :ivar idle_since: the event loop's time of the last answer's end
    :ivar idle_wall: the same in Unix seconds
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.parser = AnswerParser()
        self.host: tuple[str, str, int] = ("", "", 0)
        self.asked_bytes = 0
        self.asked_at = self.idle_since = self.idle_wall = 0.0
        self._transport: asyncio.Transport | None = None
        self._answer: HttpAnswer | None = None
        self._left: Callable[[HttpConnection, bool], None] = _nobody

    @property
    def undelivered(self) -> int | None:
        """Bytes that the peer has not acknowledged; ``None`` where nobody knows."""
        return undelivered(self._transport) if self._transport is not None and not self._transport.is_closing() else None

    @property
    def usable(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes, left: Callable[[HttpConnection, bool], None]) -> HttpAnswer:
        """Send a request.

        :param request: head and body
        :param left: called at the end of the answer with whether another request may follow
        """
        assert self._transport is not None  # noqa: S101 - ``connect`` gives away nothing else
        self.parser.begin()
        self._left = left
        self._answer = answer = HttpAnswer(self)
        self._transport.write(request)
        return answer

    @property
    def unheard(self) -> HttpAnswer | None:
        """The answer whose head it still waits for."""
        return self._answer if self._answer is not None and not self._answer.head.done() else None

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

    def leave(self, reusable: bool) -> None:
        """Its answer needs it no longer."""
        self._answer = None
        self._left(self, reusable and self.usable)

    def pause(self, wanted: bool) -> None:
        """Stop reading, or go on."""
        if self._transport is None or self._transport.is_closing():
            return
        if wanted:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


def _nobody(_connection: HttpConnection, _reusable: bool) -> None:
    """Nobody waits for a connection that was not asked anything."""


async def connect(host: str, port: int, context: ssl.SSLContext | None, proxy: Proxy | None = None) -> HttpConnection:
    """Open a connection.

    :param context: for TLS
    :param proxy: leads there through a tunnel if ``context`` is given; otherwise it is the one that is spoken to
    :raises httpx.ConnectError: the host cannot be found, reached or trusted
    :raises httpx.ProxyError: the proxy cannot be reached, or refuses
    """
    loop = asyncio.get_running_loop()
    reached = await _reach(host, port) if proxy is None else await _reach_through(proxy, host, port, tunnel=context is not None)
    try:
        _, connection = await loop.create_connection(
            HttpConnection, sock=reached, ssl=context, server_hostname=host if context else None
        )
    except ssl.SSLCertVerificationError as error:
        raise httpx.ConnectError(f"its certificate is not trusted ({error.verify_message}); {ADVICE}") from error
    except (OSError, RuntimeError) as error:
        raise httpx.ConnectError(str(error) or type(error).__name__) from error
    return connection


async def _reach(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        reached = await start_connection(addresses, happy_eyeballs_delay=_SECOND_ADDRESS_AFTER)
    except (OSError, RuntimeError) as error:
        raise httpx.ConnectError(str(error) or type(error).__name__) from error
    _watch_over(reached)
    return reached


async def _reach_through(proxy: Proxy, host: str, port: int, *, tunnel: bool) -> socket.socket:
    try:
        reached = await _reach(proxy.host, proxy.port)
    except httpx.ConnectError as error:
        raise httpx.ProxyError(f"the proxy {proxy.shown} cannot be reached: {error}") from error
    if not tunnel:
        return reached
    try:
        await _ask_for_tunnel(reached, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except BaseException:
        reached.close()
        raise
    return reached


async def _ask_for_tunnel(reached: socket.socket, proxy: Proxy, address: str) -> None:
    loop = asyncio.get_running_loop()
    lines = [f"CONNECT {address} HTTP/1.1".encode(), f"Host: {address}".encode()]
    if proxy.authorization is not None:
        lines.append(b"Proxy-Authorization: " + proxy.authorization)
    answer = b""
    try:
        await loop.sock_sendall(reached, b"\r\n".join((*lines, b"", b"")))
        while b"\r\n\r\n" not in answer and len(answer) < _LONGEST_PROXY_ANSWER:
            # Byte by byte at the end would be safest; a proxy says nothing behind its head until we do.
            piece = await loop.sock_recv(reached, 4096)
            if not piece:
                break
            answer += piece
    except OSError as error:
        raise httpx.ProxyError(f"the proxy {proxy.shown} broke off: {error}") from error
    status = answer[:64].split(b" ", 2)[1:2]
    if not (answer.startswith(b"HTTP/1.") and status and status[0][:1] == b"2"):
        said = answer.partition(b"\r\n")[0][:100].decode("latin-1") or "nothing"
        raise httpx.ProxyError(f"the proxy {proxy.shown} does not lead to {address}: it answered {said!r}")


def _watch_over(reached: socket.socket) -> None:
    """Have the system notice a peer that is gone: a provider that thinks for minutes must not be forgotten by what stands between, and
    a laptop that slept must not wait for an answer to what never arrived."""
    reached.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _WATCH:
        option = getattr(socket, name, None)
        if option is not None:
            with suppress(OSError):
                reached.setsockopt(socket.IPPROTO_TCP, option, value)


def undelivered(transport: asyncio.Transport) -> int | None:
    """Bytes that the peer has not acknowledged; ``None`` where the system does not say."""
    waiting = transport.get_write_buffer_size()
    found = transport.get_extra_info("socket")
    if found is None or fcntl is None or sys.platform != "linux":
        return None
    try:
        (queued,) = struct.unpack("i", fcntl.ioctl(found.fileno(), _SIOCOUTQ, b"\0" * 4))
    except OSError:
        return None
    return waiting + int(queued)

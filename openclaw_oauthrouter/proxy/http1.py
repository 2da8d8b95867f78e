"""HTTP/1.1 towards clients: httptools parses, one ASGI call answers each request; strict in what it reads, bounded in what it keeps.

Stands where Hypercorn has its h11 protocol, which costs four times as much a request; HTTP/2 and WebSockets are handed to Hypercorn.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast
from urllib.parse import unquote

import httptools

from openclaw_oauthrouter.canonical.flow import Wait
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import HttpProtocolError, OAuthRouterError, RequestTimeoutError
from openclaw_oauthrouter.proxy.asgi import ADMITTED, ARRIVED, AT_ONCE, ON_DISCONNECT, Headers, Message, Receive, Scope, Send
from openclaw_oauthrouter.proxy.request_heads import MAX_HEAD_BYTES, MAX_HEADERS, check_head, head_too_large, own_target, tidied
from openclaw_oauthrouter.proxy.written_heads import REASONS, refusal, too_many, written

MAX_BUFFERED_BODY = 512 * 1024
"""Bytes of a body that wait for the application; the client is not read further meanwhile."""
LINGER_SECONDS = 1.0
"""How long what a refused client still sends is thrown away: closing with unread bytes would take the refusal along."""

H2_PREFACE = b"PRI * HTTP/2.0"
_WITHOUT_BODY = frozenset({204, 304})

Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]
_log = logging.getLogger(__name__)


class Owner(Protocol):
    """Knows all connections of a listening socket."""

    draining: bool

    def opened(self, connection: Http1Connection) -> bool:
        """Whether there is room for one more."""

    def closed(self, connection: Http1Connection) -> None: ...

    def hand_over(self, connection: Http1Connection, data: bytes) -> None:
        """Let Hypercorn speak with the client, who has sent ``data`` so far."""

    def date(self) -> bytes:
        """The present time as HTTP writes it."""


@value(frozen=True, slots=True)
class Times:
    """Seconds a client may take.

    :ivar head: for the head of a request, from its first byte, or from the connection
    :ivar idle: between two requests
    :ivar write: until it takes more of an answer
    :ivar stranger: between two requests, as long as no token was shown
    """

    head: float
    idle: float
    write: float
    stranger: float = 15.0


class Http1Connection(asyncio.Protocol):
    """One client. At most one request is answered at a time; what is pipelined behind it waits, unread where it is much.

    :ivar known: it has shown a token
    :ivar idle_since: the loop's time of the last answer's end, or of the beginning
    """

    def __init__(self, application: Application, owner: Owner, times: Times, loop: asyncio.AbstractEventLoop) -> None:
        self.application = application
        self.owner = owner
        self.loop = loop
        self.transport: asyncio.Transport = None  # type: ignore[assignment] # set before anything else happens
        self.task: asyncio.Task[None] | None = None
        self._times = times
        self._clock: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._request: Request | None = None
        self._reading: Request | None = None
        self._waiting: deque[Request] = deque()
        self._fresh = True
        self._refused = False
        self._given = False
        self._in_head = False
        self._head_bytes = 0
        self._fields_left = MAX_HEADERS
        self._upgrade = False
        self._target = b""
        self._headers: Headers = []
        self._unsent: list[bytes] = []
        self._flush: asyncio.Handle | None = None
        self._writable: asyncio.Event | None = None
        self._peers: tuple[Any, Any] = (None, None)
        self.known = False
        self.idle_since = loop.time()

    # ------------------------------------------------------------------ asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream socket has no other; uvloop's says so only by what it does.
        self.transport = cast("asyncio.Transport", transport)
        self._peers = (_address(self.transport, "peername"), _address(self.transport, "sockname"))
        if not self.owner.opened(self):
            self.refuse(too_many())
            return
        self._start_clock(self._times.head, self._too_slow)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._fresh:
            self._fresh = False
            if data.startswith(H2_PREFACE):
                self._give_away(data)
                return
        begins = self._request is None and not self._in_head
        self._feed(data)
        if begins and self._request is None and not (self._refused or self._given):
            # Most heads come in one piece and need no clock.
            self._start_clock(self._times.head, self._too_slow)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clocks()
        if self._writable is not None:
            self._writable.set()
        for request in (self._request, self._reading):
            if request is not None:
                request.disconnect()
        self._waiting.clear()
        self.owner.closed(self)

    def pause_writing(self) -> None:
        self._writable = asyncio.Event()
        self._start_clock(self._times.write, self._abort)

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set()
            self._writable = None
            self._stop_clock()

    # ------------------------------------------------------------------ the parser's side

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._fail(cause if isinstance(cause, OAuthRouterError) else HttpProtocolError("the request's head cannot be read"))
        except httptools.HttpParserError as error:
            self._fail(HttpProtocolError(f"this is not HTTP/1.1: {error}"))
        else:
            if self._in_head:
                # A header is told when it is complete; one that never is must not fill the memory.
                self._head_bytes += len(data)
                if self._head_bytes > 2 * MAX_HEAD_BYTES:
                    self._fail(head_too_large())

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = []
        self._head_bytes = 0
        self._fields_left = MAX_HEADERS
        self._in_head = True

    def on_url(self, target: bytes) -> None:
        self._target += target
        if len(self._target) > MAX_HEAD_BYTES:
            raise head_too_large()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields_left -= 1
        if self._fields_left < 0:
            raise head_too_large()
        if self._in_head:
            self._headers.append((name, value))
            return
        # A trailer, which nobody reads.
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise head_too_large()

    def on_headers_complete(self) -> None:
        version = self._parser.get_http_version()
        self._headers, self._head_bytes = tidied(self._headers)
        coding = check_head(version, self._headers)
        self._in_head = False
        self._upgrade = self._parser.should_upgrade()
        if self._upgrade:
            return
        path, _, query = own_target(self._target, self._headers).partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.1"},
            "http_version": version,
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "https" if self.transport.get_extra_info("ssl_object") else "http",
            "path": unquote(path.decode("ascii")) if b"%" in path else path.decode("ascii"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": self._peers[0],
            "server": self._peers[1],
        }
        request = self._reading = Request(self, scope, self._parser.should_keep_alive(), expects_continue=coding)
        scope["extensions"] = {
            ON_DISCONNECT: request.on_disconnect,
            ADMITTED: self.admitted,
            ARRIVED: request.arrived,
            AT_ONCE: request.send_now,
        }
        if self._request is None:
            self._begin(request)
        else:
            self._waiting.append(request)
            self.transport.pause_reading()

    def on_body(self, body: bytes) -> None:
        if self._reading is not None:
            self._reading.receive_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        if self._reading is not None:
            self._reading.complete()
            self._reading = None

    def _upgraded(self, rest: bytes) -> None:
        """The client would rather speak something else: WebSockets are Hypercorn's; whatever else is offered is declined by not mentioning it."""
        method = self._parser.get_method()
        named = dict(self._headers)
        if method == b"GET" and named.get(b"upgrade", b"").lower() == b"websocket" and self._request is None:
            self._give_away(self._head(method, self._headers) + rest)
            return
        if method == b"CONNECT":
            self._fail(HttpProtocolError("this is no proxy: CONNECT is refused"))
            return
        if self._request is not None and named.get(b"upgrade", b"").lower() == b"websocket":
            self._fail(HttpProtocolError("a WebSocket cannot be opened while a request is being answered"))
            return
        kept = [field for field in self._headers if field[0] not in (b"upgrade", b"http2-settings", b"connection")]
        head = self._head(method, kept)
        self._parser = httptools.HttpRequestParser(self)
        self._feed(head + rest)

    def _head(self, method: bytes, headers: Headers) -> bytes:
        lines = [b"%b %b HTTP/1.1" % (method, self._target), *(b"%b: %b" % field for field in headers), b"", b""]
        return b"\r\n".join(lines)

    def _give_away(self, data: bytes) -> None:
        self._given = True
        self._stop_clocks()
        self.owner.closed(self)
        self.owner.hand_over(self, data)

    # ------------------------------------------------------------------ requests, one after another

    def _begin(self, request: Request) -> None:
        self._stop_clock()
        self._request = request
        self.task = self.loop.create_task(request.run())

    def finished(self, request: Request) -> None:
        """A request has its whole answer, or the application gave up."""
        self._request = self.task = None
        if self.transport.is_closing():
            return
        if self._refused:
            self._leave()
        elif self._reading is request or request.closes or (self.owner.draining and not self._waiting):
            self._reading = None
            self._refused = True
            self._leave()
        elif self._waiting:
            self._begin(self._waiting.popleft())
            if not self._waiting:
                self.transport.resume_reading()
        else:
            self.transport.resume_reading()
            self.idle_since = self.loop.time()
            if self._idle is None:
                self._idle = self.loop.call_later(self._idle_limit, self._look_at_idle)

    def admitted(self) -> None:
        """The client has shown a token."""
        self.known = True

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered."""
        return self._request is None

    def close(self) -> None:
        """Nothing more is expected of this client."""
        self._send_now()
        self.transport.close()

    def refuse(self, error: OAuthRouterError) -> None:
        """Answer whatever is asked with an error, and leave."""
        self._refused = True
        self.write(refusal(error))
        self._leave()

    def _fail(self, error: OAuthRouterError) -> None:
        """What the client sends is not to be understood, so nothing behind it is."""
        self._waiting.clear()
        if self._request is not None and self._reading is not self._request:
            # The request before it was all right and gets its answer.
            self._refused = True
            self._request.closes = True
        elif self._request is not None:
            self._refused = True
            self._reading = None
            self._request.disconnect()
            if not self._request.started:
                self.write(refusal(error))
            self._leave()
        else:
            self.refuse(error)

    def _leave(self) -> None:
        self._send_now()
        self._stop_clocks()
        if self.transport.is_closing():
            return
        try:
            self.transport.resume_reading()
            self.transport.write_eof()
        except (OSError, RuntimeError, NotImplementedError):
            self.transport.close()
        else:
            self._start_clock(LINGER_SECONDS, self.transport.close)

    # ------------------------------------------------------------------ writing

    def write(self, data: bytes) -> None:
        """Send soon: what is written within one turn of the loop goes out in one system call, the dearest part of a small answer."""
        self._unsent.append(data)
        if self._flush is None:
            self._flush = self.loop.call_soon(self._send_now)

    def write_on(self, data: bytes) -> None:
        """Send at once, unless something before it still waits: a piece of a stream, which nothing follows within this turn."""
        if self._flush is not None:
            self._unsent.append(data)
        elif not self.transport.is_closing():
            self.transport.write(data)

    def _send_now(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        data, self._unsent = self._unsent, []
        if data and not self.transport.is_closing():
            self.transport.write(data[0] if len(data) == 1 else b"".join(data))

    @property
    def held_up(self) -> bool:
        """Whether the client has yet to take what was sent."""
        return self._writable is not None

    async def drained(self) -> None:
        """Until the client has taken enough of what was sent."""
        if self._writable is not None:
            await self._writable.wait()

    # ------------------------------------------------------------------ clocks

    @property
    def _idle_limit(self) -> float:
        return self._times.idle if self.known else self._times.stranger

    def _look_at_idle(self) -> None:
        """One clock for all the pauses of a connection: it is not set anew for each, but looks how long the present one has been."""
        self._idle = None
        if self._request is not None or self._in_head:
            return  # the next pause begins with another clock
        left = self.idle_since + self._idle_limit - self.loop.time()
        if left <= 0:
            self.close()
        else:
            self._idle = self.loop.call_later(left, self._look_at_idle)

    def _start_clock(self, seconds: float, then: Callable[[], object]) -> None:
        self._stop_clock()
        self._clock = self.loop.call_later(seconds, then)

    def _stop_clocks(self) -> None:
        self._stop_clock()
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        self.refuse(RequestTimeoutError("the request's head did not arrive in time (server.header_seconds)", retry_after=1.0))

    def _abort(self) -> None:
        self.transport.abort()  # whoever takes nothing keeps an upstream busy; this looks like a client that hung up


class Request:
    """One request and its answer: the two ends that an ASGI application holds.

    :ivar closes: the connection ends after this answer
    :ivar started: the answer's head has been written
    """

    __slots__ = (
        "_body",
        "_chunked",
        "_complete",
        "_connection",
        "_continue",
        "_disconnected",
        "_done",
        "_listener",
        "_mute",
        "_scope",
        "_told",
        "_waiter",
        "closes",
        "started",
    )

    def __init__(self, connection: Http1Connection, scope: Scope, keep_alive: bool, *, expects_continue: bool) -> None:
        self._connection = connection
        self._scope = scope
        self._continue = expects_continue
        self._body: list[bytes] = []
        self._complete = False
        self._told = False
        self._disconnected = False
        self._done = False
        self._chunked = False
        self._mute = scope["method"] == "HEAD"
        self._waiter: asyncio.Future[None] | None = None
        self._listener: Callable[[], object] | None = None
        self.closes = not keep_alive
        self.started = False

    async def run(self) -> None:
        """Let the application answer; its failures end here."""
        try:
            await self._connection.application(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            self.closes = True
        except Exception:  # noqa: BLE001 - whatever it is, it ends here, and the client is told
            _log.exception("the application failed")
        if not self._done:
            if not self.started and not self._disconnected:
                self._connection.write(refusal(OAuthRouterError("the gateway failed; its log says why")))
            self.closes = True
        self._connection.finished(self)

    # ------------------------------------------------------------------ from the client

    def receive_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)
        if len(self._body) > 1 and sum(map(len, self._body)) > MAX_BUFFERED_BODY:
            self._body = [b"".join(self._body)]
            self._connection.transport.pause_reading()
        self._wake()

    def complete(self) -> None:
        """The body is here."""
        self._complete = True
        self._wake()

    def arrived(self) -> bool:
        """Whether all of the body is here."""
        return self._complete

    def disconnect(self) -> None:
        """The client has left."""
        self._disconnected = True
        self._wake()
        if self._listener is not None:
            self._listener()

    def on_disconnect(self, listener: Callable[[], object] | None) -> None:
        """Call ``listener`` when the client leaves; cheaper than a task that waits in ``receive``."""
        self._listener = listener
        if listener is not None and self._disconnected:
            listener()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _receive(self) -> Message:
        if self._continue and not self._complete and not self.started:
            self._continue = False
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not (self._body or self._complete or self._disconnected):
            await self._wait()
        if (self._body or self._complete) and not self._told:
            body, self._body = b"".join(self._body), []
            self._told = self._complete
            if not self._complete:
                self._connection.transport.resume_reading()
            return {"type": "http.request", "body": body, "more_body": not self._complete}
        while not (self._disconnected or self._done):
            await self._wait()
        return {"type": "http.disconnect"}

    async def _wait(self) -> None:
        self._waiter = self._connection.loop.create_future()
        await self._waiter

    # ------------------------------------------------------------------ to the client

    async def _send(self, message: Message) -> None:
        wait = self.send_now(message)
        if wait is not None:
            await wait()

    def send_now(self, message: Message) -> Wait | None:
        """Send at once; returns what has to be waited for before more is sent: that the client takes what it was sent."""
        kind = message["type"]
        if self._disconnected or self._done:
            return None
        if kind == "http.response.start":
            self._start(message["status"], list(message.get("headers", ())))
        elif kind == "http.response.body":
            self._write(message.get("body", b""), last=not message.get("more_body", False))
            if self._connection.held_up:
                return self._connection.drained
        return None

    def _start(self, status: int, headers: Headers) -> None:
        fields, sized, leaves = written(headers)
        self.closes = self.closes or leaves
        lines = [b"HTTP/1.1 %d %b%b" % (status, REASONS.get(status, b""), fields)]
        lines.append(b"date: " + self._connection.owner.date())
        self._mute = self._mute or status in _WITHOUT_BODY
        if not sized and not self._mute:
            self._chunked = self._scope["http_version"] == "1.1"
            self.closes = self.closes or not self._chunked
            if self._chunked:
                lines.append(b"transfer-encoding: chunked")
        # An answer before the request is all here: what the client still sends is not read.
        if self.closes or not self._complete or self._connection.owner.draining:
            self.closes = True
            lines.append(b"connection: close")
        elif self._scope["http_version"] == "1.0":
            lines.append(b"connection: keep-alive")
        self.started = True
        lines += (b"", b"")
        self._connection.write(b"\r\n".join(lines))

    def _write(self, body: bytes, *, last: bool) -> None:
        if not self.started:
            raise RuntimeError("a body before its head")
        if body and not self._mute:
            framed = b"%x\r\n%b\r\n" % (len(body), body) if self._chunked else bytes(body)
            if last:
                self._connection.write(framed)
            else:
                self._connection.write_on(framed)
        if last:
            if self._chunked and not self._mute:
                self._connection.write(b"0\r\n\r\n")
            self._done = True
            self._wake()


def _address(transport: asyncio.BaseTransport, which: str) -> tuple[str, int] | None:
    found = transport.get_extra_info(which)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) and len(found) >= 2 else None

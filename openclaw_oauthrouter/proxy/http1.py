"""HTTP/1.1 towards clients: httptools parses, one ASGI call answers each request; strict in what it reads, bounded in what it keeps.

Stands where Hypercorn has its h11 protocol, which costs four times as much a request; HTTP/2 and WebSockets are handed to Hypercorn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast
from urllib.parse import unquote

import httptools

from openclaw_oauthrouter.canonical.flow import Wait
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import HttpProtocolError, OAuthRouterError, RequestTimeoutError
from openclaw_oauthrouter.proxy.asgi import CLIENT, Headers, Receive, Scope, Send
from openclaw_oauthrouter.proxy.http1_request import Request
from openclaw_oauthrouter.proxy.request_heads import MAX_HEAD_BYTES, MAX_HEADERS, Heads, head_too_large, own_target
from openclaw_oauthrouter.proxy.written_heads import refusal, too_many

LINGER_SECONDS = 1.0
"""How long what a refused client still sends is thrown away: closing with unread bytes would take the refusal along."""

_MOST_RAW = 2 * MAX_HEADERS
H2_PREFACE = b"PRI * HTTP/2.0"

Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


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
    :ivar held_up: set once the client has taken enough of what was sent; ``None`` while it has
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
        self._fields: Headers = []
        self._target = b""
        self._raw: list[bytes] = []
        self._heads = Heads()
        self._scope: dict[str, Any] = {}
        self.held_up: asyncio.Event | None = None
        self.known = False
        self.idle_since = loop.time()

    # ------------------------------------------------------------------ asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream socket has no other; uvloop's says so only by what it does.
        self.transport = cast("asyncio.Transport", transport)
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.1"},
            "scheme": "https" if transport.get_extra_info("ssl_object") else "http",
            "root_path": "",
            "client": _address(transport, "peername"),
            "server": _address(transport, "sockname"),
        }
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
        if self.held_up is not None:
            self.held_up.set()
        for request in (self._request, self._reading):
            if request is not None:
                request.disconnect()
        self._waiting.clear()
        self.owner.closed(self)

    def pause_writing(self) -> None:
        self.held_up = asyncio.Event()
        self._start_clock(self._times.write, self._abort)

    def resume_writing(self) -> None:
        if self.held_up is not None:
            self.held_up.set()
            self.held_up = None
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
        self._raw = []
        self._head_bytes = 0
        self._in_head = True

    def on_url(self, target: bytes) -> None:
        self._target = target = self._target + target if self._target else target
        if len(target) > MAX_HEAD_BYTES:
            raise head_too_large()

    def on_header(self, name: bytes, value: bytes) -> None:
        raw = self._raw
        if self._in_head:
            raw.append(name)
            raw.append(value)
            if len(raw) > _MOST_RAW:
                raise head_too_large()
            return
        # A trailer, which nobody reads.
        self._fields_left -= 1
        if self._fields_left < 0:
            raise head_too_large()
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise head_too_large()

    def on_headers_complete(self) -> None:
        parser = self._parser
        version = parser.get_http_version()
        head, fields, expects = self._heads.read(version, self._raw)
        self._in_head = False
        self._head_bytes = head.size
        self._fields_left = MAX_HEADERS - len(fields)
        if parser.should_upgrade():
            self._fields = fields
            return
        path, _, query = own_target(self._target, fields).partition(b"?")
        scope = self._scope.copy()
        scope["http_version"] = version
        scope["method"] = method = parser.get_method().decode("ascii")
        scope["path"] = unquote(path.decode("ascii")) if b"%" in path else path.decode("ascii")
        scope["raw_path"] = path
        scope["query_string"] = query
        scope["headers"] = fields
        self._reading = request = Request(self, scope, head, mute=method == "HEAD", expects_continue=expects)
        request.closes = not parser.should_keep_alive()
        scope["extensions"] = {CLIENT: request}
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
        named = dict(self._fields)
        if method == b"GET" and named.get(b"upgrade", b"").lower() == b"websocket" and self._request is None:
            self._give_away(self._head(method, self._fields) + rest)
            return
        if method == b"CONNECT":
            self._fail(HttpProtocolError("this is no proxy: CONNECT is refused"))
            return
        if self._request is not None and named.get(b"upgrade", b"").lower() == b"websocket":
            self._fail(HttpProtocolError("a WebSocket cannot be opened while a request is being answered"))
            return
        kept = [field for field in self._fields if field[0] not in (b"upgrade", b"http2-settings", b"connection")]
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
        if self._clock is not None:
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

    def write(self, data: bytes) -> Wait | None:
        """Send; returns what has to be waited for before more is sent: that the client takes what it was sent."""
        if not self.transport.is_closing():
            self.transport.write(data)
        return self.drained if self.held_up is not None else None

    async def drained(self) -> None:
        """Until the client has taken enough of what was sent."""
        if self.held_up is not None:
            await self.held_up.wait()

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


def _address(transport: asyncio.BaseTransport, which: str) -> tuple[str, int] | None:
    found = transport.get_extra_info(which)
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) and len(found) >= 2 else None

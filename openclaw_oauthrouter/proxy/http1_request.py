"""One HTTP/1.1 request and its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaw_oauthrouter.canonical.flow import Wait
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.proxy.asgi import Message, Scope
from openclaw_oauthrouter.proxy.request_heads import Head
from openclaw_oauthrouter.proxy.written_heads import REASONS, lines_of, refusal, written

if TYPE_CHECKING:
    from openclaw_oauthrouter.proxy.http1 import Http1Connection

MAX_BUFFERED_BODY = 512 * 1024
"""Bytes of a body that wait for the application; the client is not read further meanwhile."""

_WITHOUT_BODY = frozenset({204, 304})
_log = logging.getLogger(__name__)


class Request:
    """One request and its answer: the two ends that an ASGI application holds, and a ``Client`` for who does without its messages.

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
        "_head",
        "_left",
        "_mute",
        "_scope",
        "_told",
        "_waiter",
        "_watched",
        "closes",
        "started",
    )

    def __init__(self, connection: Http1Connection, scope: Scope, head: Head, *, mute: bool, expects_continue: bool) -> None:
        self._connection = connection
        self._scope = scope
        self._head = head
        self._continue = expects_continue
        self._body: list[bytes] = []
        self._complete = self._told = False
        self._disconnected = self._watched = self._left = False
        self._done = False
        self._chunked = False
        self._mute = mute
        self._waiter: asyncio.Future[None] | None = None
        self.closes = False
        self.started = False

    async def run(self) -> None:
        """Let the application answer; its failures end here."""
        try:
            await self._connection.application(self._scope, self.receive, self.take)
        except asyncio.CancelledError:
            self.closes = True
        except Exception:  # noqa: BLE001 - whatever it is, it ends here, and the client is told
            _log.exception("the application failed")
        if not self._done:
            if not self.started and not self._disconnected:
                self._connection.write(refusal(OAuthRouterError("the gateway failed; its log says why")))
            self.closes = True
        # Each holds the other until here; left so, both would wait for the cycle collector, with the body and all that was made of it.
        self._scope = {}
        self._connection.finished(self)

    # ------------------------------------------------------------------ from the client

    def receive_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)
        if len(self._body) > 1 and sum(map(len, self._body)) > MAX_BUFFERED_BODY:
            self._body = [b"".join(self._body)]
            self._connection.transport.pause_reading()
        if self._waiter is not None:
            self._wake()

    def complete(self) -> None:
        """The body is here."""
        self._complete = True
        if self._waiter is not None:
            self._wake()

    def disconnect(self) -> None:
        """The client has left."""
        self._disconnected = True
        self._wake()
        if self._watched:
            self._leave()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def receive(self) -> Message:
        """The next of ASGI's messages; after the whole answer there is none but that the client has left."""
        if self._continue and not self._complete and not self.started:
            self._continue = False
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not (self._body or self._complete or self._disconnected or self._done):
            await self._wait()
        if (self._body or self._complete) and not (self._told or self._done):
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

    # ------------------------------------------------------------------ to the client, by ASGI's messages

    async def take(self, message: Message) -> None:
        """Send one of them."""
        kind, wait = message["type"], None
        if self._disconnected or self._done:
            return
        if kind == "http.response.start":
            self._connection.write(self._written_head(message["status"], *written(list(message.get("headers", ())))))
        elif kind == "http.response.body":
            if not self.started:
                raise RuntimeError("a body before its head")
            body = bytes(message.get("body", b""))
            wait = self.send(body) if body else None
            if not message.get("more_body", False):
                wait = self.end()
        if wait is not None:
            await wait()

    # ------------------------------------------------------------------ the same without: ``Client``

    def head_of(self, scope: Scope) -> Head:
        """The request's head."""
        # Whoever serves a request in another's name puts other fields into its scope.
        return self._head if scope is self._scope else Head(scope["headers"])

    def admitted(self) -> None:
        """The client has shown a token."""
        self._connection.known = True

    def body(self) -> bytes | None:
        """The whole body, as it was sent; ``None`` where it is not all here yet and has to be received."""
        if not self._complete or self._told:
            return None
        self._told = True
        body, self._body = self._body, []
        return body[0] if len(body) == 1 else b"".join(body)

    def watch(self) -> None:
        """From now on, the present task is cancelled when the client leaves."""
        self._watched = True
        if self._disconnected:
            self._leave()

    def unwatch(self) -> None:
        """No longer."""
        self._watched = False

    def _leave(self) -> None:
        self._watched = False
        self._left = True
        if self._connection.task is not None:
            self._connection.task.cancel()

    def has_left(self) -> bool:
        """Whether it is that what cancelled the task; the cancellation is taken back then."""
        if self._left and self._connection.task is not None:
            self._connection.task.uncancel()
        return self._left

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Wait | None:
        """A whole answer, in one piece: each system call is dearer than all that is done for the answer here."""
        if self._disconnected or self._done:
            return None
        head = self._written_head(status, b"\r\ncontent-length: %d%b" % (len(body), lines_of(headers)))
        self._done = True
        return self._connection.write(head if self._mute else head + body)

    def begin(self, status: int, headers: Mapping[str, str], data: bytes) -> Wait | None:
        """The head of an answer of unknown length, and its first piece."""
        if self._disconnected or self._done:
            return None
        head = self._written_head(status, lines_of(headers), sized=False)
        return self._connection.write(head if self._mute else head + self._framed(data))

    def send(self, data: bytes) -> Wait | None:
        """The next piece of it, which is not empty."""
        if self._disconnected or self._done or self._mute:
            return None
        # ``write`` without the call: this is for each token.
        connection = self._connection
        transport = connection.transport
        if not transport.is_closing():
            transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        return connection.drained if connection.held_up is not None else None

    def end(self) -> Wait | None:
        """That was all of it."""
        if not self.started:
            raise RuntimeError("the end of an answer that has not begun")
        if self._disconnected or self._done:
            return None
        self._done = True
        self._wake()
        return self._connection.write(b"0\r\n\r\n") if self._chunked and not self._mute else None

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data

    def _written_head(self, status: int, fields: bytes, sized: bool = True, leaves: bool = False) -> bytes:
        """The head of an answer, which is taken to be written.

        :param fields: each after a line break
        :param sized: they tell the body's length
        :param leaves: they say that the connection ends
        """
        scope, owner = self._scope, self._connection.owner
        if status in _WITHOUT_BODY:
            self._mute = True
        framing = b""
        if not sized and not self._mute:
            self._chunked = scope["http_version"] == "1.1"
            framing = b"\r\ntransfer-encoding: chunked" if self._chunked else b""
            leaves = leaves or not self._chunked
        # An answer before the request is all here: what the client still sends is not read.
        if leaves or self.closes or not self._complete or owner.draining:
            self.closes = True
            framing += b"\r\nconnection: close"
        elif scope["http_version"] == "1.0":
            framing += b"\r\nconnection: keep-alive"
        self.started = True
        return b"HTTP/1.1 %d %b%b\r\ndate: %b%b\r\n\r\n" % (status, REASONS.get(status, b""), fields, owner.date(), framing)

"""The client of one request, as the model routes speak with it: directly where the server is ours, through ASGI's messages elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from functools import partial
from typing import Protocol

from openclaw_oauthrouter.canonical.flow import Wait
from openclaw_oauthrouter.proxy.asgi import CLIENT, Message, Receive, Scope, Send, admitted
from openclaw_oauthrouter.proxy.envelopes import encode_headers
from openclaw_oauthrouter.proxy.request_heads import Head


class Client(Protocol):
    """Who sent a request and gets its answer. What sends returns what has to be waited for before more is sent, or ``None``."""

    def head_of(self, scope: Scope) -> Head:
        """The request's head."""

    def admitted(self) -> None:
        """The client has shown a token."""

    def body(self) -> bytes | None:
        """The whole body, as it was sent; ``None`` where it is not all here yet and has to be received."""

    def receive(self) -> Awaitable[Message]:
        """The next of ASGI's messages."""

    def watch(self) -> None:
        """From now on, the present task is cancelled when the client leaves."""

    def unwatch(self) -> None:
        """No longer."""

    def has_left(self) -> bool:
        """Whether it is that what cancelled the task; the cancellation is taken back then."""

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Wait | None:
        """A whole answer.

        :param headers: lower-case names, without ``content-length``
        """

    def begin(self, status: int, headers: Mapping[str, str], data: bytes) -> Wait | None:
        """The head of an answer of unknown length, and its first piece."""

    def send(self, data: bytes) -> Wait | None:
        """The next piece of it, which is not empty."""

    def end(self) -> Wait | None:
        """That was all of it."""


def client_of(scope: Scope, receive: Receive, send: Send) -> Client:
    """The client of a request; whatever stands between it and us (``send`` is not its own) is not passed by."""
    direct = scope.get("extensions", {}).get(CLIENT)
    client: Client = direct if direct is not None and send == direct.take else AsgiClient(scope, receive, send)
    return client


class AsgiClient:
    """Implements ``Client`` over ASGI's messages.

    :param scope: of the request; empty where nothing but an answer is asked of it
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._scope = scope
        self._send = send
        self._gone = False
        self._watching: asyncio.Task[None] | None = None

    def head_of(self, scope: Scope) -> Head:
        """The request's head."""
        return Head(scope["headers"])

    def admitted(self) -> None:
        """The client has shown a token."""
        admitted(self._scope)

    def body(self) -> bytes | None:
        """Has to be received."""
        return None

    def receive(self) -> Awaitable[Message]:
        """The next of ASGI's messages."""
        return self._receive()

    def watch(self) -> None:
        """From now on, the present task is cancelled when the client leaves."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - always within a task
        self._watching = asyncio.create_task(self._watch(task))

    async def _watch(self, task: asyncio.Task[None]) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        task.cancel()

    def unwatch(self) -> None:
        """No longer."""
        if self._watching is not None:
            self._watching.cancel()

    def has_left(self) -> bool:
        """Whether it is that what cancelled the task; the cancellation is taken back then."""
        task = asyncio.current_task()
        if self._gone and task is not None:
            task.uncancel()
        return self._gone

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> Wait | None:
        """A whole answer."""
        return partial(self._both, status, {**headers, "content-length": str(len(body))}, {"body": body})

    def begin(self, status: int, headers: Mapping[str, str], data: bytes) -> Wait | None:
        """The head of an answer of unknown length, and its first piece."""
        return partial(self._both, status, headers, {"body": data, "more_body": True})

    async def _both(self, status: int, headers: Mapping[str, str], body: Message) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": encode_headers(headers)})
        await self._send({"type": "http.response.body", **body})

    def send(self, data: bytes) -> Wait | None:
        """The next piece of it."""
        return partial(self._send, {"type": "http.response.body", "body": data, "more_body": True})

    def end(self) -> Wait | None:
        """That was all of it."""
        return partial(self._send, {"type": "http.response.body", "body": b"", "more_body": False})

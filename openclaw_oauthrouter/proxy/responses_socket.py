"""The Responses API over a WebSocket: several responses one after the other on one connection, each through the same pipeline as over HTTP.

Sources: ``responses_client_event`` of openai 3.54 and the client's side in Codex CLI (``codex-api/src/endpoint/responses_websocket.rs``): a
text message is one JSON object, ``response.create`` holds a request's body, answers are the events that a stream would have; what a request
is refused with comes as ``{"type": "error", "status": …, "error": {…}, "headers": {…}}``.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.client_paths import MatchedPath
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import InvalidRequestError, OAuthRouterError, UpgradeRequiredError
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.proxy.asgi import Message, Receive, Scope, Send, headers_of
from openclaw_oauthrouter.proxy.envelopes import encoded_error
from openclaw_oauthrouter.proxy.live import Live
from openclaw_oauthrouter.proxy.model_routes import CLIENT_GONE
from openclaw_oauthrouter.runtime import new_id
from openclaw_oauthrouter.wire.sse import ServerSentEventDecoder

PATH = "/v1/responses"
"""The only path that is served over WebSockets."""

MOST_WAITING = 16
"""Messages that may wait for their turn; one who sends more is disconnected."""

MOST_WAITING_BYTES = 32 << 20
"""Of them, where more than one waits."""

MOST_REMEMBERED = 32
"""Responses of one connection that ``previous_response_id`` finds, the most recent ones."""

MOST_REMEMBERED_BYTES = 16 << 20
"""Of their conversations as JSON; the latest is always found."""

_SCHEMES = {"ws": "http", "wss": "https"}
_REFUSED_BY_US = 1008
_TOO_MUCH = 1009
_NOT_FORWARDED = ("content-type", "content-length", "date", "server")
_GOODBYE_SECONDS = 5.0
_NOTHING_TO_DO = frozenset({"response.processed"})
_ENDS = (b'"response.completed"', b'"response.incomplete"')


async def serve_socket(live: Live, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one client that asks for a WebSocket: behind the same gate as every request, and only where there is something to say.

    A stranger gets an answer and leaves no trace.
    """
    headers = headers_of(scope["headers"])
    await receive()  # the client's wish to connect
    async with live.lease() as served:
        found = served.paths.find(scope["path"])
        dialect = found[0] if found is not None else None
        try:
            served.gate.check_source(headers, _SCHEMES.get(scope.get("scheme", "ws"), "http"))
            client = served.gate.identify(headers)
            if scope["path"] != PATH or dialect is None:
                raise UpgradeRequiredError(
                    f"{scope['path']} is not served over a WebSocket; send the request over HTTP. {PATH} is"
                )
        except OAuthRouterError as error:
            await _refuse(scope, send, error, dialect)
            return
    await send({"type": "websocket.accept", "headers": []})
    await _Conversation(live, client, headers, receive, send).run()


async def _refuse(scope: Scope, send: Send, error: OAuthRouterError, dialect: Dialect | None) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": _REFUSED_BY_US})
        return
    status, body, advice = encoded_error(error, dialect, new_id())
    upgrade = [(b"upgrade", b"http/1.1")] if isinstance(error, UpgradeRequiredError) else []
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *upgrade, *advice]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


class _Conversation:
    """One connection that was let in.

    Of each response it keeps the whole conversation up to and including that response, as input items, and their size.
    """

    def __init__(self, live: Live, client: str, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        self._live = live
        self._client = client
        self._headers = headers
        self._receive = receive
        self._send = send
        self._waiting: asyncio.Queue[tuple[JsonObject, int] | None] = asyncio.Queue()
        self._waiting_bytes = 0
        self._over = False
        self._running: asyncio.Task[None] | None = None
        self._items: OrderedDict[str, tuple[list[JsonObject], int]] = OrderedDict()
        self._items_bytes = 0

    async def run(self) -> None:
        """Answer until the client leaves."""
        reader = asyncio.create_task(self._read())
        try:
            while (waited := await self._waiting.get()) is not None and not self._over:
                event, size = waited
                self._waiting_bytes -= size
                await self._handle(event)
            if self._over:
                await asyncio.wait((reader,), timeout=_GOODBYE_SECONDS)
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    async def _read(self) -> None:
        """Take messages while an answer is being written: one of them may end it."""
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                if self._over:
                    continue  # what was sent before the client knew; unread, it would keep the connection from closing
                event = _parsed(message)
                if event is None:
                    await self._say(_fault(InvalidRequestError("a message must be a JSON object, sent as text")))
                elif event.get("type") == "response.cancel":
                    self._stop()
                elif self._is_too_much(size := len(message.get("text") or message.get("bytes") or b"")):
                    self._over = True
                    await self._send({"type": "websocket.close", "code": _TOO_MUCH})
                    self._stop()
                else:
                    self._waiting_bytes += size
                    self._waiting.put_nowait((event, size))
        finally:
            self._over = True
            self._stop()
            self._waiting.put_nowait(None)

    def _is_too_much(self, size: int) -> bool:
        """Whether another message of so many bytes may not wait."""
        waiting = self._waiting.qsize()
        return waiting >= MOST_WAITING or (waiting > 0 and self._waiting_bytes + size > MOST_WAITING_BYTES)

    def _stop(self) -> None:
        if self._running is not None:
            self._running.cancel()

    async def _handle(self, event: JsonObject) -> None:
        kind = event.get("type")
        if kind in _NOTHING_TO_DO:
            return
        if kind != "response.create":
            await self._say(_fault(InvalidRequestError(f"messages of type {str(kind)[:64]!r} are not known", param="type")))
            return
        try:
            await self._create(event)
        except OAuthRouterError as error:
            await self._say(_fault(error))

    async def _create(self, event: JsonObject) -> None:
        body = {name: value for name, value in event.items() if name not in ("type", "generate", "background")}
        # Some clients nest the body, as they know it from another API's WebSocket.
        body = {**body.pop("response"), **body} if isinstance(body.get("response"), dict) else body
        items = self._whole_input(body)
        if event.get("generate") is False:
            await self._warm_up(body, items)
            return
        frames = _Frames(self._say)
        self._running = asyncio.create_task(self._answer({**body, "stream": True}, frames))
        try:
            await self._running
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            await self._say({"type": "response.cancelled", "response": {**frames.begun, "status": "cancelled"}})
        finally:
            self._running = None
        self._remember(frames.ended, items)

    def _whole_input(self, body: JsonObject) -> list[JsonObject]:
        """Put what came before into the body, where this connection knows it; what it does not may have been kept for longer."""
        given = body.get("input")
        own = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else list(given or [])
        earlier = self._items.get(str(body.get("previous_response_id")))
        if earlier is None:
            return own
        del body["previous_response_id"]
        items = [*earlier[0], *own]
        body["input"] = items
        return items

    def _remember(self, response: JsonObject, items: list[JsonObject]) -> None:
        id_, output = response.get("id"), response.get("output")
        if isinstance(id_, str) and isinstance(output, list):
            whole = [*items, *output]
            size = len(orjson.dumps(whole))
            self._forget(id_)
            self._items[id_] = whole, size
            self._items_bytes += size
            while len(self._items) > MOST_REMEMBERED or (self._items_bytes > MOST_REMEMBERED_BYTES and len(self._items) > 1):
                self._forget(next(iter(self._items)))

    def _forget(self, id_: str) -> None:
        self._items_bytes -= self._items.pop(id_, ([], 0))[1]

    async def _warm_up(self, body: JsonObject, items: list[JsonObject]) -> None:
        """Codex CLI opens a connection before it has anything to ask: a response without an answer, to go on from."""
        usage = {"input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 0}
        usage |= {"output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0}
        response: JsonObject = {"id": f"resp_{new_id()}", "object": "response", "model": body.get("model"), "output": []}
        begun = {**response, "status": "in_progress"}
        await self._say({"type": "response.created", "sequence_number": 0, "response": begun})
        ended = {**response, "status": "completed", "usage": usage}
        await self._say({"type": "response.completed", "sequence_number": 1, "response": ended})
        self._remember(ended, items)

    async def _answer(self, body: JsonObject, frames: _Frames) -> None:
        async with self._live.lease() as served:
            record = served.routes.new_record(PATH, "GET", self._headers, self._client)
            with served.routes.recorder.request(record):
                path = MatchedPath(PATH)
                found = served.paths.find(PATH)
                assert found is not None  # noqa: S101 - it was there when the connection was let in, and the built-in dialects stay
                try:
                    await served.routes.answer(found[0], path, orjson.dumps(body), self._headers, record, frames.send)
                except asyncio.CancelledError:
                    record.status = CLIENT_GONE
                    raise

    async def _say(self, event: JsonObject | bytes) -> None:
        if self._over:
            return
        text = event if isinstance(event, bytes) else orjson.dumps(event)
        with suppress(ConnectionError):
            await self._send({"type": "websocket.send", "text": text.decode()})


class _Frames:
    """Turns the messages of an HTTP answer into those of a WebSocket.

    :ivar begun: the ``response`` object as it was at the beginning
    :ivar ended: as it was at the end; empty where it did not come to one
    """

    def __init__(self, say: Callable[[JsonObject | bytes], Awaitable[None]]) -> None:
        self.begun: JsonObject = {}
        self.ended: JsonObject = {}
        self._say = say
        self._status = 0
        self._headers: dict[str, str] = {}
        self._events = ServerSentEventDecoder()
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        """Take one ASGI message of an answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            limits = _rate_limits(self._headers)
            if self._status == 200 and limits:
                await self._say(limits)
            return
        body = message.get("body", b"")
        if self._status == 200:
            for event in self._events.feed(body)[1]:
                await self._forward(event.data)
            return
        self._body += body
        if not message.get("more_body"):
            await self._say(_refusal(self._status, bytes(self._body), self._headers))

    async def _forward(self, data: bytes) -> None:
        if not self.begun or any(end in data for end in _ENDS):
            event = orjson.loads(data)
            response = event.get("response")
            if isinstance(response, dict):
                self.begun = self.begun or response
                if event.get("type") in ("response.completed", "response.incomplete"):
                    self.ended = response
        await self._say(data)


def _parsed(message: Message) -> JsonObject | None:
    try:
        event = orjson.loads(message.get("text") or message.get("bytes") or b"")
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _fault(error: OAuthRouterError) -> JsonObject:
    status, body, advice = encoded_error(error, None, "")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in advice}
    return _refusal(status, body, headers)


def _refusal(status: int, body: bytes, headers: Mapping[str, str]) -> JsonObject:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = {}
    error: Any = said.get("error") if isinstance(said, dict) else None
    error = error if isinstance(error, dict) else {"message": body.decode("utf-8", "replace")}
    flat = {"code": error.get("code"), "message": error.get("message"), "param": error.get("param"), "sequence_number": 0}
    told = {name: value for name, value in headers.items() if name not in _NOT_FORWARDED}
    return {"type": "error", "status": status, "error": error, "headers": told, **flat}


def _rate_limits(headers: Mapping[str, str]) -> JsonObject | None:
    """The plan's meters, which over HTTP stand in the answer's head, as the event by which Codex CLI reads them here."""
    windows = {name: window for name in ("primary", "secondary") if (window := _window(headers, name)) is not None}
    return {"type": "codex.rate_limits", "rate_limits": windows} if windows else None


def _window(headers: Mapping[str, str], name: str) -> JsonObject | None:
    figures = {
        "used_percent": (f"x-codex-{name}-used-percent", float),
        "window_minutes": (f"x-codex-{name}-window-minutes", int),
        "reset_at": (f"x-codex-{name}-reset-at", int),
    }
    window: JsonObject = {}
    for field, (header, read) in figures.items():
        with suppress(ValueError):
            window |= {field: read(headers[header])} if header in headers else {}
    return window if "used_percent" in window else None

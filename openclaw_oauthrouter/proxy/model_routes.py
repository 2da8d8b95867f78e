"""The paths on which dialects answer, served in front of Quart: on this path every microsecond is paid per request and per token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from types import TracebackType

from openclaw_oauthrouter.canonical.client_paths import MatchedPath
from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.flow import taken
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import GatewayStoppingError, MethodNotAllowedError, OAuthRouterError
from openclaw_oauthrouter.interfaces import Dialect, OpensWithFailure, Recorder, StreamEncoder
from openclaw_oauthrouter.pipeline import Exchange, Pipeline, note_error
from openclaw_oauthrouter.proxy.answer_headers import answer_headers, refusal_headers
from openclaw_oauthrouter.proxy.asgi import (
    ARRIVED,
    AT_ONCE,
    ON_DISCONNECT,
    STOPPING,
    ClientGone,
    Receive,
    Scope,
    Send,
    SendNow,
    admitted,
    headers_of,
    read_body,
    waiting,
)
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.proxy.client_stream import ClientStream
from openclaw_oauthrouter.proxy.envelopes import encode_headers, send_error, send_json
from openclaw_oauthrouter.proxy.gate import Gate

CLIENT_GONE = 499
"""The status a trace shows when the client hung up first."""

_log = logging.getLogger(__name__)


@value(frozen=True, slots=True)
class Limits:
    """What one request may take."""

    body_bytes: int
    body_seconds: float
    keep_alive_seconds: float
    response_headers: bool


@value(frozen=True, slots=True)
class ModelRoutes:
    """Raw ASGI: Hypercorn does not cancel the application when a client leaves, so ``receive`` is watched all the time."""

    pipeline: Pipeline
    recorder: Recorder
    gate: Gate
    paths: ClientPaths
    limits: Limits
    clock: Clock
    new_id: NewId

    async def __call__(self, scope: Scope, receive: Receive, send: Send, dialect: Dialect, path: MatchedPath) -> None:
        """Serve one request.

        :param dialect: who answers on its path
        """
        headers = headers_of(scope)
        record = self.new_record(scope["path"], scope["method"], headers)
        try:
            self.gate.check_source(headers, scope.get("scheme", "http"))
            record.client = self.gate.identify(headers)
            admitted(scope)
        except OAuthRouterError as error:
            # Strangers leave no trace: they could fill the log.
            await send_error(send, error, dialect, record.request_id, encode_headers({"x-request-id": record.request_id}))
            return
        async with self.recorder.request(record):
            await self._admitted(scope, headers, record, dialect, path, receive, send)

    def new_record(self, path: str, method: str, headers: Mapping[str, str], client: str | None = None) -> RequestRecord:
        """The record of a request that has just come."""
        agent, parent = headers.get("user-agent"), headers.get("traceparent")
        return RequestRecord(self.new_id(), self.clock(), path, method, client=client, user_agent=agent, traceparent=parent)

    async def answer(
        self, dialect: Dialect, path: MatchedPath, body: bytes, headers: Mapping[str, str], record: RequestRecord, send: Send
    ) -> None:
        """Answer a request that did not come over HTTP, by the messages that one over HTTP would be answered with; cancel it to end it.

        :param headers: of the client, lower-case names
        """
        try:
            with _NO_SURPRISES:
                await self._serve(dialect, path, body, headers, record, send, waiting(send))
        except OAuthRouterError as error:
            await self._refused(dialect, error, record, send)

    async def _refused(self, dialect: Dialect, error: OAuthRouterError, record: RequestRecord, send: Send) -> None:
        note_error(record, error)
        record.status = error.status_code
        extra = encode_headers(answer_headers(record, self.limits.response_headers, refusal_headers(error)))
        with suppress(ConnectionError):
            await send_error(send, error, dialect, record.request_id, extra)

    async def _admitted(
        self,
        scope: Scope,
        headers: Mapping[str, str],
        record: RequestRecord,
        dialect: Dialect,
        path: MatchedPath,
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowedError(f"{scope['path']} takes POST, not {scope['method']}")
            told = scope.get("extensions", {}).get(ARRIVED)
            arrived = told is not None and told()
            body = await read_body(receive, headers, self.limits.body_bytes, self.limits.body_seconds, arrived=arrived)
            with _NO_SURPRISES:
                at_once = scope.get("extensions", {}).get(AT_ONCE) or waiting(send)
                await _until_gone(scope, receive, lambda: self._serve(dialect, path, body, headers, record, send, at_once))
        except ClientGone:
            # Some hang up at the last event; who has all of the answer has not left too early.
            if record.status is None or record.finish_reason is None:
                record.status = CLIENT_GONE
        except OAuthRouterError as error:
            await self._refused(dialect, error, record, send)

    async def _serve(
        self,
        dialect: Dialect,
        path: MatchedPath,
        body: bytes,
        headers: Mapping[str, str],
        record: RequestRecord,
        send: Send,
        at_once: SendNow,
    ) -> None:
        exchange = await self.pipeline.receive(dialect, path, body, self.paths.forwarded(headers), record.client, record)
        if exchange.request.stream:
            await self._stream(exchange, record, at_once)
        else:
            await self._whole(exchange, record, send)

    async def _whole(self, exchange: Exchange, record: RequestRecord, send: Send) -> None:
        reply = await exchange.open()
        try:
            body = await reply.whole()
        finally:
            await reply.aclose()
        record.status = 200
        await send_json(send, 200, body, encode_headers(answer_headers(record, self.limits.response_headers, reply.headers)))

    async def _stream(self, exchange: Exchange, record: RequestRecord, send: SendNow) -> None:
        upstream_headers: Mapping[str, str] = {}

        def head() -> list[tuple[bytes, bytes]]:
            record.status = 200
            return encode_headers(answer_headers(record, self.limits.response_headers, upstream_headers))

        async with ClientStream(send, exchange.waiting_encoder(), head, self.limits.keep_alive_seconds) as client:
            try:
                with _NO_SURPRISES:
                    reply = await exchange.open()
                    client.encoder, upstream_headers = reply.encoder, reply.headers
                    try:
                        await reply.deliver(client.write)
                    finally:
                        await reply.aclose()
            except OAuthRouterError as error:
                failure = client.encoder.fail(error) if client.started else _opening(client.encoder, error)
                if not failure and not client.started:
                    raise
                upstream_headers = upstream_headers or refusal_headers(error)
                note_error(record, error)
                await taken(client.write(failure))
            await client.end()


def _opening(encoder: StreamEncoder, error: OAuthRouterError) -> bytes:
    return encoder.open_with_failure(error) if isinstance(encoder, OpensWithFailure) else b""


class _NoSurprises:
    """Whatever is wrong with the gateway itself, a client gets an error in its dialect.

    :raises OAuthRouterError: instead of anything unforeseen
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or isinstance(error, (OAuthRouterError, ClientGone, ConnectionError)):
            return
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is not None and error.args[:1] == (STOPPING,):
                task.uncancel()
                raise GatewayStoppingError("the gateway is shutting down; send the request again") from None
        elif isinstance(error, Exception):
            _log.error("a request met a fault of the gateway", exc_info=error)
            raise OAuthRouterError("the gateway failed; its log says why") from error


_NO_SURPRISES = _NoSurprises()


async def _until_gone(scope: Scope, receive: Receive, serve: Callable[[], Awaitable[None]]) -> None:
    """Run ``serve`` until it is done or the client hangs up, whichever is first.

    :raises ClientGone: the client hung up; everything ``serve`` held is closed
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - always within a task
    gone = False

    def leave() -> None:
        nonlocal gone
        gone = True
        task.cancel()

    stop_watching = _watch(scope, receive, leave)
    try:
        await serve()
    except asyncio.CancelledError:
        if not gone:
            raise
        task.uncancel()
        raise ClientGone from None
    finally:
        stop_watching()


def _watch(scope: Scope, receive: Receive, leave: Callable[[], None]) -> Callable[[], object]:
    """Call ``leave`` when the client hangs up; returns what ends the watch."""
    on_disconnect = scope.get("extensions", {}).get(ON_DISCONNECT)
    if on_disconnect is not None:
        on_disconnect(leave)
        return partial(on_disconnect, None)

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        leave()

    return asyncio.create_task(watch()).cancel

"""The paths on which dialects answer, served in front of Quart: on this path every microsecond is paid per request and per token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from openclaw_oauthrouter.canonical.client_paths import MatchedPath
from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.canonical.flow import taken
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import GatewayStoppingError, MethodNotAllowedError, OAuthRouterError
from openclaw_oauthrouter.interfaces import Dialect, OpensWithFailure, Recorder, StreamEncoder
from openclaw_oauthrouter.pipeline import Exchange, Pipeline, note_error
from openclaw_oauthrouter.proxy.answer_headers import answer_headers, refusal_headers
from openclaw_oauthrouter.proxy.asgi import STOPPING, ClientGone, Message, Receive, Scope, Send, read_body, too_large
from openclaw_oauthrouter.proxy.client import AsgiClient, Client, client_of
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.proxy.client_stream import ClientStream
from openclaw_oauthrouter.proxy.envelopes import encoded_error
from openclaw_oauthrouter.proxy.gate import Gate
from openclaw_oauthrouter.proxy.request_heads import Head

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
    """Raw ASGI: Hypercorn does not cancel the application when a client leaves, so clients are watched all the time."""

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
        client = client_of(scope, receive, send)
        head = client.head_of(scope)
        record = self.new_record(scope["path"], scope["method"], head.named)
        try:
            if head.gate is not self.gate:
                self._let_in(head, scope.get("scheme", "http"))
            record.client = head.client
            client.admitted()
        except OAuthRouterError as error:
            # Strangers leave no trace: they could fill the log.
            await self._say_error(client, error, dialect, record, {"x-request-id": record.request_id})
            return
        with self.recorder.request(record):
            await self._admitted(scope, head, record, dialect, path, client)

    def _let_in(self, head: Head, scheme: str) -> None:
        """Ask the gate, once for all requests that come with the same head over one connection.

        :raises OAuthRouterError: it refuses
        """
        self.gate.check_source(head.named, scheme)
        head.client = self.gate.identify(head.named)
        head.forwarded = MappingProxyType(self.paths.forwarded(head.named))
        head.gate = self.gate

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
        client = AsgiClient({}, _nothing, send)
        try:
            await self._serve(dialect, path, body, self.paths.forwarded(headers), record, client)
        except OAuthRouterError as error:
            await self._refused(dialect, error, record, client)

    async def _refused(self, dialect: Dialect, error: OAuthRouterError, record: RequestRecord, client: Client) -> None:
        note_error(record, error)
        record.status = error.status_code
        headers = answer_headers(record, self.limits.response_headers, refusal_headers(error))
        with suppress(ConnectionError):
            await self._say_error(client, error, dialect, record, headers)

    async def _say_error(
        self, client: Client, error: OAuthRouterError, dialect: Dialect, record: RequestRecord, headers: Mapping[str, str]
    ) -> None:
        """Answer with an error; a provider's own words reach a client that speaks its dialect as they are."""
        status, body, advice = encoded_error(error, dialect, record.request_id)
        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in advice}
        await taken(client.answer(status, {"content-type": "application/json", **told, **headers}, body))

    async def _admitted(
        self, scope: Scope, head: Head, record: RequestRecord, dialect: Dialect, path: MatchedPath, client: Client
    ) -> None:
        limits, coding = self.limits, head.named.get("content-encoding", "")
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowedError(f"{scope['path']} takes POST, not {scope['method']}")
            body = client.body()
            if body is None or coding:
                body = await read_body(client.receive, scope["headers"], coding, limits.body_bytes, limits.body_seconds, body)
            elif len(body) > limits.body_bytes:
                raise too_large(limits.body_bytes)
            client.watch()
            try:
                await self._serve(dialect, path, body, head.forwarded, record, client)
            except asyncio.CancelledError:
                if client.has_left():
                    raise ClientGone from None
                raise
            finally:
                client.unwatch()
        except ClientGone:
            # Some hang up at the last event; who has all of the answer has not left too early.
            if record.status is None or record.finish_reason is None:
                record.status = CLIENT_GONE
        except OAuthRouterError as error:
            await self._refused(dialect, error, record, client)

    async def _serve(
        self, dialect: Dialect, path: MatchedPath, body: bytes, headers: Mapping[str, str], record: RequestRecord, client: Client
    ) -> None:
        try:
            exchange = await self.pipeline.receive(dialect, path, body, headers, record.client, record)
            if exchange.request.stream:
                await self._stream(exchange, record, client)
                return
            reply = await exchange.open()
            try:
                whole = await reply.whole()
            finally:
                await reply.aclose()
            record.status = 200
            told = answer_headers(record, self.limits.response_headers, reply.headers, "application/json")
            wait = client.answer(200, told, whole)
            if wait is not None:
                await wait()
        except BaseException as caught:
            error = _told_of(caught)
            if error is None or error is caught:
                raise
            raise error from caught

    async def _stream(self, exchange: Exchange, record: RequestRecord, client: Client) -> None:
        upstream_headers: Mapping[str, str] = {}

        def head() -> Mapping[str, str]:
            record.status = 200
            return answer_headers(record, self.limits.response_headers, upstream_headers)

        async with ClientStream(client, exchange.waiting_encoder(), head, self.limits.keep_alive_seconds) as stream:
            try:
                reply = await exchange.open()
                try:
                    stream.encoder, upstream_headers = reply.encoder, reply.headers
                    await reply.deliver(stream.write)
                finally:
                    await reply.aclose()
            except BaseException as caught:
                error = _told_of(caught)
                if error is None:
                    raise
                failure = stream.encoder.fail(error) if stream.started else _opening(stream.encoder, error)
                if not failure and not stream.started:
                    raise error from None
                upstream_headers = upstream_headers or refusal_headers(error)
                note_error(record, error)
                await taken(stream.write(failure))
            await stream.end()


def _opening(encoder: StreamEncoder, error: OAuthRouterError) -> bytes:
    return encoder.open_with_failure(error) if isinstance(encoder, OpensWithFailure) else b""


def _told_of(caught: BaseException) -> OAuthRouterError | None:
    """What a client is told: whatever is wrong with the gateway itself, it gets an error in its dialect.

    :returns: ``None`` where there is nobody to be told
    """
    if isinstance(caught, OAuthRouterError):
        return caught
    if isinstance(caught, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is not None and caught.args[:1] == (STOPPING,):
            task.uncancel()
            return GatewayStoppingError("the gateway is shutting down; send the request again")
    elif isinstance(caught, Exception) and not isinstance(caught, (ClientGone, ConnectionError)):
        _log.error("a request met a fault of the gateway", exc_info=caught)
        return OAuthRouterError("the gateway failed; its log says why")
    return None


async def _nothing() -> Message:
    """Who is answered over something else than HTTP says nothing more here."""
    return {"type": "http.disconnect"}

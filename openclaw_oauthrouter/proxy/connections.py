"""Bounds on connections that Hypercorn does not set: their number, how long a head may take, and how long a client may refuse to read."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import orjson
from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.typing import AppWrapper, ConnectionState

from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.errors import OAuthRouterError, RequestTimeoutError
from openclaw_oauthrouter.proxy.envelopes import error_headers, openai_envelope

_LINGER_SECONDS = 1.0


class Connections:
    """All clients of one listening socket.

    :ivar open: how many there are
    """

    def __init__(self, application: AppWrapper, config: Config, settings: ServerSettings) -> None:
        self._application = application
        self._config = config
        self._settings = settings
        self._context = WorkerContext(None)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def open(self) -> int:
        return len(self._tasks)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a new client to its end, or turn it away if there are too many."""
        if self.open >= self._settings.max_connections:
            await _turn_away(reader, writer)
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - start_server makes one
        self._tasks.add(task)
        try:
            await _Connection(self._application, self._config, self._context, self._settings, reader, writer).run()
        finally:
            self._tasks.discard(task)

    async def drain(self, seconds: float) -> None:
        """Close idle connections now and the others after their answer, but no later than ``seconds`` from now."""
        await self._context.terminated.set()
        if not self._tasks:
            return
        _, running = await asyncio.wait(self._tasks, timeout=seconds)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class _Connection(TCPServer):
    """One client; the clock for its next head starts with its first byte, and for the first head with the connection."""

    def __init__(
        self,
        application: AppWrapper,
        config: Config,
        context: WorkerContext,
        settings: ServerSettings,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(application, loop, config, context, ConnectionState({}), reader, writer)
        self._settings = settings
        self._between_requests = True
        self._clock: asyncio.TimerHandle | None = None
        self._unsent = bytearray()
        self._writing: asyncio.Handle | None = None

    async def run(self) -> None:
        self._start_clock()
        try:
            await super().run()
        finally:
            self._stop_clock()

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, Updated):
            self._between_requests = event.idle
            self._stop_clock()
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        # Head, body and end come as three events: written apart they are three system calls, the dearest part of a small request.
        self._unsent += event.data
        if self._writing is None:
            self._writing = self.loop.call_soon(self._write)
        if self.writer.transport.get_write_buffer_size():
            await self._drain()

    def _write(self) -> None:
        self._writing = None
        data, self._unsent = self._unsent, bytearray()
        if data and not self.writer.transport.is_closing():
            self.writer.write(data)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._settings.write_seconds):
                await self.writer.drain()
        except (TimeoutError, ConnectionError, RuntimeError):
            self.writer.transport.abort()  # whoever takes nothing keeps an upstream busy; this looks like a client that hung up

    async def _close(self) -> None:
        self._write()
        await super()._close()

    async def _read_data(self) -> None:
        while not self.reader.at_eof():
            try:
                data = await self.reader.read(MAX_RECV)
            except OSError:
                break
            if data and self._between_requests:
                self._start_clock()
            await self.protocol.handle(RawData(data))
        await self.protocol.handle(Closed())
        # Hypercorn would hold the socket of a client that has left until the pause between two requests is over.
        await self.idle_task.stop()

    def _start_clock(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(self._settings.header_seconds, self._too_slow)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        message = "the request's head did not arrive in time (server.header_seconds)"
        self.writer.write(_refusal(RequestTimeoutError(message, retry_after=1.0)))
        self.writer.close()


async def _turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        writer.write(_refusal(_too_many()))
        writer.write_eof()
        # Closing with unread bytes would reset the connection and take the refusal along.
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(MAX_RECV):
                pass
    except (OSError, TimeoutError):
        return
    finally:
        writer.close()


def _refusal(error: OAuthRouterError) -> bytes:
    """A whole answer to a client whose request Hypercorn has not read."""
    body = orjson.dumps(openai_envelope(error))
    status = HTTPStatus(error.status_code)
    head = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *error_headers(error),
    ]
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode(), *(b"%b: %b" % field for field in head)]
    return b"\r\n".join((*lines, b"", body))


def _too_many() -> OAuthRouterError:
    error = OAuthRouterError("too many connections (server.max_connections)", code="too_many_connections", retry_after=1.0)
    error.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return error

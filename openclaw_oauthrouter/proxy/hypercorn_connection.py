"""Clients of HTTP/2 and WebSockets: Hypercorn speaks with them, within our bounds."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.ws_stream import WSStream
from hypercorn.typing import AppWrapper, ASGIFramework, ConnectionState
from hypercorn.utils import wrap_app
from wsproto.connection import Connection
from wsproto.events import CloseConnection

from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.errors import RequestTimeoutError
from openclaw_oauthrouter.proxy.socket_message import PingCount, SocketMessage
from openclaw_oauthrouter.proxy.written_heads import refusal

SLICE = 2048
"""Bytes of a WebSocket's that are read at once: hundreds of tiny frames, after which others have their turn."""

_TOO_MANY_PINGS = 1008

GOODBYE_SECONDS = 1.0
"""In which a client whose message was too much may learn why it is disconnected."""


class Hypercorn:
    """Serves connections that were begun elsewhere.

    :ivar context: told when the gateway stops
    """

    def __init__(self, application: ASGIFramework, settings: ServerSettings, idle_seconds: float) -> None:
        self.context = WorkerContext(None)
        self._settings = settings
        self._config = hypercorn_config(idle_seconds)
        self._config.websocket_max_message_size = settings.max_body_bytes
        self._application = wrap_app(application, self._config.wsgi_max_body_size, "asgi")

    def serve(self, transport: asyncio.Transport, data: bytes, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Speak with a client, who has sent ``data`` so far, to the end."""
        reader = asyncio.StreamReader(limit=MAX_RECV, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        reader.feed_data(data)
        served = HypercornConnection(self._application, self._config, self.context, self._settings, reader, writer)
        return loop.create_task(served.run())


def hypercorn_config(idle_seconds: float) -> Config:
    """Hypercorn's settings. Its own defaults (5 s keep-alive, 1000 requests a connection) are made for web pages."""
    config = Config()
    config.keep_alive_timeout = idle_seconds
    config.keep_alive_max_requests = 1_000_000
    config.h11_max_incomplete_size = 64 * 1024
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    return config


class HypercornConnection(TCPServer):
    """One client of HTTP/2 or a WebSocket; the clock for its next head starts with its first byte, and for the first with the connection."""

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

        async def asked(scope: Any, receive: Any, send: Any, *arguments: Any) -> None:
            self._has_asked = True
            self._stop_clock()
            stream = getattr(send, "__self__", None)
            if isinstance(stream, WSStream):
                self._is_socket = True
                stream.buffer = SocketMessage(config.websocket_max_message_size, self._refuse)
                self._count_pings(stream)
            await application(scope, receive, send, *arguments)

        super().__init__(cast("AppWrapper", asked), loop, config, context, ConnectionState({}), reader, writer)
        self._settings = settings
        self._between_requests = True
        self._has_asked = False
        self._is_socket = False
        self._refused = False
        self._saying: asyncio.Task[None] | None = None
        self._clock: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        self._start_clock()
        try:
            await super().run()
        finally:
            self._stop_clock()

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, Updated):
            self._between_requests = event.idle
            if self._has_asked:  # whoever says hello and nothing more is no client yet
                self._stop_clock()
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        if not self.writer.transport.is_closing():
            self.writer.write(event.data)
        if self.writer.transport.get_write_buffer_size():
            await self._drain()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._settings.write_seconds):
                await self.writer.drain()
        except (TimeoutError, ConnectionError, RuntimeError):
            self.writer.transport.abort()  # whoever takes nothing keeps an upstream busy; this looks like a client that hung up

    async def _read_data(self) -> None:
        while not self.reader.at_eof():
            try:
                data = await self.reader.read(MAX_RECV)
            except OSError:
                break
            if data and self._between_requests:
                self._start_clock()
            await self._take(data)
        await self.protocol.handle(Closed())
        # Hypercorn would hold the socket of a client that has left until the pause between two requests is over.
        await self.idle_task.stop()

    async def _take(self, data: bytes) -> None:
        if not self._is_socket:
            await self.protocol.handle(RawData(data))
            return
        for start in range(0, len(data), SLICE):
            if self._refused:
                return
            await self.protocol.handle(RawData(data[start : start + SLICE]))
            await asyncio.sleep(0)

    def _count_pings(self, stream: WSStream) -> None:
        accept = stream._accept
        goodbye = CloseConnection(code=_TOO_MANY_PINGS, reason="too many pings")

        def too_many() -> None:
            if not self._refused:
                self._refuse()
                self._saying = self.loop.create_task(stream._send_wsproto_event(goodbye))

        async def accepted(*arguments: Any) -> None:
            await accept(*arguments)
            stream.connection = cast("Connection", PingCount(stream.connection, self.loop.time, too_many))

        stream._accept = accepted  # type: ignore[method-assign, assignment]

    def _refuse(self) -> None:
        """A message was too much: what still comes is thrown away, and soon nothing can come any more."""
        if not self._refused:
            self._refused = True
            self.loop.call_later(GOODBYE_SECONDS, self._leave)

    def _leave(self) -> None:
        transport = self.writer.transport
        if transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()

    def _start_clock(self) -> None:
        if self._clock is None:
            self._clock = self.loop.call_later(self._settings.header_seconds, self._too_slow)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        message = "the request's head did not arrive in time (server.header_seconds)"
        self.writer.write(refusal(RequestTimeoutError(message, retry_after=1.0)))
        self.writer.close()

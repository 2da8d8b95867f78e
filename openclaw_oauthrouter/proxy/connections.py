"""All clients of one listening socket: their number, their bounds, and their end; Hypercorn serves those who speak HTTP/2 or WebSockets."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.typing import AppWrapper, ConnectionState
from hypercorn.utils import wrap_app

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.config.server import ServerSettings
from openclaw_oauthrouter.errors import RequestTimeoutError
from openclaw_oauthrouter.proxy.http1 import Application, Http1Connection, Times, refusal


class Connections:
    """Owner of every connection.

    :ivar draining: no connection outlives the answer it is giving
    """

    def __init__(self, application: Application, config: Config, settings: ServerSettings, clock: Clock) -> None:
        self.draining = False
        self._application = application
        self._config = config
        self._settings = settings
        self._clock = clock
        self._times = Times(settings.header_seconds, config.keep_alive_timeout, settings.write_seconds)
        self._open: set[Http1Connection] = set()
        self._context = WorkerContext(None)
        self._wrapped: AppWrapper = wrap_app(application, config.wsgi_max_body_size, "asgi")  # type: ignore[arg-type]
        self._tasks: set[asyncio.Task[Any]] = set()
        self._date = (0, b"")

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._open) + len(self._tasks)

    def protocol(self) -> Http1Connection:
        """What serves the next client."""
        return Http1Connection(self._application, self, self._times, asyncio.get_running_loop())

    def opened(self, connection: Http1Connection) -> bool:
        """Whether there is room for one more."""
        if self.open >= self._settings.max_connections:
            return False
        self._open.add(connection)
        return True

    def closed(self, connection: Http1Connection) -> None:
        """A client has gone."""
        self._open.discard(connection)

    def date(self) -> bytes:
        """The present time as HTTP writes it, made once a second."""
        now = int(self._clock())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True).encode())
        return self._date[1]

    def hand_over(self, connection: Http1Connection, data: bytes) -> None:
        """Let Hypercorn speak with a client, who has sent ``data`` so far."""
        loop = connection.loop
        reader = asyncio.StreamReader(limit=MAX_RECV, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        connection.transport.set_protocol(protocol)
        protocol.connection_made(connection.transport)
        writer = asyncio.StreamWriter(connection.transport, protocol, reader, loop)
        reader.feed_data(data)
        served = _HypercornConnection(self._wrapped, self._config, self._context, self._settings, reader, writer)
        task = loop.create_task(served.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Close idle connections now and the others after their answer, but no later than ``seconds`` from now."""
        self.draining = True
        await self._context.terminated.set()
        for connection in list(self._open):
            if connection.idle:
                connection.close()
        running = [*self._tasks, *(connection.task for connection in self._open if connection.task is not None)]
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for connection in list(self._open):
            connection.close()


class _HypercornConnection(TCPServer):
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
        super().__init__(application, loop, config, context, ConnectionState({}), reader, writer)
        self._settings = settings
        self._between_requests = True
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
        self.writer.write(refusal(RequestTimeoutError(message, retry_after=1.0)))
        self.writer.close()

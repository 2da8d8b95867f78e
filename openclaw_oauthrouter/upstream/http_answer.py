"""One HTTP/1.1 answer, from the bytes of its connection to httpx's stream; ``httptools`` parses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property

import httptools
import httpx

from openclaw_oauthrouter.canonical.flow import Take, Wait

MAX_HEAD_BYTES = 1 << 16
MAX_HEADERS = 256

MAX_WAITING_BYTES = 1 << 18
"""Of a body that nobody takes, before the provider is told to wait."""


class HttpAnswer(httpx.AsyncByteStream):
    """What one request is answered; never outlives it, so that no answer can reach another request.

    The parser calls ``on_…``, the connection ``feed`` and ``ended``, the reader the rest. Bytes that have come are handed over all at
    once: a burst of small chunks costs one step.

    :ivar head: done with the status once the headers are complete
    :ivar headers: as sent; complete when ``head`` is done
    :ivar loop: the event loop
    :ivar on_body: takes a piece of the body: it is kept, and ``feed`` sees what has come, which saves a call a token
    :param pause: asks the connection to stop reading, or to go on
    :param leave: gives the connection back; told whether another request may follow on it
    """

    def __init__(self, pause: Callable[[bool], None], leave: Callable[[bool], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self.head: asyncio.Future[int] = self.loop.create_future()
        self.headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self._parser = httptools.HttpResponseParser(self)
        # Servers at home end lines with a bare LF, and more. A request must not be read so; an answer can only harm itself.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._pause = pause
        self._leave: Callable[[bool], None] | None = leave
        self._head_bytes = 0
        self._without_body = 0
        self._waiting = 0
        self._paused = False
        self._complete = False
        self._reusable = False
        self._error: httpx.TransportError | None = None
        self._reader: asyncio.Future[None] | None = None
        self._take: Take[bytes] | None = None
        self._wait: Wait | None = None
        self._fault: Exception | None = None

    @property
    def began(self) -> bool:
        """Whether a byte of it has come."""
        return self._head_bytes > 0 or (self.head.done() and self.head.exception() is None)

    def give_up(self, error: httpx.TransportError) -> None:
        """Nobody waits for it any longer."""
        if not self._complete and self._error is None:
            self._fail(error)

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection."""
        if self._complete or self._error is not None:
            self._reusable = False  # nobody asked for more
            return
        known = len(self._pieces)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._not_http(type(error).__name__)
        if len(self._pieces) > known:
            self._without_body = 0
            if self._take is not None:
                self._hand_on(self._take)
            else:
                self._keep(len(data))
        elif not self.head.done():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._fail(httpx.RemoteProtocolError(f"the head of its answer is larger than {MAX_HEAD_BYTES} bytes"))
        else:
            # Trailers, and extensions of chunks: nobody reads them, but the parser gathers them.
            self._without_body += len(data)
            if self._without_body > MAX_HEAD_BYTES and not self._complete:
                self._fail(httpx.RemoteProtocolError(f"its answer goes on for {MAX_HEAD_BYTES} bytes without being one"))

    def ended(self, error: Exception | None) -> None:
        """The connection is gone."""
        self._reusable = False
        if self._complete or self._error is not None:
            return
        if not self.head.done():
            self._fail(httpx.RemoteProtocolError("it closed the connection without answering"))
        elif error is None and self._lasts_until_the_end():
            self._complete = True
            self._wake()
        else:
            self._fail(httpx.ReadError("it closed the connection in the middle of its answer"))

    def on_message_begin(self) -> None:
        """A message begins: the answer, a preliminary one before it, or one that nobody asked for, which stops the parser.

        :raises ValueError: nobody asked for it
        """
        if self._complete:
            raise ValueError("an answer after the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody reads."""
        if not self.head.done() and len(self.headers) < MAX_HEADERS:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is here; a preliminary one (100, 103) is not the answer."""
        status = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()
        elif not self.head.done():
            self.head.set_result(status)

    def on_message_complete(self) -> None:
        """The answer is complete, unless it was a preliminary one."""
        if self._parser.get_status_code() >= 200:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()
            self._wake()

    def __aiter__(self) -> HttpAnswer:
        return self

    async def __anext__(self) -> bytes:
        """All bytes of the body that have come since the last ones.

        :raises httpx.TransportError: the answer broke off
        """
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._complete:
                raise StopAsyncIteration
            self._reader = self.loop.create_future()
            await self._reader
        return self._taken()

    async def deliver(self, take: Take[bytes]) -> None:
        """Hand on the rest of the body: what comes while nothing has to be waited for, in the very step in which it comes.

        :raises httpx.TransportError: the answer broke off
        """
        while True:
            if self._fault is not None:
                raise self._fault
            wait, self._wait = self._wait, None
            if wait is None and self._pieces:
                wait = take(self._taken())
            if wait is not None:
                await wait()
            elif not self._pieces:
                if self._error is not None:
                    raise self._error
                if self._complete:
                    return
                self._take = take
                self._reader = self.loop.create_future()
                try:
                    await self._reader
                finally:
                    self._take = None

    def _hand_on(self, take: Take[bytes]) -> None:
        # Whoever takes what comes as it comes has left nothing behind, and the provider need not wait.
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        try:
            self._wait = take(data)
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
            self._fault = error
        else:
            if self._wait is None:
                return
        self._take = None
        self._wake()

    def _keep(self, size: int) -> None:
        """What has come waits for its reader.

        :param size: of the read that brought it
        """
        self._wake()
        self._waiting += size
        if self._waiting > MAX_WAITING_BYTES and not self._paused:
            self._paused = True
            self._pause(True)

    def _taken(self) -> bytes:
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        if self._paused:
            self._paused = False
            self._pause(False)
        return data

    async def aclose(self) -> None:
        """Give the connection back, or close it when the answer was not read to its end."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave(self._reusable and not self._paused)

    def _not_http(self, kind: str) -> None:
        if self._complete:
            self._reusable = False  # the answer is whole; what follows it is nobody's
        else:
            # Not the parser's words: they may quote the bytes that came.
            self._fail(httpx.RemoteProtocolError(f"its answer is not HTTP ({kind})"))

    def _fail(self, error: httpx.TransportError) -> None:
        self._error = error
        self._reusable = False
        if not self.head.done():
            self.head.set_exception(error)
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _lasts_until_the_end(self) -> bool:
        """Whether the body has no length, so that only the end of the connection ends it."""
        told = {name.lower(): value.lower() for name, value in self.headers}
        return b"content-length" not in told and b"chunked" not in told.get(b"transfer-encoding", b"")


class Answered(httpx.Response):
    """An answer whose head has come, at a tenth of the price: httpx's own looks for a body, a charset and a length in it.

    :ivar raw_headers: as sent
    """

    def __init__(self, status: int, answer: HttpAnswer, request: httpx.Request) -> None:
        self.status_code = status
        self.raw_headers = answer.headers
        self.stream = answer
        self._request = request
        self.extensions = {}
        self.history = []
        self.next_request = None
        self.is_closed = self.is_stream_consumed = False
        self.default_encoding = "utf-8"
        self._num_bytes_downloaded = 0

    @cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override] # httpx has a plain attribute
        """As httpx has them, for who asks."""
        return httpx.Headers(self.raw_headers)

"""One HTTP/1.1 answer, from the bytes of its connection to httpx's stream; ``httptools`` parses."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Protocol

import httptools
import httpx

from openclaw_oauthrouter.canonical.flow import Take, Wait

MAX_HEAD_BYTES = 1 << 16
MAX_HEADERS = 256

MAX_WAITING_BYTES = 1 << 18
"""Of a body that nobody takes, before the provider is told to wait."""


class AnswerParser:
    """Parses the answers that come over one connection, one after the other: a parser for each would cost more than the parsing.

    :ivar status: of the answer that is read; 0 until its headers are complete
    :ivar headers: as sent; complete when there is a status
    :ivar pieces: of the body, as they came; whoever reads them clears the list
    :ivar complete: nothing of the answer is left to come
    :ivar reusable: another answer may follow a complete one
    :ivar feed: takes bytes of the connection
    """

    __slots__ = ("_read", "complete", "feed", "headers", "on_body", "pieces", "reusable", "status")

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.on_body = self.pieces.append
        # Servers at home end lines with a bare LF, and more. A request must not be read so; an answer can only harm itself.
        self._read = httptools.HttpResponseParser(self)
        self._read.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self.feed = self._read.feed_data
        self.begin()

    def begin(self) -> None:
        """The next answer is another request's."""
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces.clear()
        self.status = 0
        self.complete = self.reusable = False

    def on_message_begin(self) -> None:
        """A message begins: the answer, a preliminary one before it, or one that nobody asked for, which stops the parser.

        :raises ValueError: nobody asked for it
        """
        if self.complete:
            raise ValueError("an answer after the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody reads."""
        if not self.status and len(self.headers) < MAX_HEADERS:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is here; a preliminary one (100, 103) is not the answer."""
        status = self._read.get_status_code()
        if status < 200:
            self.headers.clear()
        else:
            self.status = status

    def on_message_complete(self) -> None:
        """The answer is complete, unless it was a preliminary one."""
        if self.status:
            self.complete = True
            self.reusable = self._read.should_keep_alive()


class AnswerSource(Protocol):
    """What an answer asks of its connection.

    :ivar loop: the event loop
    :ivar parser: has read no byte of this answer yet
    """

    loop: asyncio.AbstractEventLoop
    parser: AnswerParser

    def pause(self, wanted: bool) -> None:
        """Stop reading, or go on."""

    def leave(self, reusable: bool) -> None:
        """The answer needs it no longer.

        :param reusable: another request may follow
        """


class HttpAnswer(httpx.AsyncByteStream):
    """What one request is answered; never outlives it, so that no answer can reach another request.

    The connection calls ``feed`` and ``ended``, the reader the rest. Bytes that have come are handed over all at once: a burst of small
    chunks costs one step.

    :ivar head: done with the status once the headers are complete
    :ivar headers: as sent; complete when ``head`` is done
    """

    __slots__ = (
        "_begun", "_complete", "_error", "_fault", "_head_bytes", "_parser", "_paused", "_pieces", "_reader", "_reusable", "_source", "_take",
        "_wait", "_waiting", "_without_body", "head", "headers", "loop",
    )  # fmt: skip

    def __init__(self, source: AnswerSource) -> None:
        self.loop = source.loop
        self.head: asyncio.Future[int] = source.loop.create_future()
        self._parser = parser = source.parser
        self.headers = parser.headers
        self._pieces = parser.pieces
        self._source: AnswerSource | None = source
        self._head_bytes = self._without_body = self._waiting = 0
        self._begun = self._paused = self._complete = self._reusable = False
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
        parser, pieces = self._parser, self._pieces
        known = len(pieces)
        wrong: str | None = None
        try:
            parser.feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            wrong = type(error).__name__
        if parser.complete or wrong is not None or not self._begun:
            self._go_on(wrong)
        if len(pieces) > known:
            self._without_body = 0
            if self._take is None:
                self._keep(len(data))
                return
            # Whoever takes what comes as it comes has left nothing behind, and the provider need not wait.
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            try:
                wait = self._take(body)
            except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
                self._stop_taking(None, error)
            else:
                if wait is not None:
                    self._stop_taking(wait, None)
        elif not self._complete and self._error is None:
            self._bound_what_is_no_body(len(data))

    def _go_on(self, wrong: str | None) -> None:
        """It may have begun, or be over.

        :param wrong: what kind of mistake the parser has met
        """
        parser = self._parser
        if parser.status and not self._begun:
            self._begun = True
            if not self.head.done():  # cancelled with whoever waited for it
                self.head.set_result(parser.status)
        if parser.complete:
            self._complete = True
            self._reusable = parser.reusable and wrong is None  # what follows an answer that is whole is nobody's
            self._wake()
        elif wrong is not None:
            # Not the parser's words: they may quote the bytes that came.
            self._fail(httpx.RemoteProtocolError(f"its answer is not HTTP ({wrong})"))

    def _bound_what_is_no_body(self, size: int) -> None:
        if not self._parser.status:
            self._head_bytes += size
            if self._head_bytes > MAX_HEAD_BYTES:
                self._fail(httpx.RemoteProtocolError(f"the head of its answer is larger than {MAX_HEAD_BYTES} bytes"))
        else:
            # Trailers, and extensions of chunks: nobody reads them, but the parser gathers them.
            self._without_body += size
            if self._without_body > MAX_HEAD_BYTES:
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

    def whole(self, limit: int) -> bytes | None:
        """The rest of the body, if all of it has come and is no longer than ``limit``; otherwise ``None``."""
        if not self._complete or sum(map(len, self._pieces)) > limit:
            return None
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

    def _stop_taking(self, wait: Wait | None, fault: Exception | None) -> None:
        """``deliver`` goes on: something has to be waited for, or whoever takes the body has failed."""
        self._wait, self._fault = wait, fault
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
            self._tell_source(True)

    def _taken(self) -> bytes:
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        if self._paused:
            self._paused = False
            self._tell_source(False)
        return data

    def _tell_source(self, paused: bool) -> None:
        if self._source is not None:
            self._source.pause(paused)

    async def aclose(self) -> None:
        """See ``leave``."""
        self.leave()

    def leave(self) -> None:
        """Give the connection back, or close it when the answer was not read to its end."""
        source, self._source = self._source, None
        if source is not None:
            self._pieces = self._pieces.copy()  # what the connection brings from now on is another's
            source.leave(self._reusable and not self._paused)

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

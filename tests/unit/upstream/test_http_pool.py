"""The transport against raw sockets: connections are used again only when nothing of an old answer can reach a new one."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.upstream.http_answer import MAX_HEAD_BYTES, MAX_WAITING_BYTES, HttpAnswer
from openclaw_oauthrouter.upstream.http_connection import HttpConnection, connect
from openclaw_oauthrouter.upstream.http_pool import LARGE, HttpPool, encoded
from tests.unit.upstream.answer_source import Source

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


async def request_of(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Head and body of one request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next(int(line.split(":")[1]) for line in head.lower().split("\r\n") if line.startswith("content-length"))
    return head, await reader.readexactly(length)


def answering(*answers: bytes, close: bool = False) -> Serve:
    """Answers the requests of one connection in order."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await request_of(reader)
            writer.write(answer)
        if not close:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    return serve


class Server:
    """A listening socket, and how many connections it has seen."""

    def __init__(self, serve: Serve) -> None:
        self.serve = serve
        self.connections = 0
        self.url = ""
        self.tasks: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.append(asyncio.create_task(self._connection(reader, writer)))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await self.serve(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[Server]:
    server = Server(serve)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listener.close()
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
        await asyncio.sleep(0)


def no_context() -> ssl.SSLContext:
    raise AssertionError("no TLS here")


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    pool = HttpPool(4, 5.0, no_context)
    yield pool
    await pool.aclose()


async def ask(pool: HttpPool, url: str, content: bytes = b"{}", /, **limits: float) -> tuple[int, bytes]:
    request = httpx.Request("POST", url, content=content, extensions={"timeout": limits})
    response = await pool.handle_async_request(request)
    try:
        return response.status_code, b"".join([piece async for piece in response.stream])  # type: ignore[union-attr]
    finally:
        await response.aclose()


async def no_connection_left(pool: HttpPool) -> None:
    """Wait until the pool has noticed what happened on its unused connections."""
    async with asyncio.timeout(5):
        while any(connection.usable for host in pool._hosts.values() for connection in host.idle):
            await asyncio.sleep(0.005)


async def test_http_pool_connection_is_used_again(pool: HttpPool) -> None:
    async with serving(answering(OK, OK, OK)) as server:
        for _ in range(3):
            assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        OK + b"more than was asked",
        OK + b"HTTP/1.1 200 OK\r\nevil: 1\r\ncontent-length: 4\r\n\r\nevil",
    ],
    ids=["connection: close", "HTTP/1.0", "more bytes than its length", "two answers"],
)
async def test_http_pool_connection_is_not_used_again(answer: bytes, pool: HttpPool) -> None:
    async with serving(answering(answer, OK)) as server:
        assert await ask(pool, server.url) == (200, b"ok")
        assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 2


async def test_http_pool_what_is_said_unasked_is_no_answer_to_the_next_request(pool: HttpPool) -> None:
    late = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK)
        if not late.is_set():
            await asyncio.sleep(0.02)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison")
            late.set()
        await reader.read()

    async with serving(serve) as server:
        assert await ask(pool, server.url) == (200, b"ok")
        await late.wait()
        await no_connection_left(pool)
        assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 2


async def test_http_pool_connection_closed_while_unused_is_not_met(pool: HttpPool) -> None:
    async with serving(answering(OK, close=True)) as server:
        for _ in range(2):
            assert await ask(pool, server.url) == (200, b"ok")
            await no_connection_left(pool)
        assert server.connections == 2


async def test_unused_connections_are_closed() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK)
        with suppress(ConnectionError):
            await reader.read()
        ended.set()

    pool = HttpPool(4, 0.02, no_context)
    async with serving(serve) as server:
        assert await ask(pool, server.url) == (200, b"ok")
        async with asyncio.timeout(2):
            await ended.wait()
    await pool.aclose()


async def test_http_pool_every_caller_gets_its_own_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, body = await request_of(reader)
            await asyncio.sleep(int(body) % 3 / 1000)
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    pool = HttpPool(16, 5.0, no_context)
    async with serving(serve) as server:

        async def client(number: int) -> None:
            for turn in range(15):
                body = b"%d" % (number * 1000 + turn)
                assert await ask(pool, server.url, body, pool=10.0) == (200, body)

        await asyncio.gather(*(client(number) for number in range(48)))
        assert server.connections <= 16
    await pool.aclose()


STREAMED = (
    b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"5;name=value\r\nhello\r\n6\r\n world\r\n0\r\ntrailer: x\r\n\r\n"
)


@given(st.lists(st.integers(1, len(STREAMED) - 1), max_size=12))
@settings(max_examples=60, deadline=None)
def test_bytes_may_come_in_any_pieces(cuts: list[int]) -> None:
    async def read() -> None:
        source = Source()
        answer = source.answer
        edges = [0, *sorted(set(cuts)), len(STREAMED)]
        for begin, end in pairwise(edges):
            answer.feed(STREAMED[begin:end])
        assert await answer.head == 200
        assert dict(answer.headers)[b"content-type"] == b"text/event-stream"
        assert (b"link", b"</x>") not in answer.headers
        assert b"".join([piece async for piece in answer]) == b"hello world"
        await answer.aclose()
        await answer.aclose()
        assert source.left == [True]

    asyncio.run(read())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2 \r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x01b\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nok",
    ],
    ids=["bare LF", "blank after a chunk's size", "control character", "identity"],
)
async def test_http_pool_sloppy_answer_is_understood(answer: bytes, pool: HttpPool) -> None:
    async with serving(answering(answer, close=True)) as server:
        assert await ask(pool, server.url) == (200, b"ok")


async def test_http_pool_what_follows_the_body_is_no_header(pool: HttpPool) -> None:
    trailed = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\ncontent-encoding: gzip\r\n\r\n"
    async with serving(answering(trailed)) as server:
        response = await pool.handle_async_request(httpx.Request("POST", server.url, content=b"{}"))
        assert "content-encoding" not in response.headers
        assert await response.aread() == b"ok"
        await response.aclose()


async def test_http_pool_body_without_length_lasts_until_the_connection_ends(pool: HttpPool) -> None:
    async with serving(answering(b"HTTP/1.1 200 OK\r\n\r\nall of it", close=True)) as server:
        assert await ask(pool, server.url) == (200, b"all of it")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"HTTP/1.1 20", httpx.RemoteProtocolError),
        (b"SSH-2.0-OpenSSH_9.2\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (MAX_HEAD_BYTES + 1), httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n", httpx.RemoteProtocolError),
    ],
    ids=["silence", "half a head", "not HTTP", "101", "huge head", "two lengths", "short", "no last chunk", "no chunk"],
)
async def test_http_pool_bad_answer(answer: bytes, error: type[Exception], pool: HttpPool) -> None:
    async with serving(answering(answer, close=True)) as server:
        with pytest.raises(error) as raised:
            await ask(pool, server.url)
        assert "OpenSSH" not in str(raised.value)


async def test_leaving_early_closes_the_connection(pool: HttpPool) -> None:
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun")
        with suppress(ConnectionError):
            await reader.read()
        left.set()

    async with serving(serve) as server:
        response = await pool.handle_async_request(httpx.Request("POST", server.url, content=b"{}"))
        await response.aclose()
        async with asyncio.timeout(2):
            await left.wait()


async def test_giving_up_before_the_answer_closes_the_connection_and_frees_its_place(pool: HttpPool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await request_of(reader)
        if body == b"quick":
            writer.write(OK)
        await reader.read()

    async with serving(serve) as server:
        for _ in range(8):  # twice as many as there are places
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await ask(pool, server.url, b"slow")
        assert await ask(pool, server.url, b"quick", pool=1.0) == (200, b"ok")


async def test_http_pool_more_requests_than_places_wait_their_turn() -> None:
    pool = HttpPool(1, 5.0, no_context)
    async with serving(answering(OK, OK)) as server:
        response = await pool.handle_async_request(httpx.Request("POST", server.url, content=b"{}"))
        with pytest.raises(httpx.PoolTimeout, match="max_connections"):
            await ask(pool, server.url, pool=0.01)
        waiting = asyncio.create_task(ask(pool, server.url, pool=5.0))
        await asyncio.sleep(0)
        assert (pool.in_use(), pool.waiting()) == ({"127.0.0.1": 1}, {"127.0.0.1": 1})
        assert await response.aread() == b"ok"
        await response.aclose()
        assert await waiting == (200, b"ok")
        assert pool.waiting() == {"127.0.0.1": 0}
    await pool.aclose()


async def test_http_pool_provider_faster_than_its_reader_has_to_wait(pool: HttpPool) -> None:
    size = 64 * MAX_WAITING_BYTES
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536
        await reader.read()

    async with serving(serve) as server:
        response = await pool.handle_async_request(httpx.Request("POST", server.url, content=b"{}"))
        await asyncio.sleep(0.2)
        assert sent < size
        assert len(await response.aread()) == size
        await response.aclose()


async def test_http_pool_connection_with_an_unread_answer_is_not_used_again(pool: HttpPool) -> None:
    size = MAX_WAITING_BYTES + 65536
    large = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
    async with serving(answering(large, OK)) as server:
        response = await pool.handle_async_request(httpx.Request("POST", server.url, content=b"{}"))
        await asyncio.sleep(0.1)
        await response.aclose()
        server.serve = answering(OK)
        assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 2


async def test_http_pool_nobody_listens(pool: HttpPool) -> None:
    with pytest.raises(httpx.ConnectError):
        await ask(pool, "http://127.0.0.1:1/v1")
    with pytest.raises(httpx.UnsupportedProtocol):
        await ask(pool, "ftp://127.0.0.1/v1")


async def test_http_pool_host_that_does_not_take_the_connection(pool: HttpPool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: Any, **__: Any) -> None:
        await asyncio.sleep(10)

    monkeypatch.setattr("openclaw_oauthrouter.upstream.http_connection.start_connection", hang)
    with pytest.raises(httpx.ConnectTimeout, match=r"0\.02 s"):
        await ask(pool, "http://127.0.0.1:1/v1", connect=0.02)


def test_http_pool_what_is_written() -> None:
    request = httpx.Request("POST", "http://h.example:81/a%20b?c=d", headers={"X-Name": "ä".encode("latin-1")}, content=b"{}")
    assert encoded(request) == (
        b"POST /a%20b?c=d HTTP/1.1\r\nHost: h.example:81\r\nX-Name: \xe4\r\nContent-Length: 2\r\n"
        b"accept-encoding: identity\r\n\r\n{}"
    )
    own = httpx.Request("POST", "http://h/", headers={"Accept-Encoding": "gzip"}, content=b"{}")
    assert encoded(own).lower().count(b"accept-encoding") == 1


@pytest.mark.parametrize("value", ["x\r\nevil: 1", "x\nevil: 1", "x\revil"])
def test_http_pool_header_cannot_break_out_of_its_line(value: str) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        encoded(httpx.Request("POST", "http://h/", headers={"x-name": value}, content=b"{}"))


# ------------------------------------------------------------------ kept connections that died unseen


async def test_kept_connection_that_the_peer_closed_is_replaced_without_a_word(pool: HttpPool) -> None:
    """Answered once, closed upon the second request: what an idle connection does whose other end is gone."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK)
        await request_of(reader)
        writer.close()

    async with serving(serve) as server:
        assert await ask(pool, server.url) == (200, b"ok")
        server.serve = answering(OK)
        assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 2


async def test_http_pool_new_connection_that_the_peer_closes_is_an_error(pool: HttpPool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.close()

    async with serving(serve) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(pool, server.url)
        assert server.connections == 1


async def test_kept_connection_whose_peer_acknowledges_nothing_is_given_up(
    pool: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_oauthrouter.upstream.http_pool.UNDELIVERED_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK)
        await reader.read()

    async with serving(silent) as server:
        assert await ask(pool, server.url) == (200, b"ok")
        server.serve = answering(OK)
        monkeypatch.setattr(HttpConnection, "undelivered", property(lambda _: 1 << 20))
        assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 2


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
async def test_connection_knows_what_its_peer_has_not_acknowledged(pool: HttpPool) -> None:
    async with serving(answering(OK)) as server:
        connection = await connect("127.0.0.1", int(server.url.rpartition(":")[2].partition("/")[0]), None)
        assert connection.undelivered == 0
        assert connection._transport is not None
        found = connection._transport.get_extra_info("socket")
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert 20 <= found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60
        assert 0 < found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 60_000
        connection.close()


async def test_idle_connections_are_not_used_after_the_machine_slept() -> None:
    now = 1000.0
    pool = HttpPool(4, 5.0, no_context, wall=lambda: now)
    async with serving(answering(OK, OK, OK)) as server:
        assert await ask(pool, server.url) == (200, b"ok")
        assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 1
        now += 3600.0  # the loop's clock stood still meanwhile
        assert await ask(pool, server.url) == (200, b"ok")
        assert server.connections == 2
    await pool.aclose()


async def test_places_are_counted_for_each_host() -> None:
    pool = HttpPool(1, 5.0, no_context)
    async with serving(answering(OK)) as one, serving(answering(OK)) as other:
        held = await pool.handle_async_request(httpx.Request("POST", one.url, content=b"{}"))
        assert await ask(pool, other.url.replace("127.0.0.1", "localhost"), pool=0.05) == (200, b"ok")
        assert pool.in_use() == {"127.0.0.1": 1, "localhost": 0}
        await held.aread()
        await held.aclose()
    await pool.aclose()


@pytest.mark.parametrize(("size", "turns"), [(LARGE, 1), (LARGE - 1, 0)], ids=["large", "small"])
async def test_http_pool_others_have_a_turn_between_the_steps_of_a_large_body(
    size: int, turns: int, pool: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0
    at: dict[str, int] = {}

    async def others() -> None:
        nonlocal taken
        while True:
            await asyncio.sleep(0)
            taken += 1

    def laid_out(*arguments: Any) -> bytes:
        at["laid out"] = taken
        return encoded(*arguments)

    def sent(self: HttpConnection, *arguments: Any) -> HttpAnswer:
        at["sent"] = taken
        return ask_before(self, *arguments)

    ask_before = HttpConnection.ask
    async with serving(answering(OK, OK)) as server:
        await ask(pool, server.url)  # so that there is a connection
        monkeypatch.setattr("openclaw_oauthrouter.upstream.http_pool.encoded", laid_out)
        monkeypatch.setattr(HttpConnection, "ask", sent)
        running = asyncio.create_task(others())
        await asyncio.sleep(0)
        began = taken
        assert (await ask(pool, server.url, b"x" * size))[0] == 200
        running.cancel()
    assert (at["laid out"] - began >= turns, at["sent"] - at["laid out"] >= turns) == (True, True)
    assert turns or at["sent"] == began

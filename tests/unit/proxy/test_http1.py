"""HTTP/1.1 as it is read and written, one row a rule; any chunking of the same bytes gives the same exchange."""

from __future__ import annotations

import asyncio
import gc
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.proxy.asgi import CLIENT, Message, Receive, Scope, Send, bounded
from openclaw_oauthrouter.proxy.http1 import MAX_HEAD_BYTES, MAX_HEADERS, Http1Connection, Times
from openclaw_oauthrouter.proxy.http1_request import Request

HOST = b"Host: localhost\r\n"


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5), "sockname": ("127.0.0.1", 8402)})
        self.sent = bytearray()
        self.ended = self.paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended
        self.sent += data

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Owner:
    """Has room for everybody."""

    def __init__(self) -> None:
        self.draining = False
        self.given: list[bytes] = []

    def opened(self, connection: Http1Connection) -> bool:
        return True

    def closed(self, connection: Http1Connection) -> None:
        pass

    def hand_over(self, connection: Http1Connection, data: bytes) -> None:
        self.given.append(data)

    def date(self) -> bytes:
        return b"Sun, 29 Nov 2026 00:00:00 GMT"


class World:
    """A connection, an application that answers what it was asked, and the bytes that came back."""

    def __init__(self, application: Any = None) -> None:
        self.owner = Owner()
        self.seen: list[tuple[str, str, bytes, bytes]] = []
        self.transport = Transport()
        loop = asyncio.get_running_loop()
        self.connection = Http1Connection(application or self.answer, self.owner, Times(5, 5, 5), loop)
        self.connection.connection_made(self.transport)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        self.seen.append((scope["method"], scope["path"], scope["query_string"], body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    async def send(self, *pieces: bytes) -> bytes:
        for piece in pieces:
            self.connection.data_received(piece)
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        self.connection.connection_lost(None)
        await asyncio.sleep(0)
        return bytes(self.transport.sent)


def post(body: bytes, *lines: bytes, path: bytes = b"/a%20b?x=1") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + length + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


async def test_request_reaches_the_application_and_its_answer_the_client() -> None:
    world = World()
    answer = await world.send(post(b"hello"))
    assert world.seen == [("POST", "/a b", b"x=1", b"hello")]
    assert answer == (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ndate: Sun, 29 Nov 2026 00:00:00 GMT\r\n\r\nhello")


async def test_pipelined_requests_are_answered_in_order() -> None:
    world = World()
    answer = await world.send(post(b"one") + post(b"two") + post(b"three"))
    assert [body for *_, body in world.seen] == [b"one", b"two", b"three"]
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.index(b"one") < answer.index(b"two") < answer.index(b"three")
    assert not world.transport.paused


STREAM = (
    b"POST /1 HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\nX-A:  padded \t\r\n\r\n5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\n"
    + b"GET /2 HTTP/1.1\r\n"
    + HOST
    + b"\r\n"
    + post(b"x" * 300, path=b"/3")
    + b"HEAD /4 HTTP/1.1\r\n"
    + HOST
    + b"\r\n"
)


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
@settings(max_examples=60, deadline=None)
async def test_http1_any_chunking_gives_the_same_exchange(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    world = World()
    await world.send(*(STREAM[a:b] for a, b in pairwise(edges) if a < b))
    assert world.seen == [
        ("POST", "/1", b"", b"hello!"),
        ("GET", "/2", b"", b""),
        ("POST", "/3", b"", b"x" * 300),
        ("HEAD", "/4", b"", b""),
    ]


REFUSED = {
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "HTTP/2.0 in words": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /\r\n" + HOST + b"\r\n",
    "a coding beside chunked": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked in two lines": b"POST / HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length and a coding": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two equal lengths": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "a length with a sign": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\na",
    "lines that end in a line feed": b"GET / HTTP/1.1\n" + HOST + b"\n",
    "a folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X-A: 1\r\n 2\r\n\r\n",
    "a chunk of no size": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nz\r\n",
    "a proxy's request": b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an unknown method": b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_http1_what_can_be_read_in_two_ways_is_refused(name: str) -> None:
    world = World()
    answer = await world.send(REFUSED[name] + post(b"smuggled"))
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer
    assert world.seen == []
    assert world.transport.ended


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + b"a" * (3 * MAX_HEAD_BYTES),
        b"GET /" + b"a" * (MAX_HEAD_BYTES + 1) + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
    ],
)
async def test_head_has_a_limit(head: bytes) -> None:
    world = World()
    answer = await world.send(*(head[i : i + 60_000] for i in range(0, len(head), 60_000)))
    assert answer.startswith(b"HTTP/1.1 431 "), answer[:100]
    assert world.seen == []


async def test_garbage_behind_a_request_does_not_take_its_answer() -> None:
    world = World()
    answer = await world.send(post(b"fine") + b"\x00\x01garbage\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"fine")
    assert world.transport.ended


async def test_http1_answer_before_the_whole_body_closes_the_connection() -> None:
    async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    world = World(refuses)
    answer = await world.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n", b"x" * 50, post(b"next"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_http1_answer_of_unknown_length_is_chunked() -> None:
    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    assert (await World(streams).send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")).endswith(
        b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    )
    old = await World(streams).send(b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")
    assert old.endswith(b"\r\n\r\nonetwo")
    assert b"connection: close" in old
    assert (await World(streams).send(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n")).endswith(b"\r\n\r\n")


async def test_continue_is_said_when_the_body_is_asked_for() -> None:
    world = World()
    answer = await world.send(post(b"", b"Expect: 100-continue").replace(b"Content-Length: 0", b"Content-Length: 2"), b"ab")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


async def test_http1_offer_of_another_protocol_is_declined_and_its_body_read() -> None:
    world = World()
    answer = await world.send(
        post(b"abc", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAA") + post(b"next")
    )
    assert [body for *_, body in world.seen] == [b"abc", b"next"]
    assert b"101" not in answer


@pytest.mark.parametrize(
    "data",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/responses HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
)
async def test_http2_and_websockets_are_handed_over(data: bytes) -> None:
    world = World()
    assert await world.send(data) == b""
    [given_away] = world.owner.given
    assert given_away.lower() == data.lower()


@pytest.mark.parametrize("name", [b"x-a", b"content-type"])
async def test_http1_line_break_in_an_answers_header_never_leaves(name: bytes) -> None:
    async def evil(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(name, b"a\r\nset-cookie: b")]})

    answer = await World(evil).send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in answer


async def test_http1_client_that_leaves_is_told_to_the_application() -> None:
    told: list[Any] = []

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        first: Message = await receive()
        told.append(first["type"])
        told.append((await receive())["type"])

    await World(waits).send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert told == ["http.request", "http.disconnect"]


async def test_http1_after_the_answer_no_more_of_the_body_is_waited_for() -> None:
    told: list[Any] = []

    async def reads_beside(scope: Scope, receive: Receive, send: Send) -> None:
        async def read() -> None:
            while (message := await receive())["type"] != "http.disconnect":
                told.append(message["body"])

        reading = asyncio.create_task(read())
        while not told:
            await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        await reading
        assert (await receive())["type"] == "http.disconnect"
        told.append("end")

    world = World(reads_beside)
    world.connection.data_received(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n" + b"x")
    for _ in range(20):
        await asyncio.sleep(0)
    assert told == [b"x", "end"]
    assert world.transport.ended


@pytest.mark.parametrize(
    ("pieces", "limit", "seen"),
    [
        ([b"ab", b"c"], 3, [(b"ab", True), (b"c", False)]),
        ([b"ab", b"c"], 2, [(b"ab", True), (b"c", False)]),
        ([b"ab", b"cd", b"ef", b"gh"], 3, [(b"ab", True), (b"cd", False)]),
        ([b"abcd", b"e"], 0, [(b"abcd", False)]),
        ([b""], 0, [(b"", False)]),
    ],
)
async def test_bounded_body_ends_where_it_is_too_large(pieces: list[bytes], limit: int, seen: list[tuple[bytes, bool]]) -> None:
    last = len(pieces) - 1
    messages: list[Message] = [{"type": "http.request", "body": b, "more_body": at < last} for at, b in enumerate(pieces)]
    messages.append({"type": "http.disconnect"})

    async def receive() -> Message:
        return messages.pop(0)

    ask, told = bounded(receive, limit), []
    while (message := await ask())["type"] != "http.disconnect":
        told.append((message["body"], message["more_body"]))
    assert told == seen


@pytest.mark.parametrize("asked", ["before", "after", "no longer"])
async def test_http1_client_that_leaves_ends_the_task_that_watches(asked: str) -> None:
    told: list[Any] = []

    async def watches(scope: Scope, receive: Receive, send: Send) -> None:
        client = scope["extensions"][CLIENT]
        if asked == "after":
            await receive()
            await receive()
        client.watch()
        if asked == "no longer":
            client.unwatch()
        try:
            for _ in range(50):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            told.append(client.has_left())
        task = asyncio.current_task()
        assert task is not None
        told.append(task.cancelling())

    world = World(watches)
    await world.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    for _ in range(60):
        await asyncio.sleep(0)
    assert told == ([0] if asked == "no longer" else [True, 0])


async def test_http1_request_leaves_nothing_to_the_cycle_collector() -> None:
    world = World()
    await world.send(post(b"one") + post(b"two"))
    gc.collect()
    gc.disable()
    try:
        world = World()
        await world.send(post(b"one"), post(b"two"))
        waiting = [kept for kept in gc.get_objects() if type(kept) is Request]
        assert waiting == []
    finally:
        gc.enable()


async def test_http1_same_head_with_another_length_is_read_as_sent() -> None:
    seen: list[Any] = []

    async def notes(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["headers"], scope["extensions"][CLIENT].head_of(scope)))
        await World.answer(world, scope, receive, send)

    world = World(notes)
    await world.send(post(b"one", b"X-A: 1"), post(b"three", b"X-A: 1"), post(b"three", b"X-A: 2"), post(b"three", b"x-a: 2"))
    assert [body for *_, body in world.seen] == [b"one", b"three", b"three", b"three"]
    assert [dict(fields)[b"content-length"] for fields, _ in seen] == [b"3", b"5", b"5", b"5"]
    assert [dict(fields)[b"x-a"] for fields, _ in seen] == [b"1", b"1", b"2", b"2"]
    assert seen[0][1] is seen[1][1]
    assert seen[1][1] is not seen[2][1]
    assert [head.named for _, head in seen] == [{"host": "localhost", "x-a": value} for value in "1122"]


async def test_http1_draining_connection_ends_with_its_answer() -> None:
    world = World()
    world.owner.draining = True
    assert b"connection: close" in await world.send(post(b"last"))
    assert world.transport.ended

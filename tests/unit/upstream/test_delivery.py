"""What comes of an answer is handed on in the step in which it comes; whoever takes it may ask for time, or fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.canonical.events import Frame
from openclaw_oauthrouter.config.upstream import TimeoutSettings
from openclaw_oauthrouter.dialects.anthropic_messages.stream_decoder import MessagesEventMachine
from openclaw_oauthrouter.errors import UpstreamConnectionError, UpstreamProtocolError, UpstreamTimeout
from openclaw_oauthrouter.upstream.deadline import Deadline
from openclaw_oauthrouter.upstream.frame_stream import FrameStream
from openclaw_oauthrouter.upstream.http_answer import MAX_WAITING_BYTES
from openclaw_oauthrouter.upstream.idle import StepTimer
from openclaw_oauthrouter.upstream.sending import Incoming, Limits
from openclaw_oauthrouter.wire.event_stream import EventStreamDecoder
from tests.unit.upstream.answer_source import Source

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"
END = b"0\r\n\r\n"
START = b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","model":"x"}}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def piece(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection(Source):
    """One that has brought the head of an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answer.feed(HEAD)


async def begun(delivery: Awaitable[None]) -> asyncio.Task[None]:
    """The delivery, waiting for something to come."""
    task = asyncio.ensure_future(delivery)
    await asyncio.sleep(0)
    return task


async def test_deliver_hands_on_within_the_step_that_brought_it() -> None:
    connection, seen = Connection(), list[bytes]()
    connection.answer.feed(piece(b"early"))
    task = await begun(connection.answer.deliver(seen.append))
    assert seen == [b"early"]
    connection.answer.feed(piece(b"a") + piece(b"b"))
    assert seen == [b"early", b"ab"]
    connection.answer.feed(piece(b"last") + END)
    await task
    assert seen == [b"early", b"ab", b"last"]
    await connection.answer.aclose()
    assert connection.left == [True]


async def test_deliver_waits_where_it_is_asked_to_and_holds_the_provider_back() -> None:
    connection, seen, free = Connection(), list[bytes](), asyncio.Event()

    def take(data: bytes) -> Callable[[], Awaitable[object]] | None:
        seen.append(data)
        return free.wait if len(seen) == 1 else None

    task = await begun(connection.answer.deliver(take))
    connection.answer.feed(piece(b"first"))
    for _ in range(3):
        await asyncio.sleep(0)
    connection.answer.feed(piece(b"x" * (MAX_WAITING_BYTES + 1)))
    assert seen == [b"first"]
    assert connection.paused == [True]
    free.set()
    while len(seen) < 2:
        await asyncio.sleep(0)
    assert connection.paused == [True, False]
    connection.answer.feed(END)
    await task


async def test_deliver_raises_what_its_taker_raised() -> None:
    connection = Connection()

    def take(_data: bytes) -> None:
        raise UpstreamProtocolError("enough")

    task = await begun(connection.answer.deliver(take))
    connection.answer.feed(piece(b"x"))
    with pytest.raises(UpstreamProtocolError, match="enough"):
        await task


async def test_deliver_hands_on_what_came_before_a_cut() -> None:
    connection, seen = Connection(), list[bytes]()
    task = await begun(connection.answer.deliver(seen.append))
    connection.answer.feed(piece(b"x"))
    connection.answer.ended(None)
    with pytest.raises(httpx.ReadError):
        await task
    assert seen == [b"x"]


async def test_deliver_that_is_cancelled_takes_no_more() -> None:
    connection, seen = Connection(), list[bytes]()
    task = await begun(connection.answer.deliver(seen.append))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    connection.answer.feed(piece(b"x"))
    assert seen == []


# ------------------------------------------------------------------ frames


class Dialect:
    name = "anthropic_messages"

    def stream_decoder(self) -> EventStreamDecoder:
        return EventStreamDecoder(MessagesEventMachine())


def frames_of(body: Any, **steps: float) -> FrameStream:
    limits = Limits(TimeoutSettings(**steps), Deadline.after(60))
    response = SimpleNamespace(
        stream=body, status_code=200, headers=httpx.Headers(), request=httpx.Request("POST", "http://x", content=b"{}")
    )
    incoming = Incoming(response, "acme", limits, StepTimer(limits.deadline))  # type: ignore[arg-type]
    return FrameStream(incoming, Dialect(), lambda frame: frame)  # type: ignore[arg-type]


async def test_frames_delivered_are_those_that_iteration_left() -> None:
    connection, seen = Connection(), list[Frame]()
    connection.answer.feed(piece(START))

    async def read() -> None:
        frames = frames_of(connection.answer)
        seen.append(await anext(frames))
        await frames.deliver(seen.append)

    task = await begun(read())
    connection.answer.feed(piece(b": comment\n\n"))
    connection.answer.feed(piece(STOP))
    assert [frame.raw for frame in seen] == [START, b": comment\n\n", STOP]
    connection.answer.feed(END)
    await task
    assert len(seen) == 3


async def test_frames_end_with_a_failure_where_the_provider_closes_early() -> None:
    connection, seen = Connection(), list[Frame]()
    task = await begun(_delivered(connection, seen.append))
    connection.answer.feed(piece(START))
    connection.answer.ended(None)
    with pytest.raises(UpstreamConnectionError, match="acme dropped the connection"):
        await task


async def test_frames_of_a_silent_provider_end_in_time() -> None:
    connection, seen = Connection(), list[Frame]()
    task = await begun(_delivered(connection, seen.append, idle=0.02))
    connection.answer.feed(piece(START))
    with pytest.raises(UpstreamTimeout, match="fell silent"):
        await task


async def test_frames_time_of_a_client_that_takes_nothing_is_not_the_providers() -> None:
    connection, free = Connection(), asyncio.Event()
    task = await begun(_delivered(connection, lambda _frame: free.wait, idle=0.02))
    connection.answer.feed(piece(START))
    await asyncio.sleep(0.08)
    assert not task.done()
    free.set()
    connection.answer.feed(piece(STOP) + END)
    await task


async def test_frames_failure_of_a_client_is_not_the_providers() -> None:
    connection = Connection()

    async def gone() -> None:
        raise ConnectionResetError("the client is gone")

    task = await begun(_delivered(connection, lambda _frame: gone))
    connection.answer.feed(piece(START))
    with pytest.raises(ConnectionResetError):
        await task


async def _delivered(connection: Connection, take: Any, **steps: float) -> None:
    await frames_of(connection.answer, **steps).deliver(take)

"""What one message of a WebSocket may cost, and that nobody who sends tiny frames keeps others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypercorn.protocol.ws_stream import FrameTooLargeError
from wsproto.events import BytesMessage, Message, TextMessage

from openclaw_oauthrouter.proxy.hypercorn_connection import SLICE, HypercornConnection
from openclaw_oauthrouter.proxy.socket_message import FREE_FRAMES, LEAST_FRAME_BYTES, SocketMessage

MOST = 1 << 20


def text(data: str, *, whole: bool = True) -> Message[Any]:
    return TextMessage(data=data, frame_finished=whole, message_finished=False)


def binary(size: int) -> Message[Any]:
    return BytesMessage(data=bytes(size), frame_finished=True, message_finished=False)


@pytest.mark.parametrize(
    ("frames", "taken"),
    [
        ([text("x")] * FREE_FRAMES, True),
        ([text("x")] * (FREE_FRAMES + 10), False),
        ([text("")] * (FREE_FRAMES + 10), False),
        ([binary(1)] * (FREE_FRAMES + 10), False),
        ([binary(LEAST_FRAME_BYTES)] * (MOST // LEAST_FRAME_BYTES), True),
        ([text("x", whole=False)] * (FREE_FRAMES + 10), True),  # one frame, read slowly
        ([text("x" * 600_000)] * 2, False),
        ([text("x" * 600_000)], True),
    ],
)
def test_socket_message_is_bounded_in_bytes_and_frames(frames: list[Message[Any]], taken: bool) -> None:
    refused: list[bool] = []
    message = SocketMessage(MOST, lambda: refused.append(True))
    assert fits(message, frames) == taken
    assert bool(refused) != taken


def test_socket_message_counts_each_message_for_itself() -> None:
    message = SocketMessage(MOST, lambda: None)
    for _ in range(3):
        assert fits(message, [text("x")] * FREE_FRAMES)
        message.clear()


def fits(message: SocketMessage, frames: Iterable[Message[Any]]) -> bool:
    try:
        for frame in frames:
            message.extend(frame)
    except FrameTooLargeError:
        return False
    return True


class Taken:
    """Takes a connection's bytes in place of Hypercorn's protocol."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.turns = 0

    async def handle(self, event: Any) -> None:
        self.sizes.append(len(event.data))

    async def others(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize(("is_socket", "slices"), [(True, 10), (False, 1)])
async def test_connection_of_a_socket_lets_others_have_their_turn(is_socket: bool, slices: int) -> None:
    taken = Taken()
    connection = connection_to(taken, is_socket=is_socket)
    others = asyncio.create_task(taken.others())
    await connection._take(bytes(SLICE * 10))
    others.cancel()
    assert taken.sizes == [SLICE * 10 // slices] * slices
    assert taken.turns >= (slices - 1 if is_socket else 0)


async def test_connection_of_a_refused_message_takes_no_more() -> None:
    taken = Taken()
    connection = connection_to(taken, is_socket=True)
    connection._refused = True
    await connection._take(bytes(SLICE * 10))
    assert taken.sizes == []


def connection_to(taken: Taken, *, is_socket: bool) -> Any:
    connection: Any = HypercornConnection.__new__(HypercornConnection)
    connection.protocol, connection._is_socket, connection._refused = taken, is_socket, False
    return connection

"""What a client of a WebSocket may cost: the bytes and frames of a message, each of which takes as long to read as hundreds of bytes, and its pings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer
from wsproto.events import Event, Message, Ping, Pong

FREE_FRAMES = 1000
"""Frames of one message, whatever is in them."""

LEAST_FRAME_BYTES = 512
"""That frames beyond those must hold on the average; clients that send a message in pieces make them of kilobytes."""


class SocketMessage(WebsocketBuffer):
    """Collects the frames of one message after the other; Hypercorn closes the connection with 1009 when one is too much.

    :param most_bytes: of one message
    :param refused: told then, for a client that goes on sending is not to be read any longer
    """

    def __init__(self, most_bytes: int, refused: Callable[[], None]) -> None:
        super().__init__(most_bytes)
        self._refused = refused
        self._frames = 0

    def extend(self, event: Message[Any]) -> None:
        """Add what came of a frame.

        :raises FrameTooLargeError: the message has too many bytes, or too many frames for its bytes
        """
        # A frame that comes in several reads is one frame.
        self._frames += event.frame_finished
        try:
            if self._frames > FREE_FRAMES + self.length // LEAST_FRAME_BYTES:
                raise FrameTooLargeError
            super().extend(event)
        except FrameTooLargeError:
            self._refused()
            raise

    def clear(self) -> None:
        """Begin the next message."""
        super().clear()
        self._frames = 0


FREE_PINGS = 200
"""Pings and pongs that a client may send whenever it likes."""

PINGS_A_SECOND = 10.0
"""That it may send in the long run; clients send one every 20 s or so."""


class PingCount:
    """Stands before a WebSocket's state machine and counts what says nothing.

    :param connection: a ``wsproto`` connection
    :param clock: seconds of a clock that only runs forward
    :param refused: told once there is too much of it; nothing that comes then is read
    """

    def __init__(self, connection: Any, clock: Callable[[], float], refused: Callable[[], None]) -> None:
        self._connection = connection
        self._clock = clock
        self._refused = refused
        self._left = float(FREE_PINGS)
        self._counted_at = clock()

    def __getattr__(self, name: str) -> Any:
        """All the rest is the connection's own."""
        return getattr(self._connection, name)

    def events(self) -> Iterator[Event]:
        """What has come."""
        for event in self._connection.events():
            if isinstance(event, Ping | Pong) and not self._may_come():
                self._refused()
                return
            yield event

    def _may_come(self) -> bool:
        now = self._clock()
        self._left = min(FREE_PINGS, self._left + (now - self._counted_at) * PINGS_A_SECOND) - 1
        self._counted_at = now
        return self._left >= 0

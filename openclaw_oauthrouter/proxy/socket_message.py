"""What one message of a WebSocket may cost: its bytes, and the frames it comes in, each of which takes as long to read as hundreds of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer
from wsproto.events import Message

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

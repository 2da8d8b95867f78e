"""What workers tell one another, over a line from each of them to their supervisor, who passes it on."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from typing import cast

READY = b"R"
"""A worker serves."""
RECORDS = b"r"
"""Finished requests, for the front office."""
GAUGES = b"g"
"""What a worker is doing now, for the front office."""
HEALTH = b"h"
"""What a worker has learnt of providers, for all others."""
CONVERSATION = b"c"
"""Which model a conversation was given, for all others."""

FOR_OFFICE = frozenset({RECORDS, GAUGES})
FOR_ALL = frozenset({HEALTH, CONVERSATION})

MOST_UNSENT = 32 << 20
"""Bytes that may wait for a worker that does not listen; what comes then is lost to it."""

_HEAD = struct.Struct("!cI")
_log = logging.getLogger(__name__)


class Channel(asyncio.Protocol):
    """One end of a line.

    :param heard: called with each message: its kind, and what it says
    :param lost: called when the line is gone
    """

    def __init__(self, heard: Callable[[bytes, bytes], None], lost: Callable[[], None] = lambda: None) -> None:
        self._heard = heard
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self.dropped = 0

    @classmethod
    async def open(
        cls, end: socket.socket, heard: Callable[[bytes, bytes], None], lost: Callable[[], None] = lambda: None
    ) -> Channel:
        """Take one end of a connected pair."""
        _, channel = await asyncio.get_running_loop().create_connection(lambda: cls(heard, lost), sock=end)
        return channel

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a stream socket has no other

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= _HEAD.size:
            kind, size = _HEAD.unpack_from(buffer, at)
            end = at + _HEAD.size + size
            if len(buffer) < end:
                break
            said = bytes(buffer[at + _HEAD.size : end])
            at = end
            try:
                self._heard(kind, said)
            except Exception:  # noqa: BLE001 - as the comment says
                # One message that is not understood must not cost the ones behind it.
                _log.exception("a message between workers was not understood")
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost()

    def tell(self, kind: bytes, said: bytes) -> None:
        """Send a message; it is dropped where nobody listens any longer."""
        if self._transport is None or self._transport.get_write_buffer_size() > MOST_UNSENT:
            self.dropped += 1
            return
        self._transport.write(_HEAD.pack(kind, len(said)) + said)

    def close(self) -> None:
        """Hang up, once everything is sent."""
        if self._transport is not None:
            self._transport.close()

"""A scripted upstream on loopback: answers as told, stalls, cuts, lies, and notices when it is left."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any


class Cut:
    """Drop the connection here."""


class Stall:
    """Say nothing more, until the other side leaves."""


CUT, STALL = Cut(), Stall()
Piece = bytes | float | Cut | Stall


@dataclass
class Play:
    """One answer: pieces are sent as HTTP chunks; a float waits that many seconds. ``status`` 0 sends no head at all.

    ``raw`` is sent instead of all that, and the connection is closed after it.
    """

    pieces: Sequence[Piece] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/event-stream"
    raw: bytes | None = None

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Play:
        """A whole JSON answer."""
        return cls([json.dumps(value).encode()], status, headers, "application/json")


@dataclass(eq=False)
class Seen:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: Any
    left_after: float | None = None
    left: asyncio.Event = field(default_factory=asyncio.Event)


def _parsed(body: bytes) -> Any:
    """JSON as what it says; a form as its bytes."""
    return body if body.startswith(b"--") else json.loads(body) if body else None


class ScriptedUpstream:
    """Plays answers in order, the last one again and again.

    :ivar models: raw answer to a request for the list of models, which counts as no request; ``None`` plays it like any other
    :ivar usage: likewise, to the question how full a plan's windows are
    :ivar open: connections that are open, idle ones included
    :ivar playing: requests that are being answered
    """

    def __init__(self, *plays: Play) -> None:
        self.plays = list(plays)
        self.seen: list[Seen] = []
        self.models: bytes | None = b"HTTP/1.1 404 Scripted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        self.asked_for_models = 0
        self.usage: bytes | None = self.models
        self.asked_for_usage: list[dict[str, str]] = []
        self.open = 0
        self.playing: list[Seen] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        assert self._server
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> ScriptedUpstream:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server
        self._server.close()

    async def arrived(self, count: int = 1) -> Seen:
        """Wait for the n-th request."""
        async with asyncio.timeout(5):
            while len(self.seen) < count:
                await asyncio.sleep(0.005)
        return self.seen[count - 1]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await self._request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError:
            return False
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if self.usage is not None and head[0].startswith("GET ") and "/usage " in head[0]:
            self.asked_for_usage.append(headers)
            writer.write(self.usage)
            await writer.drain()
            return False
        if self.models is not None and head[0].startswith("GET ") and "/models" in head[0]:
            self.asked_for_models += 1
            writer.write(self.models)
            await writer.drain()
            return False
        seen = Seen(head[0].split(" ")[1], headers, _parsed(body))
        self.seen.append(seen)
        watch = asyncio.create_task(self._watch(reader, seen))
        self.playing.append(seen)
        try:
            return await self._play(self.choose(seen), writer, seen)
        finally:
            self.playing.remove(seen)
            watch.cancel()
            await asyncio.wait([watch])  # only one may read at a time

    def choose(self, seen: Seen) -> Play:
        """What to answer a request."""
        return self.plays[min(len(self.seen), len(self.plays)) - 1]

    async def _watch(self, reader: asyncio.StreamReader, seen: Seen) -> None:
        started = time.perf_counter()
        with suppress(ConnectionError):
            await reader.read(1)
        seen.left_after = time.perf_counter() - started
        seen.left.set()

    async def _play(self, play: Play, writer: asyncio.StreamWriter, seen: Seen) -> bool:
        if play.raw is not None:
            writer.write(play.raw)
            await writer.drain()
            return False
        if play.status:
            lines = [f"HTTP/1.1 {play.status} Scripted", f"content-type: {play.content_type}", "transfer-encoding: chunked"]
            lines += [f"{name}: {value}" for name, value in play.headers.items()]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        for piece in play.pieces:
            if isinstance(piece, Cut):
                await writer.drain()
                return False
            if isinstance(piece, Stall):
                await writer.drain()
                await seen.left.wait()
                return False
            if isinstance(piece, float):
                await writer.drain()
                await asyncio.sleep(piece)
            elif piece:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

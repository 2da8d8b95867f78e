"""Reads large bodies in a process of its own, so that streams that run meanwhile do not pause.

A thread would not do: the parser holds Python's global lock, and an event loop that waits for it answers nobody. What comes back is pickled,
which is put together again in a tenth of the time that parsing takes.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.parsing.body import parse_body

LARGE = 1 << 20
"""Bytes from which a body is read apart: below, asking costs more than it saves."""

IDLE_SECONDS = 30.0
"""After which the process ends; the next large body starts another."""

_PIECE = 1 << 18
_HEAD = struct.Struct("!cQ")
_VALUE, _REFUSED, _ODD = b"v", b"r", b"o"


_Parted = tuple[JsonObject, dict[str, list[bytes]]]
"""An object without the entries of its lists, and those in pieces."""


class ParsingProcess:
    """Starts the process when it is first needed; bodies are read one after another."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def parse(self, body: bytes) -> JsonObject:
        """What ``parse_body`` makes of a body.

        :raises InvalidRequestError: as that
        """
        async with self._lock:
            try:
                kind, said = await self._ask(body)
            except (OSError, EOFError, RuntimeError, asyncio.IncompleteReadError):
                # No process can be had, or it died: others wait, but nobody is refused.
                self._end()
                kind, said = _ODD, b""
            except BaseException:
                self._end()  # whatever it still says answers nobody
                raise
        if kind == _ODD:
            return parse_body(body)
        # From our own process, which made it of JSON.
        value = pickle.loads(said)  # noqa: S301
        if kind == _REFUSED:
            raise InvalidRequestError(value)
        return await _put_together(value)

    async def aclose(self) -> None:
        """End the process."""
        async with self._lock:
            process = self._process
            self._end()
            if process is not None:
                await process.wait()

    async def _ask(self, body: bytes) -> tuple[bytes, bytes]:
        process = self._process
        if process is None or process.returncode is not None:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", __name__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_PIECE
            )
        if self._timer is not None:
            self._timer.cancel()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - asked for above
        process.stdin.write(_HEAD.pack(_VALUE, len(body)))
        view = memoryview(body)
        for at in range(0, len(body), _PIECE):
            process.stdin.write(view[at : at + _PIECE])
            await process.stdin.drain()
        kind, size = _HEAD.unpack(await process.stdout.readexactly(_HEAD.size))
        pieces: list[bytes] = []
        while size > 0:
            piece = await process.stdout.read(min(size, _PIECE))
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)
        return kind, b"".join(pieces)

    def _end(self) -> None:
        process, self._process = self._process, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()


async def _put_together(value: _Parted) -> JsonObject:
    whole, parted = value
    for name, pieces in parted.items():
        entries: list[Any] = whole[name]
        for piece in pieces:
            entries += pickle.loads(piece)  # noqa: S301 - as above
            await asyncio.sleep(0)
    return whole


def _taken_apart(whole: JsonObject) -> _Parted:
    """The long lists of an object, which are nearly all of it, in pieces of some hundred kilobytes."""
    parted: dict[str, list[bytes]] = {}
    for name, value in whole.items():
        if isinstance(value, list):
            whole[name] = []
            parted[name] = [pickle.dumps(group, protocol=pickle.HIGHEST_PROTOCOL) for group in _groups(value)]
    return whole, parted


def _groups(entries: list[Any]) -> Iterator[list[Any]]:
    group: list[Any] = []
    size = 0
    for entry in entries:
        group.append(entry)
        size += len(orjson.dumps(entry))
        if size >= _PIECE:
            yield group
            group, size = [], 0
    yield group


def _serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer until nobody asks any more."""
    while len(head := asked.read(_HEAD.size)) == _HEAD.size:
        _, size = _HEAD.unpack(head)
        kind, said = _answer(asked.read(size))
        answers.write(_HEAD.pack(kind, len(said)))
        answers.write(said)
        answers.flush()


def _answer(body: bytes) -> tuple[bytes, bytes]:
    try:
        return _VALUE, pickle.dumps(_taken_apart(parse_body(body)), protocol=pickle.HIGHEST_PROTOCOL)
    except InvalidRequestError as error:
        return _REFUSED, pickle.dumps(error.message)
    except (TypeError, pickle.PicklingError, RecursionError):
        return _ODD, b""  # numbers that are kept as they were written


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)

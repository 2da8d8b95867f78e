"""Reads trace files, whatever state they are in: torn lines, foreign lines, files that vanish or are rotated while being read."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.telemetry.line_shape import has_shape
from openclaw_oauthrouter.telemetry.trace_files import PACKED, open_trace, trace_files

_BLOCK = 64 * 1024


def decode_line(line: bytes) -> JsonObject | None:
    """One line as a record; ``None`` when it is torn, not ours, or holds what no record of ours does."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and has_shape(value) else None


def read_lines(
    path: Path, on_bytes: Callable[[int], object] | None = None, on_damaged: Callable[[], object] | None = None
) -> Iterator[JsonObject]:
    """Every readable record of one file, oldest first; nothing when it cannot be opened.

    :param on_bytes: told the length of each line, for a progress bar
    :param on_damaged: called for each line that is passed over
    """
    # What a broken archive holds before its fault is given out.
    with contextlib.suppress(OSError, EOFError, zlib.error), open_trace(path) as (lines, _):
        for line in lines:
            if on_bytes is not None:
                on_bytes(len(line))
            event = decode_line(line)
            if event is not None:
                yield event
            elif on_damaged is not None and line.strip():
                on_damaged()


def last_lines(path: Path, count: int) -> list[JsonObject]:
    """The newest ``count`` readable records of one file, oldest first, without reading all of it."""
    try:
        file = path.open("rb")
    except OSError:
        return []
    with file:
        events = [event for line in _tail(file, count + 8) if (event := decode_line(line)) is not None]
    return events[-count:] if count else []


def latest_records(path: Path, count: int) -> list[JsonObject]:
    """The newest ``count`` readable records, oldest first, of a trace file and of those set aside that are not packed yet."""
    found: list[JsonObject] = []
    for file in reversed([file for file in trace_files(path) if file.suffix != PACKED]):
        if len(found) < count:
            found = last_lines(file, count - len(found)) + found
    return found


class FollowedFile:
    """A file that grows: gives out what was added since the last look, across rotation. Close it, or use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BufferedReader | None = None
        self._partial = b""
        self._open(at_end=True)

    def __enter__(self) -> FollowedFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def read(self) -> list[JsonObject]:
        """Records added since the last call."""
        events = self._read_open_file()
        if self._was_replaced():
            self.close()
            self._open(at_end=False)
            events += self._read_open_file()
        return events

    def close(self) -> None:
        """Close the file."""
        file, self._file, self._partial = self._file, None, b""
        if file is not None:
            file.close()

    def _open(self, *, at_end: bool) -> None:
        with contextlib.suppress(OSError):
            self._file = self._path.open("rb")
            if at_end:
                self._file.seek(0, os.SEEK_END)

    def _read_open_file(self) -> list[JsonObject]:
        if self._file is None:
            return []
        *whole, self._partial = (self._partial + self._file.read()).split(b"\n")
        return [event for line in whole if (event := decode_line(line)) is not None]

    def _was_replaced(self) -> bool:
        try:
            there = os.stat(self._path)
        except OSError:
            return False
        if self._file is None:
            return True
        mine = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino) or there.st_size < self._file.tell()


def _tail(file: BufferedReader, count: int) -> list[bytes]:
    """The last ``count`` lines; the first of them may be cut."""
    end = file.seek(0, os.SEEK_END)
    text = b""
    while end > 0 and text.count(b"\n") <= count:
        start = max(0, end - _BLOCK)
        file.seek(start)
        text = file.read(end - start) + text
        end = start
    return text.splitlines()[-count:]

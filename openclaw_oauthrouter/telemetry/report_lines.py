"""Trace files as ``report`` reads them: piece by piece, each line only as far as its sums need it."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.telemetry.line_shape import DAMAGED, Line, read_line
from openclaw_oauthrouter.telemetry.trace_files import PACKED, open_trace

_PIECE = 1 << 16
"""Bytes at a time; what does not leave the processor's caches is read twice as fast."""


@value(frozen=True, slots=True)
class Part:
    """A stretch of a trace file: the lines that begin in it.

    :ivar end: where it ends; to the end of the file when absent, as for packed ones, which can only be read from their start
    :ivar size: bytes on the disk, for a progress bar
    """

    file: Path
    size: int
    start: int = 0
    end: int | None = None


def parts_of(file: Path, size: int, most: int = 32 << 20) -> Iterator[Part]:
    """A file in parts that several processes can read at once."""
    if file.suffix == PACKED or size <= most:
        yield Part(file, size)
        return
    for start in range(0, size, most):
        last = start + most >= size  # what is written meanwhile is read too
        yield Part(file, min(most, size - start), start, None if last else start + most)


def lines_of(part: Part) -> Iterator[tuple[list[Line], int, int]]:
    """A part's requests, damaged lines, and bytes read from the disk, a piece at a time.

    Nothing when the file cannot be opened; what a broken archive holds before its fault.
    """
    with contextlib.suppress(OSError), open_trace(part.file) as (lines, place):
        if part.start:
            lines.seek(part.start - 1)
            lines.readline()
        rest, before = b"", place()
        while True:
            whole, rest, ended = _next(lines, rest, part.end)
            now = place()
            yield *_read(whole), now - before
            before = now
            if ended:
                return


def _next(lines: BufferedReader, rest: bytes, end: int | None) -> tuple[bytes, bytes, bool]:
    """Whole lines, the beginning of the next, and whether there is none."""
    room = _PIECE if end is None else min(_PIECE, end - lines.tell())
    if room <= 0:
        return rest + (lines.readline() if rest else b""), b"", True
    try:
        piece = lines.read1(room)  # all that a broken archive still gives
    except (OSError, EOFError, zlib.error):
        piece = b""
    if not piece:
        return rest, b"", True
    whole, _, rest = (rest + piece).rpartition(b"\n")
    return whole, rest, False


def _read(text: bytes) -> tuple[list[Line], int]:
    found: list[Line] = []
    damaged = 0
    keep = found.append
    for line in text.split(b"\n"):
        try:
            keep(read_line(line))
        except DAMAGED:
            damaged += bool(line.strip())
    return found, damaged

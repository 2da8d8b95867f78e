"""Reads the records of a trace for ``replay`` and ``tune``: one after the other, for a trace may be larger than memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappush, heappushpop
from itertools import count
from pathlib import Path

from openclaw_oauthrouter.canonical.json import JsonObject

_DAY = 86_400.0

_OVERTAKING = 2_000
"""Records are written when requests end. So many others may begin later and end earlier; beyond that, order is as written."""

_LONG_BYTES = 8 * 1024 * 1024
"""Reading less than this takes no time worth a progress bar."""


@dataclass(slots=True)
class RecordedTrace:
    """A trace, as far back as is asked for.

    :ivar path: its newest file
    :ivar days: how far back
    :ivar damaged: lines that hold no record, among those read so far
    """

    path: Path
    days: float
    damaged: int = 0

    def events(self) -> Iterator[JsonObject]:
        """Its records, in the order in which the requests came; a progress bar on stderr if that takes a while."""
        since = (time.time() - self.days * _DAY) * 1000
        number = count()
        waiting: list[tuple[float, int, JsonObject]] = []
        for event in self._written():
            if event["ts"] < since:
                continue
            entry = (event["ts"], next(number), event)
            if len(waiting) < _OVERTAKING:
                heappush(waiting, entry)
            else:
                yield heappushpop(waiting, entry)[2]
        yield from (event for _, _, event in sorted(waiting))

    @property
    def span(self) -> str:
        """Where the records come from, in words."""
        return f"from the last {self.days:g} {'day' if self.days == 1 else 'days'} of {self.path}"

    @property
    def damage(self) -> str | None:
        """What was passed over, in words."""
        return f"{self.damaged:,} damaged lines of the trace were passed over" if self.damaged else None

    def _written(self) -> Iterator[JsonObject]:
        from openclaw_oauthrouter.telemetry.reader import read_lines
        from openclaw_oauthrouter.telemetry.trace_files import PACKED, trace_files

        files = trace_files(self.path)
        # What is packed becomes about ten times as long.
        sizes = [file.stat().st_size * (10 if file.suffix == PACKED else 1) for file in files]
        with progress(sum(sizes)) as advance:
            for file in files:
                yield from read_lines(file, advance, self._note_damage)

    def _note_damage(self) -> None:
        self.damaged += 1


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], object]]:
    """A progress bar over bytes, where there are many."""
    if total < _LONG_BYTES:
        yield lambda _length: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading the trace", total=total)
        yield lambda length: bar.advance(task, length)

"""``trace``: recorded requests, past and coming, from the trace file; the gateway may run or not."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.cli.grammar import UsageProblem
from openclaw_oauthrouter.errors import InvalidRequestError

if TYPE_CHECKING:
    from openclaw_oauthrouter.telemetry.filter import TraceFilter

_LOOK_AGAIN_SECONDS = 0.3
_PAGE = 200
_EVER = 1 << 60


@click.command("trace")
@click.option(
    "-n", "--lines", default=20, show_default=True, type=click.IntRange(0), help="Number of past requests to show first."
)
@click.option("-f", "--follow", is_flag=True, help="Keep showing new requests until Ctrl-C.")
@click.option("--since", help="Only requests since then: 15m, 2h, or a time such as 2026-11-22T16:00:00Z.")
@click.option("--tier", help="SIMPLE, MEDIUM, COMPLEX or REASONING.")
@click.option("--model", help="Part of a model's name.")
@click.option("--status", help="A status such as 429, or a class such as 5xx.")
@click.option("--search", help="Filter as on the dashboard: 'haiku -codex latency:>2s cost:>0.01 failed:true'.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as in the file.")
@click.pass_obj
def command(obj: dict[str, Any], /, lines: int, follow: bool, search: str | None, as_json: bool, **words: str | None) -> None:
    """Show recorded requests, oldest first."""
    from openclaw_oauthrouter.telemetry.query import parse_filter

    path = trace_file(obj)
    try:
        wanted = parse_filter({name: word for name, word in words.items() if word}, time.time())
        source = _Searched(path, search, wanted) if search else _Read(path, wanted)
    except InvalidRequestError as error:
        raise UsageProblem(error.message) from error
    show = _show_json if as_json else _line_writer()
    # Ctrl-C is how one stops following, not a failure.
    with suppress(KeyboardInterrupt), closing(source):
        past = source.past(lines)
        if not past and not follow:
            click.echo(f"no recorded request in {path} matches", err=True)
        show(past)
        while follow:
            show(source.coming())
            time.sleep(_LOOK_AGAIN_SECONDS)


class _Source(Protocol):
    """Requests that fit."""

    def past(self, count: int) -> Sequence[JsonObject]:
        """The newest, oldest first."""

    def coming(self) -> Iterable[JsonObject]:
        """Those that ended since."""

    def close(self) -> None:
        """Close what is open."""


class _Read:
    """Reads the trace files from their beginning."""

    def __init__(self, path: Path, wanted: TraceFilter) -> None:
        from openclaw_oauthrouter.telemetry.reader import FollowedFile

        self._path, self._wanted = path, wanted
        self._followed = FollowedFile(path)
        self.close = self._followed.close

    def past(self, count: int) -> Sequence[JsonObject]:
        return deque((event for event in _past(self._path) if self._wanted.admits_event(event)), maxlen=count)

    def coming(self) -> Iterable[JsonObject]:
        return (event for event in self._followed.read() if self._wanted.admits_event(event))


class _Searched:
    """Asks the index beside the trace files, as the dashboard does.

    :raises InvalidRequestError: a term that means nothing
    """

    def __init__(self, path: Path, text: str, wanted: TraceFilter) -> None:
        from openclaw_oauthrouter.telemetry.history import TraceHistory
        from openclaw_oauthrouter.telemetry.search import parse_search

        self._conditions, self._wanted = parse_search(text), wanted
        self._history = TraceHistory(path)
        self.close = self._history.close
        self._seen = 0

    def past(self, count: int) -> Sequence[JsonObject]:
        self._history.catch_up()
        found: list[JsonObject] = []
        rows = self._rows(None)
        while rows and len(found) < count:
            self._seen = max(self._seen, rows[0]["seq"])
            found += self._events(rows)
            rows = self._rows(rows[-1]["seq"])
        return found[:count][::-1]

    def coming(self) -> Iterable[JsonObject]:
        if not self._history.catch_up():
            return ()
        fresh = [row for row in self._rows(None) if row["seq"] > self._seen]
        self._seen = max([self._seen, *(row["seq"] for row in fresh)])
        return reversed(list(self._events(fresh)))

    def _rows(self, before: int | None) -> list[JsonObject]:
        from openclaw_oauthrouter.telemetry.history_sums import Span

        since = int((self._wanted.since or 0) * 1000)
        rows: list[JsonObject] = self._history.search(self._conditions, Span(since, _EVER), _PAGE, before)["rows"]
        return rows

    def _events(self, rows: Iterable[JsonObject]) -> Iterator[JsonObject]:
        whole = (self._history.request(row["id"]) for row in rows)
        return (event for event in whole if event is not None and self._wanted.admits_event(event))


def trace_file(obj: dict[str, Any]) -> Path:
    """Where the gateway that runs, else the one that is configured, keeps its trace."""
    from openclaw_oauthrouter.cli.running import subject_of
    from openclaw_oauthrouter.telemetry.trace_files import trace_path

    subject = subject_of(obj)
    return trace_path(subject.settings.home)


def _past(path: Path) -> Iterable[JsonObject]:
    from openclaw_oauthrouter.telemetry.reader import read_lines
    from openclaw_oauthrouter.telemetry.trace_files import trace_files

    for file in trace_files(path):
        yield from read_lines(file)


def _show_json(events: Iterable[JsonObject]) -> None:
    import orjson

    for event in events:
        click.echo(orjson.dumps(event))


def _line_writer() -> Callable[[Iterable[JsonObject]], None]:
    from openclaw_oauthrouter.cli.output import create_console
    from openclaw_oauthrouter.cli.trace_lines import event_line

    console = create_console()

    def show(events: Iterable[JsonObject]) -> None:
        for event in events:
            console.print(event_line(event), soft_wrap=True)

    return show

"""``trace``: recorded requests, past and coming, from the trace file; the gateway may run or not."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.cli.grammar import UsageProblem
from openclaw_oauthrouter.errors import InvalidRequestError

_LOOK_AGAIN_SECONDS = 0.3


@click.command("trace")
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(0), help="Past requests to begin with.")
@click.option("-f", "--follow", is_flag=True, help="Go on with requests as they end.")
@click.option("--since", help="A span such as 15m, or a time such as 2026-11-22T16:00:00Z.")
@click.option("--tier", help="SIMPLE, MEDIUM, COMPLEX or REASONING.")
@click.option("--model", help="Part of a model's name.")
@click.option("--status", help="A status such as 429, or a class such as 5xx.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as in the file.")
@click.pass_obj
def command(obj: dict[str, Any], /, lines: int, follow: bool, as_json: bool, **words: str | None) -> None:
    """Show recorded requests, oldest first."""
    from openclaw_oauthrouter.telemetry.query import parse_filter
    from openclaw_oauthrouter.telemetry.reader import FollowedFile

    path = trace_file(obj)
    try:
        wanted = parse_filter({name: word for name, word in words.items() if word}, time.time())
    except InvalidRequestError as error:
        raise UsageProblem(error.message) from error
    show = _show_json if as_json else _line_writer()
    # Ctrl-C is how one stops following, not a failure.
    with suppress(KeyboardInterrupt), FollowedFile(path) as followed:
        past = deque((event for event in _past(path) if wanted.admits_event(event)), maxlen=lines)
        if not past and not follow:
            click.echo(f"nothing recorded in {path} fits", err=True)
        show(past)
        while follow:
            show(event for event in followed.read() if wanted.admits_event(event))
            time.sleep(_LOOK_AGAIN_SECONDS)


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

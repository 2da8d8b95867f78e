"""``logs``: what the gateway wrote to its log."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import suppress
from typing import Any

import click

_LOOK_AGAIN_SECONDS = 0.3


@click.command("logs")
@click.option("-n", "--lines", default=40, show_default=True, type=click.IntRange(0), help="Number of past lines to show first.")
@click.option("-f", "--follow", is_flag=True, help="Keep showing new lines until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def command(obj: dict[str, Any], lines: int, follow: bool, as_json: bool) -> None:
    """Show the gateway's log; `trace` shows its requests.

    `serve --log-level info` also writes a line for each request.
    """
    from openclaw_oauthrouter.cli.log_output import log_path
    from openclaw_oauthrouter.cli.running import subject_of

    subject = subject_of(obj)
    path = log_path(subject.settings.home)
    if not path.is_file():
        click.echo(f"nothing has been logged in {path} yet", err=True)
        if not follow:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    show = _show_json if as_json else _show
    with suppress(KeyboardInterrupt), path.open(encoding="utf-8", errors="replace") as file:
        for line in deque(file, maxlen=lines):
            show(line)
        while follow:
            line = file.readline()
            if line:
                show(line)
            else:
                time.sleep(_LOOK_AGAIN_SECONDS)


def _show(line: str) -> None:
    click.echo(line, nl=False)


def _show_json(line: str) -> None:
    """An object a line: what ``log_format = "json"`` wrote as it is, anything else as a message."""
    text = line.rstrip("\n")
    click.echo(text if text.startswith("{") else json.dumps({"message": text}))

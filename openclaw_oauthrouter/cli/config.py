"""``config``: what is configured, and where it came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from openclaw_oauthrouter.config.loading import LoadedSettings


@click.group("config")
def command() -> None:
    """Show the configuration."""


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--all", "show_all", is_flag=True, help="Defaults too.")
@click.pass_obj
def show(obj: dict[str, Any], as_json: bool, show_all: bool) -> None:
    """Print the effective settings with the source of each; secrets are masked."""
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.config.effective import effective_rows

    loaded = command_settings(obj, announce=False)
    rows = [row for row in effective_rows(loaded) if show_all or as_json or row.source != "default"]
    if as_json:
        click.echo(json.dumps([{"key": r.key, "value": r.value, "source": r.source} for r in rows], indent=2, default=str))
        return
    from openclaw_oauthrouter.cli.output import create_console, create_table

    table = create_table("setting", "value", "source", title=f"Configuration ({_files(loaded)})")
    for row in rows:
        table.add_row(row.key, str(row.value), row.source)
    create_console().print(table)
    if not show_all:
        click.echo("everything else has its default (--all shows them)")


def _files(loaded: LoadedSettings) -> str:
    own = str(loaded.path or "no file")
    return f"{own}, under {loaded.host}" if loaded.host else own

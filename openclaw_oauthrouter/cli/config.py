"""``config``: what is configured, and where it came from."""

from __future__ import annotations

import json
from typing import Any

import click


@click.group("config")
def command() -> None:
    """Show the configuration."""


@command.command("show")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.option("--all", "show_all", is_flag=True, help="Defaults too.")
@click.pass_obj
def show(obj: dict[str, Any], as_json: bool, show_all: bool) -> None:
    """Print the effective settings with the source of each; secrets are masked."""
    from openclaw_oauthrouter.config.effective import effective_rows
    from openclaw_oauthrouter.config.loading import load_settings

    loaded = load_settings(obj.get("config"))
    rows = [row for row in effective_rows(loaded) if show_all or as_json or row.source != "default"]
    if as_json:
        click.echo(json.dumps([{"key": r.key, "value": r.value, "source": r.source} for r in rows], indent=2, default=str))
        return
    from openclaw_oauthrouter.cli.output import create_console, create_table

    table = create_table("setting", "value", "source", title=f"Configuration ({loaded.path or 'no file'})")
    for row in rows:
        table.add_row(row.key, str(row.value), row.source)
    create_console().print(table)
    if not show_all:
        click.echo("everything else has its default (--all shows them)")

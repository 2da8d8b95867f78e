"""``client-keys``: further local tokens, one a person or program, each with limits of its own."""

from __future__ import annotations

from typing import Any

import click
import orjson

from openclaw_oauthrouter.changes.client_keys import new_key, removed_key
from openclaw_oauthrouter.cli.config import say_dangling_names, settings_file
from openclaw_oauthrouter.cli.grammar import check_names
from openclaw_oauthrouter.cli.output import create_console, create_table
from openclaw_oauthrouter.cli.settings import command_settings


@click.group("client-keys")
def command() -> None:
    """Give clients their own tokens, with their own limits."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def list_(obj: dict[str, Any], as_json: bool) -> None:
    """Show the client keys and their limits, but not the tokens."""
    keys = command_settings(obj).settings.server.client_keys
    rows = [{"name": name, **key.model_dump(mode="json", exclude={"token"})} for name, key in keys.items()]
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    elif not rows:
        click.echo("There are no client keys; add one with `openclaw-oauthrouter client-keys add NAME`.")
    else:
        table = create_table("Client", "Requests a day", "$ a day", "Models")
        for row in rows:
            table.add_row(
                row["name"],
                "" if row["daily_request_budget"] is None else f"{row['daily_request_budget']:,}",
                "" if row["daily_cost_budget"] is None else f"{row['daily_cost_budget']:g}",
                ", ".join(row["allowlist_models"]) or "all",
            )
        create_console().print(table)


@command.command("add")
@click.argument("name")
@click.option("--requests", type=click.IntRange(min=0), help="Requests a day.")
@click.option("--cost", type=click.FloatRange(min=0), help="US dollars a day.")
@click.option(
    "--model", "models", multiple=True, metavar="PROVIDER/MODEL", help="A model it may use; repeat for more.  [default: all]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def add(obj: dict[str, Any], name: str, requests: int | None, cost: float | None, models: tuple[str, ...], as_json: bool) -> None:
    """Create a token for the client NAME and print it. It cannot be shown again."""
    from openclaw_oauthrouter.runtime import new_token

    limits = {"daily_request_budget": requests, "daily_cost_budget": cost, "allowlist_models": list(models)}
    change, token = new_key(name, limits, command_settings(obj).settings, new_token)
    file = settings_file(obj)
    file.make(file.plan([change]))
    if models:
        say_dangling_names(file.path, "server.client_keys")
    if as_json:
        click.echo(orjson.dumps({"name": name, "token": token.reveal()}))
        return
    click.echo(f"Kept the client key {name!r}. Its token, which cannot be shown again:", err=True)
    click.echo(token.reveal())


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(obj: dict[str, Any], name: str) -> None:
    """Remove the client key NAME. `config undo` brings it back."""
    settings = command_settings(obj).settings
    check_names("client key", [name], settings.server.client_keys, "openclaw-oauthrouter client-keys list")
    change = removed_key(name, settings)
    file = settings_file(obj)
    file.make(file.plan([change]))
    click.echo(f"Removed the client key {name!r}.")

"""``token``: hands the local token to another command."""

from __future__ import annotations

import json
import sys
from typing import Any

import click


@click.command("token")
@click.option("--show", is_flag=True, help="Print the token even on a terminal.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def command(obj: dict[str, Any], show: bool, as_json: bool) -> None:
    """Print the local token, for $(openclaw-oauthrouter token).

    On a terminal, it prints where the token is stored instead, so that the token does not stay on the screen.
    """
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.proxy.local_client import local_token
    from openclaw_oauthrouter.proxy.local_token import token_path

    settings = command_settings(obj, announce=False).settings
    token = local_token(settings)
    shown = show or not sys.stdout.isatty()
    path = token_path(settings.home) if settings.server.auth_token is None else None
    if as_json:
        click.echo(json.dumps({"token": token if shown else None, "file": str(path) if path is not None else None}))
    elif shown:
        click.echo(token)
    elif path is not None:
        click.echo(f"it is kept in {path}; --show prints it")
    else:
        click.echo("it is set by the configuration or the environment; --show prints it")

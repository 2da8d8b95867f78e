"""``token``: hands the local token to another command."""

from __future__ import annotations

import sys
from typing import Any

import click


@click.command("token")
@click.option("--show", is_flag=True, help="Print it even on a terminal.")
@click.pass_obj
def command(obj: dict[str, Any], show: bool) -> None:
    """Write the local token to standard output, for $(openclaw-oauthrouter token).

    On a terminal it prints where the token is kept instead, so that it does not end up on a screen or in its scrollback.
    """
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.proxy.local_client import local_token
    from openclaw_oauthrouter.proxy.local_token import token_path

    settings = command_settings(obj, announce=False).settings
    token = local_token(settings)
    if show or not sys.stdout.isatty():
        click.echo(token)
    elif settings.server.auth_token is None:
        click.echo(f"it is kept in {token_path(settings.home)}; --show prints it")
    else:
        click.echo("it is set by the configuration or the environment; --show prints it")

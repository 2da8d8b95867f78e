"""``dashboard``: a one-time link into the running gateway's dashboard."""

from __future__ import annotations

import json
import webbrowser
from typing import Any

import click


@click.command("dashboard")
@click.option("--open/--no-open", "open_browser", default=False, help="Open the link in the browser.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def command(obj: dict[str, Any], open_browser: bool, as_json: bool) -> None:
    """Print a link that signs one browser in to the dashboard. It works once, within ten minutes."""
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.config.server import local_address
    from openclaw_oauthrouter.errors import GatewayUnavailableError
    from openclaw_oauthrouter.proxy.local_client import ask_gateway

    settings = command_settings(obj).settings
    address = local_address(settings.server.listen_host, settings.server.port)
    path = ask_gateway(settings, "POST", "/debug/dashboard/code").get("path")
    if not isinstance(path, str):
        raise GatewayUnavailableError(f"what listens at {address} is not a gateway (it gives no link)")
    link = address + path
    click.echo(json.dumps({"link": link}) if as_json else link)
    if open_browser:
        webbrowser.open(link)

"""``dashboard``: a one-time link into the running gateway's dashboard."""

from __future__ import annotations

import webbrowser
from typing import Any

import click


@click.command("dashboard")
@click.option("--open/--no-open", "open_browser", default=False, help="Open it in the browser.")
@click.pass_obj
def command(obj: dict[str, Any], open_browser: bool) -> None:
    """Print a link that signs one browser in; it works once and for ten minutes."""
    from openclaw_oauthrouter.config.loading import load_settings
    from openclaw_oauthrouter.proxy.local_client import local_client

    loaded = load_settings(obj.get("config"))
    with local_client(loaded.settings) as client:
        answer = client.post("/debug/dashboard/code")
        answer.raise_for_status()
        link = f"{client.base_url}".rstrip("/") + answer.json()["path"]
    click.echo(link)
    if open_browser:
        webbrowser.open(link)

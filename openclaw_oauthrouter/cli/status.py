"""``status``: which gateway runs here, and how it is."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import click


@click.command("status")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Show whether a gateway is running, which one, and whether it can answer. Ends with 1 if it cannot."""
    import orjson

    from openclaw_oauthrouter.cli.running import other_home
    from openclaw_oauthrouter.cli.settings import command_settings
    from openclaw_oauthrouter.config.server import local_address
    from openclaw_oauthrouter.errors import ConfigurationError
    from openclaw_oauthrouter.proxy.local_client import ask_gateway

    settings = command_settings(context.obj, announce=not as_json).settings
    address = local_address(settings.server.listen_host, settings.server.port)
    try:
        health: dict[str, Any] = ask_gateway(settings, "GET", "/health")
    except ConfigurationError as error:
        health = {"status": "not running", "ready": False, "problem": error.message}
    else:
        with suppress(ConfigurationError):  # an older gateway does not tell
            told = ask_gateway(settings, "GET", "/debug/gateway")
            health["home"] = told.get("home")
            elsewhere = other_home(settings, told)
            if elsewhere is not None:
                health["note"] = f"another gateway than the configured one, whose state folder would be {settings.home}"
    if as_json:
        click.echo(orjson.dumps({"address": address, **health}, option=orjson.OPT_INDENT_2))
    else:
        for name, value in _lines(address, health):
            click.echo(f"{name:<10} {value}")
    context.exit(0 if health.get("ready") else 1)


def _lines(address: str, health: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [("gateway", address), ("status", str(health.get("status", "unknown")))]
    for name in ("version", "home", "demo", "ready", "providers", "problem", "note"):
        value = health.get(name)
        if value not in (None, [], ""):
            words = ", ".join(map(str, value)) if isinstance(value, list) else value
            lines.append((name, {True: "yes", False: "no"}.get(words, str(words)) if isinstance(words, bool) else str(words)))
    return lines

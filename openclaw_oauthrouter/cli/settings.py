"""The settings a command starts from: those of the gateway that runs, so also what OpenClaw's file says once it leads here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openclaw_oauthrouter.config.loading import LoadedSettings, load_settings


def command_settings(obj: dict[str, Any] | None, *, announce: bool = True) -> LoadedSettings:
    """Read all sources as the running gateway does.

    A file named with ``--config`` is meant as it is: nothing of OpenClaw's is laid over it.

    :param announce: say on standard error that OpenClaw's settings are in force
    :raises ConfigurationError: naming the key, the value and what is allowed
    """
    config = (obj or {}).get("config")
    own = load_settings(config)
    if config is not None:
        return own
    loaded = _with_openclaw(own)
    if announce and loaded.host is not None:
        click.secho(f"settings: those of {loaded.host}", dim=True, err=True)
    return loaded


def _with_openclaw(own: LoadedSettings) -> LoadedSettings:
    from openclaw_oauthrouter.config.places import openclaw_config_file

    path = openclaw_config_file(own.settings, own.environ)
    if not path.is_file():
        return own
    from openclaw_oauthrouter.openclaw.host_settings import host_settings

    found = host_settings(path, own.environ)
    if found is None:
        return own
    # What the shell says stands behind what the service is started with, and before what OpenClaw lends to everything it starts.
    local = found.route == "local-service"
    environ = {**own.environ, **found.environ} if local else {**found.environ, **own.environ}
    config = found.config if found.config is not None and found.config.is_file() else None
    return load_settings(config, environ=environ, host=(_shown(found.file), found.layer))


def _shown(path: Path) -> str:
    try:
        return f"~/{path.relative_to(Path.home())}"
    except ValueError:
        return str(path)

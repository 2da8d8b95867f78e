"""Where the host keeps its files; light to load, for commands that only ask where things are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openclaw_oauthrouter.config import Settings


def openclaw_state_dir(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where OpenClaw keeps its state: the setting, ``OPENCLAW_STATE_DIR``, else ``.openclaw`` in ``OPENCLAW_HOME`` or the home folder."""
    named = settings.credentials.openclaw_state_dir or environ.get("OPENCLAW_STATE_DIR")
    if named:
        return Path(named).expanduser()
    return Path(environ.get("OPENCLAW_HOME") or Path.home()).expanduser() / ".openclaw"


def openclaw_config_file(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where OpenClaw's configuration lies: ``OPENCLAW_CONFIG_PATH``, else in its state folder."""
    named = environ.get("OPENCLAW_CONFIG_PATH")
    return Path(named).expanduser() if named else openclaw_state_dir(settings, environ) / "openclaw.json"

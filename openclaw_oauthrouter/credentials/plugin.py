"""Puts this room's built-in things in place through the hooks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.environment import process_environment
from openclaw_oauthrouter.credentials.sources.auth_profiles import AuthProfilesSource, auth_profile_paths
from openclaw_oauthrouter.credentials.sources.config import ConfigSource
from openclaw_oauthrouter.credentials.sources.environment import EnvironmentSource
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import CredentialSource


@hookimpl
def oauthrouter_register_credential_sources(settings: Settings) -> Sequence[CredentialSource]:
    """The built-in sources, with this process's environment and clock."""
    return builtin_sources(settings, process_environment(), time.time)


def builtin_sources(settings: Settings, environ: Mapping[str, str], clock: Clock) -> Sequence[CredentialSource]:
    """The built-in sources; the host's own is offered by the host's room."""
    state_dir = openclaw_state_dir(settings, environ)
    return (
        ConfigSource(settings.providers, clock),
        EnvironmentSource(environ, settings.providers, clock),
        AuthProfilesSource(auth_profile_paths(state_dir, settings.credentials.agent), clock),
    )


def openclaw_state_dir(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where OpenClaw keeps its state: the setting, ``OPENCLAW_STATE_DIR``, else ``.openclaw`` in ``OPENCLAW_HOME`` or the home folder."""
    named = settings.credentials.openclaw_state_dir or environ.get("OPENCLAW_STATE_DIR")
    if named:
        return Path(named).expanduser()
    return Path(environ.get("OPENCLAW_HOME") or Path.home()).expanduser() / ".openclaw"

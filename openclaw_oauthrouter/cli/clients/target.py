"""Finds where clients are pointed: the gateway's address, and its local token."""

from __future__ import annotations

import sys

from openclaw_oauthrouter.cli.clients.client import Target
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import LoadedSettings
from openclaw_oauthrouter.config.server import local_address
from openclaw_oauthrouter.openclaw.launch import token_arguments
from openclaw_oauthrouter.proxy.local_token import kept_token, read_token, token_path


def target_of(loaded: LoadedSettings, *, model: str = "auto", select: bool = False) -> Target:
    """Where clients are pointed; a local token is made if the gateway has not been started yet."""
    server = loaded.settings.server
    file = token_path(loaded.settings.home) if server.auth_token is None else None
    read = ("cat", str(file)) if file else (sys.executable, *token_arguments(loaded.path))
    return Target(
        local_address(server.listen_host, server.port),
        _token(loaded.settings),
        token_command=read,
        token_file=file,
        model=model,
        select=select,
    )


def _token(settings: Settings) -> str:
    if settings.server.auth_token is not None:
        return settings.server.auth_token.get_secret_value()
    try:
        return read_token(token_path(settings.home))
    except OSError:
        # What makes one is slow to load, and only needed before the first start.
        from openclaw_oauthrouter.runtime import new_token

        return kept_token(settings.home, new_token()).reveal()

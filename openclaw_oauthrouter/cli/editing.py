"""Lets the dashboard of a gateway that a command started change the configuration file the command was given."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_oauthrouter.config.loading import LoadedSettings

if TYPE_CHECKING:
    from openclaw_oauthrouter.proxy.editing import Editing
    from openclaw_oauthrouter.proxy.live import Live
    from openclaw_oauthrouter.proxy.reload import Reloader


def allow_editing(live: Live, reloader: Reloader, path: Path, load: Callable[[Path], LoadedSettings]) -> None:
    """Connect a running gateway with its configuration file; the parts that do it are loaded when somebody asks for them.

    :param path: it need not be there yet
    :param load: reads all sources with a file in its place
    """
    if path.suffix in (".toml", ".json"):
        live.allow_editing(lambda: _editing(live, reloader, path, load))


def _editing(live: Live, reloader: Reloader, path: Path, load: Callable[[Path], LoadedSettings]) -> Editing:
    from openclaw_oauthrouter.changes.credentials import RemovedCredentials
    from openclaw_oauthrouter.changes.settings_file import SettingsFile
    from openclaw_oauthrouter.changes.sign_in import SignIn
    from openclaw_oauthrouter.credentials.builtin import token_client
    from openclaw_oauthrouter.credentials.sources.store import StoreFile
    from openclaw_oauthrouter.edits.journal import Journal
    from openclaw_oauthrouter.proxy.editing import Editing
    from openclaw_oauthrouter.runtime import new_token

    home = live.runtime.settings.home
    store = StoreFile(home)

    def reload() -> str | None:
        return None if reloader.reload() else live.config_problem

    return Editing(
        SettingsFile(path, Journal(home / "changes"), load, time.time),
        reload,
        RemovedCredentials(store, time.time, lambda: secrets.token_urlsafe(24)),
        SignIn(store, lambda: token_client(live.runtime.settings, time.time), time.time),
        new_token,
    )


def file_to_edit(loaded: LoadedSettings) -> Path:
    """The configuration file that was read, or where it would be."""
    return loaded.path or loaded.settings.home / "config.toml"

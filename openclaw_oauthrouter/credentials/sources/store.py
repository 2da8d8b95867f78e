"""Our own store, ``credentials.json`` in the state folder: what ``auth add`` and ``auth login`` keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from openclaw_oauthrouter.config.private_file import private_folder, write_private
from openclaw_oauthrouter.credentials.chatgpt_login import PROVIDER
from openclaw_oauthrouter.credentials.directory_lock import DirectoryLock
from openclaw_oauthrouter.credentials.profiles import decode_object, raw_profiles
from openclaw_oauthrouter.credentials.renewing_profiles import RenewingProfiles
from openclaw_oauthrouter.credentials.watched_file import read_private
from openclaw_oauthrouter.errors import CredentialError

FILE_NAME = "credentials.json"
_VERSION = 1


class StoreSource(RenewingProfiles):
    """Profiles of our own store."""

    name = "store"
    prefix = "store:"

    def renewal(self, provider: str) -> str:
        """Our own commands."""
        return f"run `openclaw-oauthrouter auth {'login openai' if provider == PROVIDER else f'add {provider}'}`"


class StoreFile:
    """Changes our own store: 0600 in a folder of 0700, one writer at a time.

    :param home: the state folder
    """

    def __init__(self, home: Path) -> None:
        self.path = home / FILE_NAME

    def get(self, profile_id: str) -> dict[str, Any]:
        """A profile as it is kept; empty when there is none.

        :raises CredentialError: the store is damaged
        """
        entry = raw_profiles(self._load()).get(profile_id)
        return entry if isinstance(entry, dict) else {}

    def names(self) -> list[str]:
        """The ids of its profiles.

        :raises CredentialError: the store is damaged
        """
        return list(raw_profiles(self._load()))

    def put(self, profile_id: str, entry: dict[str, Any]) -> None:
        """Add a profile, or put it in the place of the one with its id.

        :raises CredentialError: the store is damaged
        :raises OSError: it cannot be written
        """
        self._change(lambda profiles: profiles.update({profile_id: entry}))

    def remove(self, name: str) -> list[str]:
        """Remove a profile by its id, or all profiles of a provider.

        :return: the ids removed
        """
        if not any(name in (key, _provider_of(key, entry)) for key, entry in raw_profiles(self._load()).items()):
            return []  # nothing is written
        removed: list[str] = []

        def drop(profiles: dict[str, Any]) -> None:
            removed.extend(key for key, entry in profiles.items() if name in (key, _provider_of(key, entry)))
            for key in removed:
                del profiles[key]

        self._change(drop)
        return removed

    def _change(self, change: Callable[[dict[str, Any]], None]) -> None:
        private_folder(self.path.parent)
        with DirectoryLock(self.path):
            store = self._load()
            change(raw_profiles(store))
            write_private(self.path, orjson.dumps(store, option=orjson.OPT_INDENT_2))

    def _load(self) -> dict[str, Any]:
        if not self.path.exists():
            return {"version": _VERSION, "profiles": {}}
        try:
            store = decode_object(read_private(self.path))
            store.setdefault("profiles", {})
            raw_profiles(store)
        except ValueError as error:
            raise CredentialError(f"{str(self.path)!r} {error}", code="credential_file") from None
        return store


def _provider_of(profile_id: str, entry: object) -> str:
    named = entry.get("provider") if isinstance(entry, dict) else None
    return named if isinstance(named, str) else profile_id.partition(":")[0]

"""OpenClaw's own databases, read and never written: the store its agents share, with what one agent overrides."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.credentials.finding import Finding, Inventory
from openclaw_oauthrouter.credentials.profiles import ProfileStore, decode_object, fill_references, raw_profiles, read_store
from openclaw_oauthrouter.credentials.watched_file import Signature, settled, signature_of
from openclaw_oauthrouter.errors import CredentialError

_SHARED = "SELECT state_key, value_json FROM config_machine_state WHERE state_key IN ('authProfiles.store', 'authProfiles.state')"
_AGENT = (
    "SELECT 'authProfiles.store', store_json FROM auth_profile_store WHERE store_key = 'primary' "
    "UNION ALL SELECT 'authProfiles.state', state_json FROM auth_profile_state WHERE state_key = 'primary'"
)
_WAIT = 0.25  # seconds to wait for a writer that locks the whole database
_LARGEST = 4 * 1024 * 1024  # characters of one row

Rows = Mapping[str, FrozenObject]
_NO_ROWS: Rows = MappingProxyType({})


def database_paths(state_dir: Path, agent: str) -> tuple[Path, Path]:
    """The shared database and the agent's own."""
    return state_dir / "state" / "openclaw.sqlite", state_dir / "agents" / agent / "agent" / "openclaw-agent.sqlite"


def login_command(provider: str) -> str:
    """How OpenClaw's user signs in again; OpenClaw files ChatGPT sign-ins under ``openai``."""
    return f"run `openclaw models auth login --provider {'openai' if provider == 'openai-codex' else provider}`"


class OpenClawSource(Inventory):
    """Profiles in OpenClaw's databases; OpenClaw itself renews them.

    :param environ: where references to environment variables are looked up
    """

    name = "openclaw"

    def __init__(self, state_dir: Path, agent: str, environ: Mapping[str, str], clock: Clock) -> None:
        super().__init__(clock)
        shared, own = database_paths(state_dir, agent)
        self._databases = (_Database(shared, _SHARED, clock), _Database(own, _AGENT, clock))
        self._environ = environ
        self._read: tuple[Rows, Rows] | None = None
        self._findings: Sequence[Finding] = ()

    def findings(self) -> Sequence[Finding]:
        """The shared profiles with the agent's own in their place; last good ones first, then as ordered, then as filed."""
        shared, own = (database.read() for database in self._databases)
        if self._read is None or self._read[0] is not shared or self._read[1] is not own:
            profiles = self._merged(shared, own).profiles
            self._findings = [profile.finding(self.name, renewal=login_command(profile.provider)) for profile in profiles]
            self._read = (shared, own)
        return self._findings

    def _merged(self, shared: Rows, own: Rows) -> ProfileStore:
        try:
            profiles = raw_profiles(shared.get("authProfiles.store", {})) | raw_profiles(own.get("authProfiles.store", {}))
        except ValueError as error:
            raise CredentialError(f"OpenClaw's credential store {error}", code="credential_file") from None
        states = (shared.get("authProfiles.state", {}), own.get("authProfiles.state", {}))
        state = {key: _object(states[0].get(key)) | _object(states[1].get(key)) for key in ("order", "lastGood")}
        return read_store({"profiles": fill_references(profiles, self._environ)}, state)


class _Database:
    """Rows of one database, read anew whenever it or its write-ahead log has changed."""

    def __init__(self, path: Path, query: str, clock: Clock) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._query = query
        self._clock = clock
        self._seen: tuple[Signature | None, ...] | None = None
        self._rows: Rows = _NO_ROWS

    def read(self) -> Rows:
        """The rows, decoded, the same object as long as they are the same; none when there is no database.

        :raises CredentialError: it cannot be read
        """
        signatures = (signature_of(self._path), signature_of(self._log))
        if signatures[0] is None:
            self._seen = None
            return _NO_ROWS
        if signatures != self._seen:
            self._rows = self._query_rows(quiet=signatures[1] is None and _uses_log(self._path))
            now = self._clock()
            self._seen = signatures if all(settled(item, now) for item in signatures if item) else None
        return self._rows

    def _query_rows(self, *, quiet: bool) -> Rows:
        # With no log beside it nobody has it open; "immutable" then keeps SQLite from making files in a folder that is not ours.
        mode = "mode=ro&immutable=1" if quiet else "mode=ro"
        try:
            with closing(sqlite3.connect(f"file:{quote(str(self._path))}?{mode}", uri=True, timeout=_WAIT)) as connection:
                rows = connection.execute(self._query).fetchall()
            return {str(key): decode_object(_encoded(text)) for key, text in rows if text}
        except sqlite3.Error as error:
            raise CredentialError(
                f"OpenClaw's database {str(self._path)!r} cannot be read ({error}); run `openclaw doctor`", code="credential_file"
            ) from None
        except ValueError as error:
            raise CredentialError(f"a row of OpenClaw's database {str(self._path)!r} {error}", code="credential_file") from None


def _uses_log(path: Path) -> bool:
    """Whether the database is in write-ahead mode (byte 18 of its header); otherwise writers lock it, and locks must be obeyed."""
    try:
        with path.open("rb") as file:
            return file.read(19)[18:] == b"\x02"
    except OSError:
        return False


def _encoded(text: object) -> bytes:
    data = text if isinstance(text, bytes) else str(text).encode()
    if len(data) > _LARGEST:
        raise ValueError(f"is larger than {_LARGEST // 1024 // 1024} MB")
    return data


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

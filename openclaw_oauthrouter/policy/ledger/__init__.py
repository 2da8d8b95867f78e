"""Where spending is counted: one file per kind of store, all behind ``entries.Store``."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_oauthrouter.canonical.clock import Clock, NewId
from openclaw_oauthrouter.errors import DamagedLedgerError, StateFolderError
from openclaw_oauthrouter.policy.ledger.entries import Store
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteStore
from openclaw_oauthrouter.policy.ledger.sqlite_file import set_aside

if TYPE_CHECKING:
    from openclaw_oauthrouter.config import Settings

_log = logging.getLogger(__name__)

LEDGER_FILE = "ledger.sqlite3"


def open_ledger(settings: Settings, new_id: NewId, clock: Clock) -> Ledger:
    """The ledger the settings ask for: Redis with ``stateUrl``, else a file in the state folder.

    Call it in the thread of the event loop.

    :param new_id: makes the name of this process's rows
    :raises ConfigurationError: a budget is to be kept and the file is damaged, or the extra ``redis`` is not installed
    """
    return Ledger(_open_store(settings, new_id()), clock)


def ledger_path(home: Path) -> Path:
    """The ledger's file in a state folder."""
    return home / LEDGER_FILE


def _open_store(settings: Settings, writer: str) -> Store:
    if settings.state_url is None:
        return _open_file(settings, writer)
    from openclaw_oauthrouter.policy.ledger.redis import RedisStore

    return RedisStore.connect(settings.state_url, writer)


def _open_file(settings: Settings, writer: str) -> Store:
    path = ledger_path(settings.home)
    try:
        return SqliteStore(path, writer)
    except (StateFolderError, DamagedLedgerError) as error:
        if _counts(settings):
            raise
        if isinstance(error, DamagedLedgerError):
            _log.warning("%s. No budget needs it: it is kept as %s.damaged, and counting starts anew", error.message, path.name)
            set_aside(path)
            return SqliteStore(path, writer)
        _log.warning("%s; no budget needs it, so what is spent is counted elsewhere until it can", error.message)
        return SqliteStore(ledger_path(Path(tempfile.mkdtemp(prefix="oauthrouter-"))), writer, stands_in_for=path)


def _counts(settings: Settings) -> bool:
    """Whether anything is to be limited; then spending that cannot be counted must not happen."""
    sections = [settings.spend_controls, *settings.server.client_keys.values()]
    return any(value for section in sections for name, value in section.model_dump().items() if "budget" in name)

"""Where spending is counted: one file per kind of store, all behind ``entries.Ledger``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from openclaw_oauthrouter.canonical.clock import NewId
from openclaw_oauthrouter.policy.ledger.entries import Ledger
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from openclaw_oauthrouter.config import Settings

LEDGER_FILE = "ledger.sqlite3"


def open_ledger(settings: Settings, new_id: NewId) -> Ledger:
    """The ledger the settings ask for: Redis with ``stateUrl``, else a file in the state folder.

    Call it in the thread of the event loop.

    :raises ConfigurationError: the file is damaged, or the extra ``redis`` is not installed
    """
    if settings.state_url is None:
        return SqliteLedger(ledger_path(settings.home))
    from openclaw_oauthrouter.policy.ledger.redis import RedisLedger

    return RedisLedger.connect(settings.state_url, new_id())


def ledger_path(home: Path) -> Path:
    """The ledger's file in a state folder."""
    return home / LEDGER_FILE

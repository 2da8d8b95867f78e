"""Says which test left a SQLite database open: Python does so from 3.13 on, in whichever test the garbage is found."""

from __future__ import annotations

import os
import sqlite3
import warnings
from contextlib import suppress
from typing import Any
from weakref import WeakSet

_open: WeakSet[WatchedConnection] = WeakSet()


def open_databases() -> int:
    """How many connections are open now."""
    return len(_open)


class WatchedConnection(sqlite3.Connection):
    """A connection that warns when it is thrown away without having been closed."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._opened_by = os.environ.get("PYTEST_CURRENT_TEST", "no test")
        self._is_closed = True
        super().__init__(*arguments, **named)
        self._is_closed = False
        _open.add(self)

    def close(self) -> None:
        _open.discard(self)
        super().close()
        self._is_closed = True

    def __del__(self) -> None:
        if not self._is_closed:
            with suppress(sqlite3.Error):  # the garbage may be found by another thread
                self.close()
            warnings.warn(f"a database was left open by {self._opened_by}", ResourceWarning, stacklevel=2)

"""The ledger as a file that any number of processes of one machine share.

WAL with ``synchronous=NORMAL``: a commit takes microseconds, survives the death of the process, and may be lost in a power cut.
Statements run on the event loop; only waiting for another process's write lock gives it free.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self, TypeVar

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.errors import ConfigurationError, LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger.entries import Hold, Row, Shortfall
from openclaw_oauthrouter.policy.ledger.owner import has_died, this_process
from openclaw_oauthrouter.policy.periods import window

_VERSION = 1
_SCHEMA = """
CREATE TABLE used (
    window TEXT NOT NULL, scope TEXT NOT NULL,
    requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, microdollars INTEGER NOT NULL,
    PRIMARY KEY (window, scope)
) WITHOUT ROWID;
CREATE TABLE held (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at REAL NOT NULL,
    day TEXT NOT NULL, model TEXT NOT NULL, client TEXT NOT NULL,
    requests INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, microdollars INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
_BOOK = """
INSERT INTO used VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (window, scope) DO UPDATE SET
    requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens, microdollars = microdollars + excluded.microdollars
"""
_HOLD = "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DROP = "DELETE FROM held WHERE id = ?"
_TAKEN = {
    quantity: f"""
SELECT COALESCE((SELECT {quantity} FROM used WHERE window = :window AND scope = :scope), 0),
       COALESCE((SELECT SUM({quantity}) FROM held
                 WHERE substr(day, 1, length(:window)) = :window AND :scope IN ('', model, client)), 0)
"""  # noqa: S608 - the names of columns, not input
    for quantity in ("requests", "input_tokens", "output_tokens", "microdollars")
}

_T = TypeVar("_T")


class SqliteLedger:
    """``Ledger`` in one SQLite file.

    :param path: made if absent, readable by its owner only
    :param wait_seconds: how long to wait for other processes' commits
    :raises ConfigurationError: the file is damaged or of a later version; budgets are never quietly started anew
    """

    immediate = True

    def __init__(self, path: Path, *, wait_seconds: float = 5.0) -> None:
        self._path = path
        self._wait_seconds = wait_seconds
        self._owner = this_process()
        try:
            self._connection = _open(path)
        except (sqlite3.DatabaseError, OSError) as error:
            raise ConfigurationError(
                f"the spend ledger {str(path)!r} cannot be read ({error}); restore it from a backup, or move it away to start "
                "counting from zero: today's and this month's budgets then count as unused"
            ) from error

    async def reserve(self, hold: Hold, limits: Sequence[Limit], now: float) -> Shortfall | None:
        """See ``Ledger``."""
        return await self._write(lambda: self._reserve(hold, limits, now))

    async def settle(self, hold: Hold, used: Amounts) -> None:
        """See ``Ledger``."""
        await self._write(lambda: self._settle(hold, used))

    async def release(self, hold: Hold) -> None:
        """See ``Ledger``."""
        await self._write(lambda: self._connection.execute(_DROP, (hold.id,)))

    async def rows(self, windows: Collection[str]) -> Sequence[Row]:
        """See ``Ledger``."""
        return read_rows(self._connection, windows)

    async def close(self) -> None:
        """See ``Ledger``."""
        self._connection.close()

    def _reserve(self, hold: Hold, limits: Sequence[Limit], now: float) -> Shortfall | None:
        short = self._shortfall(hold, limits)
        if short is not None and self._drop_abandoned(now):
            short = self._shortfall(hold, limits)
        if short is None:
            row = (hold.id, str(self._owner), hold.expires_at, hold.day, hold.model, hold.client, *_columns(hold.amounts))
            self._connection.execute(_HOLD, row)
        return short

    def _shortfall(self, hold: Hold, limits: Sequence[Limit]) -> Shortfall | None:
        for limit in limits:
            where = {"window": window(limit.period, hold.day), "scope": limit.scope}
            used, held = self._connection.execute(_TAKEN[limit.quantity], where).fetchone()
            if used + held + getattr(hold.amounts, limit.quantity) > limit.most:
                return Shortfall(limit, used, held)
        return None

    def _drop_abandoned(self, now: float) -> bool:
        owners = [owner for (owner,) in self._connection.execute("SELECT DISTINCT owner FROM held")]
        dead = [(owner,) for owner in owners if has_died(owner, self._owner)]
        before = self._connection.total_changes
        self._connection.executemany("DELETE FROM held WHERE owner = ?", dead)
        self._connection.execute("DELETE FROM held WHERE expires_at <= ?", (now,))
        return self._connection.total_changes > before

    def _settle(self, hold: Hold, used: Amounts) -> None:
        self._connection.execute(_DROP, (hold.id,))
        amounts = _columns(used)
        self._connection.executemany(_BOOK, [(window, scope, *amounts) for window in hold.windows for scope in hold.scopes])

    async def _write(self, change: Callable[[], _T]) -> _T:
        """Run a change as one transaction; nothing is awaited inside it, so tasks never share one."""
        await self._begin()
        try:
            result = change()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return result

    async def _begin(self) -> None:
        waited, pause = 0.0, 0.0
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited > self._wait_seconds:
                    raise self._unavailable(error) from error
            else:
                return
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause + 0.0005, 0.01)

    def _unavailable(self, error: sqlite3.Error) -> LedgerUnavailableError:
        return LedgerUnavailableError(f"the spend ledger {str(self._path)!r} cannot be written: {error}")


class SqliteLedgerReader:
    """Reads the file without changing it, whether a gateway runs or not; a context manager."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)

    def rows(self, windows: Collection[str]) -> Sequence[Row]:
        """What was settled in these windows.

        :raises sqlite3.DatabaseError: the file is damaged
        """
        return read_rows(self._connection, windows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def read_rows(connection: sqlite3.Connection, windows: Collection[str]) -> list[Row]:
    """Rows of ``used``, in order of window and scope."""
    marks = ", ".join("?" * len(windows))
    statement = f"SELECT * FROM used WHERE window IN ({marks}) ORDER BY window, scope"  # noqa: S608 - question marks only
    return [Row(window, scope, Amounts(*amounts)) for window, scope, *amounts in connection.execute(statement, tuple(windows))]


def _columns(amounts: Amounts) -> tuple[int, int, int, int]:
    return (amounts.requests, amounts.input_tokens, amounts.output_tokens, amounts.microdollars)


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        _create(path)
    # Autocommit: transactions are begun and ended by hand. The long wait is for opening only.
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        _examine(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: Path) -> None:
    """Make the file whole under another name first: an empty ledger is then always a damaged one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    os.close(handle)
    try:
        connection = sqlite3.connect(name)
        connection.executescript(_SCHEMA)
        connection.close()
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(name, path)
    finally:
        os.unlink(name)


def _examine(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != _VERSION:
        raise sqlite3.DatabaseError(f"it says version {version}, this program writes {_VERSION}")
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict.splitlines()[-1])
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA busy_timeout = 0")

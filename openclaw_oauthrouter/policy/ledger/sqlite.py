"""The ledger's store as a file that any number of processes of one machine share.

WAL with ``synchronous=NORMAL``: a commit takes microseconds, survives the death of the process, and may be lost in a power cut.
Statements run on the event loop; only waiting for another process's write lock gives it free.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Self, TypeVar

from openclaw_oauthrouter.canonical.spending import AMOUNTS, Amounts
from openclaw_oauthrouter.errors import ConfigurationError, DamagedLedgerError, LedgerUnavailableError, StateFolderError
from openclaw_oauthrouter.policy.ledger.entries import (
    Account,
    Claim,
    LedgerLostError,
    Outcome,
    Reservation,
    Row,
    Standing,
    Writes,
)
from openclaw_oauthrouter.policy.ledger.owner import has_died, this_process
from openclaw_oauthrouter.policy.ledger.sqlite_file import (
    fold_old_rows,
    is_about_the_content,
    is_damage,
    open_file,
    open_in_place_of,
)

_PLACE = Account._fields
_COLUMNS = ", ".join(AMOUNTS)
_SUMS = ", ".join(f"SUM({name})" for name in AMOUNTS)
_STATE = f"""
INSERT INTO used ({", ".join(_PLACE)}, writer, {_COLUMNS}) VALUES ({", ".join("?" * (len(_PLACE) + 1 + len(AMOUNTS)))})
ON CONFLICT ({", ".join(_PLACE)}, writer) DO UPDATE SET {", ".join(f"{name} = max({name}, excluded.{name})" for name in AMOUNTS)}
"""  # noqa: S608 - the names of columns, not input
_HOLD = f"INSERT OR REPLACE INTO held (id, owner, expires_at, {', '.join(_PLACE)}, {_COLUMNS}) VALUES ({', '.join('?' * (3 + len(_PLACE) + len(AMOUNTS)))})"  # noqa: S608
_DROP = "DELETE FROM held WHERE id = ?"
_ROWS = f"SELECT {', '.join(_PLACE)}, {_SUMS} FROM used WHERE moment >= ? AND moment < ? GROUP BY {', '.join(_PLACE)}"  # noqa: S608
_KNOWN = f"SELECT {', '.join(_PLACE)}, writer, {_COLUMNS} FROM used WHERE moment >= ?"  # noqa: S608

_KEEP_SECONDS = 40 * 86_400
_FOLD_SECONDS = 62 * 86_400
"""After which hours become days."""

_LATE_SECONDS = 7200.0
"""Nothing is booked to a moment longer ago than this: no call takes so long."""

_TRUST_SECONDS = 60.0
"""How long a sum over longer ago is trusted; another process may have written back what a lost file had held."""

_STEP_SECONDS = 600.0
"""How often what has become longer ago is added to that sum."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class SqliteStore:
    """``Store`` in one SQLite file.

    :param path: made if absent, readable by its owner only
    :param writer: a name of this process's rows, unique for ever
    :param wait_seconds: how long to wait for other processes' commits
    :param stands_in_for: where the file belongs, when that place cannot be written for now; it goes there as soon as it can
    :raises ConfigurationError: the file is damaged (``DamagedLedgerError``) or of a later version; budgets are never quietly started anew
    """

    immediate = True

    def __init__(
        self,
        path: Path,
        writer: str,
        *,
        wait_seconds: float = 5.0,
        late_seconds: float = _LATE_SECONDS,
        stands_in_for: Path | None = None,
    ) -> None:
        self._path = path
        self._belongs = stands_in_for
        self._writer = writer
        self._wait_seconds = wait_seconds
        self._late_seconds = late_seconds
        self._owner = this_process()
        self._size = 0
        self._complaint = ""
        self._sums: dict[tuple[object, ...], tuple[float, float, int]] = {}
        try:
            self._connection, self._identity = open_file(path)
        except (sqlite3.DatabaseError, OSError) as error:
            if not is_about_the_content(error, path):
                raise StateFolderError(
                    f"the state folder {str(path.parent)!r} cannot be written ({error}): make room, or give this user the right to"
                ) from error
            kind = DamagedLedgerError if isinstance(error, sqlite3.Error) and is_damage(error) else ConfigurationError
            raise kind(
                f"the spend ledger {str(path)!r} cannot be read ({error}); restore it from a backup, or move it away to start "
                "counting from zero: today's and this month's budgets then count as unused"
            ) from error
        try:
            self._fold()
            self._others = self._known_rows()
        except BaseException:
            self._connection.close()
            raise

    def _fold(self) -> None:
        try:
            fold_old_rows(self._connection, _FOLD_SECONDS)
        except sqlite3.Error:  # another process is at it, or the file is read-only: at the next start, then
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    async def reserve(self, reservation: Reservation, claims: Sequence[Claim], now: float) -> Outcome:
        """See ``Store``."""
        self._look()
        return await self._write(lambda: self._reserve(reservation, claims, now))

    async def write(self, totals: Writes, drops: Collection[str], unknown: Collection[str], now: float) -> None:
        """See ``Store``."""
        self._look(writable=False)
        await self._write(lambda: self._state(totals, (*drops, *unknown)))

    async def rows(self, start: float, end: float) -> Sequence[Row]:
        """See ``Store``."""
        try:
            return read_rows(self._connection, start, end)
        except sqlite3.Error as error:
            raise self._unavailable(error) from error

    async def restore(self, totals: Writes, now: float) -> None:
        """See ``Store``; two processes may do so at once, for each states what it knows, and the larger figure stays."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        try:
            self._connection, self._identity = open_in_place_of(self._path, self._identity)
        except (sqlite3.DatabaseError, OSError) as error:
            if str(error) != self._complaint:  # every request under a budget comes by here
                _log.error("the spend ledger %s cannot be made anew: %s", self._path, error)
            self._complaint = str(error)
            raise LedgerUnavailableError(
                f"the spend ledger {self._path.name!r} cannot be made anew; if something else lies in its place, move that away"
            ) from error
        self._complaint = ""
        self._size = 0
        self._sums.clear()
        self._others = self._others or self._known_rows()

        def state_all() -> None:
            self._state(totals, ())
            self._connection.executemany(_STATE, self._others)

        await self._write(state_all)

    async def examine(self, now: float) -> None:
        """See ``Store``."""
        if self._belongs is not None:
            self._go_where_it_belongs(self._belongs)
        self._look()

    async def close(self) -> None:
        """See ``Store``."""
        self.abandon()

    def abandon(self) -> None:
        """See ``Store``."""
        self._connection.close()
        if self._belongs is not None:  # nobody would find the stand-in again
            shutil.rmtree(self._path.parent, ignore_errors=True)

    def _go_where_it_belongs(self, path: Path) -> None:
        """Leave the stand-in once the folder can be written; the ledger then writes there what this process has counted."""
        try:
            connection, _ = open_file(path)
        except (sqlite3.DatabaseError, OSError):
            return
        connection.close()
        shutil.rmtree(self._path.parent, ignore_errors=True)
        self._path, self._belongs = path, None
        raise LedgerLostError(
            f"the state folder {str(path.parent)!r} can be written again, so the spend ledger leaves its stand-in"
        )

    def _look(self, *, writable: bool = True) -> None:
        """Whether the file under its name is still the one that is open, and may be written."""
        try:
            status = os.stat(self._path)
        except OSError:
            raise LedgerLostError(f"the spend ledger {str(self._path)!r} is gone") from None
        if (status.st_dev, status.st_ino) != self._identity:
            raise LedgerLostError(f"the spend ledger {str(self._path)!r} was replaced")
        if status.st_size < self._size:
            raise LedgerLostError(f"the spend ledger {str(self._path)!r} was cut off")
        self._size = status.st_size
        if writable and not status.st_mode & 0o200:
            raise LedgerUnavailableError(f"the spend ledger {self._path.name!r} may not be written: it is read-only")

    def _reserve(self, reservation: Reservation, claims: Sequence[Claim], now: float) -> Outcome:
        outcome = self._judged(reservation, claims, now)
        if outcome.short is not None and self._drop_abandoned(now):
            outcome = self._judged(reservation, claims, now)
        if outcome.short is None:
            row = (reservation.id, str(self._owner), reservation.expires_at, *reservation.account, *_columns(reservation.amounts))
            self._connection.execute(_HOLD, row)
        return outcome

    def _judged(self, reservation: Reservation, claims: Sequence[Claim], now: float) -> Outcome:
        standings = tuple(self._standing(claim, reservation.id, now) for claim in claims)
        short = next((one for one in standings if getattr(reservation.amounts, one.claim.limit.quantity) > one.rest), None)
        return Outcome(standings, short)

    def _standing(self, claim: Claim, own: str, now: float) -> Standing:
        where, values = _condition(claim)
        quantity = claim.limit.quantity
        held = self._sum("held", quantity, f"{where} AND id <> ?", (claim.start, claim.end, *values, own))
        recent = max(claim.start, (now - self._late_seconds) // _STEP_SECONDS * _STEP_SECONDS)
        used = self._sum("used", quantity, where, (recent, claim.end, *values))
        if recent > claim.start:
            used += self._long_ago(claim, quantity, where, values, recent, now)
        return Standing(claim, used, held)

    def _long_ago(self, claim: Claim, quantity: str, where: str, values: tuple[str, ...], recent: float, now: float) -> int:
        """What was used in a claim's time before ``recent``: it does not change any more, so the sum is kept and added to."""
        key = (claim.start, claim.end, quantity, where, values)
        until, at, used = self._sums.get(key, (claim.start, now, 0))
        if not at <= now < at + _TRUST_SECONDS or until > recent:
            until, at, used = claim.start, now, 0
        if until < recent:
            used += self._sum("used", quantity, where, (until, min(recent, claim.end), *values))
        if len(self._sums) > 1000:
            self._sums.clear()
        self._sums[key] = (recent, at, used)
        return used

    def _sum(self, table: str, quantity: str, where: str, values: tuple[object, ...]) -> int:
        statement = f"SELECT COALESCE(SUM({quantity}), 0) FROM {table} WHERE {where}"  # noqa: S608 - the names of columns, not input
        (found,) = self._connection.execute(statement, values).fetchone()
        return int(found)

    def _drop_abandoned(self, now: float) -> bool:
        owners = [owner for (owner,) in self._connection.execute("SELECT DISTINCT owner FROM held")]
        dead = [(owner,) for owner in owners if has_died(owner, self._owner)]
        before = self._connection.total_changes
        self._connection.executemany("DELETE FROM held WHERE owner = ?", dead)
        self._connection.execute("DELETE FROM held WHERE expires_at <= ?", (now,))
        return self._connection.total_changes > before

    def _state(self, totals: Writes, drops: Collection[str]) -> None:
        for reservation in drops:
            self._connection.execute(_DROP, (reservation,))
        for account, used in totals:
            self._connection.execute(_STATE, (*account, self._writer, *_columns(used)))

    def _known_rows(self) -> list[tuple[object, ...]]:
        """What other processes had stated when this one began, to be written back should the file be lost."""
        (latest,) = self._connection.execute("SELECT COALESCE(MAX(moment), 0) FROM used").fetchone()
        return list(self._connection.execute(_KNOWN, (latest - _KEEP_SECONDS,)))

    async def _write(self, change: Callable[[], _T]) -> _T:
        """Run a change as one transaction; nothing is awaited inside it, so tasks never share one."""
        await self._begin()
        try:
            result = change()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        finally:
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        return result

    async def _begin(self) -> None:
        waited, pause = 0.0, 0.0
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited > self._wait_seconds:
                    raise self._failed(error) from error
            else:
                return
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause + 0.0005, 0.01)

    def _failed(self, error: sqlite3.Error) -> Exception:
        if is_damage(error):
            return LedgerLostError(f"the spend ledger {str(self._path)!r} is damaged ({error})")
        return self._unavailable(error)

    def _unavailable(self, error: sqlite3.Error) -> LedgerUnavailableError:
        return LedgerUnavailableError(f"the spend ledger {self._path.name!r} cannot be written: {error}")


class SqliteLedgerReader:
    """Reads the file without changing it, whether a gateway runs or not; a context manager."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)

    def rows(self, start: float, end: float) -> Sequence[Row]:
        """What was settled in accounts that began from ``start`` to before ``end``.

        :raises sqlite3.DatabaseError: the file is damaged
        """
        return read_rows(self._connection, start, end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def read_rows(connection: sqlite3.Connection, start: float, end: float) -> list[Row]:
    """Sums over all processes, by account."""
    width = len(_PLACE)
    return [Row(Account(*row[:width]), Amounts(*row[width:])) for row in connection.execute(_ROWS, (start, end))]


def _condition(claim: Claim) -> tuple[str, tuple[str, ...]]:
    """What a row must fulfil to count: its time first, then a scope, then that it was paid in money."""
    where, values = "moment >= ? AND moment < ?", ()
    if claim.limit.quantity == "microdollars":
        where += " AND paid_by <> 'plan'"
    kind, name = claim.scope
    if not kind:
        return where, values
    return f"{where} AND {kind} = ?", (name,)


def _columns(amounts: Amounts) -> tuple[int, ...]:
    return (amounts.requests, amounts.input_tokens, amounts.output_tokens, amounts.microdollars, amounts.unpriced)

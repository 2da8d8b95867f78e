"""What was spent today and this month, against what may be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.spending import EVERYBODY, Amounts, Limit, Period, Quantity
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.policy.budgets import ledger_limits
from openclaw_oauthrouter.policy.ledger import ledger_path, open_ledger
from openclaw_oauthrouter.policy.ledger.entries import Row
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedgerReader
from openclaw_oauthrouter.policy.periods import day_of, seconds_to_reset, window

PERIODS: tuple[Period, ...] = ("day", "month")


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit and how much of it is used."""

    limit: Limit
    used: int


@dataclass(frozen=True, slots=True)
class SpendReport:
    """Use at one moment; calls that still run are not in it.

    :ivar windows: names of the present day and month
    :ivar resets: when each ends, Unix seconds
    :ivar rows: use by window and scope
    """

    windows: dict[Period, str]
    resets: dict[Period, float]
    limits: tuple[LimitUse, ...]
    rows: tuple[Row, ...]

    def in_period(self, period: Period) -> list[Row]:
        """The period's rows, everybody's first."""
        return [row for row in self.rows if row.window == self.windows[period]]

    def as_json(self) -> JsonObject:
        """The report for programs; money in millionths of a dollar."""
        return {
            "periods": {
                period: {
                    "window": self.windows[period],
                    "resets_at": datetime.fromtimestamp(self.resets[period], UTC).isoformat(timespec="seconds"),
                    "used": {row.scope or "everybody": asdict(row.used) for row in self.in_period(period)},
                }
                for period in PERIODS
            },
            "limits": [{**asdict(use.limit), "scope": use.limit.scope or "everybody", "used": use.used} for use in self.limits],
        }


def spend_report(settings: Settings, now: float) -> SpendReport:
    """Read the ledger, whether a gateway runs or not, without changing it.

    :raises sqlite3.DatabaseError: the file is damaged
    :raises LedgerUnavailableError: Redis cannot be reached
    """
    day = day_of(now)
    windows: dict[Period, str] = {period: window(period, day) for period in PERIODS}
    rows = _rows(settings, list(windows.values()))
    used = {(row.window, row.scope): row.used for row in rows}
    limits = tuple(
        LimitUse(limit, _of(used.get((windows[limit.period], limit.scope), Amounts()), limit.quantity))
        for limit in ledger_limits(settings.spend_controls, settings.server.client_keys)
    )
    resets: dict[Period, float] = {period: now + seconds_to_reset(period, now) for period in PERIODS}
    return SpendReport(
        windows, resets, limits, tuple(sorted(rows, key=lambda row: (row.window, row.scope != EVERYBODY, row.scope)))
    )


def _rows(settings: Settings, windows: Sequence[str]) -> Sequence[Row]:
    if settings.state_url is not None:
        return asyncio.run(_rows_of_shared_ledger(settings, windows))
    path = ledger_path(settings.home)
    if not path.exists():
        return ()
    with SqliteLedgerReader(path) as reader:
        return reader.rows(windows)


async def _rows_of_shared_ledger(settings: Settings, windows: Sequence[str]) -> Sequence[Row]:
    ledger = open_ledger(settings, lambda: "report")
    try:
        return await ledger.rows(windows)
    finally:
        await ledger.close()


def _of(amounts: Amounts, quantity: Quantity) -> int:
    value: int = getattr(amounts, quantity)
    return value

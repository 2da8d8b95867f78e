"""What was spent today and this month, against what may be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.spending import Amounts, Limit, Period
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
        """The report for programs: Unix seconds, money in millionths of a dollar, ``""`` for everybody."""
        return {
            "budgets": [
                {**asdict(use.limit), "used": use.used, "resetsAt": self.resets[use.limit.period]} for use in self.limits
            ],
            "periods": {
                period: {
                    "window": self.windows[period],
                    "resetsAt": self.resets[period],
                    "used": {row.scope: asdict(row.used) for row in self.in_period(period)},
                }
                for period in PERIODS
            },
        }


def windows_at(now: float) -> dict[Period, str]:
    """Names of the day and the month."""
    day = day_of(now)
    return {period: window(period, day) for period in PERIODS}


def spend_report(rows: Sequence[Row], limits: Sequence[Limit], now: float) -> SpendReport:
    """Put what the ledger counted beside the limits.

    :param rows: of ``windows_at(now)``
    """
    windows = windows_at(now)
    used = {(row.window, row.scope): row.used for row in rows}
    uses = tuple(
        LimitUse(limit, getattr(used.get((windows[limit.period], limit.scope), Amounts()), limit.quantity)) for limit in limits
    )
    resets: dict[Period, float] = {period: now + seconds_to_reset(period, now) for period in PERIODS}
    return SpendReport(windows, resets, uses, tuple(sorted(rows, key=lambda row: (row.window, row.scope))))


def stored_report(settings: Settings, now: float) -> SpendReport:
    """Read the ledger, whether a gateway runs or not, without changing it.

    :raises sqlite3.DatabaseError: the file is damaged
    :raises LedgerUnavailableError: Redis cannot be reached
    """
    rows = _stored_rows(settings, list(windows_at(now).values()))
    return spend_report(rows, ledger_limits(settings.spend_controls, settings.server.client_keys), now)


def _stored_rows(settings: Settings, windows: Sequence[str]) -> Sequence[Row]:
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

"""What was spent this hour, day, week and month, against what may be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.spending import (
    DAY,
    EVERYBODY,
    MONTH,
    REQUEST,
    WEEK,
    Amounts,
    Limit,
    client_scope,
    provider_scope,
)
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.interfaces import Budget
from openclaw_oauthrouter.policy.budgets import built_in_budgets, limits_of
from openclaw_oauthrouter.policy.calendar import Calendar, Span
from openclaw_oauthrouter.policy.ledger import ledger_path, open_ledger
from openclaw_oauthrouter.policy.ledger.entries import Account, Claim, Row
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedgerReader

SHOWN = (DAY, WEEK, MONTH)
"""The periods whose use is listed; others where a limit is on them."""


@value(frozen=True, slots=True)
class LimitUse:
    """One limit and how much of it is used.

    :ivar resets_at: Unix seconds
    :ivar warning: the highest of ``warn_at`` that is reached
    """

    limit: Limit
    used: int
    resets_at: float
    warning: float | None = None


@value(frozen=True, slots=True)
class ScopeUse:
    """What one scope used.

    :ivar used: its ``microdollars`` are money: what was paid by the token, extra usage of plans included
    :ivar on_plans: what the API would have charged for what plans paid, in micro-dollars
    """

    scope: str
    used: Amounts
    on_plans: int = 0


@value(frozen=True, slots=True)
class PeriodUse:
    """One period's use, everybody's first.

    :ivar window: its name, as in ``2026-11-22``
    :ivar unpriced: models whose cost nobody knows, and how many calls they answered
    """

    name: str
    window: str
    span: Span
    scopes: tuple[ScopeUse, ...]
    unpriced: dict[str, int]


@value(frozen=True, slots=True)
class SpendReport:
    """Use at one moment; calls that still run are not in it."""

    limits: tuple[LimitUse, ...]
    periods: tuple[PeriodUse, ...]
    zone: str

    def as_json(self) -> JsonObject:
        """The report for programs: Unix seconds, money in millionths of a dollar, ``""`` for everybody."""
        return {
            "budgets": [_limit_json(use) for use in self.limits],
            "timezone": self.zone,
            "periods": {
                period.name: {
                    "window": period.window,
                    "startsAt": period.span.start,
                    "resetsAt": period.span.end,
                    "used": {one.scope: asdict(one.used) for one in period.scopes},
                    "onPlans": {one.scope: one.on_plans for one in period.scopes if one.on_plans},
                    "unpriced": period.unpriced,
                }
                for period in self.periods
            },
        }


def _limit_json(use: LimitUse) -> JsonObject:
    limit = use.limit
    return {
        "period": limit.period.name,
        "quantity": limit.quantity,
        "most": limit.most,
        "scope": limit.scope,
        "hard": limit.hard,
        "used": use.used,
        "resetsAt": use.resets_at,
        "warning": use.warning,
    }


def since(calendar: Calendar, now: float, limits: Iterable[Limit]) -> float:
    """From when on rows are needed for a report."""
    periods = {period.name: period for period in (*SHOWN, *(limit.period for limit in limits))}
    for period in periods.values():
        calendar.add(period)
    return min(calendar.span(period, now).start for period in periods.values())


def spend_report(
    rows: Sequence[Row], limits: Sequence[Limit], calendar: Calendar, now: float, warn_at: Sequence[float] = ()
) -> SpendReport:
    """Put what the ledger counted beside the limits.

    :param rows: from ``since`` on
    """
    shown = {period.name: period for period in (*SHOWN, *(one.period for one in limits if one.period is not REQUEST))}
    uses = tuple(_limit_use(limit, rows, calendar, now, warn_at) for limit in limits)
    periods = []
    for period in shown.values():
        calendar.add(period)
        span = calendar.span(period, now)
        inside = [row for row in rows if span.start <= row.account.moment < span.end]
        window = period.key(calendar.local(now))
        periods.append(PeriodUse(period.name, window, span, _by_scope(inside), _unpriced(inside)))
    return SpendReport(uses, tuple(periods), str(calendar.zone))


def _limit_use(limit: Limit, rows: Sequence[Row], calendar: Calendar, now: float, warn_at: Sequence[float]) -> LimitUse:
    span = calendar.span(limit.period, now)
    claim = Claim(limit, *span)
    used = sum(getattr(row.used, limit.quantity) for row in rows if row.account.within(claim))
    reached = [share for share in warn_at if limit.most and used / limit.most >= share]
    return LimitUse(limit, used, span.end, max(reached, default=None))


def _by_scope(rows: Iterable[Row]) -> tuple[ScopeUse, ...]:
    sums: dict[str, ScopeUse] = {}
    for account, used in rows:
        money = used if account.paid_by != "plan" else replace(used, microdollars=0)
        plan = used.microdollars if account.paid_by == "plan" else 0
        for scope in _scopes(account):
            before = sums.get(scope) or ScopeUse(scope, Amounts())
            sums[scope] = ScopeUse(scope, before.used + money, before.on_plans + plan)
    return tuple(sums[scope] for scope in sorted(sums))


def _scopes(account: Account) -> list[str]:
    scopes = [EVERYBODY]
    if account.model:
        scopes += [provider_scope(account.provider), f"model:{account.model}"]
    if account.client:
        scopes.append(client_scope(account.client))
    return scopes


def _unpriced(rows: Iterable[Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for account, used in rows:
        if used.unpriced:
            found[account.model] = found.get(account.model, 0) + used.unpriced
    return found


def stored_report(settings: Settings, calendar: Calendar, now: float, extra_budgets: Sequence[Budget] = ()) -> SpendReport:
    """Read the ledger, whether a gateway runs or not, without changing it.

    :param extra_budgets: rules of plugins
    :raises sqlite3.DatabaseError: the file is damaged
    :raises LedgerUnavailableError: Redis cannot be reached
    """
    spend = settings.spend_controls
    limits = limits_of((*built_in_budgets(spend, settings.server.client_keys), *extra_budgets))
    rows = _stored_rows(settings, since(calendar, now, limits))
    return spend_report(rows, limits, calendar, now, spend.warn_at)


def _stored_rows(settings: Settings, start: float) -> Sequence[Row]:
    if settings.state_url is not None:
        return asyncio.run(_rows_of_shared_ledger(settings, start))
    path = ledger_path(settings.home)
    if not path.exists():
        return ()
    with SqliteLedgerReader(path) as reader:
        return reader.rows(start, float("inf"))


async def _rows_of_shared_ledger(settings: Settings, start: float) -> Sequence[Row]:
    ledger = open_ledger(settings, lambda: "report", lambda: 0.0)
    try:
        return await ledger.rows(start, float("inf"))
    finally:
        await ledger.close()

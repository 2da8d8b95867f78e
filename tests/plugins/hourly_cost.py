"""A whole budget in one file, as a third party would write it: dollars per hour for everybody, and calls per shift of eight hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from openclaw_oauthrouter import hookimpl
from openclaw_oauthrouter.canonical.spending import Limit, Period, PlannedCall


class Shift(Period):
    """Eight hours, the first from midnight on."""

    name, words, code = "shift", "limit of the shift reached, resets with the next", "SHIFT_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        return now.replace(hour=now.hour // 8 * 8, minute=0, second=0, microsecond=0)

    def end(self, now: datetime) -> datetime:
        return self.start(now) + timedelta(hours=8)


class HourlyCost:
    """Twenty cents an hour and a thousand calls a shift."""

    name = "hourly-cost"
    limits = (Limit("hour", "microdollars", 200_000), Limit(Shift(), "requests", 1000))

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        return self.limits


@hookimpl
def oauthrouter_register_budgets() -> Sequence[HourlyCost]:
    return [HourlyCost()]

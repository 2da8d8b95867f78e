"""Keeps a UTC day within a number of requests."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.spending import Limit, PlannedCall
from openclaw_oauthrouter.config.spend import SpendSettings


class DailyRequests:
    """``dailyRequestBudget``."""

    name = "daily-requests"

    def __init__(self, settings: SpendSettings) -> None:
        most = settings.daily_request_budget
        self.limits = () if most is None else (Limit("day", "requests", most),)

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """The same limit for every call."""
        return self.limits

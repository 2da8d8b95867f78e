"""Keeps a UTC day and month within an amount of money."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.spending import Limit, PlannedCall
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.policy.money import microdollars


class CostBudget:
    """``dailyCostBudget`` and ``monthlyCostBudget``; a model without a price costs nothing here."""

    name = "cost"

    def __init__(self, settings: SpendSettings) -> None:
        limits = []
        if settings.daily_cost_budget is not None:
            limits.append(Limit("day", "microdollars", microdollars(settings.daily_cost_budget)))
        if settings.monthly_cost_budget is not None:
            limits.append(Limit("month", "microdollars", microdollars(settings.monthly_cost_budget)))
        self.limits = tuple(limits)

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """The same limits for every call."""
        return self.limits

"""Keeps all requests of a UTC day within a number of tokens."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.spending import Limit, PlannedCall
from openclaw_oauthrouter.config.spend import SpendSettings


class DailyTokens:
    """``dailyInputTokenBudget`` and ``dailyOutputTokenBudget``."""

    name = "daily-tokens"

    def __init__(self, settings: SpendSettings) -> None:
        limits = []
        if settings.daily_input_token_budget is not None:
            limits.append(Limit("day", "input_tokens", settings.daily_input_token_budget))
        if settings.daily_output_token_budget is not None:
            limits.append(Limit("day", "output_tokens", settings.daily_output_token_budget))
        self.limits = tuple(limits)

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """The same limits for every call."""
        return self.limits

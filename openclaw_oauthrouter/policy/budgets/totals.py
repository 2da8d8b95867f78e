"""Keeps all calls of an hour, day, week or month within a number of requests, tokens or dollars."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.spending import (
    DAY,
    HOUR,
    MONTH,
    WEEK,
    Limit,
    Period,
    PlannedCall,
    Quantity,
    client_scope,
    conversation_scope,
    model_scope,
    provider_scope,
)
from openclaw_oauthrouter.config.spend import BudgetSettings, SpendSettings
from openclaw_oauthrouter.policy.money import microdollars

TABLE: tuple[tuple[str, Period, Quantity], ...] = (
    ("daily_input_token_budget", DAY, "input_tokens"),
    ("daily_output_token_budget", DAY, "output_tokens"),
    ("daily_request_budget", DAY, "requests"),
    ("hourly_cost_budget", HOUR, "microdollars"),
    ("daily_cost_budget", DAY, "microdollars"),
    ("weekly_cost_budget", WEEK, "microdollars"),
    ("monthly_cost_budget", MONTH, "microdollars"),
)
"""The settings that limit everybody together."""


class Totals:
    """The rows of ``TABLE``: the same limits for every call."""

    name = "totals"

    def __init__(self, settings: SpendSettings) -> None:
        said = ((getattr(settings, name), period, quantity) for name, period, quantity in TABLE)
        self.limits: Sequence[Limit] = tuple(
            Limit(period, quantity, in_units(most, quantity), hard=settings.hard)
            for most, period, quantity in said
            if most is not None
        )
        self.idle = not self.limits

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """The same limits for every call."""
        return self.limits


class Stated:
    """``budgets``: limits for what each of them names.

    :ivar limits: those that are known beforehand; one for ``each`` client or conversation comes up with the first call of it
    """

    name = "stated"

    def __init__(self, settings: SpendSettings) -> None:
        self.idle = not settings.budgets
        named = [(budget, *_amount(budget)) for budget in settings.budgets if budget.each is None]
        hard = settings.hard
        self.limits: Sequence[Limit] = tuple(
            Limit(budget.period, quantity, most, _scope(budget), hard=budget.hard or hard) for budget, quantity, most in named
        )
        self._own = tuple(
            (budget.each, Limit(budget.period, *_amount(budget), hard=budget.hard or hard))
            for budget in settings.budgets
            if budget.each is not None
        )

    def check(self, call: PlannedCall) -> Sequence[Limit]:
        """Those that count this call."""
        scopes = _scopes(call)
        general = [limit for limit in self.limits if limit.scope in scopes.values() or not limit.scope]
        own = [
            Limit(limit.period, limit.quantity, limit.most, scope, hard=limit.hard)
            for each, limit in self._own
            if (scope := scopes.get(each))
        ]
        return [*general, *own]


def in_units(most: float, quantity: Quantity) -> int:
    """A limit as it is counted: dollars become millionths."""
    return microdollars(most) if quantity == "microdollars" else int(most)


def _amount(budget: BudgetSettings) -> tuple[Quantity, int]:
    if budget.cost is not None:
        return "microdollars", microdollars(budget.cost)
    if budget.requests is not None:
        return "requests", budget.requests
    if budget.input_tokens is not None:
        return "input_tokens", budget.input_tokens
    return "output_tokens", budget.output_tokens or 0


def _scope(budget: BudgetSettings) -> str:
    if budget.provider is not None:
        return provider_scope(budget.provider)
    if budget.model is not None:
        return f"model:{budget.model}"
    return "" if budget.client is None else client_scope(budget.client)


def _scopes(call: PlannedCall) -> dict[str, str]:
    scopes = {"model": model_scope(call.info), "provider": provider_scope(call.info.provider)}
    if call.client is not None:
        scopes["client"] = client_scope(call.client)
    if call.conversation is not None:
        scopes["conversation"] = conversation_scope(call.conversation)
    return scopes

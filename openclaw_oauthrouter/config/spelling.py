"""How settings are spelt: ``snake_case`` here, ``camelCase`` in the original."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.patterns import lazily

_WORD_BEGINS = lazily(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|-")


def snake(name: str) -> str:
    """``dailyCostBudget`` or ``daily-cost-budget`` as ``daily_cost_budget``."""
    return _WORD_BEGINS.sub("_", name).lower()


def camel(name: str) -> str:
    """``daily_cost_budget`` as ``dailyCostBudget``; a letter after a digit is a capital: ``cacheWrite1HPrice``."""
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))

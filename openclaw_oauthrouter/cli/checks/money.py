"""The prices: can everything that a tier may choose be counted?"""

from __future__ import annotations

from collections.abc import Iterator

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.cli.checks.result import Result, Surroundings, ok, warning
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.plugins import create_plugin_manager

_SHOWN = 5


def check_prices(around: Surroundings) -> Iterator[Result]:
    """Models of the tiers whose price nobody knows."""
    try:
        unpriced = Builder(around.settings, create_plugin_manager()).router_alone().unpriced()
    except ConfigurationError:
        return  # said by an earlier check
    if unpriced:
        yield warning("prices", unpriced_words(unpriced, around.settings), "set input_price and output_price for each")
    else:
        yield ok("prices", "known for every model of the tiers")


def unpriced_words(unpriced: list[str], settings: Settings) -> str:
    """What is to be said of models without a price, by what the settings make of them."""
    names = ", ".join(unpriced[:_SHOWN]) + (f" and {len(unpriced) - _SHOWN} more" if len(unpriced) > _SHOWN else "")
    if not has_money_budget(settings):
        return f"unknown for {names}: their cost cannot be computed"
    consequence = {
        "refuse": "they are refused, because a budget in money is set",
        "count-as-dearest": "they count against the budget like the most expensive model",
        "allow": "they do not count against the budget in money",
    }[settings.spend_controls.unpriced]
    return f"unknown for {names}: {consequence} (spend_controls.unpriced)"


def has_money_budget(settings: Settings) -> bool:
    """Whether the settings limit dollars for anybody."""
    spend = settings.spend_controls
    totals = (spend.hourly_cost_budget, spend.daily_cost_budget, spend.weekly_cost_budget, spend.monthly_cost_budget)
    clients = (key.daily_cost_budget for key in settings.server.client_keys.values())
    return any(value is not None for value in (*totals, *clients, *(budget.cost for budget in spend.budgets)))

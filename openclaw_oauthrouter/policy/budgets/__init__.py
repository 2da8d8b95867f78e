"""The kinds of rules on spending: one file a kind, asked in the order of ``built_in_budgets``."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.spending import Limit
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.interfaces import Budget
from openclaw_oauthrouter.policy.budgets.client_limits import ClientLimits
from openclaw_oauthrouter.policy.budgets.cost import CostBudget
from openclaw_oauthrouter.policy.budgets.daily_requests import DailyRequests
from openclaw_oauthrouter.policy.budgets.daily_tokens import DailyTokens
from openclaw_oauthrouter.policy.budgets.model_lists import ModelLists
from openclaw_oauthrouter.policy.budgets.request_tokens import RequestTokens


def built_in_budgets(settings: SpendSettings, clients: Mapping[str, ClientKeySettings]) -> tuple[Budget, ...]:
    """Lists first, then what one request may hold, then what a day or month may."""
    return (
        ModelLists(settings),
        ClientLimits(clients),
        RequestTokens(settings),
        DailyTokens(settings),
        DailyRequests(settings),
        CostBudget(settings),
    )


def ledger_limits(settings: SpendSettings, clients: Mapping[str, ClientKeySettings]) -> tuple[Limit, ...]:
    """Every limit that is kept in the ledger, for reports."""
    everybody = (*DailyTokens(settings).limits, *DailyRequests(settings).limits, *CostBudget(settings).limits)
    return (*everybody, *(limit for limits in ClientLimits(clients).limits.values() for limit in limits))

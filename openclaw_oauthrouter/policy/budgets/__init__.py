"""The kinds of rules on spending: one file a kind, asked in the order of ``built_in_budgets``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openclaw_oauthrouter.canonical.spending import Limit
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.interfaces import Budget
from openclaw_oauthrouter.policy.budgets.client_limits import ClientLimits
from openclaw_oauthrouter.policy.budgets.model_lists import ModelLists
from openclaw_oauthrouter.policy.budgets.request_tokens import RequestTokens
from openclaw_oauthrouter.policy.budgets.totals import Stated, Totals


def built_in_budgets(settings: SpendSettings, clients: Mapping[str, ClientKeySettings]) -> tuple[Budget, ...]:
    """Lists first, then what one request may hold, then what an hour, day, week or month may."""
    return (
        ModelLists(settings),
        ClientLimits(clients, hard=settings.hard),
        RequestTokens(settings),
        Totals(settings),
        Stated(settings),
    )


def limits_of(budgets: Iterable[Budget]) -> tuple[Limit, ...]:
    """Every limit that is known beforehand, for reports and warnings.

    :raises ConfigurationError: a budget's ``limits`` are none; names the budget
    """
    return tuple(limit for budget in budgets for limit in _stated_limits(budget))


def _stated_limits(budget: Budget) -> list[Limit]:
    name = getattr(budget, "name", type(budget).__name__)
    try:
        # Budgets written before there was ``limits`` show theirs once a call has come under them.
        limits = list(getattr(budget, "limits", ()))
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"the limits of budget {name!r} are wrong: {error}") from error
    for limit in limits:
        if not isinstance(limit, Limit):
            raise ConfigurationError(f"the limits of budget {name!r} must be Limit objects, not {type(limit).__name__}")
    return limits

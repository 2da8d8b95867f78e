"""The words in which a used-up budget is told to a client.

OpenClaw goes on to its fallback model at once on a 429 that says "daily limit reached, resets …" with a long Retry-After, and
disables the whole provider on a 402 about credit; so neither the status nor those words are free to change.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.spending import EVERYBODY, Amounts, Period, Quantity
from openclaw_oauthrouter.errors import BudgetExceededError, CostBudgetExceededError
from openclaw_oauthrouter.policy.ledger.entries import Shortfall
from openclaw_oauthrouter.policy.periods import seconds_to_reset

_RUNNING_CALLS_SECONDS = 5.0

_PERIOD_WORDS: Mapping[Period, str] = {
    "day": "daily limit reached, resets tomorrow",
    "month": "monthly limit reached, resets next month",
}
_CODES: Mapping[Period, str] = {"day": "DAILY_BUDGET_EXCEEDED", "month": "MONTHLY_BUDGET_EXCEEDED"}
_UNITS: Mapping[Quantity, str] = {
    "requests": " requests",
    "input_tokens": " input tokens",
    "output_tokens": " output tokens",
    "microdollars": "",
}


def budget_exceeded(short: Shortfall, wanted: Amounts, now: float) -> BudgetExceededError:
    """The error for a limit that does not leave enough.

    ``retry_after`` counts to the reset; where only calls that still run are in the way, to when they may have ended.
    """
    limit = short.limit
    needed = getattr(wanted, limit.quantity)
    if short.used + needed <= limit.most:
        wait = _RUNNING_CALLS_SECONDS
        what = "budget set aside by requests that still run, try again in a moment"
    else:
        wait = seconds_to_reset(limit.period, now)
        what = f"{_PERIOD_WORDS[limit.period]} at 00:00 UTC (in {_span(wait)})"
    whose = "" if limit.scope == EVERYBODY else f" for {limit.scope.replace(':', ' ', 1)}"
    most, used, held, up_to = (_say(limit.quantity, amount) for amount in (limit.most, short.used, short.held, needed))
    message = (
        f"{what}: of {most}{_UNITS[limit.quantity]} a {limit.period}{whose}, {used} are used, {held} set aside, "
        f"and this request needs up to {up_to}"
    )
    kind = CostBudgetExceededError if limit.quantity == "microdollars" else BudgetExceededError
    return kind(message, code=_CODES[limit.period], retry_after=wait)


def _say(quantity: Quantity, amount: int) -> str:
    return f"${amount / 1_000_000:.4f}" if quantity == "microdollars" else f"{amount:,}"


def _span(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes:02} min"

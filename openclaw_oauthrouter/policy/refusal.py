"""The words in which a used-up budget is told to a client.

OpenClaw goes on to its fallback model at once on a 429 that says "daily limit reached, resets …" with a long Retry-After, and
disables the whole provider on a 402 about credit; so neither the status nor those words are free to change.
"""

from __future__ import annotations

from openclaw_oauthrouter.canonical.spending import EVERYBODY, Amounts, Quantity
from openclaw_oauthrouter.errors import BudgetExceededError, CostBudgetExceededError
from openclaw_oauthrouter.policy.ledger.entries import Shortfall
from openclaw_oauthrouter.policy.periods import seconds_to_reset

_RUNNING_CALLS_SECONDS = 5.0

_PERIOD_WORDS = {"day": "daily limit reached, resets tomorrow", "month": "monthly limit reached, resets next month"}
_CODES = {"day": "DAILY_BUDGET_EXCEEDED", "month": "MONTHLY_BUDGET_EXCEEDED"}
_UNITS: dict[Quantity, str] = {"requests": "requests", "input_tokens": "input tokens", "output_tokens": "output tokens"}


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
    whose = "" if limit.scope == EVERYBODY else f" of {limit.scope.replace(':', ' ', 1)}"
    message = (
        f"{what}: the budget{whose} is {_say(limit.quantity, limit.most)} a {limit.period}, {_say(limit.quantity, short.used)} are used, "
        f"{_say(limit.quantity, short.held)} set aside, this request needs up to {_say(limit.quantity, needed)}"
    )
    kind = CostBudgetExceededError if limit.quantity == "microdollars" else BudgetExceededError
    return kind(message, code=_CODES[limit.period], retry_after=wait)


def _say(quantity: Quantity, amount: int) -> str:
    return f"${amount / 1_000_000:.4f}" if quantity == "microdollars" else f"{amount:,} {_UNITS[quantity]}"


def _span(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes:02} min"

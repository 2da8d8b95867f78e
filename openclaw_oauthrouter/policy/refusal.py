"""The words in which a used-up budget is told to a client.

OpenClaw goes on to its fallback model at once on a 429 that says "daily limit reached, resets …" with a long Retry-After, and
disables the whole provider on a 402 about credit; so neither the status nor those words are free to change.
"""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.spending import EVERYBODY, HOUR, REQUEST, Amounts, Limit, Quantity
from openclaw_oauthrouter.errors import BudgetExceededError, CostBudgetExceededError, UnpricedModelError
from openclaw_oauthrouter.policy.calendar import Calendar
from openclaw_oauthrouter.policy.ledger.entries import Standing

_RUNNING_CALLS_SECONDS = 5.0

UNITS: Mapping[Quantity, str] = {
    "requests": " requests",
    "input_tokens": " input tokens",
    "output_tokens": " output tokens",
    "microdollars": "",
}


def budget_exceeded(short: Standing, wanted: Amounts, calendar: Calendar, now: float) -> BudgetExceededError:
    """The error for a limit that does not leave enough.

    ``retry_after`` counts to the reset; where only calls that still run are in the way, to when they may have ended.

    :param wanted: what the smallest answer that would do takes
    """
    limit = short.claim.limit
    needed = getattr(wanted, limit.quantity)
    wait = max(short.claim.end - now, 0.0)
    what = said_of(limit)
    if needed > limit.most > 0:
        message = f"this request needs {_say(limit.quantity, needed)}{UNITS[limit.quantity]}, more than {what} altogether"
    elif short.used + needed <= limit.most:
        wait = _RUNNING_CALLS_SECONDS
        message = f"budget set aside by requests that still run, try again in a moment: {_sums(short, needed)}"
    else:
        reset = calendar.local(short.claim.end)
        at = f"{reset:%H:%M} {calendar.local(short.claim.end).tzname() or 'UTC'}"
        message = f"{limit.period.words} at {at} (in {_span(wait)}): {_sums(short, needed)}"
    kind = CostBudgetExceededError if limit.quantity == "microdollars" else BudgetExceededError
    error = kind(message, code=limit.period.code, retry_after=wait if limit.period is not REQUEST else None)
    error.general = limit.is_general
    return error


def unpriced_model(info: ModelInfo, limit: Limit) -> UnpricedModelError:
    """The error for a model whose price nobody knows, where a budget in money has to count it."""
    return UnpricedModelError(
        f"no price is known for {info.name!r}, so it cannot be counted against {said_of(limit)}. State one: "
        f'[providers.{info.provider}] models = [{{id = "{info.id}", input_price = 1.0, output_price = 2.0}}] (dollars per million '
        'tokens; 0 for a free model); or set spend_controls.unpriced to "count-as-dearest" or "allow"'
    )


def said_of(limit: Limit) -> str:
    """A limit in words: ``the $5.0000 a day for client ci``."""
    whose = "" if limit.scope == EVERYBODY else f" for {limit.scope.replace(':', ' ', 1)}"
    each = "an hour" if limit.period is HOUR else f"a {limit.period.name}"
    return f"the {_say(limit.quantity, limit.most)}{UNITS[limit.quantity]} {each}{whose}"


def _sums(short: Standing, needed: int) -> str:
    limit = short.claim.limit
    used, held, least = (_say(limit.quantity, amount) for amount in (short.used, short.held, needed))
    return f"of {said_of(limit).removeprefix('the ')}, {used} are used, {held} set aside, and this request needs at least {least}"


def _say(quantity: Quantity, amount: int) -> str:
    return f"${amount / 1_000_000:.4f}" if quantity == "microdollars" else f"{amount:,}"


def _span(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes:02} min"

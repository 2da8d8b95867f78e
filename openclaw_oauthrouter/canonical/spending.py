"""What spending is counted in, over which time, and what a limit on it is; shared by the spend guard and budgets of third parties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal, cast, get_args

from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo
from openclaw_oauthrouter.canonical.value import value

Quantity = Literal["requests", "input_tokens", "output_tokens", "microdollars"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)

PaidBy = Literal["api", "plan", "extra"]
"""Who pays: dollars by the token, a subscription's window, or the extra usage that a subscription bills in dollars."""

EVERYBODY = ""
"""The scope all calls are booked to."""

SCOPES = ("provider", "model", "client", "conversation")
"""What a scope may name, before its colon."""


class Period:
    """A stretch of time that a limit holds for; each is followed at once by the next of its kind.

    A plugin brings its own as a subclass that sets the three names and computes ``start`` and ``end``. Times are aware and in the
    user's time zone (``spend_controls.timezone``); days there may have 23 or 25 hours.

    :ivar name: what settings, reports and ``Limit`` call it
    :ivar words: what a refusal begins with; OpenClaw goes on to its fallback model at ``… limit reached, resets …``
    :ivar code: the refusal's code
    """

    name: str = ""
    words: str = "limit reached, resets"
    code: str = "BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        """When the present one began."""
        raise NotImplementedError

    def end(self, now: datetime) -> datetime:
        """When the present one ends."""
        raise NotImplementedError

    def key(self, now: datetime) -> str:
        """A name of the present one, for people."""
        return self.start(now).isoformat(timespec="minutes")


class _Hour(Period):
    name, words, code = "hour", "hourly limit reached, resets within the hour", "HOURLY_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        # Counted in real time: the hour that a clock set back repeats is another hour.
        return datetime.fromtimestamp(now.timestamp() - (now.minute * 60 + now.second + now.microsecond / 1e6), now.tzinfo)

    def end(self, now: datetime) -> datetime:
        return datetime.fromtimestamp(self.start(now).timestamp() + 3600, now.tzinfo)


class _Day(Period):
    name, words, code = "day", "daily limit reached, resets tomorrow", "DAILY_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        return _midnight(now)

    def end(self, now: datetime) -> datetime:
        return _midnight(now, days=1)

    def key(self, now: datetime) -> str:
        return now.date().isoformat()


class _Week(Period):
    name, words, code = "week", "weekly limit reached, resets next Monday", "WEEKLY_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        return _midnight(now, days=-now.weekday())

    def end(self, now: datetime) -> datetime:
        return _midnight(now, days=7 - now.weekday())

    def key(self, now: datetime) -> str:
        year, week, _ = now.isocalendar()
        return f"{year}-W{week:02}"


class _Month(Period):
    name, words, code = "month", "monthly limit reached, resets next month", "MONTHLY_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        return _midnight(now.replace(day=1))

    def end(self, now: datetime) -> datetime:
        return _midnight((now.replace(day=1, hour=0, fold=0) + timedelta(days=32)).replace(day=1))

    def key(self, now: datetime) -> str:
        return now.date().isoformat()[:7]


class _Request(Period):
    """One call: nothing was used before it."""

    name, words, code = "request", "limit of one request reached, resets with the next", "REQUEST_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        return now

    def end(self, now: datetime) -> datetime:
        return now

    def key(self, now: datetime) -> str:
        return "each"


def _midnight(now: datetime, days: int = 0) -> datetime:
    """When a local date begins: its midnight, or, where the clock was set forward over it, the moment of that."""
    date = now.date() + timedelta(days=days)
    return datetime(date.year, date.month, date.day, tzinfo=now.tzinfo)


HOUR, DAY, WEEK, MONTH, REQUEST = _Hour(), _Day(), _Week(), _Month(), _Request()
PERIODS: Mapping[str, Period] = {period.name: period for period in (HOUR, DAY, WEEK, MONTH, REQUEST)}
"""The periods that settings and plugins may name; others are given as objects."""


@value(frozen=True, slots=True)
class Amounts:
    """What one call uses, or many used together; whole numbers, so that sums are exact.

    :ivar microdollars: millionths of a US dollar at the API's prices, whoever pays
    :ivar unpriced: calls whose cost nobody knows; they are in no sum of money
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    microdollars: int = 0
    unpriced: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.requests + other.requests,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.microdollars + other.microdollars,
            self.unpriced + other.unpriced,
        )


AMOUNTS: tuple[str, ...] = tuple(one.name for one in fields(Amounts))


@dataclass(frozen=True, slots=True, init=False)
class Limit:
    """No more than ``most`` of a quantity in a period.

    :ivar scope: ``EVERYBODY``, ``provider:<name>``, ``model:<provider/id>``, ``client:<name>`` or ``conversation:<key>``
    :ivar hard: never exceeded, at the price of refusing earlier: what a call may cost at most is set aside, not what is expected
    """

    period: Period
    quantity: Quantity
    most: int
    scope: str
    hard: bool

    def __init__(
        self, period: Period | str, quantity: Quantity, most: int, scope: str = EVERYBODY, *, hard: bool = False
    ) -> None:
        """Make a limit.

        :param period: one of ``PERIODS`` by name, or an object
        :raises ValueError: there is no such period, quantity or scope, or ``most`` is no whole number
        """
        object.__setattr__(self, "period", period_of(period))
        if quantity not in QUANTITIES:
            raise ValueError(f"a limit cannot be on {quantity!r}: choose one of {', '.join(QUANTITIES)}")
        if isinstance(most, bool) or not isinstance(most, int) or most < 0:
            raise ValueError(f"the most of a limit must be a whole number of 0 or more, not {cast('object', most)!r}")
        kind, _, name = scope.partition(":")
        if scope != EVERYBODY and (kind not in SCOPES or not name):
            raise ValueError(f"a limit cannot be for {scope!r}: name a {', '.join(SCOPES)} as in 'client:ci', or nobody")
        object.__setattr__(self, "quantity", quantity)
        object.__setattr__(self, "most", most)
        object.__setattr__(self, "scope", scope)
        object.__setattr__(self, "hard", hard)

    @property
    def is_general(self) -> bool:
        """Whether another model would be under it just the same."""
        return not self.scope.startswith(("model:", "provider:"))


def period_of(period: Period | str) -> Period:
    """The period of a name.

    :raises ValueError: there is none of that name, or the object is not complete
    """
    if isinstance(period, Period):
        if not period.name:
            raise ValueError(f"the period {type(period).__name__} has no name")
        return period
    try:
        return PERIODS[period]
    except (KeyError, TypeError):
        raise ValueError(
            f"there is no period {period!r}: choose one of {', '.join(PERIODS)}, or give a Period of your own"
        ) from None


@value(frozen=True, slots=True)
class PlannedCall:
    """A call that is about to be made.

    :ivar estimate: tokens at most
    :ivar client: name of the client key; ``None`` when the caller has none
    :ivar conversation: its key; ``None`` when the request belongs to none
    """

    info: ModelInfo
    estimate: Estimate
    client: str | None = None
    conversation: str | None = None


def model_scope(info: ModelInfo) -> str:
    """The scope of one model's calls."""
    return f"model:{info.name}"


def provider_scope(provider: str) -> str:
    """The scope of one provider's calls."""
    return f"provider:{provider}"


def client_scope(client: str) -> str:
    """The scope of one client key's calls."""
    return f"client:{client}"


def conversation_scope(conversation: str) -> str:
    """The scope of one conversation's calls."""
    return f"conversation:{conversation}"

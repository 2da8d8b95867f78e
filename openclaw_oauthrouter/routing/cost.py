"""The sum of the decision: what a conversation's coming calls cost at each model that can serve them, in one unit, the microdollar.

A candidate's total is

1. the list price of this call, with the prompt cache as it is at that provider now,
2. and of the calls expected after it;
3. for a plan, the shadow price of its windows in place of the list price, which it does not charge;
4. the price of answering below the tier that the task needs;
5. what a model is cheaper than the tier's primary, taken back: the configuration names it second, so its price alone is no argument;
   who pays, windows and caches are.

Going up, going down and staying are weighed by the same sum. Everything is computed from what the trace records, so that a replay comes
to the same numbers. Prices are dollars per million tokens, which is microdollars per token.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.routing import CacheUse, CandidateCost, Payment, PlanWindow, Price, Tier, TurnForecast
from openclaw_oauthrouter.config.routing import Profile, RoutingSettings

IDLE_SHADOW = 0.02
"""What a window that would expire unused is worth: little, but a cheaper model still uses less of it."""

UNKNOWN_SHADOW = 0.05
"""What a plan is worth whose windows nobody has told of yet."""

HIGHEST_SHADOW = 0.95
"""A plan's call never costs what a paid key's does: when its window is used up, that is the worst that can come of it."""

STEADY, SPENT = 0.8, 1.6
"""Projected use at the reset between which a window's shadow price rises from idle to highest."""

LEAST_ELAPSED = 0.05
"""Share of a window below which its pace is not told from its first minutes."""

NEARLY_FULL = 0.97
"""Used share at which a call may be refused; worth the highest price, however soon the reset is, unless that is minutes away."""

SHORTFALL: dict[Profile, float] = {"economy": 0.5, "balanced": 3.0, "quality": 10.0}
"""Price of answering one tier below the one needed, in multiples of what the work costs at that tier."""

ORDER = 0.001
"""Price of each place further behind, in multiples of the stake: of equals the one named first is taken."""

BORROWED_PLACES = 500
"""Places that a stronger tier's model stands further behind: whoever named a tier's models meant them, so half the stake is saved or it
stays a reserve."""

CHAT_TURNS = 2.0
"""Calls expected to follow one in a conversation without tools."""

DEFAULT_OUTPUT = 500
"""Tokens of an answer, until the conversation's own answers tell."""

DEFAULT_GROWTH = 300
"""Tokens by which a prompt outgrows the one before it, beyond that one's answer, until the conversation's own prompts tell."""

REMAINING_CALLS = ((0, 39.0), (5, 34.0), (10, 29.0), (20, 21.0), (30, 18.0), (40, 17.0), (60, 17.0))
"""Calls an agent's task is expected to go on for, by the calls it has had: means of recorded coding tasks."""

_LATEST_FIRST = tuple(reversed(REMAINING_CALLS))

LONG_RUN = 2 * round(REMAINING_CALLS[0][1])
"""Calls from which a task has taken twice as long as usual. On recorded tasks, starting anew with the ablest model from there on
solves about as many as that model alone for seven tenths of its price: 100.1 % of them with this factor, which was chosen in sight of the
tasks. Chosen on one half and scored on the other it is 99.7 % for 66 % of the price or 100.0 % for 73 %, as one bound or the other is put
first, and halves differ by three per cent (``benchmarks/agents.py``). Handing over in the middle is not recorded."""


def shadow_price(payment: Payment, now: float) -> float:
    """What a call costs that a plan pays, as a share of its list price; 1 for a paid key.

    The scarcest window decides. A window is scarce when going on as until now would use it up before its reset. One that is used up while
    the plan serves on is paid for in dollars, like a key.

    :param now: Unix seconds
    """
    if not payment.by_plan:
        return 1.0
    if not payment.windows:
        return UNKNOWN_SHADOW
    return max(_scarcity(window, now) for window in payment.windows)


def _scarcity(window: PlanWindow, now: float) -> float:
    if window.extra:
        return 1.0
    elapsed = window.elapsed(now)
    if window.used >= NEARLY_FULL and elapsed < NEARLY_FULL:
        return HIGHEST_SHADOW
    projected = window.used / max(elapsed, LEAST_ELAPSED)
    share = min(1.0, max(0.0, (projected - STEADY) / (SPENT - STEADY)))
    return IDLE_SHADOW + share * (HIGHEST_SHADOW - IDLE_SHADOW)


def remaining_calls(calls: int) -> float:
    """Calls expected after this one in an agent's task that has had so many."""
    for begins, expected in _LATEST_FIRST:
        if calls >= begins:
            return expected
    return _LATEST_FIRST[-1][1]


def forecast_of(
    needed: Tier,
    input_tokens: int,
    most_output: int,
    *,
    settings: RoutingSettings,
    profile: Profile,
    known: Conversation | None,
    turns: float,
    lift: float = 0.0,
    cache: CacheUse = "5m",
) -> TurnForecast:
    """What is expected of the coming calls.

    :param most_output: tokens the answer may have
    :param known: the conversation; its own answers and growth are the best guess there is
    :param turns: calls expected after this one
    :param cache: what the request asks of caches
    """
    output = known.output_tokens if known and known.output_tokens else DEFAULT_OUTPUT
    output_tokens = max(1, min(round(output), most_output))
    growth = known.growth_tokens if known and known.growth_tokens is not None else DEFAULT_GROWTH + output_tokens
    shortfall = settings.shortfall_price
    return TurnForecast(
        needed=needed,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        growth_tokens=max(0, round(growth)),
        turns=turns,
        shortfall=SHORTFALL[profile] if shortfall is None else shortfall,
        preference=settings.preference_price,
        lift=lift,
        cache=cache,
    )


def list_price(forecast: TurnForecast, price: Price, cached_tokens: int) -> tuple[int, int]:
    """This call and the coming ones, in microdollars.

    The rest of this prompt is written to the cache where that has a price; each coming prompt is read from it but for what is new.
    """
    read, write = price.cache_read, price.cache_write
    if read is None:
        read = price.input
    if write is None:
        write = price.input
    tokens, growth, turns = forecast.input_tokens, forecast.growth_tokens, forecast.turns
    cached = cached_tokens if cached_tokens < tokens else tokens
    answer = forecast.output_tokens * price.output
    turn = cached * read + (tokens - cached) * write + answer
    held = tokens + growth * (turns - 1) / 2 if turns > 1 else tokens
    return round(turn), round(turns * (held * read + growth * write + answer))


def candidate_cost(
    forecast: TurnForecast, price: Price, *, cached_tokens: int, shadow: float, rank: int, place: int, stake: int
) -> CandidateCost:
    """One candidate's sum.

    :param rank: of the highest tier that lists the model
    :param place: 0 for the model in use and the tier's primary, then as the configuration orders them
    :param stake: microdollars that the work costs at the needed tier, nothing cached
    """
    turn, coming = list_price(forecast, price, cached_tokens)
    total = turn + coming
    cold = sum(list_price(forecast, price, 0)) if cached_tokens else total
    advantage = stake - cold if cold < stake else 0
    missing = forecast.needed.rank - rank
    lift = forecast.lift
    # What happened in flight adds part of a tier, or takes it away.
    short = missing + lift if missing > 0 else lift if lift > 0 and not missing else 0.0
    return _cost(
        (
            turn,
            coming,
            round((shadow - 1.0) * total) if shadow != 1.0 else 0,
            round(short * forecast.shortfall * stake) if short else 0,
            round(forecast.preference * shadow * advantage + ORDER * place * stake) if advantage or place else 0,
            cached_tokens,
            shadow,
            rank,
            place,
            price,
        )
    )


_cost = cast("Callable[[tuple[object, ...]], CandidateCost]", partial(tuple.__new__, CandidateCost))
"""What the class itself does, without a Python function in between: each decision makes half a dozen."""


def stake_of(forecast: TurnForecast, reference: Price) -> int:
    """What the work costs at the needed tier, in microdollars: the unit of the prices that are not money."""
    return sum(list_price(forecast, reference, 0))

"""However a route fails, a walk along it ends: in an answer or in one of our errors, within its budgets, with nothing left reserved."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.routing import Candidate, ModelInfo
from openclaw_oauthrouter.errors import BudgetExceededError, CostBudgetExceededError, InvalidRequestError, OAuthRouterError
from tests.unit.upstream.test_failover import FAILURES
from tests.unit.upstream.world import OK, WINDOWS, World

NAMES = sorted(WINDOWS)
OUTCOMES: list[Any] = [OK, InvalidRequestError("cannot be said"), *(error for error, _ in FAILURES.values())]
CARDS = st.builds(ModelInfo, st.sampled_from(NAMES), st.just("m"), st.sampled_from([None, 1000, 100_000]))
ROUTES = st.lists(st.builds(Candidate, CARDS, only_on=st.sampled_from([(), (429, 529)])), min_size=1, max_size=5)
REFUSALS = st.sampled_from([BudgetExceededError("used up"), CostBudgetExceededError("too dear")])

WORLDS = st.builds(
    World,
    script=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=8),
    accounts=st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(["one", "two"]), unique=True), max_size=3),
    refused=st.dictionaries(st.sampled_from(NAMES), REFUSALS, max_size=2),
    downgrade=ROUTES,
    blocked_names=st.sets(st.sampled_from([*NAMES, *(f"{name}:one" for name in NAMES)])),
    renewals=st.lists(st.just("fresh"), max_size=2),
    retry=st.fixed_dictionaries({"attempts": st.integers(1, 3), "max_total_attempts": st.integers(1, 6)}),
)


@given(WORLDS, ROUTES)
@settings(deadline=None)
def test_failover_walk_ends(world: World, route: list[Candidate]) -> None:
    answered = False
    try:
        asyncio.run(world.open(*route))
        answered = True
    except OAuthRouterError:
        pass
    assert len(world.calls) <= world.retry["max_total_attempts"]
    assert sum(not reservation.closed for reservation in world.reservations) == answered
    assert len(world.succeeded_names) == answered
    # A candidate may stand in a route, and in what is cheaper than it, more than once.
    stops = Counter(candidate.info.provider for candidate in (*route, *world.downgrade))
    for call, count in Counter(world.calls).items():
        assert count <= (world.retry["attempts"] + len(world.renewals) + 2) * stops[call.partition("/")[0]]

"""How a route is walked: what follows each failure, with a sender that answers by script."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.routing import Candidate, ModelInfo
from openclaw_oauthrouter.errors import (
    AllUpstreamsFailed,
    BudgetExceededError,
    CostBudgetExceededError,
    CredentialNotFound,
    InvalidRequestError,
    PolicyError,
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamContextError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)
from openclaw_oauthrouter.health.failures import FAILURE_RULES, FailureTable
from tests.unit.upstream.world import OK, ROUTE, WINDOWS, World


async def walked(world: World, *candidates: Candidate) -> list[str]:
    """The calls a walk made; its answer, if any, came from the last."""
    try:
        opened = await world.open(*candidates)
    except (UpstreamError, PolicyError, CredentialNotFound, InvalidRequestError):
        return world.calls
    assert world.calls[-1].startswith(f"{opened.answer.target.provider.name}/")
    return [*world.calls, "answers"]


# ------------------------------------------------------------------ the failure table

# One error for each row of the table, what is called after it, and what is called when it never ends.
FAILURES: dict[str, tuple[UpstreamError, str]] = {
    "tls": (UpstreamConnectionError("certificate verify failed", code="upstream_unreachable"), "b/one"),
    "unreachable": (UpstreamConnectionError("refused", code="upstream_unreachable"), "a/one"),
    "connection-lost": (UpstreamConnectionError("gone"), "a/one"),
    "time-out": (UpstreamTimeout("slow"), "b/one"),
    "context-overflow": (UpstreamContextError("too long", upstream_status=400), "c/one"),
    "out-of-extra-usage": (UpstreamBillingError("used up", upstream_status=400), "a/two"),
    "billing": (UpstreamBillingError("no credit", upstream_status=402), "a/two"),
    "model-not-permitted": (UpstreamAuthenticationError("may not use this model", upstream_status=403), "a/two"),
    "forbidden": (UpstreamAuthenticationError("forbidden", upstream_status=403), "a/two"),
    "unauthorized": (UpstreamAuthenticationError("wrong key", upstream_status=401), "a/fresh"),
    "model-gone": (UpstreamModelError("retired", upstream_status=404), "b/one"),
    "plan-window": (UpstreamRateLimitError("plan", code="usage_limit_reached", upstream_status=429), "a/two"),
    "model-rate-limit": (UpstreamRateLimitError("rate limit reached for m", upstream_status=429), "a/one"),
    "rate-limit": (UpstreamRateLimitError("too many", upstream_status=429), "a/one"),
    "overloaded": (UpstreamOverloadedError("overloaded", upstream_status=529), "a/one"),
    "empty-answer": (UpstreamProtocolError("an empty answer"), "a/one"),
    "malformed": (UpstreamProtocolError("not JSON"), "a/one"),
    "too-large": (UpstreamStatusError("too large", status_code=413), "c/one"),
    "conflict": (UpstreamStatusError("try again", status_code=409), "a/one"),
    "server-error": (UpstreamStatusError("failed", status_code=500), "a/one"),
    "refused": (UpstreamStatusError("bad request", status_code=400), "nothing"),
    "unknown": (UpstreamError("what?"), "b/one"),
}


def test_every_row_of_the_table_is_here() -> None:
    assert list(FAILURES) == [rule.name for rule in FAILURE_RULES]
    assert [FailureTable().rule_for(error).name for error, _ in FAILURES.values()] == list(FAILURES)


@pytest.mark.parametrize("name", FAILURES)
async def test_what_is_tried_next(name: str) -> None:
    error, follows = FAILURES[name]
    world = World([error, OK], {"a": ["one", "two"], "b": ["one"], "c": ["one"]}, renewals=["fresh"])
    expected = ["a/one"] if follows == "nothing" else ["a/one", follows, "answers"]
    assert await walked(world) == expected
    assert world.failed_names == ["a:one"]
    assert [reservation.released for reservation in world.reservations] == [True, False][: len(world.reservations)]


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("rate-limit", ["a/one", "a/one", "a/two", "a/two", "b/one", "b/one", "c/one", "c/one"]),
        ("overloaded", ["a/one", "a/one", "b/one", "b/one", "c/one", "c/one"]),
        ("billing", ["a/one", "a/two", "b/one", "c/one"]),
        ("time-out", ["a/one", "b/one", "c/one"]),
        ("context-overflow", ["a/one", "c/one"]),
        ("refused", ["a/one"]),
    ],
)
async def test_a_failure_that_never_ends(name: str, calls: list[str]) -> None:
    world = World([FAILURES[name][0]], {"a": ["one", "two"], "b": ["one"], "c": ["one"]})
    with pytest.raises(UpstreamError) as failed:
        await world.open()
    assert world.calls == calls
    assert all(reservation.released for reservation in world.reservations)
    providers = {call[0] for call in calls}
    assert isinstance(failed.value, AllUpstreamsFailed) == (len(providers) > 1)
    assert failed.value.status_code == FAILURES[name][0].status_code


async def test_a_failure_leaves_a_trace_of_every_call() -> None:
    world = World([FAILURES["overloaded"][0], FAILURES["billing"][0], OK])
    await world.open()
    assert [(attempt.provider, attempt.credential) for attempt in world.record.attempts] == [
        ("a", "a:one"),
        ("a", "a:one"),
        ("b", "b:one"),
    ]
    assert world.succeeded_names == ["b:one"]


# ------------------------------------------------------------------ budgets of tries


@pytest.mark.parametrize("attempts", [1, 2, 3])
async def test_one_hop_is_called_so_often_at_most(attempts: int) -> None:
    world = World([FAILURES["overloaded"][0]], retry={"attempts": attempts})
    assert await walked(world, ROUTE[0]) == ["a/one"] * attempts


async def test_all_hops_together_are_called_so_often_at_most() -> None:
    world = World([FAILURES["overloaded"][0]], retry={"attempts": 2, "max_total_attempts": 3})
    assert await walked(world) == ["a/one", "a/one", "b/one"]


@pytest.mark.parametrize(("retry_after", "calls"), [(0.0, ["a/one", "a/one", "answers"]), (11.0, ["a/one", "b/one", "answers"])])
async def test_a_provider_that_wants_a_long_wait_is_left_for_the_next(retry_after: float, calls: list[str]) -> None:
    limited = UpstreamRateLimitError("too many", upstream_status=429, retry_after=retry_after)
    assert await walked(World([limited, OK])) == calls


# ------------------------------------------------------------------ credentials

WRONG_KEY = FAILURES["unauthorized"][0]


@pytest.mark.parametrize("attempts", [1, 2])
async def test_a_credential_is_read_anew_once(attempts: int) -> None:
    world = World([WRONG_KEY, WRONG_KEY, OK], {"a": ["one", "two"]}, renewals=["fresh", "never"], retry={"attempts": attempts})
    assert await walked(world, ROUTE[0]) == ["a/one", "a/fresh", "a/two", "answers"]


async def test_a_credential_that_did_not_change_is_not_tried_again() -> None:
    assert await walked(World([WRONG_KEY, OK])) == ["a/one", "b/one", "answers"]


async def test_a_hop_without_a_credential_is_passed_over() -> None:
    assert await walked(World([OK], {"b": ["one"]})) == ["b/one", "answers"]
    with pytest.raises(CredentialNotFound, match="for a"):
        await World([OK], {}).open()


async def test_what_is_out_of_order_is_passed_over_and_said_so() -> None:
    world = World([OK], {"a": ["one", "two"], "b": ["one"]}, blocked_names={"a:one"})
    assert await walked(world) == ["a/two", "answers"]
    world = World([OK], blocked_names={"a"})
    assert await walked(world) == ["b/one", "answers"]
    first = world.record.attempts[0]
    assert (first.provider, first.outcome, first.reason) == ("a", "skipped", "cooling down")


async def test_the_only_model_there_is_gets_asked_even_when_out_of_order() -> None:
    assert await walked(World([OK], blocked_names={"a"}), ROUTE[0]) == ["a/one", "answers"]
    assert await walked(World([OK], blocked_names={"a", "b", "c"})) == ["c/one", "answers"]


# ------------------------------------------------------------------ hops with conditions


def only_on(*statuses: int) -> tuple[Candidate, Candidate]:
    return ROUTE[0], Candidate(ROUTE[1].info, only_on=statuses)


@pytest.mark.parametrize(
    ("name", "statuses", "leads"),
    [
        ("rate-limit", (429, 529), True),
        ("overloaded", (429, 529), True),
        ("server-error", (429, 529), False),
        ("server-error", (500,), True),
        ("time-out", (429,), True),
    ],
)
async def test_a_hop_may_ask_for_certain_statuses(name: str, statuses: tuple[int, ...], leads: bool) -> None:
    world = World([FAILURES[name][0], OK], retry={"attempts": 1})
    assert ("b/one" in await walked(world, *only_on(*statuses))) is leads


async def test_a_prompt_that_is_too_long_goes_only_where_there_is_more_room() -> None:
    same = Candidate(ModelInfo("b", "m", None)), Candidate(ModelInfo("c", "m", 100_000))
    world = World([FAILURES["context-overflow"][0]])
    assert await walked(world, ROUTE[0], *same) == ["a/one"]


# ------------------------------------------------------------------ our own refusals


async def test_a_refusal_of_ours_concerns_one_hop() -> None:
    world = World([OK], refused={"a": BudgetExceededError("no more of a")})
    assert await walked(world) == ["b/one", "answers"]
    assert world.record.spend_decision == "allow"


async def test_when_every_hop_is_refused_the_first_refusal_is_the_answer() -> None:
    refused = {name: BudgetExceededError(f"no more of {name}") for name in WINDOWS}
    world = World([OK], refused=refused)
    with pytest.raises(BudgetExceededError, match="no more of a"):
        await world.open()
    assert world.calls == []
    assert (world.record.spend_decision, world.record.spend_code) == ("deny", "DAILY_BUDGET_EXCEEDED")


async def test_where_money_is_short_a_cheaper_model_may_answer() -> None:
    refused: dict[str, PolicyError] = {"a": CostBudgetExceededError("too dear")}
    world = World([OK], refused=refused, downgrade=[Candidate(ModelInfo("b", "m"))])
    assert await walked(world, ROUTE[0]) == ["b/one", "answers"]
    # Not for a budget in tokens, and not when nobody is cheaper.
    world = World([OK], refused={"a": BudgetExceededError("no tokens")}, downgrade=[Candidate(ModelInfo("b", "m"))])
    assert await walked(world, ROUTE[0]) == []
    assert await walked(World([OK], refused=refused), ROUTE[0]) == []


async def test_what_one_dialect_cannot_say_another_may() -> None:
    world = World([InvalidRequestError("no audio"), OK])
    assert await walked(world) == ["a/one", "b/one", "answers"]
    assert world.failed_names == []
    assert [reservation.released for reservation in world.reservations] == [True, False]
    with pytest.raises(InvalidRequestError, match="no audio"):
        await World([InvalidRequestError("no audio")]).open()


async def test_a_fault_of_ours_gives_the_reservation_back() -> None:
    world = World([RuntimeError("a bug")])
    with pytest.raises(RuntimeError):
        await world.open()
    assert world.reservations[0].released

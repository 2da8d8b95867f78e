"""How a route is walked: what follows each failure, with a sender that answers by script."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.routing import Candidate, ModelInfo, Tier
from openclaw_oauthrouter.errors import (
    AllUpstreamsFailed,
    BudgetExceededError,
    CostBudgetExceededError,
    CredentialNotFound,
    GatewayBusyError,
    InvalidRequestError,
    ModelNotAllowedError,
    PolicyError,
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamContextError,
    UpstreamEndpointError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)
from openclaw_oauthrouter.health.failures import FAILURE_RULES, FailureTable
from openclaw_oauthrouter.upstream import failover
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
    "out-of-extra-usage": (UpstreamBillingError("out of extra usage", upstream_status=400), "a/two"),
    "billing": (UpstreamBillingError("no credit", upstream_status=402), "a/two"),
    "model-not-permitted": (UpstreamAuthenticationError("may not use this model", upstream_status=403), "a/two"),
    "forbidden": (UpstreamAuthenticationError("forbidden", upstream_status=403), "a/two"),
    "unauthorized": (UpstreamAuthenticationError("wrong key", upstream_status=401), "a/fresh"),
    "model-gone": (UpstreamModelError("retired", upstream_status=404), "b/one"),
    "endpoint": (UpstreamEndpointError("no such page", upstream_status=404), "b/one"),
    "plan-window": (UpstreamRateLimitError("plan", code="usage_limit_reached", upstream_status=429), "a/two"),
    "more-than-a-minute-holds": (UpstreamRateLimitError("Request too large for m", upstream_status=429), "a/two"),
    "model-rate-limit": (UpstreamRateLimitError("rate limit reached for m", upstream_status=429), "a/two"),
    "rate-limit": (UpstreamRateLimitError("too many", upstream_status=429), "a/two"),
    "overloaded": (UpstreamOverloadedError("overloaded", upstream_status=529), "b/one"),
    "endless-answer": (UpstreamProtocolError("it repeats itself", code="endless_answer"), "b/one"),
    "empty-answer": (UpstreamProtocolError("an empty answer"), "a/one"),
    "malformed": (UpstreamProtocolError("not JSON"), "a/one"),
    "too-large": (UpstreamStatusError("too large", status_code=413), "b/one"),
    "conflict": (UpstreamStatusError("try again", status_code=409), "a/one"),
    "server-error": (UpstreamStatusError("failed", status_code=500), "a/one"),
    "cannot-do-this": (UpstreamStatusError("this model does not support images", status_code=400), "b/one"),
    "refused": (UpstreamStatusError("messages[0]: bad role", status_code=400), "nothing"),
    "unsaid": (UpstreamStatusError("bad request", status_code=400), "b/one"),
    "unknown": (UpstreamError("what?"), "b/one"),
}


def test_failover_every_row_of_the_table_is_here() -> None:
    assert list(FAILURES) == [rule.name for rule in FAILURE_RULES]
    assert [FailureTable().rule_for(error).name for error, _ in FAILURES.values()] == list(FAILURES)


@pytest.mark.parametrize("name", FAILURES)
async def test_failover_what_is_tried_next(name: str) -> None:
    error, follows = FAILURES[name]
    world = World([error, OK], {"a": ["one", "two"], "b": ["one"], "c": ["one"]}, renewals=["fresh"])
    expected = ["a/one"] if follows == "nothing" else ["a/one", follows, "answers"]
    assert await walked(world) == expected
    assert world.failed_names == ["a:one"]
    assert [reservation.closed for reservation in world.reservations] == [True, False][: len(world.reservations)]


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("rate-limit", ["a/one", "a/two", "b/one", "c/one", "a/one"]),
        ("overloaded", ["a/one", "b/one", "c/one", "a/one"]),
        ("server-error", ["a/one", "a/one", "b/one", "b/one", "c/one", "c/one"]),
        ("unsaid", ["a/one", "b/one", "c/one"]),
        ("billing", ["a/one", "a/two", "b/one", "c/one"]),
        ("time-out", ["a/one", "b/one", "c/one"]),
        ("context-overflow", ["a/one", "c/one"]),
        ("refused", ["a/one"]),
    ],
)
async def test_failover_failure_that_never_ends(name: str, calls: list[str]) -> None:
    world = World([FAILURES[name][0]], {"a": ["one", "two"], "b": ["one"], "c": ["one"]})
    with pytest.raises(UpstreamError) as failed:
        await world.open()
    assert world.calls == calls
    assert all(reservation.closed for reservation in world.reservations)
    providers = {call[0] for call in calls}
    assert isinstance(failed.value, AllUpstreamsFailed) == (len(providers) > 1)
    assert failed.value.status_code == FAILURES[name][0].status_code


async def test_failover_failure_leaves_a_trace_of_every_call() -> None:
    world = World([FAILURES["overloaded"][0], FAILURES["billing"][0], OK])
    await world.open()
    assert [(attempt.provider, attempt.credential) for attempt in world.record.attempts] == [
        ("a", "a:one"),
        ("b", "b:one"),
        ("c", "c:one"),
    ]
    assert world.succeeded_names == ["c:one"]


# ------------------------------------------------------------------ budgets of tries


@pytest.mark.parametrize("attempts", [1, 2, 3])
async def test_failover_one_candidate_is_called_so_often_at_most(attempts: int) -> None:
    world = World([FAILURES["overloaded"][0]], retry={"attempts": attempts})
    assert await walked(world, ROUTE[0]) == ["a/one"] * attempts


async def test_failover_all_candidates_together_are_called_so_often_at_most() -> None:
    world = World([FAILURES["overloaded"][0]], retry={"attempts": 2, "max_total_attempts": 3})
    assert await walked(world) == ["a/one", "b/one", "c/one"]


@pytest.mark.parametrize("retry_after", [0.0, 1.0, 9.0, None])
@pytest.mark.parametrize("kind", [UpstreamRateLimitError, UpstreamOverloadedError, partial(UpstreamStatusError, status_code=500)])
async def test_failover_asks_the_next_before_it_waits(kind: Any, retry_after: float | None) -> None:
    world = World([kind("later", retry_after=retry_after), OK], retry={"attempts": 1})
    assert await walked(world) == ["a/one", "b/one", "answers"]


@pytest.mark.parametrize(
    ("retry_after", "waits", "calls"),
    [(0.0, [0.0], ["a/one", "a/one", "answers"]), (1.5, [1.5], ["a/one", "a/one", "answers"]), (2.5, [], ["a/one"])],
)
async def test_failover_waits_for_the_last_candidate_only_and_not_for_long(
    retry_after: float, waits: list[float], calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(failover.asyncio, "sleep", sleep)
    limited = UpstreamRateLimitError("too many", upstream_status=429, retry_after=retry_after)
    assert await walked(World([limited, OK]), ROUTE[0]) == calls
    assert slept == waits


async def test_failover_does_not_ask_while_the_told_time_runs() -> None:
    told = UpstreamRateLimitError("a asked to be left alone", retry_after=40.0)
    for candidate in (ROUTE[0], Candidate(ROUTE[0].info, Tier.SIMPLE)):
        world = World([OK], blocked_names={"a"}, told_errors={"a": told})
        with pytest.raises(UpstreamRateLimitError, match="left alone") as failed:
            await world.open(candidate)
        assert world.calls == []
        assert failed.value.retry_after == 40.0


async def test_failover_asks_the_first_that_did_not_ask_to_be_left_alone() -> None:
    told = UpstreamRateLimitError("later", retry_after=40.0)
    route = [Candidate(candidate.info, Tier.SIMPLE) for candidate in ROUTE]
    world = World([OK], blocked_names={"a", "b", "c"}, told_errors={"a": told})
    assert await walked(world, *route) == ["b/one", "answers"]


async def test_failover_error_leads_with_what_stopped_the_primary() -> None:
    errors = [UpstreamAuthenticationError("OAuth token has been revoked", upstream_status=401), FAILURES["server-error"][0]]
    with pytest.raises(AllUpstreamsFailed) as failed:
        await World(errors, retry={"attempts": 1}).open()
    assert failed.value.message.startswith("a: OAuth token has been revoked")
    assert [failed.value.message.index(f"{name}: ") for name in "abc"] == sorted(
        failed.value.message.index(f"{n}: ") for n in "abc"
    )
    assert (failed.value.status_code, failed.value.code, failed.value.retryable) == (503, "upstream_authentication", False)


async def test_failover_says_when_the_request_itself_was_refused() -> None:
    with pytest.raises(AllUpstreamsFailed) as failed:
        await World([FAILURES["rate-limit"][0], FAILURES["refused"][0]]).open()
    assert failed.value.status_code == 400


async def test_failover_takes_its_own_limits_for_nobodys_failure() -> None:
    world = World([GatewayBusyError("no free connection"), OK])
    assert await walked(world) == ["a/one", "b/one", "answers"]
    assert world.failed_names == []
    with pytest.raises(GatewayBusyError):
        await World([GatewayBusyError("no free connection")]).open()


# ------------------------------------------------------------------ credentials

WRONG_KEY = FAILURES["unauthorized"][0]


@pytest.mark.parametrize("attempts", [1, 2])
async def test_failover_credential_is_read_anew_once(attempts: int) -> None:
    world = World([WRONG_KEY, WRONG_KEY, OK], {"a": ["one", "two"]}, renewals=["fresh", "never"], retry={"attempts": attempts})
    assert await walked(world, ROUTE[0]) == ["a/one", "a/fresh", "a/two", "answers"]


async def test_failover_credential_that_did_not_change_is_not_tried_again() -> None:
    assert await walked(World([WRONG_KEY, OK])) == ["a/one", "b/one", "answers"]


async def test_failover_candidate_without_a_credential_is_passed_over() -> None:
    assert await walked(World([OK], {"b": ["one"]})) == ["b/one", "answers"]
    with pytest.raises(CredentialNotFound, match="for a"):
        await World([OK], {}).open()


async def test_failover_what_is_out_of_order_is_passed_over_and_said_so() -> None:
    world = World([OK], {"a": ["one", "two"], "b": ["one"]}, blocked_names={"a:one"})
    assert await walked(world) == ["a/two", "answers"]
    world = World([OK], blocked_names={"a"})
    assert await walked(world) == ["b/one", "answers"]
    first = world.record.attempts[0]
    assert (first.provider, first.outcome, first.reason) == ("a", "skipped", "cooling down")


async def test_failover_only_model_there_is_gets_asked_even_when_out_of_order() -> None:
    assert await walked(World([OK], blocked_names={"a"}), ROUTE[0]) == ["a/one", "answers"]
    route = [Candidate(candidate.info, Tier.SIMPLE) for candidate in ROUTE]
    assert await walked(World([OK], blocked_names={"a", "b", "c"}), *route) == ["a/one", "answers"]


# ------------------------------------------------------------------ candidates with conditions


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
async def test_failover_candidate_may_ask_for_certain_statuses(name: str, statuses: tuple[int, ...], leads: bool) -> None:
    world = World([FAILURES[name][0], OK], retry={"attempts": 1})
    assert ("b/one" in await walked(world, *only_on(*statuses))) is leads


async def test_failover_prompt_that_is_too_long_goes_only_where_there_is_more_room() -> None:
    same = Candidate(ModelInfo("b", "m", None)), Candidate(ModelInfo("c", "m", 100_000))
    world = World([FAILURES["context-overflow"][0]])
    assert await walked(world, ROUTE[0], *same) == ["a/one"]


# ------------------------------------------------------------------ our own refusals


def of_one_model(message: str) -> BudgetExceededError:
    """The refusal of a limit that counts one model or provider only."""
    error = BudgetExceededError(message)
    error.general = False
    return error


@pytest.mark.parametrize("refusal", [of_one_model("no more of a"), ModelNotAllowedError("a is denied")])
async def test_refusal_that_concerns_one_model_goes_on_to_the_next(refusal: PolicyError) -> None:
    world = World([OK], refused={"a": refusal})
    assert await walked(world) == ["b/one", "answers"]
    assert world.record.spend_decision == "allow"


@pytest.mark.parametrize("refusal", [BudgetExceededError("no more"), CostBudgetExceededError("too dear")])
async def test_refusal_of_a_budget_ends_the_walk(refusal: PolicyError) -> None:
    world = World([OK], refused={"a": refusal})
    assert await walked(world) == []
    assert (world.record.spend_decision, world.record.spend_code) == ("deny", "DAILY_BUDGET_EXCEEDED")


async def test_failover_when_every_candidate_is_refused_the_first_refusal_is_the_answer() -> None:
    refused = {name: of_one_model(f"no more of {name}") for name in WINDOWS}
    world = World([OK], refused=refused)
    with pytest.raises(BudgetExceededError, match="no more of a"):
        await world.open()
    assert world.calls == []
    assert (world.record.spend_decision, world.record.spend_code) == ("deny", "DAILY_BUDGET_EXCEEDED")


async def test_failover_where_money_is_short_a_cheaper_model_may_answer() -> None:
    refused: dict[str, PolicyError] = {"a": CostBudgetExceededError("too dear")}
    world = World([OK], refused=refused, downgrade=[Candidate(ModelInfo("b", "m"))])
    assert await walked(world, ROUTE[0]) == ["b/one", "answers"]
    assert (world.record.spend_decision, world.record.downgraded_from) == ("downgrade", ROUTE[0].info.name)
    # Not for a budget in tokens, and not when nobody is cheaper.
    world = World([OK], refused={"a": BudgetExceededError("no tokens")}, downgrade=[Candidate(ModelInfo("b", "m"))])
    assert await walked(world, ROUTE[0]) == []
    assert await walked(World([OK], refused=refused), ROUTE[0]) == []


async def test_failover_what_one_dialect_cannot_say_another_may() -> None:
    world = World([InvalidRequestError("no audio"), OK])
    assert await walked(world) == ["a/one", "b/one", "answers"]
    assert world.failed_names == []
    assert [reservation.closed for reservation in world.reservations] == [True, False]
    with pytest.raises(InvalidRequestError, match="no audio"):
        await World([InvalidRequestError("no audio")]).open()


async def test_failover_fault_of_ours_gives_the_reservation_back() -> None:
    world = World([RuntimeError("a bug")])
    with pytest.raises(RuntimeError):
        await world.open()
    assert world.reservations[0].closed


@pytest.mark.parametrize(
    ("accounts", "calls"),
    [
        ((), ["a/one", "a/two", "a/three", "b/one", "answers"]),
        (("a:two", "a:three", "a:one"), ["a/two", "a/three", "a/one", "b/one", "answers"]),
        (("a:three",), ["a/three", "b/one", "answers"]),  # the others stand further behind, if at all
        (("a:gone", "a:two"), ["a/two", "b/one", "answers"]),
        (("a:gone",), ["a/one", "a/two", "a/three", "b/one", "answers"]),
    ],
)
async def test_failover_accounts_are_tried_in_the_order_of_their_sums(accounts: tuple[str, ...], calls: list[str]) -> None:
    limited = UpstreamRateLimitError("slow down")
    world = World([*[limited] * (len(calls) - 2), OK], accounts={"a": ["one", "two", "three"], "b": ["one"]})
    assert await walked(world, replace(ROUTE[0], accounts=accounts), ROUTE[1]) == calls

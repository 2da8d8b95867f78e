"""The guard: what it refuses, in which words, and that nothing leaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo
from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.canonical.usage import Usage, is_reported, plausible, usage_of_interrupted
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import (
    BudgetExceededError,
    CostBudgetExceededError,
    ModelNotAllowedError,
    OAuthRouterError,
    RequestTokensTooHighError,
    UnpricedModelError,
)
from openclaw_oauthrouter.interfaces import SpendGuard
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteStore
from openclaw_oauthrouter.policy.spend import Spend

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
HAIKU = Candidate(ModelInfo("anthropic", "claude-haiku-4-5"))
OPUS = Candidate(ModelInfo("anthropic", "claude-opus-4-6"))
LOCAL = Candidate(ModelInfo("ollama", "llama"))
FREE_MODEL = Candidate(ModelInfo("ollama", "free"))
PRICES = {"free": Price(0.0, 0.0), "claude-haiku-4-5": Price(1.0, 5.0), "claude-opus-4-6": Price(5.0, 25.0, cache_write=6.25)}
SMALL = Estimate(100, 200)

Make = Callable[..., Spend]


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = Ledger(SqliteStore(tmp_path / "ledger.sqlite3", "me"), lambda: NOON, retry_seconds=0.01)
    yield ledger
    await ledger.close()


@pytest.fixture
def make(ledger: Ledger) -> Make:
    ids = count()

    def make(now: float = NOON, clients: dict[str, ClientKeySettings] | None = None, extra=(), over=None, **settings) -> Spend:
        return Spend(
            SpendSettings(**settings),
            over or ledger,
            price=lambda info: PRICES.get(info.id),
            clock=lambda: now,
            new_id=lambda: f"{now}-{next(ids)}",
            clients=clients,
            extra_budgets=extra,
            dearest=lambda: PRICES["claude-opus-4-6"],
        )

    return make


async def used(ledger: Ledger, scope: str = "") -> Amounts:
    """What a scope used; money that a plan paid left out."""
    kind, _, name = scope.partition(":")
    total = Amounts()
    for account, amounts in await ledger.rows(0.0, 4e9):
        if not kind or getattr(account, kind) == name:
            total += amounts if account.paid_by != "plan" else replace(amounts, microdollars=0)
    return total


def test_spend_it_is_a_spend_guard(make: Make) -> None:
    guard: SpendGuard = make()
    assert guard.cheaper(BudgetExceededError("x"), [HAIKU]) == ()


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("entry", "refused"),
    [
        ("anthropic/claude-haiku-4-5", True),
        ("oauthrouter/Anthropic/Claude-Haiku-4.5", True),
        ("claude-haiku-4.5", True),
        ("openrouter/claude-haiku-4-5", False),
        ("anthropic/claude-haiku", False),
    ],
)
async def test_lists_take_every_spelling(make: Make, entry: str, refused: bool) -> None:
    denying, allowing = make(denylist_models=(entry,)), make(allowlist_models=(entry,))
    for guard, expected in ((denying, refused), (allowing, not refused)):
        if expected:
            with pytest.raises(ModelNotAllowedError, match="anthropic/claude-haiku-4-5"):
                await guard.reserve(HAIKU, SMALL, None)
        else:
            await (await guard.reserve(HAIKU, SMALL, None)).release()


@pytest.mark.parametrize(
    ("settings", "error", "status", "code"),
    [
        ({"denylist_models": ("claude-haiku-4-5",)}, ModelNotAllowedError, 403, "MODEL_NOT_ALLOWED"),
        ({"allowlist_models": ("claude-opus-4-6",)}, ModelNotAllowedError, 403, "MODEL_NOT_ALLOWED"),
        ({"max_request_input_tokens": 99}, RequestTokensTooHighError, 403, "REQUEST_TOKENS_TOO_HIGH"),
        ({"max_request_output_tokens": 199}, RequestTokensTooHighError, 403, "REQUEST_TOKENS_TOO_HIGH"),
        ({"daily_request_budget": 0}, BudgetExceededError, 429, "DAILY_BUDGET_EXCEEDED"),
        ({"daily_input_token_budget": 99}, BudgetExceededError, 429, "DAILY_BUDGET_EXCEEDED"),
        ({"daily_output_token_budget": 199}, BudgetExceededError, 429, "DAILY_BUDGET_EXCEEDED"),
        ({"daily_cost_budget": 0.0010}, CostBudgetExceededError, 429, "DAILY_BUDGET_EXCEEDED"),
        ({"monthly_cost_budget": 0.0010}, CostBudgetExceededError, 429, "MONTHLY_BUDGET_EXCEEDED"),
    ],
)
async def test_spend_each_rule_refuses_in_its_own_way(make: Make, settings, error, status, code) -> None:
    with pytest.raises(OAuthRouterError) as refusal:
        await make(**settings).reserve(HAIKU, SMALL, None)
    assert type(refusal.value) is error
    assert (refusal.value.status_code, refusal.value.code) == (status, code)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_request_input_tokens": 100},
        {"max_request_output_tokens": 200},
        {"daily_request_budget": 1},
        {"daily_input_token_budget": 100},
        {"daily_output_token_budget": 200},
        {"daily_cost_budget": 0.0011},  # 100 x $1 + 200 x $5 a million
        {"monthly_cost_budget": 0.0011},
    ],
)
async def test_spend_limit_may_be_used_to_the_last_token(make: Make, settings) -> None:
    await make(**settings).reserve(HAIKU, SMALL, None)


async def test_spend_first_rule_in_order_speaks(make: Make) -> None:
    everything = {
        "denylist_models": ("claude-haiku-4-5",),
        "allowlist_models": ("claude-opus-4-6",),
        "max_request_input_tokens": 1,
        "max_request_output_tokens": 1,
        "daily_request_budget": 0,
    }
    words = ["denylistModels", "allowlistModels", "maxRequestInputTokens", "maxRequestOutputTokens", "daily limit"]
    for word in words:
        with pytest.raises(OAuthRouterError, match=word):
            await make(**everything).reserve(HAIKU, SMALL, None)
        everything.pop(next(iter(everything)))


@pytest.mark.parametrize(
    ("settings", "words", "retry_after"),
    [
        (
            {"daily_request_budget": 0},
            r"^daily limit reached, resets tomorrow at 00:00 UTC \(in 12 h 00 min\): .* 0 requests",
            43_200,
        ),
        (
            {"monthly_cost_budget": 0},
            r"^monthly limit reached, resets next month at 00:00 UTC \(in 8 days\): of \$0\.0000 a month, .* at least \$0\.0011$",
            8.5 * 86_400,
        ),
    ],
)
async def test_spend_used_up_budget_says_when_it_resets(make: Make, settings, words: str, retry_after: float) -> None:
    with pytest.raises(BudgetExceededError, match=words) as refusal:
        await make(**settings).reserve(HAIKU, SMALL, None)
    assert refusal.value.retry_after == retry_after


async def test_spend_budget_that_running_calls_hold_is_free_again_soon(make: Make) -> None:
    guard = make(daily_output_token_budget=300)
    running = await guard.reserve(HAIKU, SMALL, None)
    with pytest.raises(BudgetExceededError, match="still run, try again in a moment") as refusal:
        await guard.reserve(HAIKU, SMALL, None)
    assert refusal.value.retry_after == 5
    await running.settle(Usage(0, 200), 0.0)
    with pytest.raises(BudgetExceededError, match="daily limit reached, resets tomorrow"):
        await guard.reserve(HAIKU, SMALL, None)


async def test_spend_client_key_has_limits_of_its_own(make: Make) -> None:
    clients = {
        "ci": ClientKeySettings(token="t", allowlist_models=("claude-haiku-4-5",), daily_request_budget=1, daily_cost_budget=0.01)
    }
    guard = make(clients=clients)
    with pytest.raises(ModelNotAllowedError, match="'ci'"):
        await guard.reserve(OPUS, SMALL, "ci")
    with pytest.raises(CostBudgetExceededError, match="client ci"):
        await guard.reserve(HAIKU, Estimate(20_000, 2000), "ci")
    await (await guard.reserve(HAIKU, SMALL, "ci")).settle(None, 0.0)
    with pytest.raises(BudgetExceededError, match="of 1 requests a day for client ci, 1 are used"):
        await guard.reserve(HAIKU, SMALL, "ci")
    await guard.reserve(OPUS, SMALL, "default")
    await guard.reserve(OPUS, SMALL, None)


async def test_spend_plugin_may_add_a_rule(make: Make) -> None:
    class TwoOfEach:
        name = "two-of-each"

        def check(self, call):
            return [Limit("day", "requests", 2, f"model:{call.info.name}")]

    guard = make(extra=(TwoOfEach(),))
    for candidate in (HAIKU, HAIKU, OPUS):
        await guard.reserve(candidate, SMALL, None)
    with pytest.raises(BudgetExceededError, match="model anthropic/claude-haiku-4-5"):
        await guard.reserve(HAIKU, SMALL, None)


async def test_spend_cost_set_aside_covers_a_cache_write(make: Make) -> None:
    with pytest.raises(CostBudgetExceededError):
        await make(daily_cost_budget=0.00624).reserve(OPUS, Estimate(1000, 0), None)
    await make(daily_cost_budget=0.00625).reserve(OPUS, Estimate(1000, 0), None)


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        ("openai_chat_completions", "max_completion_tokens"),
        ("openai_responses", "max_output_tokens"),
        ("anthropic_messages", "max_tokens"),
    ],
)
def test_spend_client_that_names_no_length_gets_the_cap(make: Make, dialect: str, field: str) -> None:
    guard = make(max_request_output_tokens=8192)
    silent = ChatRequest(dialect, "auto", (), body={"model": "auto"})
    large, small = ModelInfo("p", "large", max_output_tokens=64_000), ModelInfo("p", "small", max_output_tokens=4_000)
    capped = guard.cap(silent, large)
    assert (capped.max_output_tokens, capped.body) == (8192, {"model": "auto", field: 8192})
    assert guard.cap(silent, small).max_output_tokens == 4_000
    assert guard.estimate(silent, large).output_tokens == 8192
    assert silent.body == {"model": "auto"}


def test_spend_client_s_own_length_stands(make: Make) -> None:
    asked = ChatRequest("anthropic_messages", "auto", (), max_output_tokens=9000)
    assert make(max_request_output_tokens=8192).cap(asked, HAIKU.info) is asked
    assert make().cap(asked, HAIKU.info) is asked


@pytest.mark.parametrize("stated", [None, 50, 5000, 1_000_000])
@pytest.mark.parametrize("ours", [None, 100, 8192, 10_000_000])
@pytest.mark.parametrize("most", [None, 64, 8192])
def test_spend_estimate_is_of_the_request_as_it_will_be_capped(make: Make, stated, ours, most) -> None:
    guard, info = make(max_request_output_tokens=ours), ModelInfo("p", "m", max_output_tokens=most)
    asked = ChatRequest("openai_chat_completions", "p/m", (), max_output_tokens=stated)
    assert guard.estimate(asked, info) == guard.estimate(guard.cap(asked, info), info)


def test_spend_dialect_of_a_plugin_is_capped_where_it_is_translated(make: Make) -> None:
    capped = make(max_request_output_tokens=10).cap(ChatRequest("gemini", "auto", (), body={}), HAIKU.info)
    assert (capped.max_output_tokens, capped.body) == (10, {})


async def test_unpriced_model_is_refused_under_a_budget_in_money_with_the_remedy(make: Make) -> None:
    with pytest.raises(
        UnpricedModelError, match=r"no price is known for 'ollama/llama'.*\[providers\.ollama\].*spend_controls\.unpriced"
    ):
        await make(daily_cost_budget=10.0).reserve(LOCAL, SMALL, None)
    await make(daily_request_budget=10).reserve(LOCAL, SMALL, None)


async def test_unpriced_model_may_be_allowed_and_is_counted_apart(make: Make, ledger: Ledger) -> None:
    reservation = await make(daily_cost_budget=0.0, unpriced="allow").reserve(LOCAL, Estimate(10**9, 10**9), None)
    await reservation.settle(Usage(10, 20), None)
    assert await used(ledger) == Amounts(1, 10, 20, 0, 1)


async def test_unpriced_model_may_count_as_the_dearest(make: Make, ledger: Ledger) -> None:
    guard = make(daily_cost_budget=1.0, unpriced="count-as-dearest")
    with pytest.raises(CostBudgetExceededError):
        await guard.reserve(LOCAL, Estimate(300_000, 1000), None)
    await (await guard.reserve(LOCAL, SMALL, None)).settle(Usage(1000, 1000), None)
    assert await used(ledger) == Amounts(1, 1000, 1000, 30_000, 1)


async def test_free_model_is_never_refused_by_an_overdrawn_budget_in_money(make: Make) -> None:
    await (await make().reserve(OPUS, SMALL, None)).settle(Usage(1, 1), 9.0)
    guard = make(daily_cost_budget=1.0)
    await (await guard.reserve(FREE_MODEL, Estimate(10**6, 10**6), None)).settle(Usage(10**6, 10**6), 0.0)
    with pytest.raises(CostBudgetExceededError):
        await guard.reserve(HAIKU, SMALL, None)


# ------------------------------------------------------------------ how much is set aside

LONG = Estimate(100, 64_000)


async def test_reserve_takes_what_is_expected_and_not_the_worst_case(make: Make) -> None:
    guard = make(daily_cost_budget=0.5)
    running = [await guard.reserve(OPUS, LONG, None, streams=True, stated=False) for _ in range(9)]
    assert all(one.output_cap is not None and one.output_cap >= 1000 for one in running)
    caps = [one.output_cap for one in running]
    assert caps == sorted(caps, reverse=True), "each is told what the rest pays for"
    assert caps[0] == int((500_000 - 625) / 25)


async def test_reserve_refuses_only_when_not_even_a_small_answer_fits(make: Make) -> None:
    guard = make(daily_cost_budget=0.0070)  # the prompt and 255 tokens
    with pytest.raises(CostBudgetExceededError, match=r"needs \$0\.0070, more than the \$0\.0070 a day altogether"):
        await guard.reserve(OPUS, LONG, None, stated=False)
    reservation = await make(daily_cost_budget=0.0071).reserve(OPUS, LONG, None, stated=False)
    assert reservation.output_cap == 259


async def test_reserve_goes_by_what_was_really_used(make: Make) -> None:
    guard = make(daily_output_token_budget=100_000)
    for _ in range(20):
        guard.learn("talk", HAIKU.info, None, 100)
        guard.learn("long talk", HAIKU.info, None, 9000)
    for conversation, expected in (("talk", 100), ("long talk", 9000)):
        reservation = await guard.reserve(HAIKU, LONG, None, conversation=conversation, streams=True, stated=False)
        assert reservation.watched_tokens == expected


async def test_reserve_takes_a_small_length_of_the_clients_at_its_word(make: Make) -> None:
    guard = make(daily_cost_budget=1.0)
    reservation = await guard.reserve(OPUS, Estimate(100, 4096), None, streams=True)
    assert (reservation.output_cap, reservation.watched_tokens) == (None, 4096 * 1.5 + 1024)


async def test_spend_whole_answers_are_bound_to_what_is_set_aside_for_them(make: Make) -> None:
    guard = make(daily_output_token_budget=100_000)
    alone = await guard.reserve(HAIKU, LONG, None, stated=False)
    assert alone.output_cap == 25_000
    second = await guard.reserve(HAIKU, LONG, None, stated=False)
    assert second.output_cap == 2048


async def test_hard_limits_are_never_exceeded_and_refuse_earlier(make: Make) -> None:
    guard = make(daily_cost_budget=1.0, hard=True)
    first = await guard.reserve(OPUS, LONG, None, streams=True, stated=False)
    assert first.output_cap == int((1_000_000 - 625) / 25)
    with pytest.raises(CostBudgetExceededError, match="set aside by requests that still run"):
        await guard.reserve(OPUS, LONG, None, streams=True, stated=False)


@pytest.mark.parametrize("limits", [{"daily_request_budget": 50}, {"daily_input_token_budget": 10**6}])
@pytest.mark.parametrize("hard", [False, True])
async def test_answer_is_as_long_as_it_likes_where_no_limit_minds_its_length(
    make: Make, limits: dict[str, int], hard: bool
) -> None:
    running = await make(**limits, hard=hard).reserve(HAIKU, LONG, None, streams=True, stated=False)
    assert (running.output_cap, running.watched_tokens) == (None, None)
    await running.top_up(10**6)


async def test_top_up_takes_more_as_the_answer_grows(make: Make) -> None:
    guard = make(daily_output_token_budget=10_000)
    running = await guard.reserve(HAIKU, LONG, None, streams=True, stated=False)
    assert running.watched_tokens == 1000
    await running.top_up(1001)
    assert running.watched_tokens == 2025
    await running.top_up(9000)
    assert running.watched_tokens == 16_024, "it has all there is, and the upstream was told so"
    with pytest.raises(BudgetExceededError, match="still run"):
        await guard.reserve(HAIKU, SMALL, None)
    with pytest.raises(BudgetExceededError):
        await running.top_up(16_025)


async def test_top_up_ends_answers_once_all_together_overspend_by_one_answer(make: Make) -> None:
    guard = make(daily_output_token_budget=6000)
    running = [await guard.reserve(HAIKU, Estimate(1, 5000), None, streams=True, stated=False) for _ in range(4)]
    written = [0] * len(running)
    ended = set()
    for step in range(500, 5001, 500):
        for at, one in enumerate(running):
            if at in ended or step > (one.output_cap or 5000):
                continue
            try:
                await one.top_up(step)
            except BudgetExceededError:
                ended.add(at)
                continue
            written[at] = step
    assert sum(written) <= 6000 + 5000
    assert ended


async def test_limits_of_one_request_bind_each_call(make: Make) -> None:
    guard = make(budgets=[{"period": "request", "cost": 0.01}])
    reservation = await guard.reserve(OPUS, LONG, None, stated=False)
    assert reservation.output_cap == int((10_000 - 625) / 25)
    with pytest.raises(CostBudgetExceededError) as refusal:
        await guard.reserve(OPUS, Estimate(10_000, 100), None)
    assert (refusal.value.code, refusal.value.retry_after) == ("REQUEST_BUDGET_EXCEEDED", None)


@pytest.mark.parametrize(
    ("budget", "same", "other"),
    [
        ({"each": "conversation"}, {"conversation": "a"}, {"conversation": "b"}),
        ({"each": "client"}, {"client": "a"}, {"client": "b"}),
        ({"client": "a"}, {"client": "a"}, {"client": "b"}),
        ({"each": "model"}, {}, {"candidate": OPUS}),
        ({"model": "anthropic/claude-haiku-4-5"}, {}, {"candidate": OPUS}),
        ({"each": "provider"}, {}, {"candidate": LOCAL}),
        ({"provider": "anthropic"}, {}, {"candidate": LOCAL}),
    ],
)
@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
async def test_stated_budgets_count_what_they_name(make: Make, period: str, budget, same, other) -> None:
    guard = make(budgets=[{"period": period, "requests": 1, **budget}])

    def call(candidate: Candidate = HAIKU, client: str | None = None, conversation: str | None = None):
        return guard.reserve(candidate, SMALL, client, conversation=conversation)

    await (await call(**same)).settle(Usage(1, 1), None)
    with pytest.raises(BudgetExceededError) as refusal:
        await call(**same)
    assert (
        refusal.value.code
        == {"hour": "HOURLY", "day": "DAILY", "week": "WEEKLY", "month": "MONTHLY"}[period] + "_BUDGET_EXCEEDED"
    )
    await call(**other)


async def test_warnings_come_once_a_share_and_say_so_in_the_answer(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    guard = make(daily_request_budget=10)
    seen = []
    for _ in range(10):
        reservation = await guard.reserve(HAIKU, SMALL, None)
        seen.append(reservation.warnings)
        await reservation.settle(Usage(1, 1), 0.0)
    assert seen[4] == ()
    assert seen[5] == ("50% of the 10 requests a day",)
    assert seen[9] == ("90% of the 10 requests a day",)
    assert [record.message for record in caplog.records] == [
        "budget: 50% of the 10 requests a day used",
        "budget: 80% of the 10 requests a day used",
        "budget: 100% of the 10 requests a day used",
    ]


async def test_models_that_clients_invent_share_one_row(make: Make, ledger: Ledger) -> None:
    guard = make(budgets=[{"requests": 5, "model": "p/wanted"}])
    for number in range(1100):
        await (await guard.reserve(Candidate(ModelInfo("p", f"made-up-{number}")), SMALL, None)).settle(Usage(1, 1), None)
    await (await guard.reserve(Candidate(ModelInfo("p", "wanted")), SMALL, None)).settle(Usage(1, 1), None)
    rows = await ledger.rows(0.0, 4e9)
    assert len(rows) == 1002
    assert (await used(ledger, "model:other")).requests == 100
    assert (await used(ledger, "model:p/wanted")).requests == 1


# ------------------------------------------------------------------ settling


async def test_settling_books_what_was_used(make: Make, ledger: Ledger) -> None:
    reservation = await make(daily_request_budget=9).reserve(HAIKU, SMALL, "ci")
    await reservation.settle(Usage(input_tokens=90, output_tokens=20), 0.00019)
    expected = Amounts(1, 90, 20, 190)
    assert await used(ledger) == await used(ledger, "client:ci") == await used(ledger, f"model:{HAIKU.info.name}") == expected


async def test_usage_is_booked_without_any_limit(make: Make, ledger: Ledger) -> None:
    await (await make().reserve(HAIKU, SMALL, None)).settle(Usage(1, 2), 0.0)
    assert await used(ledger) == Amounts(1, 1, 2, 0)


async def test_spend_refused_call_counts_as_a_request_and_costs_nothing(make: Make, ledger: Ledger) -> None:
    guard = make(daily_request_budget=1)
    await (await guard.reserve(HAIKU, SMALL, None)).settle(None, 0.0)
    assert await used(ledger) == Amounts(1, 0, 0, 0)
    with pytest.raises(BudgetExceededError):
        await guard.reserve(HAIKU, SMALL, None)


async def test_spend_failed_call_gives_everything_back(make: Make, ledger: Ledger) -> None:
    guard = make(daily_request_budget=1)
    for _ in range(3):
        await (await guard.reserve(HAIKU, SMALL, None)).release()
    assert await used(ledger) == Amounts()


async def test_spend_only_the_first_word_counts(make: Make, ledger: Ledger) -> None:
    reservation = await make().reserve(HAIKU, SMALL, None)
    await reservation.settle(Usage(1, 1), 0.0)
    await reservation.settle(Usage(50, 50), 0.0)
    await reservation.release()
    assert await used(ledger) == Amounts(1, 1, 1, 0)


async def test_spend_call_belongs_to_the_day_it_began(make: Make, ledger: Ledger) -> None:
    late = make(now=NOON + 43_199, daily_request_budget=1)
    reservation = await late.reserve(HAIKU, SMALL, None)
    await make(now=NOON + 43_200, daily_request_budget=1).reserve(HAIKU, SMALL, None)
    await reservation.settle(Usage(1, 1), 0.0)
    assert (await used(ledger)).requests == 1


@pytest.mark.parametrize(
    ("reported", "characters", "expected"),
    [
        (None, 0, Usage(100, 0)),
        (None, 401, Usage(100, 101)),
        (Usage(90, 1, cache_read_input_tokens=50), 400, Usage(90, 100, cache_read_input_tokens=50)),
        (Usage(90, 300), 400, Usage(90, 300)),
    ],
)
def test_spend_answer_cut_short_counts_what_was_seen(reported: Usage | None, characters: int, expected: Usage) -> None:
    assert usage_of_interrupted(reported, 100, characters) == replace(expected, estimated=True)


def test_usage_beyond_the_window_is_bounded_to_it_where_no_tools_of_the_provider_ran() -> None:
    assert plausible(Usage(2**53 - 1, 2**53 - 1), 200_000, 64_000, rounds=False) == Usage(200_000, 64_000, estimated=True)
    searched = Usage(900_000, 100, web_search_requests=4)
    assert plausible(searched, 200_000, 64_000, rounds=False) == searched


@pytest.mark.parametrize(
    ("usage", "reported"),
    [
        ({"in": 5, "out": 7}, True),
        ({"in": 0, "out": 0}, True),
        ({"out": 7, "in": None}, True),
        ({"in": 5.0, "out": 1e300}, True),
        ({"in": -5, "out": 7}, False),
        ({"in": "5", "out": 7}, False),
        ({"in": True, "out": 7}, False),
        ({"in": None, "out": None}, False),
        ({"in": [1], "out": 7}, False),
        ({}, False),
        ([1], False),
        ("x", False),
        (None, False),
    ],
)
def test_usage_that_holds_no_figures_is_none(usage: object, reported: bool) -> None:
    assert is_reported(usage, "in", "out") is reported


@pytest.mark.parametrize(
    ("told", "booked"),
    [
        (Usage(2**53 - 1, 2**53 - 1), Usage(4_000_000, 1_280_000, estimated=True)),
        (
            Usage(2**53 - 1, 5, cache_read_input_tokens=2**53 - 1),
            Usage(4_000_000, 5, cache_read_input_tokens=4_000_000, estimated=True),
        ),
        (Usage(3, 3, web_search_requests=2**40), Usage(3, 3, web_search_requests=1000, estimated=True)),
        (Usage(200_000, 64_000, cache_read_input_tokens=150_000), Usage(200_000, 64_000, cache_read_input_tokens=150_000)),
    ],
)
def test_usage_no_model_can_have_is_bounded(told: Usage, booked: Usage) -> None:
    assert plausible(told, 200_000, 64_000) == booked


# ------------------------------------------------------------------ cancellation and trouble


class Slow:
    """A store that takes until it is told to."""

    immediate = False

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.gate = asyncio.Event()

    async def reserve(self, *arguments):
        verdict = await self._store.reserve(*arguments)
        await self.gate.wait()
        return verdict

    async def write(self, *arguments):
        await self.gate.wait()
        await self._store.write(*arguments)

    async def rows(self, *arguments):
        return await self._store.rows(*arguments)

    async def close(self):
        pass


def slowly(ledger: Ledger) -> tuple[Ledger, Slow]:
    slow = Slow(ledger._store)
    return Ledger(slow, lambda: NOON), slow


async def test_cancelled_while_reserving_leaves_no_reservation(make: Make, ledger: Ledger) -> None:
    behind, slow = slowly(ledger)
    task = asyncio.create_task(make(daily_request_budget=1, over=behind).reserve(HAIKU, SMALL, None))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    slow.gate.set()
    await behind.close()
    await make(daily_request_budget=1).reserve(HAIKU, SMALL, None)


@pytest.mark.parametrize("limits", [{}, {"daily_request_budget": 5}])
async def test_cancelled_while_settling_is_booked_all_the_same(make: Make, ledger: Ledger, limits) -> None:
    behind, slow = slowly(ledger)
    slow.gate.set()
    reservation = await make(over=behind, **limits).reserve(HAIKU, SMALL, None)
    slow.gate.clear()
    task = asyncio.create_task(reservation.settle(Usage(1, 1), 0.0))
    await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    slow.gate.set()
    await behind.close()
    assert (await used(ledger)).requests == 1


# ------------------------------------------------------------------ downgrade


async def test_spend_cheaper_model_is_offered_when_money_is_short(make: Make) -> None:
    guard = make(daily_cost_budget=0.0011, on_exceeded="downgrade")
    with pytest.raises(CostBudgetExceededError) as refusal:
        await guard.reserve(OPUS, SMALL, None)
    candidates = guard.cheaper(refusal.value, [OPUS, LOCAL, HAIKU])
    assert candidates == [HAIKU, OPUS]
    await guard.reserve(candidates[0], SMALL, None)


def test_spend_no_cheaper_model_helps_where_tokens_or_requests_are_short(make: Make) -> None:
    assert make(on_exceeded="downgrade").cheaper(BudgetExceededError("x"), [HAIKU]) == ()
    assert make(on_exceeded="refuse").cheaper(CostBudgetExceededError("x"), [HAIKU]) == ()


async def test_spend_snapshot_shows_budgets_and_use(make: Make) -> None:
    guard = make(daily_request_budget=3, clients={"ci": ClientKeySettings(token="t", daily_request_budget=2)})
    await (await guard.reserve(HAIKU, SMALL, "ci")).settle(Usage(1, 2), 0.5)
    snapshot = await guard.snapshot()
    reset = NOON + 43_200
    every = {"period": "day", "quantity": "requests", "used": 1, "hard": False, "resetsAt": reset}
    assert snapshot["budgets"] == [
        {**every, "most": 2, "scope": "client:ci", "warning": 0.5},
        {**every, "most": 3, "scope": "", "warning": None},
    ]
    used = {"requests": 1, "input_tokens": 1, "output_tokens": 2, "microdollars": 500_000, "unpriced": 0}
    scopes = ("", "client:ci", "model:anthropic/claude-haiku-4-5", "provider:anthropic")
    assert snapshot["periods"]["month"]["used"] == dict.fromkeys(scopes, used)


async def test_spend_what_a_plan_pays_for_touches_no_budget_in_money(make: Make, ledger: Ledger) -> None:
    guard = make(daily_cost_budget=0.0001, daily_request_budget=2)
    for _ in range(2):
        held = await guard.reserve(HAIKU, SMALL, None, by_plan=True)
        await held.settle(Usage(input_tokens=10_000, output_tokens=20_000), 0.11)
    assert await used(ledger) == Amounts(2, 20_000, 40_000, 0)
    with pytest.raises(BudgetExceededError):
        await guard.reserve(HAIKU, SMALL, None, by_plan=True)


async def test_spend_without_limits_nothing_is_set_aside_or_given_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("the ledger was asked")

    monkeypatch.setattr(Ledger, "reserve", never)
    monkeypatch.setattr(Ledger, "release", never)
    await (await make().reserve(HAIKU, SMALL, None)).release()


@pytest.mark.parametrize("asked", ["claude-opus-4-6", "claude-opus-4-6-20260101", "claude-opus-4-6-latest", "Claude-Opus-4.6"])
@pytest.mark.parametrize("denied", ["claude-opus-4-6", "anthropic/claude-opus-4-6"])
async def test_spend_denied_model_is_denied_in_every_edition(make: Make, denied: str, asked: str) -> None:
    guard = make(denylist_models=(denied,))
    with pytest.raises(ModelNotAllowedError):
        await guard.reserve(Candidate(ModelInfo("anthropic", asked)), SMALL, None)
    await guard.reserve(Candidate(ModelInfo("anthropic", "claude-opus-4-7")), SMALL, None)


async def test_spend_plan_goes_on_where_the_money_is_spent(make: Make) -> None:
    await (await make().reserve(HAIKU, SMALL, None)).settle(Usage(input_tokens=1, output_tokens=1), 1.0)
    guard = make(daily_cost_budget=0.99)
    with pytest.raises(CostBudgetExceededError):
        await guard.reserve(HAIKU, SMALL, None)
    await guard.reserve(HAIKU, SMALL, None, by_plan=True)


async def test_extra_usage_of_a_plan_is_money_from_then_on(make: Make, ledger: Ledger) -> None:
    guard = make(daily_cost_budget=0.99, daily_request_budget=9)
    await (await guard.reserve(HAIKU, SMALL, None, by_plan=True)).settle(Usage(1, 1), 1.0, paid_by="extra")
    assert (await used(ledger)).microdollars == 1_000_000
    with pytest.raises(CostBudgetExceededError):
        await guard.reserve(HAIKU, SMALL, None, by_plan=True)

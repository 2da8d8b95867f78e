"""The guard: what it refuses, in which words, and that nothing leaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo, Price
from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.canonical.usage import Usage, usage_of_interrupted
from openclaw_oauthrouter.config.server import ClientKeySettings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import (
    BudgetExceededError,
    CostBudgetExceededError,
    LedgerUnavailableError,
    ModelNotAllowedError,
    OAuthRouterError,
    RequestTokensTooHighError,
)
from openclaw_oauthrouter.interfaces import SpendGuard
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedger
from openclaw_oauthrouter.policy.spend import Spend

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()
HAIKU = Candidate(ModelInfo("anthropic", "claude-haiku-4-5"))
OPUS = Candidate(ModelInfo("anthropic", "claude-opus-4-6"))
LOCAL = Candidate(ModelInfo("ollama", "llama"))
PRICES = {"claude-haiku-4-5": Price(1.0, 5.0), "claude-opus-4-6": Price(5.0, 25.0, cache_write=6.25)}
SMALL = Estimate(100, 200)

Make = Callable[..., Spend]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3")
    yield ledger
    asyncio.run(ledger.close())


@pytest.fixture
def make(ledger: SqliteLedger) -> Make:
    ids = count()

    def make(now: float = NOON, clients: dict[str, ClientKeySettings] | None = None, extra=(), **settings) -> Spend:
        return Spend(
            SpendSettings(**settings),
            ledger,
            price=lambda info: PRICES.get(info.id),
            clock=lambda: now,
            new_id=lambda: str(next(ids)),
            clients=clients,
            extra_budgets=extra,
            retry_seconds=(0.0, 0.0),
        )

    return make


async def used(ledger: SqliteLedger, scope: str = "") -> Amounts:
    return next((row.used for row in await ledger.rows(["2026-11-22"]) if row.scope == scope), Amounts())


def test_it_is_a_spend_guard(make: Make) -> None:
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
async def test_each_rule_refuses_in_its_own_way(make: Make, settings, error, status, code) -> None:
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
async def test_a_limit_may_be_used_to_the_last_token(make: Make, settings) -> None:
    await make(**settings).reserve(HAIKU, SMALL, None)


async def test_the_first_rule_in_order_speaks(make: Make) -> None:
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
            r"^monthly limit reached, resets next month .* \(in 8 days\): of \$0\.0000 a month, .* up to \$0\.0011$",
            8.5 * 86_400,
        ),
    ],
)
async def test_a_used_up_budget_says_when_it_resets(make: Make, settings, words: str, retry_after: float) -> None:
    with pytest.raises(BudgetExceededError, match=words) as refusal:
        await make(**settings).reserve(HAIKU, SMALL, None)
    assert refusal.value.retry_after == retry_after


async def test_a_budget_that_running_calls_hold_is_free_again_soon(make: Make) -> None:
    guard = make(daily_output_token_budget=300)
    running = await guard.reserve(HAIKU, SMALL, None)
    with pytest.raises(BudgetExceededError, match="still run, try again in a moment") as refusal:
        await guard.reserve(HAIKU, SMALL, None)
    assert refusal.value.retry_after == 5
    await running.settle(Usage(0, 200), 0.0)
    with pytest.raises(BudgetExceededError, match="daily limit reached, resets tomorrow"):
        await guard.reserve(HAIKU, SMALL, None)


async def test_a_client_key_has_limits_of_its_own(make: Make) -> None:
    clients = {
        "ci": ClientKeySettings(token="t", allowlist_models=("claude-haiku-4-5",), daily_request_budget=1, daily_cost_budget=0.01)
    }
    guard = make(clients=clients)
    with pytest.raises(ModelNotAllowedError, match="'ci'"):
        await guard.reserve(OPUS, SMALL, "ci")
    with pytest.raises(CostBudgetExceededError, match="client ci"):
        await guard.reserve(HAIKU, Estimate(100, 2000), "ci")
    await (await guard.reserve(HAIKU, SMALL, "ci")).settle(None, 0.0)
    with pytest.raises(BudgetExceededError, match="of 1 requests a day for client ci, 1 are used"):
        await guard.reserve(HAIKU, SMALL, "ci")
    await guard.reserve(OPUS, SMALL, "default")
    await guard.reserve(OPUS, SMALL, None)


async def test_a_plugin_may_add_a_rule(make: Make) -> None:
    class TwoOfEach:
        name = "two-of-each"

        def check(self, call):
            return [Limit("day", "requests", 2, f"model:{call.info.name}")]

    guard = make(extra=(TwoOfEach(),))
    for candidate in (HAIKU, HAIKU, OPUS):
        await guard.reserve(candidate, SMALL, None)
    with pytest.raises(BudgetExceededError, match="model anthropic/claude-haiku-4-5"):
        await guard.reserve(HAIKU, SMALL, None)


async def test_the_cost_set_aside_covers_a_cache_write(make: Make) -> None:
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
def test_a_client_that_names_no_length_gets_the_cap(make: Make, dialect: str, field: str) -> None:
    guard = make(max_request_output_tokens=8192)
    silent = ChatRequest(dialect, "auto", (), body={"model": "auto"})
    large, small = ModelInfo("p", "large", max_output_tokens=64_000), ModelInfo("p", "small", max_output_tokens=4_000)
    capped = guard.cap(silent, large)
    assert (capped.max_output_tokens, capped.body) == (8192, {"model": "auto", field: 8192})
    assert guard.cap(silent, small).max_output_tokens == 4_000
    assert guard.estimate(silent, large).output_tokens == 8192
    assert silent.body == {"model": "auto"}


def test_a_client_s_own_length_stands(make: Make) -> None:
    asked = ChatRequest("anthropic_messages", "auto", (), max_output_tokens=9000)
    assert make(max_request_output_tokens=8192).cap(asked, HAIKU.info) is asked
    assert make().cap(asked, HAIKU.info) is asked


def test_a_dialect_of_a_plugin_is_capped_where_it_is_translated(make: Make) -> None:
    capped = make(max_request_output_tokens=10).cap(ChatRequest("gemini", "auto", (), body={}), HAIKU.info)
    assert (capped.max_output_tokens, capped.body) == (10, {})


async def test_a_model_without_a_price_is_free(make: Make) -> None:
    await make(daily_cost_budget=0.0).reserve(LOCAL, Estimate(10**9, 10**9), None)


# ------------------------------------------------------------------ settling


async def test_settling_books_what_was_used(make: Make, ledger: SqliteLedger) -> None:
    reservation = await make(daily_request_budget=9).reserve(HAIKU, SMALL, "ci")
    await reservation.settle(Usage(input_tokens=90, output_tokens=20), 0.00019)
    expected = Amounts(1, 90, 20, 190)
    assert await used(ledger) == await used(ledger, "client:ci") == await used(ledger, f"model:{HAIKU.info.name}") == expected


async def test_usage_is_booked_without_any_limit(make: Make, ledger: SqliteLedger) -> None:
    await (await make().reserve(HAIKU, SMALL, None)).settle(Usage(1, 2), 0.0)
    assert await used(ledger) == Amounts(1, 1, 2, 0)


async def test_a_provider_that_never_said_is_booked_as_estimated(make: Make, ledger: SqliteLedger) -> None:
    await (await make().reserve(HAIKU, SMALL, None)).settle(None, 0.0)
    assert await used(ledger) == Amounts(1, 100, 200, 1100)


async def test_a_failed_call_gives_everything_back(make: Make, ledger: SqliteLedger) -> None:
    guard = make(daily_request_budget=1)
    for _ in range(3):
        await (await guard.reserve(HAIKU, SMALL, None)).release()
    assert await used(ledger) == Amounts()


async def test_only_the_first_word_counts(make: Make, ledger: SqliteLedger) -> None:
    reservation = await make().reserve(HAIKU, SMALL, None)
    await reservation.settle(Usage(1, 1), 0.0)
    await reservation.settle(Usage(50, 50), 0.0)
    await reservation.release()
    assert await used(ledger) == Amounts(1, 1, 1, 0)


async def test_a_call_belongs_to_the_day_it_began(make: Make, ledger: SqliteLedger) -> None:
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
def test_an_answer_cut_short_counts_what_was_seen(reported: Usage | None, characters: int, expected: Usage) -> None:
    assert usage_of_interrupted(reported, 100, characters) == replace(expected, estimated=True)


# ------------------------------------------------------------------ cancellation and trouble


class Slow:
    """A ledger that takes until it is told to."""

    immediate = False

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self.gate = asyncio.Event()

    async def reserve(self, *arguments):
        verdict = await self._ledger.reserve(*arguments)
        await self.gate.wait()
        return verdict

    async def settle(self, *arguments):
        await self.gate.wait()
        await self._ledger.settle(*arguments)

    async def release(self, *arguments):
        await self._ledger.release(*arguments)

    async def close(self):
        pass


class Failing(Slow):
    """A ledger that is out of reach for a number of calls."""

    def __init__(self, ledger: SqliteLedger, failures: int) -> None:
        super().__init__(ledger)
        self.failures = failures

    async def settle(self, *arguments):
        if self.failures:
            self.failures -= 1
            raise LedgerUnavailableError("gone fishing")
        await self._ledger.settle(*arguments)


def over(guard: Spend, ledger: object) -> Spend:
    guard._ledger = ledger
    return guard


async def test_cancelled_while_reserving_leaves_no_hold(make: Make, ledger: SqliteLedger) -> None:
    slow = Slow(ledger)
    guard = over(make(daily_request_budget=1), slow)
    task = asyncio.create_task(guard.reserve(HAIKU, SMALL, None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await guard.close()
    await make(daily_request_budget=1).reserve(HAIKU, SMALL, None)


async def test_cancelled_while_settling_is_booked_all_the_same(make: Make, ledger: SqliteLedger) -> None:
    slow = Slow(ledger)
    guard = over(make(), slow)
    reservation = await guard.reserve(HAIKU, SMALL, None)
    task = asyncio.create_task(reservation.settle(Usage(1, 1), 0.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    slow.gate.set()
    await guard.close()
    assert (await used(ledger)).requests == 1


@pytest.mark.parametrize(("failures", "booked"), [(1, 1), (2, 1), (3, 0)])
async def test_a_failed_booking_is_made_up_for_and_not_felt(
    make: Make, ledger: SqliteLedger, failures: int, booked: int, caplog: pytest.LogCaptureFixture
) -> None:
    guard = over(make(), Failing(ledger, failures))
    await (await guard.reserve(HAIKU, SMALL, None)).settle(Usage(1, 1), 0.0)
    await guard.close()
    assert (await used(ledger)).requests == booked
    assert "gone fishing" in caplog.text
    assert ("could not be booked" in caplog.text) == (booked == 0)


# ------------------------------------------------------------------ downgrade


async def test_a_cheaper_model_is_offered_when_money_is_short(make: Make) -> None:
    guard = make(daily_cost_budget=0.0011, on_exceeded="downgrade")
    with pytest.raises(CostBudgetExceededError) as refusal:
        await guard.reserve(OPUS, SMALL, None)
    candidates = guard.cheaper(refusal.value, [OPUS, LOCAL, HAIKU])
    assert candidates == [HAIKU, OPUS]
    await guard.reserve(candidates[0], SMALL, None)


def test_no_cheaper_model_helps_where_tokens_or_requests_are_short(make: Make) -> None:
    assert make(on_exceeded="downgrade").cheaper(BudgetExceededError("x"), [HAIKU]) == ()
    assert make(on_exceeded="refuse").cheaper(CostBudgetExceededError("x"), [HAIKU]) == ()


async def test_the_snapshot_shows_budgets_and_use(make: Make) -> None:
    guard = make(daily_request_budget=3, clients={"ci": ClientKeySettings(token="t", daily_request_budget=2)})
    await (await guard.reserve(HAIKU, SMALL, "ci")).settle(Usage(1, 2), 0.5)
    snapshot = await guard.snapshot()
    reset = NOON + 43_200
    assert snapshot["budgets"] == [
        {"period": "day", "quantity": "requests", "most": 3, "scope": "", "used": 1, "resetsAt": reset},
        {"period": "day", "quantity": "requests", "most": 2, "scope": "client:ci", "used": 1, "resetsAt": reset},
    ]
    used = {"requests": 1, "input_tokens": 1, "output_tokens": 2, "microdollars": 500_000}
    assert snapshot["periods"]["month"]["used"] == {"": used, "client:ci": used, f"model:{HAIKU.info.name}": used}


async def test_what_a_plan_pays_for_touches_no_budget_in_money(make: Make, ledger: SqliteLedger) -> None:
    guard = make(daily_cost_budget=0.0001, daily_request_budget=2)
    for _ in range(2):
        held = await guard.reserve(HAIKU, SMALL, None, by_plan=True)
        await held.settle(Usage(input_tokens=10_000, output_tokens=20_000), 0.11)
    assert await used(ledger) == Amounts(2, 20_000, 40_000, 0)
    with pytest.raises(BudgetExceededError):
        await guard.reserve(HAIKU, SMALL, None, by_plan=True)


async def test_without_limits_nothing_is_set_aside_or_given_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("the ledger was asked")

    monkeypatch.setattr(SqliteLedger, "reserve", never)
    monkeypatch.setattr(SqliteLedger, "release", never)
    await (await make().reserve(HAIKU, SMALL, None)).release()


@pytest.mark.parametrize("asked", ["claude-opus-4-6", "claude-opus-4-6-20260101", "claude-opus-4-6-latest", "Claude-Opus-4.6"])
@pytest.mark.parametrize("denied", ["claude-opus-4-6", "anthropic/claude-opus-4-6"])
async def test_a_denied_model_is_denied_in_every_edition(make: Make, denied: str, asked: str) -> None:
    guard = make(denylist_models=(denied,))
    with pytest.raises(ModelNotAllowedError):
        await guard.reserve(Candidate(ModelInfo("anthropic", asked)), SMALL, None)
    await guard.reserve(Candidate(ModelInfo("anthropic", "claude-opus-4-7")), SMALL, None)


async def test_a_plan_goes_on_where_the_money_is_spent(make: Make) -> None:
    await (await make().reserve(HAIKU, SMALL, None)).settle(Usage(input_tokens=1, output_tokens=1), 1.0)
    guard = make(daily_cost_budget=0.99)
    with pytest.raises(CostBudgetExceededError):
        await guard.reserve(HAIKU, SMALL, None)
    await guard.reserve(HAIKU, SMALL, None, by_plan=True)
    await guard.reserve(LOCAL, SMALL, None)

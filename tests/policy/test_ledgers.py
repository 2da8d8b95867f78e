"""What every kind of ledger promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.errors import LedgerUnavailableError
from openclaw_oauthrouter.policy.calendar import Calendar
from openclaw_oauthrouter.policy.ledger import open_ledger as open_configured_ledger
from openclaw_oauthrouter.policy.ledger.entries import LedgerLostError
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.redis import RedisStore
from openclaw_oauthrouter.policy.report import stored_report

from .places import DAY_SECONDS, FAR, MODEL, NOON, attempt, hold, open_ledger, open_store, reserve, settle, used

REQUESTS = Limit("day", "requests", 2)


async def test_reserve_counts_what_is_held_until_it_is_released(ledger: Ledger) -> None:
    first, second = hold(), hold()
    assert await reserve(ledger, first, [REQUESTS]) is None
    assert await reserve(ledger, second, [REQUESTS]) is None
    assert await reserve(ledger, hold(), [REQUESTS]) == (REQUESTS, 0, 2)
    await ledger.release(first.id)
    assert await reserve(ledger, hold(), [REQUESTS]) is None
    assert await used(ledger) == Amounts()


async def test_settle_replaces_what_was_held(ledger: Ledger) -> None:
    tokens = Limit("day", "output_tokens", 100)
    asked = hold(1, 0, 90)
    assert await reserve(ledger, asked, [tokens]) is None
    assert await reserve(ledger, hold(1, 0, 11), [tokens]) == (tokens, 0, 90)
    await settle(ledger, asked, Amounts(1, 5, 7, 9))
    assert await reserve(ledger, hold(1, 0, 43), [tokens]) is None
    assert await reserve(ledger, hold(1, 0, 51), [tokens]) == (tokens, 7, 43)
    assert await reserve(ledger, hold(1, 0, 50), [tokens]) is None


async def test_reserve_again_with_the_same_id_replaces_the_amounts(ledger: Ledger) -> None:
    tokens = Limit("day", "output_tokens", 100)
    asked = hold(1, 0, 40)
    assert await reserve(ledger, asked, [tokens]) is None
    assert await reserve(ledger, replace(asked, amounts=Amounts(1, 0, 90)), [tokens]) is None
    assert await reserve(ledger, hold(1, 0, 11), [tokens]) == (tokens, 0, 90)
    assert await reserve(ledger, replace(asked, amounts=Amounts(1, 0, 101)), [tokens]) == (tokens, 0, 0)
    assert await reserve(ledger, hold(1, 0, 11), [tokens]) == (tokens, 0, 90), "a refused top-up keeps what there was"


async def test_reserve_tells_how_every_limit_stands(ledger: Ledger) -> None:
    await settle(ledger, hold(1, 10, 20, 30))
    assert await reserve(ledger, hold(1, 1, 2, 3), []) is None
    limits = [Limit("day", quantity, 1000) for quantity in ("requests", "input_tokens", "output_tokens", "microdollars")]
    outcome = await attempt(ledger, hold(), limits)
    assert [(one.used, one.held, one.rest) for one in outcome.standings] == [
        (1, 1, 998),
        (10, 1, 989),
        (20, 2, 978),
        (30, 3, 967),
    ]


@pytest.mark.parametrize(
    ("scope", "counted"),
    [
        ("", 6),
        ("client:ci", 2),
        ("client:nobody", 0),
        (f"model:{MODEL}", 3),
        ("provider:anthropic", 4),
        ("provider:openai", 2),
        ("conversation:talk", 1),
    ],
)
async def test_ledgers_every_scope_counts_its_own(ledger: Ledger, scope: str, counted: int) -> None:
    calls = [
        hold(client="ci"),
        hold(client="ci", model="openai/gpt-5.4"),
        hold(conversation="talk"),
        hold(),
        hold(model="anthropic/claude-opus-4-6"),
        hold(model="openai/gpt-5.4"),
    ]
    limit = Limit("day", "requests", 100, scope)
    for at, call in enumerate(calls):
        if at % 2:
            await settle(ledger, call)
        else:
            assert await reserve(ledger, call, [REQUESTS][:0]) is None
    (standing,) = (await attempt(ledger, hold(), [limit])).standings
    assert standing.used + standing.held == counted


async def test_ledgers_what_a_plan_paid_is_in_no_limit_on_money(ledger: Ledger) -> None:
    for paid_by, cost in (("api", 1), ("plan", 20), ("extra", 300)):
        await settle(ledger, hold(1, 0, 0, cost, paid_by=paid_by))
    outcome = await attempt(ledger, hold(), [Limit("day", "microdollars", 1000), Limit("day", "requests", 1000)])
    assert [one.used for one in outcome.standings] == [301, 3]


async def test_ledgers_one_row_an_account_however_many_calls(ledger: Ledger) -> None:
    for _ in range(5):
        await settle(ledger, hold(client="ci"), Amounts(1, 2, 3, 4, 1))
    await settle(ledger, hold(client="ci", paid_by="plan"), Amounts(1, 2, 3, 4))
    rows = await ledger.rows(0.0, FAR)
    assert sorted((row.account.paid_by, row.used) for row in rows) == [
        ("api", Amounts(5, 10, 15, 20, 5)),
        ("plan", Amounts(1, 2, 3, 4)),
    ]


async def test_ledgers_day_starts_anew_while_its_month_goes_on(ledger: Ledger) -> None:
    day, month = Limit("day", "requests", 1), Limit("month", "requests", 2)
    assert await reserve(ledger, hold(), [day, month]) is None
    assert await reserve(ledger, hold(at=NOON + DAY_SECONDS), [day, month]) is None
    assert await reserve(ledger, hold(at=NOON + 2 * DAY_SECONDS), [day, month]) == (month, 0, 2)
    assert await reserve(ledger, hold(at=NOON + 10 * DAY_SECONDS), [day, month]) is None


async def test_ledgers_what_was_used_long_ago_is_summed_up_once_and_stays_exact(ledger: Ledger) -> None:
    month = Limit("month", "requests", 1000)
    for day in range(8):
        await settle(ledger, hold(at=NOON - day * DAY_SECONDS))
        (standing,) = (await attempt(ledger, hold(), [month])).standings
        await ledger.rows(0.0, FAR)
    for seconds in (0, 10, 3700, 90_000):
        (standing,) = (await attempt(ledger, hold(at=NOON + seconds), [month], NOON + seconds)).standings
        await settle(ledger, hold(at=NOON + seconds))
    total = (await used(ledger)).requests
    (standing,) = (await attempt(ledger, hold(at=NOON + 200_000), [month], NOON + 200_000)).standings
    assert standing.used == total == 12


async def test_ledgers_refused_reservation_holds_nothing(ledger: Ledger) -> None:
    tight = Limit("day", "input_tokens", 10)
    roomy = Limit("day", "requests", 1)
    assert await reserve(ledger, hold(1, 11), [roomy, tight]) == (tight, 0, 0)
    assert await reserve(ledger, hold(1, 10), [roomy, tight]) is None


async def test_ledgers_expired_reservation_gives_way_but_is_still_booked(ledger: Ledger) -> None:
    one = Limit("day", "requests", 1)
    late = hold(expires_at=NOON + 100)
    assert await reserve(ledger, late, [one], NOON + 50) is None
    assert await reserve(ledger, hold(), [one], NOON + 99) == (one, 0, 1)
    assert await reserve(ledger, hold(), [one], NOON + 100) is None
    await settle(ledger, late, Amounts(1, 1, 1, 1))
    assert await used(ledger) == Amounts(1, 1, 1, 1)


async def test_ledgers_what_was_settled_is_there_after_a_restart(place: str) -> None:
    before = open_ledger(place)
    await settle(before, hold(), Amounts(1, 2, 3, 4))
    await before.close()
    after = open_ledger(place)
    assert await used(after) == Amounts(1, 2, 3, 4)
    await settle(after, hold(), Amounts(10, 20, 30, 40))
    assert await used(after) == Amounts(11, 22, 33, 44)
    await after.close()


async def test_note_is_written_within_a_moment_and_by_close(place: str) -> None:
    ledger, other = open_ledger(place), open_ledger(place)
    ledger.note(hold().account, Amounts(1, 2, 3, 4))
    await asyncio.sleep(0.2)
    assert await used(other) == Amounts(1, 2, 3, 4)
    ledger.note(hold().account, Amounts(1, 2, 3, 4))
    await ledger.close()
    assert await used(other) == Amounts(2, 4, 6, 8)
    await other.close()


async def test_ledgers_total_written_twice_is_counted_once(place: str) -> None:
    store = open_store(place)
    asked = hold()
    for _ in range(3):
        await store.write([(asked.account, Amounts(1, 2, 3, 4))], [asked.id], [], NOON)
    await store.write([(asked.account, Amounts(0, 1, 1, 1))], [], [], NOON)
    (row,) = await store.rows(0.0, FAR)
    assert row.used == Amounts(1, 2, 3, 4)
    await store.close()


class Wrapped:
    """A store that fails when it is told to."""

    immediate = True

    def __init__(self, inner) -> None:
        self._inner = inner
        self.failures: list[Exception] = []
        self.writes = 0

    def __getattr__(self, name: str):
        method = getattr(self._inner, name)

        async def call(*arguments):
            if name in ("write", "reserve") and self.failures:
                if name == "reserve":
                    await method(*arguments)  # the server did it, and its answer was lost
                raise self.failures.pop(0)
            self.writes += name == "write"
            return await method(*arguments)

        return call


@pytest.fixture
async def shaky(place: str) -> AsyncIterator[tuple[Ledger, Wrapped]]:
    store = Wrapped(open_store(place))
    ledger = Ledger(store, lambda: NOON, retry_seconds=0.02)
    yield ledger, store
    await ledger.close()


async def test_settle_is_made_up_for_when_the_store_was_away(shaky: tuple[Ledger, Wrapped]) -> None:
    ledger, store = shaky
    store.failures = [LedgerUnavailableError("away")] * 3
    for _ in range(4):
        await settle(ledger, hold(), Amounts(1, 2, 3, 4))
    assert await used(ledger) == Amounts(4, 8, 12, 16)


async def test_ledgers_reservation_of_unknown_outcome_is_released_later(shaky: tuple[Ledger, Wrapped]) -> None:
    ledger, store = shaky
    one = Limit("day", "requests", 1)
    store.failures = [LedgerUnavailableError("no answer within 5 s")]
    with pytest.raises(LedgerUnavailableError):
        await reserve(ledger, hold(), [one])
    async with asyncio.timeout(5):
        while await reserve(ledger, hold(), [one]) is not None:
            await asyncio.sleep(0.01)


async def test_rows_older_than_every_period_become_one_a_day(place: str) -> None:
    hours = range(0, 24 * 70, 5)
    for _ in range(3):
        store = open_store(place)
        rows = [(hold(at=NOON - hour * 3600, client="ci", model=f"a/{hour % 2}").account, Amounts(1, 2, 3, 4)) for hour in hours]
        await store.write(rows, [], [], NOON)
        await store.close()
    recent = [account for account, _ in rows if account.moment >= NOON - 40 * DAY_SECONDS]
    for _ in range(2):
        store = open_store(place)
        await store.write([], [], [], NOON)
        old = await store.rows(0, NOON - 62 * DAY_SECONDS)
        assert len(old) <= 2 * 9, "a day, a model"
        total = Amounts()
        for row in await store.rows(0, 4e9):
            total += row.used
        assert total == Amounts(3 * len(rows), 6 * len(rows), 9 * len(rows), 12 * len(rows))
        assert {row.account for row in await store.rows(NOON - 40 * DAY_SECONDS, 4e9)} == set(recent)
        await store.close()


async def test_redis_refuses_a_reservation_that_was_given_up_before_it_came(redis_url: str) -> None:
    ledger = open_ledger(f"{redis_url}#{{void}}:")
    late = hold()
    ledger._unknown.add(late.id)
    await ledger.rows(0.0, FAR)
    with pytest.raises(LedgerUnavailableError):
        await reserve(ledger, late, [REQUESTS])
    for _ in range(2):
        assert await reserve(ledger, hold(), [REQUESTS]) is None
    await ledger.close()


async def test_ledgers_living_process_keeps_its_reservations_in_redis(redis_url: str) -> None:
    place = f"{redis_url}#{{lease}}:"
    lease_seconds = 1.0  # long against what a busy machine may keep the event loop from its beats
    holder, other = open_ledger(place, lease_seconds=lease_seconds), open_ledger(place)
    one = Limit("day", "requests", 1)
    assert await reserve(holder, hold(), [one]) is None
    for _ in range(2):
        await asyncio.sleep(lease_seconds * 0.6)
        assert await reserve(other, hold(), [one]) == (one, 0, 1)
    await holder.close()
    async with asyncio.timeout(20):
        while await reserve(other, hold(), [one]) is not None:
            await asyncio.sleep(0.05)
    await other.close()


async def test_ledgers_reservation_of_a_process_whose_lease_ended_gives_way_at_once(redis_url: str) -> None:
    place = f"{redis_url}#{{ended}}:"
    one = Limit("day", "requests", 1)
    holder, other = open_ledger(place), open_ledger(place)
    assert await reserve(holder, hold(), [one]) is None
    async with _frozen(redis_url, "{ended}:"):
        assert await reserve(other, hold(), [one]) is None, "refused once more than needed"
    await other.close()
    await holder.close()


async def test_ledgers_process_that_was_held_up_puts_back_what_it_holds(redis_url: str) -> None:
    place = f"{redis_url}#{{paused}}:"
    two = Limit("day", "requests", 2)
    holder, other = open_ledger(place), open_ledger(place)
    kept, settled, late = hold(), hold(), hold(expires_at=NOON + 0.5)
    for each in (kept, settled):
        assert await reserve(holder, each, [two]) is None
    async with _frozen(redis_url, "{paused}:"):
        taken = hold(2)
        assert await reserve(other, taken, [two]) is None
        await other.release(taken.id)
        await settle(holder, settled)
    assert await reserve(holder, late, []) is None
    async with asyncio.timeout(20):
        # What is settled counts once, what is held counts again, and what took too long no longer.
        while (await attempt(other, hold(1000), [Limit("day", "requests", 100)])).standings[0][1:] != (1, 1):
            await asyncio.sleep(0.05)
    assert await reserve(other, hold(), [two]) == (two, 1, 1)
    await other.close()
    await holder.close()


async def test_ledgers_clock_that_is_ahead_drops_nobody_elses_reservation(redis_url: str) -> None:
    place = f"{redis_url}#{{clocks}}:"
    one = Limit("day", "requests", 1)
    holder, other = open_ledger(place, lease_seconds=30), open_ledger(place, lease_seconds=30)
    assert await reserve(holder, hold(expires_at=NOON + 1800), [one]) is None
    assert await reserve(other, hold(), [one], NOON + 7200) == (one, 0, 1)
    await other.close()
    await holder.close()


@asynccontextmanager
async def _frozen(redis_url: str, prefix: str) -> AsyncIterator[None]:
    """As if no process had come to a beat for longer than its lease."""
    from redis import asyncio as redis

    client = redis.from_url(redis_url)
    beat = RedisStore._beat

    async def none(_: RedisStore) -> None:
        return None

    RedisStore._beat = none  # type: ignore[method-assign]
    try:
        for key in await client.keys(f"{prefix}alive:*"):
            await client.delete(key)
        yield
    finally:
        RedisStore._beat = beat  # type: ignore[method-assign]
        await client.aclose()


async def test_redis_writes_back_what_is_known_after_everything_was_deleted(redis_url: str) -> None:
    place = f"{redis_url}#{{flushed}}:"
    earlier = open_ledger(place)
    await settle(earlier, hold(), Amounts(5, 5, 5, 5))
    await earlier.close()
    one, other = open_ledger(place), open_ledger(place)
    for ledger in (one, other):
        assert await reserve(ledger, hold(), [Limit("day", "requests", 100)]) is None
        await settle(ledger, hold(), Amounts(1, 1, 1, 1))

    from redis import asyncio as redis

    client = redis.from_url(redis_url)
    for key in await client.keys("{flushed}:*"):
        await client.delete(key)
    limit = Limit("day", "requests", 8)
    assert await reserve(one, hold(2), [limit]) is None
    await settle(other, hold(), Amounts(1, 1, 1, 1))
    assert await used(one) == Amounts(8, 8, 8, 8)
    assert await reserve(other, hold(1), [limit]) == (limit, 8, 2)
    await client.aclose()
    await one.close()
    await other.close()


def test_ledgers_report_reads_the_shared_ledger(redis_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, state_url=redis_url, spend_controls=SpendSettings(daily_request_budget=7))

    async def gateway() -> None:
        shared = open_configured_ledger(settings, lambda: "gateway", lambda: NOON)
        await settle(shared, hold(), Amounts(1, 2, 3, 4))
        await shared.close()

    asyncio.run(gateway())
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
    report = stored_report(settings, Calendar(UTC), noon)
    assert [(use.limit.most, use.used) for use in report.limits] == [(7, 1)]
    month = next(period for period in report.periods if period.name == "month")
    assert (month.scopes[0].scope, month.scopes[0].used) == ("", Amounts(1, 2, 3, 4))


steps = st.lists(st.tuples(st.sampled_from(["reserve", "settle", "release"]), st.integers(0, 5), st.integers(0, 60)), max_size=40)


@given(steps=steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_ledgers_any_order_of_steps_keeps_the_limit(steps, tmp_path_factory: pytest.TempPathFactory) -> None:
    ledger = open_ledger(str(tmp_path_factory.mktemp("steps") / "ledger.sqlite3"))
    limit = Limit("day", "input_tokens", 100)
    open_holds: dict[int, object] = {}
    booked = 0
    for action, slot, tokens in steps:
        if action == "reserve" and slot not in open_holds:
            asked = hold(1, tokens)
            taken = booked + sum(other.amounts.input_tokens for other in open_holds.values())
            refused = await reserve(ledger, asked, [limit])
            assert (refused is None) == (taken + tokens <= 100)
            if refused is None:
                open_holds[slot] = asked
        elif action != "reserve" and slot in open_holds:
            asked = open_holds.pop(slot)
            if action == "settle":
                await settle(ledger, asked)
                booked += asked.amounts.input_tokens
            else:
                await ledger.release(asked.id)
    assert (await used(ledger)).input_tokens == booked
    await ledger.close()


def test_lost_is_no_error_of_the_clients() -> None:
    assert not issubclass(LedgerLostError, LedgerUnavailableError)

"""What every kind of ledger promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.spend import SpendSettings
from openclaw_oauthrouter.policy.ledger import open_ledger as open_configured_ledger
from openclaw_oauthrouter.policy.ledger.entries import Ledger, Row, Shortfall
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteLedger
from openclaw_oauthrouter.policy.report import stored_report

from .places import DAY, LEASE_SECONDS, hold, open_ledger, used

REQUESTS = Limit("day", "requests", 2)


async def test_what_is_held_counts_until_it_is_released(ledger: Ledger) -> None:
    first, second = hold(), hold()
    assert await ledger.reserve(first, [REQUESTS], 0.0) is None
    assert await ledger.reserve(second, [REQUESTS], 0.0) is None
    assert await ledger.reserve(hold(), [REQUESTS], 0.0) == Shortfall(REQUESTS, 0, 2)
    await ledger.release(first)
    assert await ledger.reserve(hold(), [REQUESTS], 0.0) is None
    assert await used(ledger) == Amounts()


async def test_what_is_settled_replaces_what_was_held(ledger: Ledger) -> None:
    tokens = Limit("day", "output_tokens", 100)
    asked = hold(1, 0, 90)
    assert await ledger.reserve(asked, [tokens], 0.0) is None
    assert await ledger.reserve(hold(1, 0, 11), [tokens], 0.0) == Shortfall(tokens, 0, 90)
    await ledger.settle(asked, Amounts(1, 5, 7, 9))
    assert await ledger.reserve(hold(1, 0, 43), [tokens], 0.0) is None
    assert await ledger.reserve(hold(1, 0, 51), [tokens], 0.0) == Shortfall(tokens, 7, 43)
    assert await ledger.reserve(hold(1, 0, 50), [tokens], 0.0) is None


async def test_everything_is_booked_to_day_month_model_and_client(ledger: Ledger) -> None:
    await ledger.settle(hold(client="client:ci"), Amounts(1, 2, 3, 4))
    await ledger.settle(replace(hold(), day="2026-11-23"), Amounts(10, 20, 30, 40))
    rows = {(row.window, row.scope): row.used for row in await ledger.rows([DAY, "2026-11"])}
    one, both = Amounts(1, 2, 3, 4), Amounts(11, 22, 33, 44)
    model = "model:anthropic/claude-haiku-4-5"
    assert rows == {
        (DAY, ""): one,
        (DAY, model): one,
        (DAY, "client:ci"): one,
        ("2026-11", ""): both,
        ("2026-11", model): both,
        ("2026-11", "client:ci"): one,
    }


async def test_a_day_starts_anew_while_its_month_goes_on(ledger: Ledger) -> None:
    day, month = Limit("day", "requests", 1), Limit("month", "requests", 2)
    assert await ledger.reserve(hold(), [day, month], 0.0) is None
    assert await ledger.reserve(hold(day="2026-11-23"), [day, month], 0.0) is None
    assert await ledger.reserve(hold(day="2026-11-24"), [day, month], 0.0) == Shortfall(month, 0, 2)
    assert await ledger.reserve(hold(day="2026-12-01"), [day, month], 0.0) is None


async def test_a_client_is_limited_by_what_it_uses_itself(ledger: Ledger) -> None:
    limit = Limit("day", "microdollars", 100, "client:a")
    assert await ledger.reserve(hold(1, 0, 0, 100, client="client:b"), [], 0.0) is None
    assert await ledger.reserve(hold(1, 0, 0, 60, client="client:a"), [limit], 0.0) is None
    assert await ledger.reserve(hold(1, 0, 0, 41, client="client:a"), [limit], 0.0) == Shortfall(limit, 0, 60)
    assert await ledger.reserve(hold(1, 0, 0, 40, client="client:a"), [limit], 0.0) is None


async def test_a_refused_reservation_holds_nothing(ledger: Ledger) -> None:
    tight = Limit("day", "input_tokens", 10)
    roomy = Limit("day", "requests", 1)
    assert await ledger.reserve(hold(1, 11), [roomy, tight], 0.0) == Shortfall(tight, 0, 0)
    assert await ledger.reserve(hold(1, 10), [roomy, tight], 0.0) is None


async def test_an_expired_hold_gives_way_but_is_still_booked(ledger: Ledger) -> None:
    one = Limit("day", "requests", 1)
    late = hold(expires_at=100.0)
    assert await ledger.reserve(late, [one], 50.0) is None
    assert await ledger.reserve(hold(), [one], 99.0) == Shortfall(one, 0, 1)
    assert await ledger.reserve(hold(), [one], 100.0) is None
    await ledger.settle(late, Amounts(1, 1, 1, 1))
    assert await used(ledger) == Amounts(1, 1, 1, 1)


async def test_what_was_settled_is_there_after_a_restart(place: str) -> None:
    before = open_ledger(place)
    await before.settle(hold(), Amounts(1, 2, 3, 4))
    await before.close()
    after = open_ledger(place)
    assert await used(after) == Amounts(1, 2, 3, 4)
    await after.close()


async def test_redis_books_a_settlement_once_however_often_it_is_sent(redis_url: str) -> None:
    ledger = open_ledger(f"{redis_url}#{{once}}:")
    asked = hold()
    for _ in range(3):
        await ledger.settle(asked, Amounts(1, 2, 3, 4))
    assert await used(ledger) == Amounts(1, 2, 3, 4)
    await ledger.close()


async def test_a_living_process_keeps_its_holds_in_redis(redis_url: str) -> None:
    place = f"{redis_url}#{{lease}}:"
    holder, other = open_ledger(place), open_ledger(place)
    one = Limit("day", "requests", 1)
    assert await holder.reserve(hold(), [one], 0.0) is None
    for _ in range(4):
        await asyncio.sleep(LEASE_SECONDS / 2)
        assert await other.reserve(hold(), [one], 0.0) == Shortfall(one, 0, 1)
    await holder.close()
    await asyncio.sleep(LEASE_SECONDS * 1.5)
    assert await other.reserve(hold(), [one], 0.0) is None
    await other.close()


def test_a_report_reads_the_shared_ledger(redis_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, state_url=redis_url, spend_controls=SpendSettings(daily_request_budget=7))

    async def registry() -> None:
        shared = open_configured_ledger(settings, lambda: "gateway")
        await shared.settle(hold(), Amounts(1, 2, 3, 4))
        await shared.close()

    asyncio.run(registry())
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
    report = stored_report(settings, noon)
    assert [(use.limit.most, use.used) for use in report.limits] == [(7, 1)]
    assert report.in_period("month")[0] == Row("2026-11", "", Amounts(1, 2, 3, 4))


steps = st.lists(st.tuples(st.sampled_from(["reserve", "settle", "release"]), st.integers(0, 5), st.integers(0, 60)), max_size=40)


@given(steps=steps)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_of_steps_keeps_the_limit(steps, tmp_path_factory: pytest.TempPathFactory) -> None:
    ledger = SqliteLedger(tmp_path_factory.mktemp("steps") / "ledger.sqlite3")
    limit = Limit("day", "input_tokens", 100)
    open_holds: dict[int, object] = {}
    booked = 0
    for action, slot, tokens in steps:
        if action == "reserve" and slot not in open_holds:
            asked = hold(1, tokens)
            taken = booked + sum(other.amounts.input_tokens for other in open_holds.values())
            refused = await ledger.reserve(asked, [limit], 0.0)
            assert (refused is None) == (taken + tokens <= 100)
            if refused is None:
                open_holds[slot] = asked
        elif action != "reserve" and slot in open_holds:
            asked = open_holds.pop(slot)
            if action == "settle":
                await ledger.settle(asked, asked.amounts)
                booked += asked.amounts.input_tokens
            else:
                await ledger.release(asked)
    assert (await used(ledger)).input_tokens == booked
    await ledger.close()

"""Hours, days, weeks and months in the user's time zone: over changes of the clock, of the zone, and months' ends."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.spending import DAY, HOUR, MONTH, PERIODS, REQUEST, WEEK, Amounts, Limit, Period
from openclaw_oauthrouter.policy.calendar import Calendar, zone_of
from openclaw_oauthrouter.policy.ledger.entries import Account, Claim
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteStore

LASTING = (HOUR, DAY, WEEK, MONTH)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Pacific/Apia",
)


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("now", "hour", "day", "week", "month"),
    [
        ("2026-11-22T00:00:00", 3600, 86_400, 86_400, 9 * 86_400),  # a Sunday
        ("2026-11-22T23:59:59", 1, 1, 1, 8 * 86_400 + 1),
        ("2026-12-31T23:00:00", 3600, 3600, 3 * 86_400 + 3600, 3600),
        ("2028-02-01T00:00:00", 3600, 86_400, 6 * 86_400, 29 * 86_400),
        ("2026-01-31T12:00:00", 3600, 43_200, 43_200 + 86_400, 43_200),
    ],
)
def test_span_ends_when_the_next_one_begins(now: str, hour: float, day: float, week: float, month: float) -> None:
    calendar = Calendar(UTC, LASTING)
    assert [calendar.span(period, at(now)).end - at(now) for period in LASTING] == [hour, day, week, month]


@pytest.mark.parametrize(
    ("zone", "noon", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00", 25),
        ("America/New_York", "2026-03-08T12:00", 23),
        ("America/New_York", "2026-11-01T12:00", 25),
        ("Australia/Lord_Howe", "2026-04-05T12:00", 24.5),
        ("America/Havana", "2026-03-08T12:00", 23),  # there is no midnight on this day
        ("Pacific/Apia", "2011-12-31T12:00", 24),  # nor a day before it
        ("UTC", "2026-03-29T12:00", 24),
    ],
)
def test_day_is_as_long_as_the_clock_makes_it(zone: str, noon: str, hours: float) -> None:
    span = Calendar(ZoneInfo(zone), [DAY]).span(DAY, at(noon, zone))
    assert (span.end - span.start) / 3600 == hours


def test_hour_that_a_clock_set_back_repeats_is_another_hour() -> None:
    calendar = Calendar(ZoneInfo("Europe/Berlin"))
    first, second = (calendar.span(HOUR, at("2026-10-25T02:30", "Europe/Berlin", fold)) for fold in (0, 1))
    assert first.end == second.start


@given(st.sampled_from(ZONES), st.sampled_from(sorted(set(PERIODS) - {"request"})), st.floats(1.3e9, 2.0e9))
def test_spans_follow_one_another_without_gap_or_overlap(zone: str, name: str, now: float) -> None:
    calendar, period = Calendar(ZoneInfo(zone), PERIODS.values()), PERIODS[name]
    span = calendar.span(period, now)
    assert span.start <= now < span.end
    following = calendar.span(period, span.end)
    assert following.start == span.end
    assert calendar.span(period, now) == span, "asked backwards it says the same"
    assert calendar.span(period, max(span.start, span.end - 0.5)) == span


def every_half_hour(start: str, zone: str, days: int) -> list[float]:
    first = at(start, zone)
    return [first + 1800.0 * step for step in range(days * 48)]


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        ("2026-03-27T00:00", "Europe/Berlin"),
        ("2026-10-23T00:00", "Europe/Berlin"),
        ("2026-10-30T00:00", "America/New_York"),
        ("2026-12-29T00:00", "Asia/Kathmandu"),
    ],
)
async def test_calendar_every_call_is_in_one_hour_day_week_and_month(tmp_path: Path, start: str, zone: str) -> None:
    """Over both changes of the clock and a month's end; then read in the days of another zone."""
    store = SqliteStore(tmp_path / "ledger.sqlite3", "me")
    moments = every_half_hour(start, zone, 5)
    ledger = Ledger(store, lambda: moments[-1])
    calendar = Calendar(ZoneInfo(zone), LASTING)
    for now in moments:
        ledger.note(Account(calendar.moment(now), "p", "p/m"), Amounts(1))
    rows = await ledger.rows(0.0, 4e9)
    for reading in (zone, "UTC", "Asia/Tokyo", "America/Los_Angeles"):
        other = Calendar(ZoneInfo(reading), LASTING)
        for period in LASTING:
            spans = {other.span(period, now) for now in moments}
            counted = [sum(row.used.requests for row in rows if span.start <= row.account.moment < span.end) for span in spans]
            assert sum(counted) == len(moments)
            if reading == zone:
                expected = Counter(other.span(period, now) for now in moments)
                assert sorted(counted) == sorted(expected.values())
    await ledger.close()


async def test_clock_set_back_and_forward_loses_and_doubles_nothing(tmp_path: Path) -> None:
    noon = at("2026-11-22T12:00")
    ledger = Ledger(SqliteStore(tmp_path / "ledger.sqlite3", "me"), lambda: noon)
    calendar = Calendar(UTC, [DAY])
    for now in (noon, noon + 86_400, noon - 3600, noon - 86_400, noon + 40 * 86_400, noon, noon - 0.5):
        ledger.note(Account(calendar.moment(now), "p", "p/m"), Amounts(1))
    limit = Limit("day", "requests", 100)
    used = {}
    for day in (-1, 0, 1, 40):
        claim = Claim(limit, *calendar.span(DAY, noon + day * 86_400))
        rows = await ledger.rows(0.0, 4e9)
        used[day] = sum(row.used.requests for row in rows if row.account.within(claim))
    assert used == {-1: 1, 0: 4, 1: 1, 40: 1}
    await ledger.close()


class FiveHours(Period):
    """A plan's window, as a plugin may bring it."""

    name, words, code = "five hours", "limit of five hours reached, resets", "FIVE_HOUR_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(hours=5) * ((now - midnight) // timedelta(hours=5))

    def end(self, now: datetime) -> datetime:
        return self.start(now) + timedelta(hours=5)


class Minute(Period):
    name, words, code = "minute", "limit of a minute reached, resets", "MINUTE_BUDGET_EXCEEDED"

    def start(self, now: datetime) -> datetime:
        return now.replace(second=0, microsecond=0)

    def end(self, now: datetime) -> datetime:
        return self.start(now) + timedelta(minutes=1)


@pytest.mark.parametrize(("period", "seconds"), [(FiveHours(), 18_000), (Minute(), 60)])
async def test_period_of_a_plugin_divides_the_rows_as_it_needs(tmp_path: Path, period: Period, seconds: int) -> None:
    calendar = Calendar(UTC)
    calendar.add(period)
    start = at("2026-11-22T00:00")
    ledger = Ledger(SqliteStore(tmp_path / "ledger.sqlite3", "me"), lambda: start)
    moments = [start + step * 10 for step in range(6000)]
    for now in moments:
        ledger.note(Account(calendar.moment(now), "p", "p/m"), Amounts(1))
    rows = await ledger.rows(0.0, 4e9)
    for now in moments[:: len(moments) // 7]:
        claim = Claim(Limit(period, "requests", 1), *calendar.span(period, now))
        expected = sum(claim.start <= one < claim.end for one in moments)
        assert sum(row.used.requests for row in rows if row.account.within(claim)) == expected
    assert calendar.span(period, start).end - start == seconds
    await ledger.close()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("hours", "requests", 5), "there is no period 'hours': choose one of hour, day, week, month, request"),
        ((None, "requests", 5), "there is no period None"),
        ((Period(), "requests", 5), "the period Period has no name"),
        (("day", "dollars", 5), "a limit cannot be on 'dollars'"),
        (("day", "requests", -1), "must be a whole number of 0 or more, not -1"),
        (("day", "microdollars", 0.5), "must be a whole number"),
        (("day", "requests", 5, "client"), "a limit cannot be for 'client'"),
        (("day", "requests", 5, "user:me"), "a limit cannot be for 'user:me'"),
    ],
)
def test_limit_says_what_is_wrong_with_it(wrong: tuple[object, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Limit(*wrong)  # type: ignore[arg-type]


def test_limit_takes_a_period_by_name_or_as_an_object() -> None:
    assert Limit("hour", "requests", 5) == Limit(HOUR, "requests", 5)
    assert Limit("request", "requests", 5).period is REQUEST


@pytest.mark.parametrize(
    ("setting", "machine", "link", "zone"),
    [
        ("Europe/Berlin", "Asia/Tokyo", "Asia/Kathmandu", "Europe/Berlin"),
        (None, "Asia/Tokyo", "Asia/Kathmandu", "Asia/Tokyo"),
        (None, ":Asia/Tokyo", None, "Asia/Tokyo"),
        (None, None, "Asia/Kathmandu", "Asia/Kathmandu"),
        (None, "No/Such", "Asia/Kathmandu", "Asia/Kathmandu"),
        (None, "", None, "UTC"),
    ],
)
def test_zone_of_settings_then_environment_then_machine(
    tmp_path: Path, setting: str | None, machine: str | None, link: str | None, zone: str
) -> None:
    localtime = tmp_path / "localtime"
    if link is not None:
        target = tmp_path / "zoneinfo" / link
        target.parent.mkdir(parents=True)
        target.touch()
        localtime.symlink_to(target)
    assert str(zone_of(setting, machine, localtime)) == zone

"""UTC days and months."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.policy.periods import day_of, seconds_to_reset, window


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("now", "day", "month"),
    [
        ("2026-11-22T00:00:00", 86_400, 9 * 86_400),
        ("2026-11-22T23:59:59", 1, 8 * 86_400 + 1),
        ("2026-12-31T23:00:00", 3600, 3600),
        ("2028-02-01T00:00:00", 86_400, 29 * 86_400),
        ("2026-01-31T12:00:00", 43_200, 43_200),
    ],
)
def test_reset(now: str, day: float, month: float) -> None:
    assert (seconds_to_reset("day", at(now)), seconds_to_reset("month", at(now))) == (day, month)


@given(st.floats(0, 4e9))
def test_the_moment_of_reset_begins_another_window(now: float) -> None:
    for period in ("day", "month"):
        wait = seconds_to_reset(period, now)
        assert 0 < wait <= 31 * 86_400
        assert window(period, day_of(now)) != window(period, day_of(now + wait + 0.001))
        assert window(period, day_of(now)) == window(period, day_of(max(now, now + wait - 0.01)))

"""UTC days and months: their names in the ledger, and when they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from openclaw_oauthrouter.canonical.spending import Period


def day_of(now: float) -> str:
    """``2026-11-22``; ``now`` in Unix seconds."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def window(period: Period, day: str) -> str:
    """The day itself, or its month: ``2026-11``."""
    return day if period == "day" else day[:7]


def seconds_to_reset(period: Period, now: float) -> float:
    """Until the present day or month ends."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first_of_next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    end = {"day": today + timedelta(days=1), "month": first_of_next_month}[period]
    return end.timestamp() - now

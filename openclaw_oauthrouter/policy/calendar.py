"""The user's clock: which stretch of time a call falls into, and the time zone that decides it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from openclaw_oauthrouter.canonical.spending import HOUR, REQUEST, Period

_LOCALTIME = Path("/etc/localtime")


class Span(NamedTuple):
    """One period at one moment, Unix seconds: from ``start`` to before ``end``."""

    start: float
    end: float


class Calendar:
    """Says for every moment where the periods that are in force began and end.

    What it says stays true until the first of them ends, so a request costs a comparison.

    :param periods: those that limits are on; the hour is always among them
    """

    def __init__(self, zone: tzinfo, periods: Iterable[Period] = ()) -> None:
        self.zone = zone
        self._periods = {period.name: period for period in (HOUR, *periods) if period is not REQUEST}
        self._from = self._until = 0.0
        self._spans: dict[str, Span] = {}
        self._moment = 0

    def add(self, period: Period) -> None:
        """Take note of a period that came up while running."""
        if period.name not in self._periods and period is not REQUEST:
            self._periods[period.name] = period
            self._until = 0.0

    def moment(self, now: float) -> int:
        """The row that a call of this moment is booked to: the latest beginning of any period that is in force.

        Rows so divided can be summed up for every period exactly, and for the days of another time zone as well.
        """
        if not self._from <= now < self._until:
            self._look(now)
        return self._moment

    def span(self, period: Period, now: float) -> Span:
        """The present one of a period."""
        if period is REQUEST:
            return Span(now, now)
        if not self._from <= now < self._until:
            self._look(now)
        return self._spans[period.name]

    def local(self, now: float) -> datetime:
        """The moment in the user's time zone."""
        return datetime.fromtimestamp(now, self.zone)

    def _look(self, now: float) -> None:
        local = self.local(now)
        self._spans = {
            name: Span(period.start(local).timestamp(), period.end(local).timestamp()) for name, period in self._periods.items()
        }
        self._from = max(span.start for span in self._spans.values())
        self._until = min(span.end for span in self._spans.values())
        self._moment = int(self._from)


def zone_of(name: str | None, machine: str | None, localtime: Path = _LOCALTIME) -> tzinfo:
    """The time zone of budgets.

    :param name: as the settings have it
    :param machine: the variable ``TZ`` of the process's environment
    :param localtime: where the machine's zone is linked; without it the zone is UTC
    :raises ZoneInfoNotFoundError: the settings name none that exists
    """
    if name is not None:
        return ZoneInfo(name)
    for candidate in (machine, _linked(localtime)):
        try:
            if candidate:
                return ZoneInfo(candidate.removeprefix(":"))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return UTC


def _linked(localtime: Path) -> str | None:
    try:
        target = os.path.realpath(localtime)
    except OSError:
        return None
    _, found, name = target.partition("/zoneinfo/")
    return name.removeprefix("posix/").removeprefix("right/") if found else None

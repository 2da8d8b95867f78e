"""Sums per minute of the last day: what charts over time are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject

_MINUTE = 60
_MINUTES_A_DAY = 24 * 60

RANGES = {"1 h": (60, 1), "24 h": (_MINUTES_A_DAY, 15)}
"""Name shown -> minutes covered, minutes a point."""


class Timeline:
    """Several sums side by side, one slot a minute, the oldest overwritten.

    :param names: what is summed, in the order shown
    :param clock: Unix seconds
    """

    def __init__(self, names: Sequence[str], clock: Clock) -> None:
        self._names = tuple(names)
        self._clock = clock
        self._slots: list[tuple[int, list[float]]] = [(-1, [])] * _MINUTES_A_DAY

    def add(self, minute: int, *amounts: float) -> None:
        """Add one amount for each name to a minute (since 1970); older than a day is ignored."""
        slot, sums = self._slots[minute % _MINUTES_A_DAY]
        if slot > minute:
            return
        if slot < minute:
            sums = [0.0] * len(self._names)
            self._slots[minute % _MINUTES_A_DAY] = (minute, sums)
        for place, amount in enumerate(amounts):
            sums[place] += amount

    def ranges(self) -> JsonObject:
        """For each range its ``start`` (Unix seconds), ``step`` (seconds) and ``series`` of ``{"name", "values"}``, oldest first."""
        return {name: self._range(minutes, width) for name, (minutes, width) in RANGES.items()}

    def _range(self, minutes: int, width: int) -> JsonObject:
        last = int(self._clock() // _MINUTE) // width * width + width - 1
        first = last - minutes + 1
        columns = [[0.0] * (minutes // width) for _ in self._names]
        for minute in range(first, last + 1):
            slot, sums = self._slots[minute % _MINUTES_A_DAY]
            if slot == minute:
                for column, amount in zip(columns, sums, strict=True):
                    column[(minute - first) // width] += amount
        series = [{"name": name, "values": _rounded(column)} for name, column in zip(self._names, columns, strict=True)]
        return {"start": first * _MINUTE, "step": width * _MINUTE, "series": series}


def of_points(sums: JsonObject, series: Mapping[str, Callable[[Mapping[str, float]], float]]) -> JsonObject:
    """The same shape as ``Timeline.ranges``, with one range, from the sums of a span.

    :param sums: what ``telemetry.history_sums.summary`` tells
    :param series: name -> what it makes of a point's sums
    """
    drawn = [{"name": name, "values": _rounded([value(point) for point in sums["points"]])} for name, value in series.items()]
    return {"span": {"start": sums["start"] / 1000, "step": sums["step"] / 1000, "until": sums["until"] / 1000, "series": drawn}}


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 6) for value in values]

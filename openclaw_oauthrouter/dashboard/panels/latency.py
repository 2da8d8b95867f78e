"""How long answers take: percentiles of the latest requests."""

from __future__ import annotations

from collections import deque

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord

PERCENTILES = (50, 90, 99)

_REMEMBERED = 1000


class Latency:
    """Whole answer and first token, over the last thousand answered requests."""

    name = "latency"
    title = "Latency"

    def __init__(self) -> None:
        self._whole: deque[float] = deque(maxlen=_REMEMBERED)
        self._first: deque[float] = deque(maxlen=_REMEMBERED)

    def update(self, record: RequestRecord) -> None:
        """Remember an answered request's times."""
        if (record.status or 0) >= 400:
            return
        if record.seconds is not None:
            self._whole.append(record.seconds)
        if record.first_token_seconds is not None:
            self._first.append(record.first_token_seconds)

    def render(self) -> JsonObject:
        """A table: a row a percentile."""
        first, whole = ([seconds * 1000 for seconds in sorted(values)] for values in (self._first, self._whole))
        return _view(first, whole)

    def of_span(self, sums: JsonObject) -> JsonObject:
        """The same for the latest answers of any span."""
        return _view(sums["latest"]["first"], sums["latest"]["whole"])


def _view(first: list[float], whole: list[float]) -> JsonObject:
    """Of sorted milliseconds."""
    rows = [[f"p{percent}", _percentile(first, percent), _percentile(whole, percent)] for percent in PERCENTILES]
    columns = [{"label": "percentile"}, {"label": "first token", "unit": "ms"}, {"label": "whole answer", "unit": "ms"}]
    return {"view": "table", "bars": True, "columns": columns, "rows": rows if whole else [], "empty": "No answer yet."}


def _percentile(values: list[float], percent: int) -> float | None:
    """The nearest-rank percentile of sorted values."""
    if not values:
        return None
    return round(values[max(0, -(-len(values) * percent // 100) - 1)], 1)

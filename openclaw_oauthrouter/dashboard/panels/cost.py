"""Cost and savings over time."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.dashboard.timeline import Timeline, of_points


class Cost:
    """Dollars paid by the token, dollars' worth covered by plans, dollars saved against the baseline model."""

    name = "cost"
    title = "Cost and savings"

    def __init__(self, clock: Clock) -> None:
        self._timeline = Timeline(("paid", "on plans", "saved"), clock)

    def update(self, record: RequestRecord) -> None:
        """Count a record in the minute it began."""
        if record.cost is None:
            return
        paid, plan = (0.0, record.cost) if record.subscription else (record.cost, 0.0)
        self._timeline.add(record.started_at, paid, plan, record.saved or 0.0)

    def render(self) -> JsonObject:
        """A stacked series."""
        return _view(self._timeline.ranges())

    def of_span(self, sums: JsonObject) -> JsonObject:
        """The same for any span."""
        return _view(
            of_points(
                sums,
                {
                    "paid": lambda point: point["paid"],
                    "on plans": lambda point: point["plan"],
                    "saved": lambda point: point["saved"],
                },
            )
        )


def _view(ranges: JsonObject) -> JsonObject:
    return {"view": "series", "unit": "dollars", "stacked": True, "tones": ["accent", "quiet", "good"], "ranges": ranges}

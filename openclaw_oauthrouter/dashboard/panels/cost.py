"""Cost and savings over time."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request_sums import RequestSums
from openclaw_oauthrouter.dashboard.panels.counting import CountingPanel
from openclaw_oauthrouter.dashboard.timeline import Timeline, of_points


class Cost(CountingPanel):
    """Dollars paid by the token, dollars' worth covered by plans, dollars saved against the baseline model."""

    name = "cost"
    title = "Cost and savings"

    def __init__(self, clock: Clock) -> None:
        self._timeline = Timeline(("paid", "on plans", "saved"), clock)

    def count(self, sums: RequestSums) -> None:
        """Count requests in the minute they began."""
        paid, plan = (0.0, sums.cost) if sums.subscription else (sums.cost, 0.0)
        self._timeline.add(sums.minute, paid, plan, sums.saved)

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

"""Tokens over time, by what they were."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request_sums import RequestSums
from openclaw_oauthrouter.dashboard.panels.counting import CountingPanel
from openclaw_oauthrouter.dashboard.timeline import Timeline, of_points


class Tokens(CountingPanel):
    """Fresh input, cached input, output."""

    name = "tokens"
    title = "Tokens"

    def __init__(self, clock: Clock) -> None:
        self._timeline = Timeline(("in", "from cache", "out"), clock)

    def count(self, sums: RequestSums) -> None:
        """Count requests in the minute they began."""
        self._timeline.add(sums.minute, sums.input - sums.cache_read, sums.cache_read, sums.output)

    def render(self) -> JsonObject:
        """A stacked series."""
        return _view(self._timeline.ranges())

    def of_span(self, sums: JsonObject) -> JsonObject:
        """The same for any span."""
        return _view(
            of_points(
                sums,
                {
                    "in": lambda point: point["input"] - point["cached"],
                    "from cache": lambda point: point["cached"],
                    "out": lambda point: point["output"],
                },
            )
        )


def _view(ranges: JsonObject) -> JsonObject:
    return {"view": "series", "unit": "tokens", "stacked": True, "tones": ["accent", "quiet", "good"], "ranges": ranges}

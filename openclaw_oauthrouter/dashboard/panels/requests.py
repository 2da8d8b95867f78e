"""Requests over time, by how they ended."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request_sums import RequestSums
from openclaw_oauthrouter.dashboard.panels.counting import CountingPanel
from openclaw_oauthrouter.dashboard.timeline import Timeline, of_points


class Requests(CountingPanel):
    """Answered requests, and failed ones by whose fault it was: the request's (4xx) or a provider's (5xx)."""

    name = "requests"
    title = "Requests"

    def __init__(self, clock: Clock) -> None:
        self._timeline = Timeline(("answered", "4xx", "5xx"), clock)

    def count(self, sums: RequestSums) -> None:
        """Count requests in the minute they began."""
        status, number = sums.status or 0, sums.requests
        answered, refused = (number, 0) if status < 400 else (0, number if status < 500 else 0)
        self._timeline.add(sums.minute, answered, refused, number - answered - refused)

    def render(self) -> JsonObject:
        """A stacked series."""
        return _view(self._timeline.ranges())

    def of_span(self, sums: JsonObject) -> JsonObject:
        """The same for any span."""
        return _view(
            of_points(
                sums,
                {
                    "answered": lambda point: point["requests"] - point["failed"],
                    "4xx": lambda point: point["refused"],
                    "5xx": lambda point: point["failed"] - point["refused"],
                },
            )
        )


def _view(ranges: JsonObject) -> JsonObject:
    return {"view": "series", "unit": "count", "stacked": True, "tones": ["accent", "warn", "bad"], "ranges": ranges}

"""Requests over time, by how they ended."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.dashboard.timeline import Timeline, of_points


class Requests:
    """Answered requests, and failed ones by whose fault it was: the request's (4xx) or a provider's (5xx)."""

    name = "requests"
    title = "Requests"

    def __init__(self, clock: Clock) -> None:
        self._timeline = Timeline(("answered", "4xx", "5xx"), clock)

    def update(self, record: RequestRecord) -> None:
        """Count a record in the minute it began."""
        status = record.status or 0
        self._timeline.add(record.started_at, status < 400, 400 <= status < 500, status >= 500)

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

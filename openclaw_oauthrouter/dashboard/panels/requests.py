"""Requests over time, by how they ended."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.dashboard.timeline import Timeline


class Requests:
    """Answered, refused and failed requests."""

    name = "requests"
    title = "Requests"

    def __init__(self, clock: Clock) -> None:
        self._timeline = Timeline(("answered", "refused", "failed"), clock)

    def update(self, record: RequestRecord) -> None:
        """Count a record in the minute it began."""
        status = record.status or 0
        self._timeline.add(record.started_at, status < 400, 400 <= status < 500, status >= 500)

    def render(self) -> JsonObject:
        """A stacked series."""
        return {
            "view": "series",
            "unit": "count",
            "stacked": True,
            "tones": ["accent", "warn", "bad"],
            "ranges": self._timeline.ranges(),
        }

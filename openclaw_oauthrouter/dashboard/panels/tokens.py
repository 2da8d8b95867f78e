"""Tokens over time, by what they were."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.dashboard.timeline import Timeline


class Tokens:
    """Fresh input, cached input, output."""

    name = "tokens"
    title = "Tokens"

    def __init__(self, clock: Clock) -> None:
        self._timeline = Timeline(("in", "from cache", "out"), clock)

    def update(self, record: RequestRecord) -> None:
        """Count a record in the minute it began."""
        usage = record.usage
        if usage is not None:
            cached = usage.cache_read_input_tokens
            self._timeline.add(record.started_at, usage.input_tokens - cached, cached, usage.output_tokens)

    def render(self) -> JsonObject:
        """A stacked series."""
        return {
            "view": "series",
            "unit": "tokens",
            "stacked": True,
            "tones": ["accent", "quiet", "good"],
            "ranges": self._timeline.ranges(),
        }

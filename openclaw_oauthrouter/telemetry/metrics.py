"""Counts requests for Prometheus: in plain sums, until somebody asks for ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from openclaw_oauthrouter.canonical.request_sums import Gathering
from openclaw_oauthrouter.canonical.trace import RequestRecord

if TYPE_CHECKING:
    from openclaw_oauthrouter.telemetry.prometheus import Figures, Times

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_MOST_UNTOLD = 500
"""Requests that wait for somebody to ask for their figures."""


class RequestMetrics:
    """A ``TraceSink`` that counts; ``render`` is what ``/metrics`` serves."""

    name = "metrics"

    def __init__(self) -> None:
        self._untold = Gathering()
        self._times: list[Times] = []
        self._outcomes: dict[tuple[str, str], int] = {}
        self._shares: dict[tuple[str, str], float] = {}
        self._failures: dict[str, int] = {}
        self._active: Callable[[], float] = float
        self._in_use: Callable[[], Mapping[str, int]] = dict
        self._waiting: Callable[[], Mapping[str, int]] = dict

    def receive(self, record: RequestRecord) -> None:
        """Count a finished record."""
        self._untold.add(record)
        self._times.append((record.provider, record.model_answered, record.seconds, record.first_token_seconds))
        for attempt in record.attempts:
            outcome = (attempt.provider, attempt.outcome)
            self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
        if record.windows and record.cost is not None:
            for one in record.windows:
                window = (record.provider or "none", one.window)
                self._shares[window] = self._shares.get(window, 0.0) + (one.share or 0.0)
        if len(self._times) >= _MOST_UNTOLD:
            self._tell()

    def _tell(self) -> None:
        """What was counted here, to the library: it takes a lock and five calls for each figure, which no request need wait for."""
        self._figures.add(self._untold.take(), self._outcomes, self._shares, self._times)
        self._figures.sinks_failed(self._failures)
        for counted in (self._outcomes, self._shares, self._times, self._failures):
            counted.clear()

    @cached_property
    def _figures(self) -> Figures:
        from openclaw_oauthrouter.telemetry.prometheus import Figures

        return Figures(lambda: self._active())

    def sink_failed(self, name: str) -> None:
        """Count a failure of another sink; what ``SinkRecorder`` takes as ``on_failure``."""
        self._failures[name] = self._failures.get(name, 0) + 1

    def watch_active(self, active: Callable[[], float]) -> None:
        """Where to read the number of running requests."""
        self._active = active

    def watch_waiting(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """Where to read how many requests wait for a connection to each host of a provider."""
        self._waiting = waiting

    def watch_connections(self, in_use: Callable[[], Mapping[str, int]]) -> None:
        """Where to read how many requests are under way to each host of a provider."""
        self._in_use = in_use

    def render(self) -> bytes:
        """The Prometheus text format."""
        self._tell()
        return self._figures.written(self._waiting(), self._in_use())

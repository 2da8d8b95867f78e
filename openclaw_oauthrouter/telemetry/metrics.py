"""Request records as Prometheus metrics, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from openclaw_oauthrouter.canonical.request_sums import Gathering, RequestSums
from openclaw_oauthrouter.canonical.spending import PaidBy
from openclaw_oauthrouter.canonical.trace import RequestRecord

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280)
_FIRST_TOKEN_BUCKETS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 60, 120)

MOST_NAMES = 200
"""Different providers, models and kinds of errors that are counted apart; each model takes about forty lines of ``/metrics``."""

OTHER = "other"

_LABEL_SETS = 512
"""Most label sets looked up without asking the library again."""

_MOST_UNTOLD = 500
"""Requests that wait for somebody to ask for their figures."""

_PAID_BY: Mapping[PaidBy, str] = {"api": "token", "extra": "extra_usage", "plan": "subscription"}

Child = TypeVar("Child")


class RequestMetrics:
    """A ``TraceSink`` that counts; ``render`` is what ``/metrics`` serves."""

    name = "metrics"

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=False)
        self._names: set[str] = set()
        where = ("provider", "model")
        self._requests = _counter("requests", "Requests answered.", ("tier", *where, "status"), registry)
        self._errors = _counter("errors", "Requests that failed.", ("provider", "type"), registry)
        self._attempts = _counter("attempts", "Calls of upstreams.", ("provider", "outcome"), registry)
        self._tokens = _counter("tokens", "Tokens.", (*where, "kind"), registry)
        self._cost = _counter("cost_dollars", "US dollars, by who pays.", (*where, "paid_by"), registry)
        self._baseline = Counter(
            "oauthrouter_baseline_dollars", "US dollars the baseline model charges for the same tokens.", registry=registry
        )
        # A gauge: an answer that costs more than the baseline takes from it.
        self._saved = Gauge("oauthrouter_saved_dollars", "US dollars less than the baseline model.", registry=registry)
        self._windows = _counter(
            "plan_window_share",
            "Parts of a plan's window that answers are taken to have used up; 1 is a whole one.",
            ("provider", "window"),
            registry,
        )
        self._unpriced = _counter("unpriced_requests", "Answers whose cost nobody knows.", where, registry)
        self._latency = _histogram("request_seconds", "From request to last byte.", where, _LATENCY_BUCKETS, registry)
        self._first_token = _histogram(
            "first_token_seconds", "From request to first token.", where, _FIRST_TOKEN_BUCKETS, registry
        )
        self._sink_failures = Counter(
            "oauthrouter_sink_failures", "Records a trace sink failed to take.", ("sink",), registry=registry
        )
        self._in_use: Callable[[], Mapping[str, int]] = dict
        self._waiting: Callable[[], Mapping[str, int]] = dict
        self._connections = _by_host("oauthrouter_upstream_connections", "Requests under way to a provider's host.", registry)
        self._queue = _by_host(
            "oauthrouter_upstream_waiting", "Requests that wait for a connection to a provider's host.", registry
        )
        self._active = Gauge("oauthrouter_active_requests", "Requests running now.", registry=registry)
        self._untold = Gathering()
        self._times: list[tuple[str | None, str | None, float | None, float | None]] = []
        self._outcomes: dict[tuple[str, str], int] = {}
        self._shares: dict[tuple[str, str], float] = {}

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
        for sums in self._untold.take():
            self._tell_sums(sums)
        for (provider, outcome), number in self._outcomes.items():
            self._attempts(self._named(provider), self._named(outcome)).inc(number)
        for (provider, window), share in self._shares.items():
            self._windows(self._named(provider), self._named(window)).inc(share)
        for by, model, seconds, first in self._times:
            where = self._named(by or "none"), self._named(model or "none")
            if seconds is not None:
                self._latency(*where).observe(seconds)
            if first is not None:
                self._first_token(*where).observe(first)
        self._outcomes.clear()
        self._shares.clear()
        self._times.clear()

    def _tell_sums(self, sums: RequestSums) -> None:
        # Only models that did answer become labels: what clients merely ask for may be anything. Some endpoints answer any name at all.
        provider, model = where = self._named(sums.provider or "none"), self._named(sums.model or "none")
        tier = sums.tier if sums.tier is not None else "none"
        self._requests(str(tier), provider, model, str(sums.status or 0)).inc(sums.requests)
        if sums.error_type is not None or sums.failed:
            self._errors(provider, self._named(sums.error_type or f"status_{sums.status}")).inc(sums.requests)
        counts = (
            ("input", sums.fresh),
            ("cache_read", sums.cache_read),
            ("cache_creation", sums.cache_creation),
            ("output", sums.output),
        )
        for kind, count in counts:
            if count > 0:
                self._tokens(*where, kind).inc(count)
        if sums.unpriced:
            self._unpriced(*where).inc(sums.unpriced)
        if sums.priced:
            self._cost(*where, _PAID_BY[sums.paid_by]).inc(sums.cost)
        if sums.compared:
            self._baseline.inc(sums.baseline)
            self._saved.inc(sums.saved)

    def _named(self, name: str) -> str:
        """A label's value; ``other`` for those that come after ``MOST_NAMES`` different ones."""
        if name in self._names:
            return name
        if len(self._names) >= MOST_NAMES:
            return OTHER
        self._names.add(name)
        return name

    def sink_failed(self, name: str) -> None:
        """Count a failure of another sink; what ``SinkRecorder`` takes as ``on_failure``."""
        self._sink_failures.labels(name).inc()

    def watch_active(self, active: Callable[[], float]) -> None:
        """Where to read the number of running requests."""
        self._active.set_function(active)

    def watch_waiting(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """Where to read how many requests wait for a connection to each host of a provider."""
        self._waiting = waiting

    def watch_connections(self, in_use: Callable[[], Mapping[str, int]]) -> None:
        """Where to read how many requests are under way to each host of a provider."""
        self._in_use = in_use

    def render(self) -> bytes:
        """The Prometheus text format."""
        self._tell()
        for host, number in self._waiting().items():
            self._queue.labels(self._named(host)).set(number)
        for host, busy in self._in_use().items():
            self._connections.labels(self._named(host)).set(busy)
        return generate_latest(self.registry)


def _counter(name: str, words: str, labels: Sequence[str], registry: CollectorRegistry) -> Callable[..., Counter]:
    return _cached(Counter(f"oauthrouter_{name}", words, labels, registry=registry).labels)


def _histogram(
    name: str, words: str, labels: Sequence[str], buckets: Sequence[float], registry: CollectorRegistry
) -> Callable[..., Histogram]:
    return _cached(Histogram(f"oauthrouter_{name}", words, labels, buckets=buckets, registry=registry).labels)


def _by_host(name: str, words: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(name, words, ("host",), registry=registry)


def _cached(labels: Callable[..., Child]) -> Callable[..., Child]:
    return lru_cache(maxsize=_LABEL_SETS)(labels)

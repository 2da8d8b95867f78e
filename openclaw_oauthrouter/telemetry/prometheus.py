"""What was counted of requests, as Prometheus reads it; loaded when somebody asks, or when many figures wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from openclaw_oauthrouter.canonical.request_sums import RequestSums
from openclaw_oauthrouter.canonical.spending import PaidBy

_LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280)
_FIRST_TOKEN_BUCKETS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 60, 120)

MOST_NAMES = 200
"""Different providers, models and kinds of errors that are counted apart; each model takes about forty lines of ``/metrics``."""

OTHER = "other"

_LABEL_SETS = 512
"""Most label sets looked up without asking the library again."""

_PAID_BY: Mapping[PaidBy, str] = {"api": "token", "extra": "extra_usage", "plan": "subscription"}

Child = TypeVar("Child")

Times = tuple[str | None, str | None, float | None, float | None]
"""Of one request: provider, model, seconds until its end, seconds until its first token."""


class Figures:
    """Counters, gauges and histograms in a registry of their own.

    :param active: tells how many requests run now
    """

    def __init__(self, active: Callable[[], float]) -> None:
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
        self._connections = _by_host("oauthrouter_upstream_connections", "Requests under way to a provider's host.", registry)
        self._queue = _by_host(
            "oauthrouter_upstream_waiting", "Requests that wait for a connection to a provider's host.", registry
        )
        Gauge("oauthrouter_active_requests", "Requests running now.", registry=registry).set_function(active)

    def add(
        self,
        sums: Iterable[RequestSums],
        outcomes: Mapping[tuple[str, str], int],
        shares: Mapping[tuple[str, str], float],
        times: Iterable[Times],
    ) -> None:
        """Take what was counted since the last time.

        :param outcomes: calls by provider and how they ended
        :param shares: of plans' windows, by provider and window
        """
        for one in sums:
            self._add_sums(one)
        for (provider, outcome), number in outcomes.items():
            self._attempts(self._named(provider), self._named(outcome)).inc(number)
        for (provider, window), share in shares.items():
            self._windows(self._named(provider), self._named(window)).inc(share)
        for by, model, seconds, first in times:
            where = self._named(by or "none"), self._named(model or "none")
            if seconds is not None:
                self._latency(*where).observe(seconds)
            if first is not None:
                self._first_token(*where).observe(first)

    def _add_sums(self, sums: RequestSums) -> None:
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

    def sinks_failed(self, failures: Mapping[str, int]) -> None:
        """Count failures of other sinks."""
        for name, number in failures.items():
            self._sink_failures.labels(name).inc(number)

    def written(self, waiting: Mapping[str, int], in_use: Mapping[str, int]) -> bytes:
        """The Prometheus text format.

        :param waiting: requests that wait for a connection, by host
        :param in_use: requests under way, by host
        """
        for host, number in waiting.items():
            self._queue.labels(self._named(host)).set(number)
        for host, busy in in_use.items():
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

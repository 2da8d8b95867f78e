"""Request records as Prometheus metrics, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

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
"""Figures that wait for somebody to ask for them."""

_PAID_BY: Mapping[PaidBy, str] = {"api": "token", "extra": "extra_usage", "plan": "subscription"}

Child = TypeVar("Child")


class RequestMetrics:
    """A ``TraceSink`` that counts; ``render`` is what ``/metrics`` serves."""

    name = "metrics"

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=False)
        self._names: set[str] = set()
        where = ("provider", "model")
        self._requests = _cached(
            Counter("oauthrouter_requests", "Requests answered.", ("tier", *where, "status"), registry=registry).labels
        )
        self._errors = _cached(
            Counter("oauthrouter_errors", "Requests that failed.", ("provider", "type"), registry=registry).labels
        )
        self._attempts = _cached(
            Counter("oauthrouter_attempts", "Calls of upstreams.", ("provider", "outcome"), registry=registry).labels
        )
        self._tokens = _cached(Counter("oauthrouter_tokens", "Tokens.", (*where, "kind"), registry=registry).labels)
        self._cost = _cached(
            Counter("oauthrouter_cost_dollars", "US dollars, by who pays.", (*where, "paid_by"), registry=registry).labels
        )
        self._baseline = Counter(
            "oauthrouter_baseline_dollars", "US dollars the baseline model charges for the same tokens.", registry=registry
        )
        # A gauge: an answer that costs more than the baseline takes from it.
        self._saved = Gauge("oauthrouter_saved_dollars", "US dollars less than the baseline model.", registry=registry)
        self._windows = _cached(
            Counter(
                "oauthrouter_plan_window_share",
                "Parts of a plan's window that answers are taken to have used up; 1 is a whole one.",
                ("provider", "window"),
                registry=registry,
            ).labels
        )
        self._unpriced = _cached(
            Counter("oauthrouter_unpriced_requests", "Answers whose cost nobody knows.", where, registry=registry).labels
        )
        self._latency = _cached(
            Histogram(
                "oauthrouter_request_seconds", "From request to last byte.", where, buckets=_LATENCY_BUCKETS, registry=registry
            ).labels
        )
        self._first_token = _cached(
            Histogram(
                "oauthrouter_first_token_seconds",
                "From request to first token.",
                where,
                buckets=_FIRST_TOKEN_BUCKETS,
                registry=registry,
            ).labels
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
        self._counted: dict[tuple[Callable[..., Counter], tuple[str, ...]], float] = {}
        self._seconds: list[tuple[Histogram, float]] = []

    def receive(self, record: RequestRecord) -> None:
        """Count a finished record."""
        # Only models that did answer become labels: what clients merely ask for may be anything. Some endpoints answer any name at all.
        provider, model = self._named(record.provider or "none"), self._named(record.model_answered or "none")
        tier = record.decision.tier if record.decision is not None and record.decision.tier is not None else "none"
        self._count(self._requests, 1, str(tier), provider, model, str(record.status or 0))
        if record.error_type is not None or (record.status or 0) >= 400:
            self._count(self._errors, 1, provider, self._named(record.error_type or f"status_{record.status}"))
        for attempt in record.attempts:
            self._count(self._attempts, 1, self._named(attempt.provider), self._named(attempt.outcome))
        if record.seconds is not None:
            self._seconds.append((self._latency(provider, model), record.seconds))
        if record.first_token_seconds is not None:
            self._seconds.append((self._first_token(provider, model), record.first_token_seconds))
        if len(self._seconds) >= _MOST_UNTOLD or len(self._counted) >= _MOST_UNTOLD:
            self._tell()
        self._count_usage(record, provider, model)
        self._count_cost(record, provider, model)

    def _count(self, labels: Callable[..., Counter], amount: float, *names: str) -> None:
        key = (labels, names)
        self._counted[key] = self._counted.get(key, 0.0) + amount

    def _tell(self) -> None:
        """What was counted here, to the library: it takes a lock and five calls for each figure, which no request need wait for."""
        for (labels, names), amount in self._counted.items():
            labels(*names).inc(amount)
        for histogram, seconds in self._seconds:
            histogram.observe(seconds)
        self._counted.clear()
        self._seconds.clear()

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

    def _count_usage(self, record: RequestRecord, provider: str, model: str) -> None:
        usage = record.usage
        if usage is None:
            return
        counts = (
            ("input", usage.input_tokens - usage.cache_read_input_tokens - usage.cache_creation_input_tokens),
            ("cache_read", usage.cache_read_input_tokens),
            ("cache_creation", usage.cache_creation_input_tokens),
            ("output", usage.output_tokens),
        )
        for kind, count in counts:
            if count > 0:
                self._count(self._tokens, count, provider, model, kind)

    def _count_cost(self, record: RequestRecord, provider: str, model: str) -> None:
        if record.unpriced:
            self._count(self._unpriced, 1, provider, model)
        if record.cost is None:
            return
        self._count(self._cost, record.cost, provider, model, _PAID_BY[record.paid_by])
        for one in record.windows:
            self._count(self._windows, one.share or 0.0, provider, self._named(one.window))
        if record.baseline_cost is not None and record.saved is not None:
            self._baseline.inc(record.baseline_cost)
            self._saved.inc(record.saved)


def _by_host(name: str, words: str, registry: CollectorRegistry) -> Gauge:
    return Gauge(name, words, ("host",), registry=registry)


def _cached(labels: Callable[..., Child]) -> Callable[..., Child]:
    return lru_cache(maxsize=_LABEL_SETS)(labels)

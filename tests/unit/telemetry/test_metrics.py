"""What ``/metrics`` tells of requests."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from openclaw_oauthrouter.telemetry.metrics import RequestMetrics
from tests.unit.telemetry.records import fallen_back, record


class Samples:
    """What a Prometheus server would read."""

    def __init__(self, metrics: RequestMetrics) -> None:
        families = text_string_to_metric_families(metrics.render().decode())
        self.all = [sample for family in families for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        [value] = [sample.value for sample in self.all if sample.name == f"oauthrouter_{name}" and sample.labels == labels]
        return value


def test_counts_requests_tokens_money_and_time() -> None:
    metrics = RequestMetrics()
    metrics.receive(record())
    metrics.receive(record(paid_by="plan"))
    metrics.receive(fallen_back())
    seen = Samples(metrics)
    haiku = {"provider": "anthropic", "model": "anthropic/claude-haiku-4-5"}
    assert seen("requests_total", tier="SIMPLE", status="200", **haiku) == 2
    assert seen("tokens_total", kind="input", **haiku) == 1200
    assert seen("tokens_total", kind="cache_read", **haiku) == 800
    assert seen("tokens_total", kind="output", **haiku) == 600
    assert seen("cost_dollars_total", paid_by="token", **haiku) == 0.004
    assert seen("cost_dollars_total", paid_by="subscription", **haiku) == 0.004
    assert seen("attempts_total", provider="anthropic", outcome="UpstreamRateLimitError") == 2
    assert seen("request_seconds_sum", **haiku) == 4.0
    assert seen("first_token_seconds_count", **haiku) == 2
    assert seen("saved_dollars") == pytest.approx(3 * 0.016)


def test_counts_errors_by_type() -> None:
    metrics = RequestMetrics()
    metrics.receive(
        record(status=429, error_type="BudgetExceededError", provider=None, model_answered=None, usage=None, cost=None)
    )
    metrics.receive(record(status=404, error_type=None, provider=None))
    seen = Samples(metrics)
    assert seen("errors_total", provider="none", type="BudgetExceededError") == 1
    assert seen("errors_total", provider="none", type="status_404") == 1


def test_metrics_two_gateways_in_one_process_do_not_share_a_registry() -> None:
    one, other = RequestMetrics(), RequestMetrics()
    one.receive(record())
    assert any(sample.name == "oauthrouter_requests_total" for sample in Samples(one).all)
    assert not any(sample.name == "oauthrouter_requests_total" for sample in Samples(other).all)


def test_tells_of_failing_sinks_and_running_requests() -> None:
    metrics = RequestMetrics()
    metrics.sink_failed("jsonl")
    metrics.watch_active(lambda: 3.0)
    seen = Samples(metrics)
    assert seen("sink_failures_total", sink="jsonl") == 1
    assert seen("active_requests") == 3


def test_counts_every_request_however_many_come_before_somebody_asks() -> None:
    metrics = RequestMetrics()
    for _ in range(1201):
        metrics.receive(record())
    assert Samples(metrics)("request_seconds_count", provider="anthropic", model="anthropic/claude-haiku-4-5") == 1201
    metrics.receive(record())
    seen = Samples(metrics)
    assert seen("requests_total", tier="SIMPLE", status="200", provider="anthropic", model="anthropic/claude-haiku-4-5") == 1202

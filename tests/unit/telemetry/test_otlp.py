"""Spans and measurements follow the GenAI semantic conventions."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.unit.telemetry.records import fallen_back, record

pytest.importorskip("opentelemetry.sdk", reason="needs the extra otel")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from openclaw_oauthrouter.telemetry.otlp import OtlpExporter


class Collector:
    """An exporter whose spans and measurements stay in memory."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.sink = OtlpExporter(tracers, MeterProvider([self._reader]))

    @property
    def span(self) -> ReadableSpan:
        [span] = self._spans.get_finished_spans()
        return span

    def measured(self) -> dict[str, list[tuple[float, dict[str, object]]]]:
        """Metric name -> sums and attributes."""
        data = self._reader.get_metrics_data()
        assert data is not None
        metrics = data.resource_metrics[0].scope_metrics[0].metrics
        return {metric.name: [(point.sum, dict(point.attributes)) for point in metric.data.data_points] for metric in metrics}


def test_span_of_an_answer() -> None:
    collector = Collector()
    collector.sink.receive(record())
    span = collector.span
    assert span.name == "chat anthropic/claude-haiku-4-5"
    assert span.kind is SpanKind.CLIENT
    assert span.end_time - span.start_time == 2_000_000_000
    assert span.attributes is not None
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "anthropic/claude-haiku-4-5",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 300,
        "gen_ai.usage.cache_read.input_tokens": 400,
        "gen_ai.conversation.id": "c-1",
        "oauthrouter.tier": "SIMPLE",
    }
    assert {name: span.attributes.get(name) for name in expected} == expected
    assert "launch code" not in span.to_json()


def test_otlp_span_of_the_caller_becomes_the_parent() -> None:
    collector = Collector()
    collector.sink.receive(record(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
    assert collector.span.parent is not None
    assert f"{collector.span.context.trace_id:032x}" == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert f"{collector.span.parent.span_id:016x}" == "00f067aa0ba902b7"


def test_otlp_broken_traceparent_starts_a_new_trace() -> None:
    collector = Collector()
    collector.sink.receive(record(traceparent="no such thing"))
    assert collector.span.parent is None


def test_failure_and_attempts() -> None:
    collector = Collector()
    failed = fallen_back()
    failed.status, failed.error_type, failed.error_message = 503, "AllUpstreamsFailed", "refused sk-ant-oat01-abcdefghijkl"
    collector.sink.receive(failed)
    span = collector.span
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "refused [redacted]"
    assert [event.attributes["oauthrouter.outcome"] for event in span.events if event.attributes] == [
        "UpstreamRateLimitError",
        "UpstreamRateLimitError",
        "ok",
    ]


def test_measurements() -> None:
    collector = Collector()
    collector.sink.receive(record())
    measured = collector.measured()
    assert measured["gen_ai.client.operation.duration"][0][0] == 2.0
    assert measured["gen_ai.client.operation.time_to_first_chunk"][0][0] == 0.5
    tokens = {str(attributes["gen_ai.token.type"]): total for total, attributes in measured["gen_ai.client.token.usage"]}
    assert tokens == {"input": 1000, "output": 300}
    collector.sink.close()


class Endpoint(BaseHTTPRequestHandler):
    """A collector that only notes where it was called."""

    called: ClassVar[list[str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.called.append(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_otlp_what_waits_is_sent_on_close() -> None:
    handler = type("Noting", (Endpoint,), {"called": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        sink = OtlpExporter.to_endpoint(f"http://127.0.0.1:{server.server_port}/")
        sink.receive(record())
        sink.close()
        server.shutdown()
        serving.join()
    assert sorted(set(handler.called)) == ["/v1/metrics", "/v1/traces"]

"""Sends request records to an OpenTelemetry collector, by the GenAI semantic conventions (extra: ``otel``).

Spans and measurements are handed to the SDK's background threads; nothing is sent on the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.telemetry.redact import redact

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

SCOPE = "openclaw_oauthrouter"

PROVIDER_NAMES = {"anthropic": "anthropic", "openai": "openai", "openai-codex": "openai", "deepseek": "deepseek"}
"""Our provider -> ``gen_ai.provider.name``; any other keeps its own name."""

_SECONDS_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKEN_BUCKETS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
_NANOSECONDS = 1_000_000_000

Attributes = Mapping[str, str | int | float | bool | list[str]]


class OtlpExporter:
    """A ``TraceSink`` that writes one client span a request, and the GenAI client metrics.

    A ``traceparent`` that came with the request becomes the span's parent.

    :param tracers: where spans go
    :param meters: where measurements go
    """

    name = "otlp"

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._providers = (tracers, meters)
        self._propagator = TraceContextTextMapPropagator()
        self._tracer = tracers.get_tracer(SCOPE)
        meter = meters.get_meter(SCOPE)
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS_BUCKETS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage", "{token}", "Tokens used.", explicit_bucket_boundaries_advisory=_TOKEN_BUCKETS
        )
        self._first_token = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time to the first chunk of the answer.",
            explicit_bucket_boundaries_advisory=_SECONDS_BUCKETS,
        )

    @classmethod
    def to_endpoint(cls, endpoint: str) -> OtlpExporter:
        """An exporter to an OTLP/HTTP collector.

        :param endpoint: its base URL, such as ``http://127.0.0.1:4318``
        :raises ConfigurationError: the extra is not installed
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.metrics import MeterProvider
            from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise ConfigurationError(
                "telemetry.otlp_endpoint is set, but OpenTelemetry is not installed: pip install 'openclaw-oauthrouter[otel]'"
            ) from error
        base = endpoint.rstrip("/")
        resource = Resource.create({"service.name": "openclaw-oauthrouter"})
        tracers = TracerProvider(resource=resource)
        tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces")))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics"))
        return cls(tracers, MeterProvider([reader], resource=resource))

    def receive(self, record: RequestRecord) -> None:
        """Hand a finished record to the SDK."""
        seconds = record.seconds or 0.0
        self._write_span(record, seconds)
        common = _common(record)
        failed = {"error.type": record.error_type} if record.error_type else {}
        self._duration.record(seconds, {**common, **failed})
        if record.first_token_seconds is not None:
            self._first_token.record(record.first_token_seconds, common)
        if record.usage is not None:
            self._tokens.record(record.usage.input_tokens, {**common, "gen_ai.token.type": "input"})
            self._tokens.record(record.usage.output_tokens, {**common, "gen_ai.token.type": "output"})

    def close(self) -> None:
        """Send what waits, and stop the background threads."""
        for provider in self._providers:
            provider.shutdown()

    def _write_span(self, record: RequestRecord, seconds: float) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode

        parent = self._propagator.extract({"traceparent": record.traceparent}) if record.traceparent else None
        start = int(record.started_at * _NANOSECONDS)
        span = self._tracer.start_span(
            f"chat {record.model_resolved or record.model_requested or ''}".rstrip(),
            context=parent,
            kind=SpanKind.CLIENT,
            attributes={**_common(record), **_details(record)},
            start_time=start,
        )
        for attempt in record.attempts:
            details: Attributes = {
                "oauthrouter.provider": attempt.provider,
                "oauthrouter.model": attempt.model,
                "oauthrouter.outcome": attempt.outcome,
                "oauthrouter.status": attempt.status or 0,
            }
            span.add_event("oauthrouter.attempt", details, start)
        if record.error_type or (record.status or 0) >= 400:
            span.set_status(Status(StatusCode.ERROR, redact(record.error_message or "")))
        span.end(start + int(seconds * _NANOSECONDS))


def _common(record: RequestRecord) -> dict[str, str]:
    provider = record.provider or "none"
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": PROVIDER_NAMES.get(provider, provider),
        "gen_ai.request.model": record.model_resolved or record.model_requested or "none",
        "gen_ai.response.model": record.model_answered or "none",
    }


def _details(record: RequestRecord) -> Attributes:
    decision = record.decision
    usage = record.usage
    details: dict[str, str | int | float | list[str] | None] = {
        "gen_ai.conversation.id": record.conversation,
        "gen_ai.response.finish_reasons": [record.finish_reason] if record.finish_reason else None,
        "gen_ai.usage.input_tokens": usage.input_tokens if usage else None,
        "gen_ai.usage.output_tokens": usage.output_tokens if usage else None,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read_input_tokens if usage else None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_creation_input_tokens if usage else None,
        "http.response.status_code": record.status,
        "error.type": record.error_type,
        "oauthrouter.request.id": record.request_id,
        "oauthrouter.tier": decision.tier.value if decision is not None and decision.tier is not None else None,
        "oauthrouter.reasoning": decision.reasoning if decision is not None else None,
        "oauthrouter.cost": record.cost,
        "oauthrouter.baseline_cost": record.baseline_cost,
        "oauthrouter.unpriced_model": record.model_answered if record.unpriced else None,
        "oauthrouter.subscription": str(record.subscription).lower(),
    }
    return {name: value for name, value in details.items() if value is not None}

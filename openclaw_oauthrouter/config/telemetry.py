"""``telemetry``: traces, logs and metrics."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from openclaw_oauthrouter.config.section import Section


class TelemetrySettings(Section):
    """What is remembered of requests."""

    ring_size: int = Field(500, ge=1, description="records kept in memory")
    trace_file: bool = Field(True, description="append records to logs/routing-trace.jsonl")
    rotate_bytes: int = Field(32 * 1024 * 1024, ge=4096, description="size at which the trace file is set aside")
    rotate_days: int = Field(30, ge=1, description="rotated files older than this are removed")
    rotate_total_bytes: int = Field(
        2 * 1024 * 1024 * 1024, ge=4096, description="all trace files together; the oldest are removed beyond it"
    )
    prompts: bool = Field(False, description="put prompt text into records")
    metrics: bool = Field(True, description="serve /metrics")
    compress: bool = Field(True, description="pack trace files that were set aside (gzip)")
    otlp_endpoint: str | None = Field(None, description="send OpenTelemetry traces and metrics here (extra: otel)")
    log_format: Literal["text", "json"] = Field("text", description="of the log on standard error; json: one object a line")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="least important lines that are logged"
    )

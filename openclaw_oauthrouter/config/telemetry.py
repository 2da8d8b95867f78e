"""``telemetry``: traces, logs and metrics."""

from __future__ import annotations

from typing import Literal

from openclaw_oauthrouter.config.section import Field, Section


class TelemetrySettings(Section):
    """What is recorded about requests."""

    ring_size: int = Field(500, ge=1, description="number of records kept in memory")
    trace_file: bool = Field(True, description="append records to logs/routing-trace.jsonl")
    rotate_bytes: int = Field(32 * 1024 * 1024, ge=4096, description="size at which a new trace file is begun")
    rotate_days: int = Field(30, ge=1, description="older trace files are removed")
    rotate_total_bytes: int = Field(
        2 * 1024 * 1024 * 1024, ge=4096, description="size of all trace files together; beyond it, the oldest are removed"
    )
    prompts: bool = Field(False, description="record the text of prompts")
    metrics: bool = Field(True, description="serve /metrics")
    compress: bool = Field(True, description="compress older trace files (gzip)")
    otlp_endpoint: str | None = Field(None, description="address for OpenTelemetry traces and metrics (needs the extra otel)")
    log_format: Literal["text", "json"] = Field(
        "text", description="format of the log on standard error; json writes one object a line"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="lowest level that is logged")

"""Puts this room's built-in sinks in place through the hooks."""

from __future__ import annotations

import secrets
import time

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import TraceSink


@hookimpl
def oauthrouter_register_trace_sinks(settings: Settings) -> list[TraceSink]:
    """Ring, and what ``telemetry`` switches on: trace file, metrics, OpenTelemetry."""
    from openclaw_oauthrouter.telemetry.ring import TraceRing

    telemetry = settings.telemetry
    sinks: list[TraceSink] = [TraceRing(telemetry.ring_size, epoch=secrets.token_hex(4))]
    if telemetry.trace_file:
        from openclaw_oauthrouter.telemetry.jsonl import TraceFile
        from openclaw_oauthrouter.telemetry.trace_files import Packer, trace_path

        path = trace_path(settings.home)
        sinks.append(
            TraceFile(
                path,
                clock=time.time,
                rotate_bytes=telemetry.rotate_bytes,
                rotate_days=telemetry.rotate_days,
                total_bytes=telemetry.rotate_total_bytes,
                prompts=telemetry.prompts,
                packer=Packer(path) if telemetry.compress else None,
            )
        )
    if telemetry.log_level in ("debug", "info"):
        from openclaw_oauthrouter.telemetry.access_log import AccessLog

        sinks.append(AccessLog())
    if telemetry.metrics:
        from openclaw_oauthrouter.telemetry.metrics import RequestMetrics

        sinks.append(RequestMetrics())
    if telemetry.otlp_endpoint:
        from openclaw_oauthrouter.telemetry.otlp import OtlpExporter

        sinks.append(OtlpExporter.to_endpoint(telemetry.otlp_endpoint))
    return sinks

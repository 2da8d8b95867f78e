"""Which sinks the settings put in place."""

from __future__ import annotations

from pathlib import Path

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.telemetry import TelemetrySettings
from openclaw_oauthrouter.telemetry.plugin import oauthrouter_register_trace_sinks


def names(home: Path, **telemetry: object) -> list[str]:
    settings = Settings(home=home, telemetry=TelemetrySettings.model_validate(telemetry))
    return [sink.name for sink in oauthrouter_register_trace_sinks(settings=settings)]


def test_sinks_by_setting(tmp_path: Path) -> None:
    assert names(tmp_path) == ["ring", "jsonl", "metrics"]
    assert names(tmp_path, trace_file=False, metrics=False) == ["ring"]


def test_plugin_nothing_is_written_before_the_first_record(tmp_path: Path) -> None:
    names(tmp_path)
    assert list(tmp_path.iterdir()) == []

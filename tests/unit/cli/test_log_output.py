"""The log is what ``telemetry.log_level`` and ``telemetry.log_format`` say."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest

from openclaw_oauthrouter.cli import log_output
from openclaw_oauthrouter.cli.log_output import configure_log, log_path, log_to_file
from openclaw_oauthrouter.config.telemetry import TelemetrySettings


def logged(settings: TelemetrySettings) -> list[str]:
    """The lines that an information, a warning and an exception leave."""
    stream = io.StringIO()
    root = logging.Logger("root of a test")
    root.addHandler(logging.StreamHandler(stream))
    configure_log(settings, root)
    root.info("served %d", 1)
    root.warning("late by %.1f s", 2.5)
    try:
        raise ValueError("odd\nvalue")
    except ValueError:
        root.exception("failed")
    return stream.getvalue().splitlines()


def test_text_is_the_default_and_leaves_out_what_is_no_warning() -> None:
    lines = logged(TelemetrySettings())
    assert lines[0] == "WARNING root of a test: late by 2.5 s"
    assert lines[1] == "ERROR root of a test: failed"


@pytest.mark.parametrize(("level", "count"), [("debug", 3), ("info", 3), ("warning", 2), ("error", 1)])
def test_json_is_one_object_a_line_whatever_is_in_it(level: str, count: int) -> None:
    lines = [json.loads(line) for line in logged(TelemetrySettings.model_validate({"log_level": level, "log_format": "json"}))]
    assert len(lines) == count
    assert (lines[-1]["level"], lines[-1]["message"]) == ("error", "failed")
    assert lines[-1]["exception"].endswith("ValueError: odd\nvalue")
    assert lines[-1]["time"].endswith("+00:00")


def test_log_file_is_written_rotated_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_output, "FILE_BYTES", 2000)
    root = logging.Logger("root of a test")
    log_to_file(tmp_path, root)
    configure_log(TelemetrySettings(), root)
    path = log_path(tmp_path)
    assert path.read_text() == ""
    for number in range(100):
        root.warning("line %d of a long story", number)
    root.handlers[0].close()
    assert sorted(found.name for found in path.parent.iterdir()) == ["gateway.log", "gateway.log.1", "gateway.log.2"]
    assert "WARNING root of a test: line 99 of a long story" in path.read_text()
    assert not log_path(tmp_path).with_name("gateway.log.1").stat().st_mode & 0o077
    configure_log(TelemetrySettings(log_format="json"), root)
    root.error("odd")
    assert json.loads(path.read_text().splitlines()[-1])["message"] == "odd"
    root.handlers[0].close()

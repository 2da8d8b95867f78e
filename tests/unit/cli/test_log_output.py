"""The log is what ``telemetry.log_level`` and ``telemetry.log_format`` say."""

from __future__ import annotations

import io
import json
import logging

import pytest

from openclaw_oauthrouter.cli.log_output import configure_log
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

"""The log on standard error: ``telemetry.log_level`` and ``telemetry.log_format``."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import orjson

from openclaw_oauthrouter.config.telemetry import TelemetrySettings

TEXT = "%(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line: ``time`` (UTC), ``level``, ``logger``, ``message``, and ``exception`` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        line: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def configure_log(settings: TelemetrySettings, root: logging.Logger | None = None) -> None:
    """Make the log what the settings say.

    :param root: whose level and handlers to set; the process's root logger when absent
    """
    root = root or logging.getLogger()
    root.setLevel(settings.log_level.upper())
    formatter = JsonLines() if settings.log_format == "json" else logging.Formatter(TEXT)
    for handler in root.handlers:
        handler.setFormatter(formatter)

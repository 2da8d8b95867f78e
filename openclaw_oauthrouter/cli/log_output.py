"""The log on standard error and in the state folder: ``telemetry.log_level`` and ``telemetry.log_format``."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from openclaw_oauthrouter.config.telemetry import TelemetrySettings

if TYPE_CHECKING:
    from logging.handlers import RotatingFileHandler

TEXT = "%(levelname)s %(name)s: %(message)s"
FILE_TEXT = f"%(asctime)s {TEXT}"
FILE_BYTES = 4 * 1024 * 1024
"""Size at which the log's file is set aside; two older ones are kept."""


def log_path(home: Path) -> Path:
    """Where a gateway with this state folder keeps its log."""
    return home / "logs" / "gateway.log"


def log_to_file(home: Path, root: logging.Logger | None = None) -> None:
    """Write the log into the state folder too, for the command ``logs``; where that cannot be written, standard error must do."""
    root = root or logging.getLogger()
    path = log_path(home)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        handler = LogFile(path)
    except OSError as error:
        root.warning("the log cannot be kept in %s: %s", path, error.strerror)
        return
    handler.setFormatter(logging.Formatter(FILE_TEXT))
    root.addHandler(handler)


class LogFile(logging.Handler):
    """The log's file; what writes and rotates it is loaded with the first record, and most starts have nothing to say."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file: RotatingFileHandler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if self._file is None:
            from logging.handlers import RotatingFileHandler

            self._file = RotatingFileHandler(self._path, maxBytes=FILE_BYTES, backupCount=2, encoding="utf-8", delay=True)
            self._file.rotator = _set_aside
        self._file.setFormatter(self.formatter)
        self._file.emit(record)

    def close(self) -> None:
        """Close the file, if it was opened."""
        if self._file is not None:
            self._file.close()
        super().close()


def _set_aside(path: str, other: str) -> None:
    """Rename the file, and have a private one in its place before it is opened."""
    os.replace(path, other)
    Path(path).touch(mode=0o600)


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
    for handler in root.handlers:
        if settings.log_format == "json":
            handler.setFormatter(JsonLines())
        else:
            handler.setFormatter(logging.Formatter(FILE_TEXT if isinstance(handler, LogFile) else TEXT))

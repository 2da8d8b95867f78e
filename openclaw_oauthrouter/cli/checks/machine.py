"""The machine: interpreter, package, disk, clock, and processes left over from earlier."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import openclaw_oauthrouter
from openclaw_oauthrouter.cli.checks.result import Result, Surroundings, failure, ok, warning

OLDEST_PYTHON = (3, 11)
LEAST_DISK_BYTES = 200 * 1024 * 1024


def check_python(_: Surroundings) -> Iterator[Result]:
    """The interpreter is new enough."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield failure("python", f"{version} is too old", "install Python 3.11 or newer")
    else:
        yield ok("python", f"{version} at {sys.executable}")


def check_package(_: Surroundings) -> Iterator[Result]:
    """The package that runs, and where it lies."""
    yield ok("package", f"openclaw-oauthrouter {openclaw_oauthrouter.__version__} in {_package_folder()}")


def check_disk(around: Surroundings) -> Iterator[Result]:
    """Ledger and traces can grow."""
    folder = next(path for path in (around.settings.home, *around.settings.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    detail = f"{free // 1024**2} MB free at {folder}"
    if free < LEAST_DISK_BYTES:
        yield failure(
            "disk", detail, "free some space: if the spend ledger cannot be written, requests under a budget are refused"
        )
    else:
        yield ok("disk", detail)


def check_clock(around: Surroundings) -> Iterator[Result]:
    """The clock is not behind; token expiry and daily budgets depend on it."""
    now, built = around.clock(), (_package_folder() / "__init__.py").stat().st_mtime
    shown = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if now < built:
        yield failure("clock", f"{shown} is before this package was installed", "set the clock, for example with timedatectl")
    else:
        yield ok("clock", shown)


def check_leftovers(_: Surroundings) -> Iterator[Result]:
    """No gateway has lost its host."""
    orphans = [pid for pid, parent, arguments in _processes() if parent == 1 and _is_hosted(arguments)]
    if orphans:
        pids = " ".join(map(str, orphans))
        yield warning("processes", f"gateways whose OpenClaw has ended: {pids}", f"end them: kill {pids}")
    else:
        yield ok("processes", "no gateway is left over")


def _is_hosted(arguments: str) -> bool:
    return "openclaw_oauthrouter" in arguments and "--host-stdio" in arguments


def _processes() -> Iterator[tuple[int, int, str]]:
    """Process id, parent's id and command line of everything that runs; nothing where there is no ``ps``."""
    program = shutil.which("ps")
    if program is None:
        return
    done = subprocess.run([program, "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=False)  # noqa: S603
    for line in done.stdout.splitlines():
        pid, parent, arguments = (*line.split(maxsplit=2), "", "")[:3]
        if pid.isdigit() and parent.isdigit():
            yield int(pid), int(parent), arguments


def _package_folder() -> Path:
    return Path(openclaw_oauthrouter.__file__).parent

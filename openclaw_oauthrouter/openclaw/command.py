"""Runs the ``openclaw`` command: is it there, how old is it, and what does it say."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value

OLDEST = (2026, 9, 0)
"""The plugin interface this package is tested with begins here."""

_VERSION = lazily(r"(\d{4})\.(\d+)\.(\d+)")


@value(frozen=True, slots=True)
class OpenClaw:
    """An installed OpenClaw.

    :ivar path: the ``openclaw`` program
    :ivar environ: the environment it runs in
    :ivar seconds: how long a subcommand may take
    """

    path: Path
    environ: Mapping[str, str]
    seconds: float = 120.0

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a subcommand and wait for it; output is captured, a failure (silence is one) is for the caller to judge."""
        command = [str(self.path), *arguments]
        try:
            return subprocess.run(  # noqa: S603 a fixed program, no shell
                command,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", f"no answer within {self.seconds:g} s")

    def version(self) -> tuple[int, int, int] | None:
        """``(2026, 9, 6)``; ``None`` when it does not say."""
        found = _VERSION.search(self.run(["--version"]).stdout)
        return (int(found[1]), int(found[2]), int(found[3])) if found else None


def find_openclaw(environ: Mapping[str, str]) -> OpenClaw | None:
    """The ``openclaw`` on the search path."""
    found = shutil.which("openclaw", path=environ.get("PATH"))
    return OpenClaw(Path(found), environ) if found else None

"""How much memory something took."""

from __future__ import annotations

import resource
from contextlib import suppress
from pathlib import Path

_STATUS = Path("/proc/self/status")


class Peak:
    """The process's resident memory above what it was, at its highest.

    :ivar grown_mib: once the block is left
    """

    grown_mib = 0

    def __enter__(self) -> Peak:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # Linux: forget the highest so far
        self._before = _highest()
        return self

    def __exit__(self, *_: object) -> None:
        self.grown_mib = (_highest() - self._before) >> 10


def _highest() -> int:
    """KiB."""
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))

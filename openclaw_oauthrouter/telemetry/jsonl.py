"""Records as lines of a file: private, bounded, and safe to append to from several processes."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.telemetry.public import public_record
from openclaw_oauthrouter.telemetry.trace_files import PACKED, Packer, trace_files

_DAY = 86400.0
_CHECK_SECONDS = 1.0
"""How often the file is looked at from outside: another process may have rotated it, an operator may have removed it."""


class TraceFile:
    """A ``TraceSink`` that appends one JSON line a record with a single ``write``.

    The file is 0600 in a folder 0700. It is set aside under a dated name when it would grow past ``rotate_bytes`` or is older than
    ``rotate_days``; files set aside are packed, those of longer ago than ``rotate_days`` are removed, and the oldest where all together
    pass ``total_bytes``.

    :param packer: packs what was set aside; nobody does when absent

    :raises OSError: from ``receive``, when the file cannot be written; the recorder counts it, and the next record tries again
    """

    name = "jsonl"

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        rotate_bytes: int,
        rotate_days: int,
        prompts: bool = False,
        total_bytes: int = 2 << 30,
        packer: Packer | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._rotate_bytes = rotate_bytes
        self._keep_seconds = rotate_days * _DAY
        self._prompts = prompts
        self._total_bytes = total_bytes
        self._packer = packer
        self._fd: int | None = None
        self._size = 0
        self._identity = (0, 0)
        self._checked_at = 0.0
        self._began_at = 0.0
        self._torn = False

    def receive(self, record: RequestRecord) -> None:
        """Append a record."""
        line = orjson.dumps(public_record(record, prompts=self._prompts), default=str) + b"\n"
        if self._torn:
            line = b"\n" + line
        fd = self._ready(len(line))
        try:
            written = os.write(fd, line)
        except OSError:
            self._let_go()
            raise
        self._size += written
        self._torn = written < len(line)
        if self._torn:
            raise OSError(
                f"only {written} of {len(line)} bytes of a trace line could be written to {str(self._path)!r}; is the disk full?"
            )

    def close(self) -> None:
        """Close the file; the next record opens it again."""
        if self._packer is not None:
            self._packer.stop()
        self._let_go()

    def _let_go(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _ready(self, length: int) -> int:
        now = self._clock()
        if self._fd is not None and now - self._checked_at >= _CHECK_SECONDS:
            self._checked_at = now
            if self._moved_away():
                self._let_go()
        if self._fd is None:
            self._open(now)
        if self._size and (self._size + length > self._rotate_bytes or now - self._began_at > self._keep_seconds):
            self._rotate(now)
        return self._fd if self._fd is not None else self._open(now)

    def _open(self, now: float) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        self._fd = fd
        # A file left behind by somebody with a wider umask would stay readable to others.
        with contextlib.suppress(OSError, AttributeError):
            os.fchmod(fd, 0o600)
        status = os.fstat(fd)
        self._size = status.st_size
        self._identity = (status.st_dev, status.st_ino)
        self._checked_at = now
        self._began_at = _first_moment(self._path) or now
        self._remove_old(now)
        if self._packer is not None:
            self._packer.start()
        return fd

    def _moved_away(self) -> bool:
        try:
            status = os.stat(self._path)
        except OSError:
            return True
        self._size = status.st_size
        return (status.st_dev, status.st_ino) != self._identity

    def _rotate(self, now: float) -> None:
        self._let_go()
        # Whoever is first renames; a second process finds a new, small file or nothing at all.
        with contextlib.suppress(FileNotFoundError):
            os.rename(self._path, self._aside(now))
        self._open(now)

    def _aside(self, now: float) -> Path:
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        target = self._path.with_name(f"{self._path.stem}-{moment}{self._path.suffix}")
        number = 1
        # A packed file frees its plain name, and would be overwritten by the next that is packed under it.
        while target.exists() or target.with_name(f"{target.name}{PACKED}").exists():
            target = self._path.with_name(f"{self._path.stem}-{moment}.{number}{self._path.suffix}")
            number += 1
        return target

    def _remove_old(self, now: float) -> None:
        room = self._total_bytes - self._rotate_bytes  # what the present file may grow to
        for path in reversed(trace_files(self._path)):
            if path != self._path:
                with contextlib.suppress(OSError):
                    status = path.stat()
                    room -= status.st_size
                    if now - status.st_mtime > self._keep_seconds or room < 0:
                        path.unlink()


def _first_moment(path: Path) -> float | None:
    """Unix seconds of the first record that tells them."""
    with contextlib.suppress(OSError), path.open("rb") as lines:
        for line in lines:
            with contextlib.suppress(orjson.JSONDecodeError, AttributeError):
                told = orjson.loads(line).get("ts")
                # What checks whole records (`reader`) takes longer to load than all of this.
                if type(told) in (int, float) and told >= 0:
                    return float(told) / 1000
    return None

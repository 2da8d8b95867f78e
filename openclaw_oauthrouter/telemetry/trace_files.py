"""The files a trace consists of: the one that grows, those set aside from it, and their packing once nobody writes to them."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

FILE_NAME = "routing-trace.jsonl"
PACKED = ".gz"

QUIET_SECONDS = 3.0
"""Another process may write to a file for a second after it was set aside."""

_PART = ".part"
_STALE_SECONDS = 3600.0
"""A process that was killed while it packed leaves its part behind."""


def trace_path(home: Path) -> Path:
    """Where the trace lies inside the state folder."""
    return home / "logs" / FILE_NAME


def trace_files(path: Path) -> list[Path]:
    """The trace file and its rotated predecessors, packed ones too, oldest first; only those that exist, each once."""
    rotated = {file.name: file for file in path.parent.glob(f"{path.stem}-*{path.suffix}")}
    rotated |= {file.stem: file for file in path.parent.glob(f"{path.stem}-*{path.suffix}{PACKED}")}
    files = [rotated[name] for name in sorted(rotated)]
    return [*files, path] if path.exists() else files


@contextlib.contextmanager
def open_trace(file: Path) -> Iterator[tuple[BufferedReader, Callable[[], int]]]:
    """A trace file's lines, packed or not, and what tells how many bytes of it have been taken from the disk.

    :raises OSError: it cannot be opened; while reading, a packed file is broken (``EOFError`` where it ends too early)
    """
    packed = file.with_name(f"{file.name}{PACKED}")
    if file.suffix != PACKED and not file.exists() and packed.exists():
        file = packed  # since the folder was looked at
    with file.open("rb") as raw:
        if file.suffix != PACKED:
            yield raw, raw.tell
            return
        with gzip.GzipFile(fileobj=raw) as lines:
            yield lines, raw.tell  # type: ignore[misc]


class Packer:
    """Packs what was set aside, in a thread of its own: a tenth of the room is enough for it.

    Several processes may share the folder: whoever makes the part file packs.

    :param path: the trace file
    :param quiet_seconds: how long nobody must have written to a file
    """

    def __init__(self, path: Path, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._path = path
        self._quiet_seconds = quiet_seconds
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._wanted = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Pack whatever lies there unpacked; returns at once."""
        with self._lock:
            self._stopped.clear()
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="trace-packer", daemon=True)
                self._thread.start()

    def stop(self, wait: float = 2.0) -> None:
        """Leave off; what is half packed is packed by the next process."""
        self._stopped.set()
        thread = self._thread
        if thread is not None:
            thread.join(wait)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._wanted or self._stopped.is_set():
                    self._thread = None
                    return
                self._wanted = False
            self._pack_all()

    def _pack_all(self) -> None:
        while not self._stopped.is_set():
            try:
                waiting = [file for file in trace_files(self._path) if file.suffix != PACKED and file != self._path]
            except OSError:  # the folder is gone
                return
            ready = [file for file in waiting if self._is_quiet(file)]
            for file in ready:
                # A folder that cannot be written is told of by whoever writes the trace.
                with contextlib.suppress(OSError, InterruptedError):
                    self._pack(file)
            if len(ready) == len(waiting):
                return
            self._stopped.wait(self._quiet_seconds / 2)

    def _is_quiet(self, file: Path) -> bool:
        with contextlib.suppress(OSError):
            # By how long ago the disk says it was; a clock that was set back must not keep us waiting.
            return not 0 <= time.time() - file.stat().st_mtime < self._quiet_seconds
        return True

    def _pack(self, file: Path) -> None:
        target = file.with_name(f"{file.name}{PACKED}")
        part = target.with_name(f"{target.name}{_PART}")
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE_SECONDS:
                part.unlink()
        status = file.stat()
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, status.st_mtime) as packed, file.open("rb") as lines:
                while block := lines.read(1 << 20):
                    if self._stopped.is_set():
                        raise InterruptedError
                    packed.write(block)
                packed.flush()
                os.fsync(raw.fileno())
            shutil.copystat(file, part)
            if file.stat().st_size != status.st_size:
                raise InterruptedError  # somebody still writes; the next rotation finds it
            os.replace(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        file.unlink()

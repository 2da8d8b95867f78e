"""A lock between processes: a folder beside the file, as OpenClaw and the original make it (npm's ``proper-lockfile``)."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from openclaw_oauthrouter.canonical.clock import Clock

STALE_SECONDS = 10.0  # untouched for so long, its owner is taken for dead
_TOUCH_SECONDS = 2.5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25  # seconds between two tries


class DirectoryLock:
    """``with DirectoryLock(path):`` holds ``<path>.lock``; making a folder is atomic on every file system.

    The owner touches the folder while it holds it, so a slow owner is never taken for a dead one.

    :param target: the file to guard; a symbolic link is followed first, so that every name of a file means one lock
    :param patience: seconds to wait for it
    """

    def __init__(
        self,
        target: Path,
        *,
        patience: float = 45.0,
        clock: Clock = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = Path(f"{os.path.realpath(target)}.lock")
        self._patience = patience
        self._clock = clock
        self._sleep = sleep
        self._released = threading.Event()
        self._inode = 0

    def __enter__(self) -> DirectoryLock:
        """Take the lock.

        :raises TimeoutError: somebody alive held it all the time
        :raises OSError: the folder does not allow it
        """
        waited, pause = 0.0, _FIRST_PAUSE
        while not self._taken():
            if waited >= self._patience:
                raise TimeoutError(f"{str(self.path)!r} has been held for {self._patience:.0f} s")
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        self._released.clear()
        threading.Thread(target=self._keep_alive, name="credential-lock", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give it back, unless it has been taken for dead and belongs to somebody else by now."""
        self._released.set()
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_ino == self._inode:
                self.path.rmdir()

    def _taken(self) -> bool:
        try:
            self.path.mkdir()
            self._inode = self.path.stat().st_ino
        except FileExistsError:
            self._bury_if_dead()
            return False
        return True

    def _bury_if_dead(self) -> None:
        """Take a dead owner's lock away: by renaming, which of several takers only one can do."""
        grave = self.path.with_name(f"{self.path.name}.{uuid4().hex}")
        try:
            seen = self.path.stat()
            if self._clock() - seen.st_mtime <= STALE_SECONDS:
                return
            self.path.rename(grave)
            buried = grave.stat()
            if (buried.st_ino, buried.st_mtime_ns) != (seen.st_ino, seen.st_mtime_ns):
                grave.rename(self.path)  # somebody had just taken it: it is theirs
            else:
                grave.rmdir()
        except FileNotFoundError:
            return

    def _keep_alive(self) -> None:
        while not self._released.wait(_TOUCH_SECONDS):
            try:
                os.utime(self.path)
            except OSError:
                return

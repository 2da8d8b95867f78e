"""Writes a file of our state so that at every moment it is either the old one or the new one, and reads nothing that has no end."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from tempfile import mkstemp

_LEFTOVER_SECONDS = 3600.0


def write_private(path: Path, data: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Replace a file: written beside it, then renamed over it.

    A symbolic link keeps pointing where it does; the file it leads to is replaced.

    :param mode: of the new file
    :param durable: flush it to disk first, so that it survives a power cut; not worth the wait for what can be done without
    :raises OSError: the old file is untouched
    """
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        raise OSError(errno.EINVAL, "not a plain file", str(path))  # a device would be gone for everybody
    descriptor, temporary = mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)  # 0600 from the start
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(descriptor)
        if mode != 0o600:
            os.chmod(temporary, mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if durable:
        _flush_folder(target.parent)
    _remove_leftovers(target)


MOST_READ = 256 << 20
"""Bytes of a file of ours; the largest, tables of prices, have a few million."""


def read_plain(path: Path) -> bytes:
    """The content of a file; a pipe, which may have nobody at its other end, or a device in its place is an error and not waited for.

    :raises OSError: it cannot be read
    """
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_READ:
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        return file.read()


def private_folder(path: Path) -> Path:
    """Make sure that a folder exists and that only its owner may enter it.

    :raises OSError: it cannot be made
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where folders can be flushed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_leftovers(target: Path) -> None:
    """Remove what writers that were killed long ago have left: it holds secrets."""
    newest = target.stat().st_mtime
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        with contextlib.suppress(OSError):
            if newest - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
                leftover.unlink()

"""Reads a file of secrets again whenever it has changed, and says in plain words why it cannot be read."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.errors import CredentialError

_TICK = 0.1  # seconds; the coarsest tick of a kernel in use is 10 ms
LARGEST = 4 * 1024 * 1024  # bytes; a credential file larger than this is something else

_log = logging.getLogger(__name__)
_POSIX = os.name == "posix"

T = TypeVar("T")
Signature = tuple[int, ...]


class WatchedFile(Generic[T]):
    """One file, parsed once per change; asking again costs one ``stat``.

    :param parse: raises ``ValueError`` saying what is wrong with the bytes, without quoting them
    :param clock: Unix seconds, as the file system counts them
    """

    def __init__(self, path: Path, parse: Callable[[bytes], T], clock: Clock) -> None:
        self.path = path
        self._parse = parse
        self._clock = clock
        self._seen: Signature | None = None
        self._value: T | None = None
        self._problem: str | None = None
        self._warned: str | None = None

    def read(self) -> T | None:
        """What the file holds; ``None`` when there is no file.

        :raises CredentialError: it is there, but cannot be used; names the path, what is wrong and what to do
        """
        signature = signature_of(self.path)
        if signature is None:
            self._seen = None
            return None
        if signature != self._seen:
            self._load()
            self._seen = signature if settled(signature, self._clock()) else None
        if self._problem is not None:
            raise CredentialError(self._problem, code="credential_file")
        return self._value

    def _load(self) -> None:
        self._value, self._problem = None, None
        try:
            self._value = self._parse(read_private(self.path))
        except CredentialError as error:
            self._problem = error.message
        except (ValueError, RecursionError) as error:
            self._problem = f"{str(self.path)!r} {error}"
        self._warn(self._problem or _openness(self.path))

    def _warn(self, warning: str | None) -> None:
        """Into the log once, not with every look."""
        if warning is not None and warning != self._warned:
            _log.warning("credential file %s", warning)
        self._warned = warning


def signature_of(path: Path) -> Signature | None:
    """What changes when the file does; ``None`` when there is no file.

    :raises CredentialError: a folder on the way is closed, or a symbolic link leads nowhere
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise CredentialError(f"{str(path)!r} is a symbolic link that leads nowhere; remove or correct it") from None
        return None
    except OSError as error:
        raise CredentialError(f"{str(path)!r} cannot be read ({error.strerror}); check its owner and permissions") from None
    # ctime too: a chmod that makes the file readable changes nothing else.
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev, status.st_ctime_ns)


def settled(signature: Signature, now: float) -> bool:
    """Whether a further change would show: a file system counts time in ticks, so two writes in one tick look like one.

    :param now: Unix seconds
    """
    return now - signature[0] / 1e9 > _TICK


def read_private(path: Path) -> bytes:
    """The bytes of a file of secrets; a symbolic link is followed, for some people keep such files elsewhere.

    :raises CredentialError: it is not a plain file of ours, is empty or far too large, or may not be read
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for its other end.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise CredentialError(f"{str(path)!r} cannot be read ({error.strerror}); check its owner and permissions") from None
    try:
        problem = _problem_of(os.fstat(descriptor))
        if problem:
            raise CredentialError(f"{str(path)!r} {problem}", code="credential_file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST)
    finally:
        os.close(descriptor)


def _problem_of(status: os.stat_result) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "is not a plain file; move it away"
    if status.st_size == 0:
        return "is empty; restore it or remove it"
    if status.st_size > LARGEST:
        return f"is larger than {LARGEST // 1024 // 1024} MB and cannot be a credential file; move it away"
    if _POSIX and status.st_uid not in (os.getuid(), 0):
        return "belongs to another user; secrets of others are not used"
    return None


def _openness(path: Path) -> str | None:
    with contextlib.suppress(OSError):
        if _POSIX and path.stat().st_mode & 0o077:
            return f"{str(path)!r} can be read by other users of this machine; run: chmod 600 {path}"
    return None

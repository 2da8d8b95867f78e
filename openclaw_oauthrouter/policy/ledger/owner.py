"""Who made a hold, and whether that process still lives: a killed process cannot give back what it held."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_UNKNOWN = "-"


class Owner(NamedTuple):
    """A process, told apart from a later one with the same number.

    :ivar host: host name and, on Linux, the process-number namespace: a container sees other numbers than its neighbours
    :ivar boot: the kernel's id of this boot; ``-`` where it has none
    :ivar started: start time in clock ticks since boot; ``-`` where it cannot be told
    """

    host: str
    boot: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.host} {self.boot} {self.pid} {self.started}"


def this_process() -> Owner:
    """The owner of holds made here; ask again after a fork."""
    pid = os.getpid()
    return Owner(f"{socket.gethostname()}/{_namespace()}", _boot(), pid, _started(pid))


def has_died(owner: str, here: Owner) -> bool:
    """Whether the process is certainly gone.

    False where it cannot be told: another host or container, or Windows, whose processes cannot be asked by number without
    signalling them. Such holds go when they expire.

    :param owner: as ``str(Owner)``
    """
    try:
        host, boot, number, started = owner.split(" ")
        pid = int(number)
    except ValueError:
        return False
    if host != here.host:
        return False
    if boot != here.boot:
        return True
    return not _runs(pid) or _started(pid) != started


def _runs(pid: int) -> bool:
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    return _stat_field(pid, 0) == "Z"


def _started(pid: int) -> str:
    return _stat_field(pid, 19)


def _stat_field(pid: int, index: int) -> str:
    """A field of ``/proc/<pid>/stat``, counted from behind the command name, which may itself hold spaces and parentheses."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return _UNKNOWN
    return text.rpartition(")")[2].split()[index]


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _UNKNOWN


def _namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return _UNKNOWN

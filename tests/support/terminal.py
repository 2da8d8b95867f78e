"""A command in a terminal of its own: what it shows is read, and keys are pressed, as by somebody who sits there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CTRL_C, CTRL_D = "\x03", "\x04"

_SECONDS = 40.0
"""For anything that is waited for; on a busy machine a start takes a while."""

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

_TAKE_TERMINAL = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Passwords are asked for at the controlling terminal, which a session has to take first."""


class Terminal:
    """The near end of a pseudo terminal.

    :ivar shown: all that has been shown, as it came
    """

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.shown = ""
        self._master = master
        self._seen = 0

    @property
    def text(self) -> str:
        """What has been shown, without colours."""
        return _ESCAPES.sub("", self.shown).replace("\r\n", "\n")

    def wait_for(self, words: str) -> str:
        """Read until words come that have not been waited for yet.

        :return: what came before them
        """
        deadline = time.monotonic() + _SECONDS
        while (found := self.text.find(words, self._seen)) < 0:
            assert self._read(deadline), f"{words!r} did not come after:\n{self.text}"
        before = self.text[self._seen : found]
        self._seen = found + len(words)
        return before

    def type(self, keys: str) -> None:
        """Press keys; Enter is ``\\n``."""
        if keys == CTRL_C:
            self._until_it_waits()
        os.write(self._master, keys.encode())

    def end(self) -> int:
        """Read to the end, and give the exit code."""
        deadline = time.monotonic() + _SECONDS
        while self._read(deadline):
            pass
        return self.process.wait(_SECONDS)

    def _until_it_waits(self) -> None:
        """Until it sleeps: a signal that comes just before Python reads a line is noticed only with the next key."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        deadline = time.monotonic() + _SECONDS
        asleep = 0
        while asleep < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
            state = stat.read_text().rpartition(")")[2].split()[0] if stat.exists() else "S"
            asleep = asleep + 1 if state == "S" else 0

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def in_terminal(words: Sequence[str], environ: Mapping[str, str], columns: int = 100, lines: int = 40) -> Iterator[Terminal]:
    """Run our own command line in a terminal, for as long as the context lasts."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    command = [sys.executable, "-c", _TAKE_TERMINAL, sys.executable, "-P", "-m", "openclaw_oauthrouter", *words]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=dict(environ), start_new_session=True)
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        os.close(master)

"""Run as a program: forks a writer again and again, killed before its first, second, third … line; prints the outcome of each.

``<line> <killed|finished> <old|new|broken> <modes of all files in the folder>``
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from openclaw_oauthrouter.config import private_file

OLD, NEW = b"old" * 50_000, b"new" * 70_000


def write_until(path: Path, line: int) -> None:
    left = line

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != private_file.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    private_file.write_private(path, NEW)
    os._exit(0)


def main(folder: str) -> None:
    path = Path(folder) / "credentials.json"
    finished = False
    line = 0
    while not finished:
        line += 1
        path.write_bytes(OLD)
        path.chmod(0o600)
        child = os.fork()
        if child == 0:
            write_until(path, line)
        finished = os.waitpid(child, 0)[1] == 0
        content = {OLD: "old", NEW: "new"}.get(path.read_bytes(), "broken")
        modes = {oct(stat.S_IMODE(file.stat().st_mode)) for file in path.parent.iterdir()}
        print(line, "finished" if finished else "killed", content, *modes)


if __name__ == "__main__":
    main(*sys.argv[1:])

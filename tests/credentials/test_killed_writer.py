"""A writer killed at any line of its work leaves the old file or the new one, never half of one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from openclaw_oauthrouter.credentials import private_file

OLD, NEW = b"old" * 50_000, b"new" * 70_000


def write_and_die(path: Path, line: int) -> None:
    """Write, but be killed before the n-th line that runs in the module."""
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
    sys.settrace(None)


def test_a_writer_killed_anywhere_leaves_a_whole_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    path = tmp_path / "credentials.json"
    outcomes = []
    for line in range(1, 100):
        path.write_bytes(OLD)
        path.chmod(0o600)
        process = context.Process(target=write_and_die, args=(path, line))
        process.start()
        process.join()
        content = path.read_bytes()
        assert content in (OLD, NEW)
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        outcomes.append(content == NEW)
        if process.exitcode == 0:
            break
    assert process.exitcode == 0
    assert outcomes == sorted(outcomes)  # once new, always new
    assert outcomes.count(False) >= 8  # it was really killed along the way
    assert outcomes.count(True) >= 3


def test_a_later_writer_clears_away_old_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    leftover, recent, foreign = (
        tmp_path / name for name in (".credentials.json.abc.tmp", ".credentials.json.new.tmp", ".other.tmp")
    )
    for file in (leftover, recent, foreign):
        file.write_bytes(b"x")
    os.utime(leftover, (1000, 1000))

    private_file.write_private(path, NEW)

    assert {file.name for file in tmp_path.iterdir()} == {path.name, recent.name, foreign.name}


def test_a_link_keeps_pointing_where_it_did(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(OLD)
    link.symlink_to(real)

    private_file.write_private(link, NEW)

    assert link.is_symlink()
    assert real.read_bytes() == NEW

"""A writer killed at any line of its work leaves the old file or the new one, never half of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_oauthrouter.config.private_file import write_private

PROGRAM = Path(__file__).with_name("write_and_be_killed.py")


def test_killed_writer_writer_killed_anywhere_leaves_a_whole_private_file(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, PROGRAM, tmp_path], check=True, stdout=subprocess.PIPE, text=True)
    rows = [line.split() for line in result.stdout.splitlines()]
    assert {row[2] for row in rows} == {"old", "new"}
    assert all(row[3:] == ["0o600"] for row in rows)
    contents = [row[2] for row in rows]
    assert contents == sorted(contents, reverse=True)  # once new, always new
    assert contents.count("old") >= 8  # it was really killed along the way
    assert contents.count("new") >= 3
    assert [row[1] for row in rows] == ["killed"] * (len(rows) - 1) + ["finished"]


def test_killed_writer_later_writer_clears_away_old_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    leftover, recent, foreign = (
        tmp_path / name for name in (".credentials.json.abc.tmp", ".credentials.json.new.tmp", ".other.tmp")
    )
    for file in (leftover, recent, foreign):
        file.write_bytes(b"x")
    os.utime(leftover, (1000, 1000))

    write_private(path, b"new")

    assert {file.name for file in tmp_path.iterdir()} == {path.name, recent.name, foreign.name}


def test_killed_writer_link_keeps_pointing_where_it_did(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"old")
    link.symlink_to(real)

    write_private(link, b"new")

    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_killed_writer_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "credentials.json"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

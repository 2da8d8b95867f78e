"""The lock between processes: one at a time, alive while held, taken over when its owner is dead."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from openclaw_oauthrouter.credentials import directory_lock
from openclaw_oauthrouter.credentials.directory_lock import STALE_SECONDS, DirectoryLock


def test_directory_lock_one_at_a_time(tmp_path: Path) -> None:
    target, inside, most = tmp_path / "file", [], []

    def work() -> None:
        for _ in range(10):
            with DirectoryLock(target, sleep=lambda _: time.sleep(0.001)):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 40
    assert list(tmp_path.iterdir()) == []


def test_patience_ends(tmp_path: Path) -> None:
    pauses: list[float] = []
    with DirectoryLock(tmp_path / "file"), pytest.raises(TimeoutError, match="held for 2 s"):
        DirectoryLock(tmp_path / "file", patience=2.0, sleep=pauses.append).__enter__()
    assert 2.0 <= sum(pauses) < 2.5
    assert pauses == sorted(pauses)


def test_directory_lock_every_name_of_a_file_is_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with DirectoryLock(tmp_path / "link"):
        assert (tmp_path / "file.lock").is_dir()


@pytest.mark.parametrize(("age", "taken"), [(STALE_SECONDS - 1, False), (STALE_SECONDS + 1, True)])
def test_directory_lock_only_a_dead_owners_lock_is_taken_over(tmp_path: Path, age: float, taken: bool) -> None:
    lock = tmp_path / "file.lock"
    lock.mkdir()
    died = time.time() - age
    os.utime(lock, (died, died))
    now = time.time()
    candidate = DirectoryLock(tmp_path / "file", patience=0.1, clock=lambda: now, sleep=lambda _: None)
    if taken:
        with candidate:
            assert lock.stat().st_mtime > died + 1
        assert list(tmp_path.iterdir()) == []
    else:
        with pytest.raises(TimeoutError):
            candidate.__enter__()
        assert list(tmp_path.iterdir()) == [lock]


def test_directory_lock_lock_taken_afresh_while_it_is_being_buried_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "file.lock"
    lock.mkdir()
    os.utime(lock, (1000, 1000))
    rename = Path.rename

    def taken_meanwhile(self: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        lock.rmdir()
        (tmp_path / "keeps-the-inode").mkdir()
        lock.mkdir()  # another process was faster
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", taken_meanwhile)
    with pytest.raises(TimeoutError):
        DirectoryLock(tmp_path / "file", patience=0.05, sleep=lambda _: None).__enter__()
    assert lock.is_dir()


def test_directory_lock_owner_taken_for_dead_leaves_the_new_owners_lock_alone(tmp_path: Path) -> None:
    lock = tmp_path / "file.lock"
    with DirectoryLock(tmp_path / "file"):
        lock.rename(tmp_path / "buried")
        lock.mkdir()
    assert lock.is_dir()


def test_directory_lock_slow_owner_keeps_its_lock_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_lock, "_TOUCH_SECONDS", 0.01)
    lock = tmp_path / "file.lock"
    with DirectoryLock(tmp_path / "file"):
        os.utime(lock, (1000, 1000))
        touched = threading.Event()
        for _ in range(500):
            if lock.stat().st_mtime > 1000:
                touched.set()
                break
            time.sleep(0.01)
        assert touched.is_set()


def test_directory_lock_closed_folder_is_no_endless_wait(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DirectoryLock(tmp_path / "gone" / "file").__enter__()

"""Whether the maker of a hold still lives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_oauthrouter.policy.ledger import owner
from openclaw_oauthrouter.policy.ledger.owner import has_died, this_process

HERE = this_process()


def test_owner_this_process_lives() -> None:
    assert not has_died(str(HERE), HERE)


@pytest.mark.parametrize(
    ("change", "died"),
    [
        ({"started": "1"}, True),  # its number was given to another process
        ({"boot": "another"}, True),
        ({"pid": 2**22 + 1}, True),
        ({"host": "another"}, False),
        ({"host": "another", "boot": "another"}, False),
    ],
)
def test_owner_what_tells_a_dead_process(change: dict[str, object], died: bool) -> None:
    assert has_died(str(HERE._replace(**change)), HERE) is died


@pytest.mark.parametrize("text", ["", "x", "a b c", "a b notanumber d"])
def test_owner_that_cannot_be_read_is_left_to_expire(text: str) -> None:
    assert not has_died(text, HERE)


def test_owner_killed_process_that_nobody_has_buried_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    maker = str(HERE._replace(pid=process.pid, started=_started(process.pid)))
    assert not has_died(maker, HERE)
    process.kill()
    subprocess.run(["sh", "-c", f"while ! grep -q ' Z ' /proc/{process.pid}/stat; do :; done"], timeout=10, check=True)
    assert has_died(maker, HERE)
    process.communicate()
    assert has_died(maker, HERE)


def test_owner_without_proc_the_number_alone_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(owner, "_PROC", tmp_path)
    here = this_process()
    assert (here.boot, here.started) == ("-", "-")
    assert not has_died(str(here), here)
    assert has_died(str(here._replace(pid=2**22 + 1)), here)


def test_owner_on_windows_nothing_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(owner, "_PROC", tmp_path)
    monkeypatch.setattr(owner.os, "name", "nt")
    here = this_process()
    assert not has_died(str(here._replace(pid=2**22 + 1)), here)


def _started(pid: int) -> str:
    return owner._started(pid)

"""Whether the maker of a hold still lives."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openclaw_oauthrouter.policy.ledger.owner import has_died, this_process

HERE = this_process()


def test_this_process_lives() -> None:
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
def test_what_tells_a_dead_process(change: dict[str, object], died: bool) -> None:
    assert has_died(str(HERE._replace(**change)), HERE) is died


@pytest.mark.parametrize("text", ["", "x", "a b c", "a b notanumber d"])
def test_an_owner_that_cannot_be_read_is_left_to_expire(text: str) -> None:
    assert not has_died(text, HERE)


def test_a_killed_process_that_nobody_has_buried_is_dead() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = str(HERE._replace(pid=process.pid, started=_started(process.pid)))
    assert not has_died(owner, HERE)
    process.kill()
    subprocess.run(["sh", "-c", f"while ! grep -q ' Z ' /proc/{process.pid}/stat; do :; done"], timeout=10, check=True)
    assert has_died(owner, HERE)
    process.communicate()
    assert has_died(owner, HERE)


def _started(pid: int) -> str:
    from openclaw_oauthrouter.policy.ledger import owner

    return owner._started(pid)

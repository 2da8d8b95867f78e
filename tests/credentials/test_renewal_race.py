"""Many processes, one single-use refresh token."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROCESSES = 50
PROGRAM = Path(__file__).with_name("ask_in_many_processes.py")


def ask(state_dir: Path, token_url: str, processes: int) -> list[str]:
    arguments = [sys.executable, PROGRAM, state_dir, token_url, str(processes)]
    return subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")[:-1]


@pytest.mark.timeout(240)
def test_fifty_processes_share_one_refresh(expired_profiles: Path, token_server) -> None:
    token_server.pause = 0.2

    got = ask(expired_profiles.parent, token_server.url, PROCESSES)

    assert token_server.forms == [
        {"grant_type": "refresh_token", "refresh_token": "refresh-0", "client_id": "app_EMoamEEZ73f0CkXaXp7hrann"}
    ]
    store = json.loads(expired_profiles.read_text())
    profile = store["profiles"]["openai-codex:default"]
    assert got == [profile["access"]] * PROCESSES
    assert profile["refresh"] == "refresh-1"
    assert profile["email"] == "a@example.org"
    assert profile["expires"] == profile["expiresAt"] > time.time() * 1000
    assert store["future"] == {"deep": [1, 2, {"x": None}]}
    assert stat.S_IMODE(expired_profiles.stat().st_mode) == 0o600
    assert [path.name for path in expired_profiles.parent.iterdir()] == [expired_profiles.name]


HOLD_AND_DIE = """
import os, signal, sys
from pathlib import Path
from openclaw_oauthrouter.credentials.directory_lock import DirectoryLock
with DirectoryLock(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_renewal_race_lock_of_a_killed_process_is_taken_over(expired_profiles: Path, token_server) -> None:
    holder = subprocess.run([sys.executable, "-c", HOLD_AND_DIE, expired_profiles], check=False)
    assert holder.returncode == -signal.SIGKILL
    lock = expired_profiles.with_name("auth-profiles.json.lock")
    assert lock.is_dir()
    long_ago = time.time() - 11
    os.utime(lock, (long_ago, long_ago))

    got = ask(expired_profiles.parent, token_server.url, 2)

    assert len(token_server.forms) == 1
    assert got == [json.loads(expired_profiles.read_text())["profiles"]["openai-codex:default"]["access"]] * 2
    assert not lock.exists()

"""Many processes, one single-use refresh token."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import stat
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from queue import SimpleQueue

import pytest

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials.builtin import builtin_sources
from openclaw_oauthrouter.credentials.chain import CredentialChain

PROCESSES = 50


def chain_for(state_dir: Path, token_url: str) -> CredentialChain:
    settings = Settings(
        home=state_dir / "oauthrouter", credentials={"openclaw_state_dir": state_dir, "openai_token_url": token_url}
    )
    return CredentialChain(builtin_sources(settings, {}, time.time, lambda: 0.5), settings.credentials, time.time)


def ask(state_dir: Path, token_url: str, start: Barrier, answers: SimpleQueue) -> None:
    chain = chain_for(state_dir, token_url)
    start.wait()
    try:
        answers.put(asyncio.run(chain.resolve("openai-codex"))[0].secret.reveal())
    except Exception as error:
        answers.put(repr(error))


@pytest.mark.timeout(240)
def test_fifty_processes_share_one_refresh(expired_profiles: Path, token_server) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["openclaw_oauthrouter.credentials.builtin", "openclaw_oauthrouter.credentials.chain"])
    start, answers = context.Barrier(PROCESSES), context.SimpleQueue()
    arguments = (expired_profiles.parent, token_server.url, start, answers)
    processes = [context.Process(target=ask, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    got = [answers.get() for _ in processes]
    for process in processes:
        process.join()

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


def hold_and_die(path: Path) -> None:
    from openclaw_oauthrouter.credentials.directory_lock import DirectoryLock

    with DirectoryLock(path):
        os.kill(os.getpid(), signal.SIGKILL)


def test_the_lock_of_a_killed_process_is_taken_over(expired_profiles: Path, token_server) -> None:
    process = multiprocessing.get_context("forkserver").Process(target=hold_and_die, args=(expired_profiles,))
    process.start()
    process.join()
    lock = expired_profiles.with_name("auth-profiles.json.lock")
    assert lock.is_dir()
    long_ago = time.time() - 11
    os.utime(lock, (long_ago, long_ago))

    found = asyncio.run(chain_for(expired_profiles.parent, token_server.url).resolve("openai-codex"))

    assert found[0].account_id == "account-1"
    assert not lock.exists()

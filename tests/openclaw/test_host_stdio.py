"""``serve --host-stdio`` from the host's side of the pipe, without a host."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.real_programs import Sandbox, Upstream

KEY = "sk-ant-api03-lent-over-the-pipe"


class Pipe:
    """Lines to and from the gateway."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def say(self, message: object) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    command = [sys.executable, "-P", "-m", "openclaw_oauthrouter", "serve", "--host-stdio"]
    environ = Sandbox(tmp_path).environ
    with subprocess.Popen(command, env=environ, stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        yield Pipe(process)
        process.kill()


@contextmanager
def lending(pipe: Pipe) -> Iterator[None]:
    """Answer one question in the background, as the host would."""

    def answer() -> None:
        question = pipe.hear()
        assert question["provider"] == "anthropic"
        pipe.say({"id": question["id"], "result": {"apiKey": KEY, "mode": "api-key"}})

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    thread.join()


def test_host_stdio_it_serves_on_what_it_is_lent_until_the_host_goes(pipe: Pipe, upstream: Upstream) -> None:
    providers = {"anthropic": {"apiBase": upstream.origin}}
    config = {"server": {"port": 0}, "providers": providers, "credentials": {"order": ["host"]}}
    pipe.say({"type": "config", "config": config})
    ready = pipe.hear()
    assert ready["type"] == "ready"
    body = {"model": "anthropic/claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {ready['token']}"}
    with httpx.Client(headers=headers, trust_env=False, timeout=20) as client, lending(pipe):
        answer = client.post(f"{ready['baseUrl']}/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert [sent.get("x-api-key") for _, sent, _ in upstream.requests] == [KEY]
    rest, log = pipe.process.communicate(timeout=30)
    assert pipe.process.returncode == 0
    assert rest == ""
    assert KEY not in log


def test_host_stdio_wrong_setting_is_named_before_it_ends(pipe: Pipe) -> None:
    pipe.say({"type": "config", "config": {"server": {"prot": 1}}})
    output, log = pipe.process.communicate(timeout=30)
    assert pipe.process.returncode == 2
    assert output == ""
    assert "did you mean 'port'" in log

"""The demo works whatever is configured, and leaves what is somebody's own alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.cli.root import root

CONFIG = """\
[spend_controls]
daily_request_budget = 2
allowlist_models = ["openai/gpt-5.4"]

[providers.anthropic]
api_base = "http://127.0.0.1:1"
api_key = "sk-ant-of-the-user"

[providers.mine]
api_base = "http://127.0.0.1:1"
api_key = "sk-of-the-user"
models = ["llama"]

[telemetry]
otlp_endpoint = "http://127.0.0.1:1"
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with budgets that the demo would exceed and providers it must not use."""
    for name in [name for name in os.environ if name.startswith(("OAUTHROUTER_", "ANTHROPIC_", "OPENAI_", "DEEPSEEK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OAUTHROUTER_HOME", str(tmp_path / "state"))
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "config.toml").write_text(CONFIG)
    return tmp_path / "state"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_demo_spends_and_records_nothing_of_ones_own(state: Path) -> None:
    rows = json.loads(
        subprocess.check_output([sys.executable, "-P", "-m", "openclaw_oauthrouter", "demo", "--json", "--port", "0"])
    )
    assert [row["tier"] for row in rows] == ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]
    assert all("This is the demo speaking" in row["answer"] for row in rows)
    assert names(state) == {"config.toml", "local-token"}
    report = CliRunner().invoke(root, ["report", "--days", "1"]).output
    assert "nothing was recorded" in report


@contextmanager
def serving(*options: str) -> Iterator[tuple[str, list[str]]]:
    """A gateway of the command line; its address, and what it said first."""
    command = [sys.executable, "-P", "-u", "-m", "openclaw_oauthrouter", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said: list[str] = []
        while not said or not said[-1].startswith(("demo:", "providers:")):
            said.append(process.stdout.readline())
        yield said[0].split()[3], said
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_serving_the_demo_takes_the_usual_token_and_nothing_else_of_ones_own(state: Path) -> None:
    with serving("--demo") as (address, said):
        assert f"local token: {state / 'local-token'}\n" in said
        token = CliRunner().invoke(root, ["token"]).stdout.strip()
        with httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=20) as client:
            for _ in range(3):
                asked = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
                assert client.post("/v1/chat/completions", json=asked).status_code == 200
            assert client.post("/v1/chat/completions", json={**asked, "model": "mine/llama"}).status_code == 404
    assert names(state) == {"config.toml", "local-token"}


def test_demo_that_cannot_answer_says_so(state: Path) -> None:
    (state / "config.toml").write_text("[upstream.timeouts]\ntotal = 0.000001\n")
    command = [sys.executable, "-P", "-m", "openclaw_oauthrouter", "demo", "--once", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the demo's own request was refused")


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_demo_port_there_cannot_be_is_refused(command: str) -> None:
    done = CliRunner().invoke(root, [command, "--port", "99999"])
    assert done.exit_code == 2
    assert "0<=x<=65535" in done.output

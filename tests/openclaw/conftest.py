"""The real OpenClaw in a home of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.real_programs import Sandbox, Upstream, free_port, program, running, running_upstream, wait_until

CONFIG = """\
// written by hand
{
  gateway: { mode: "local", port: %d, bind: "loopback", auth: { mode: "token", token: "gateway-token" } }, // ours
}
"""
_READY = re.compile(r"oauthrouter: ready at (\S+) \(pid (\d+)\)")


@dataclass
class Host(Sandbox):
    """OpenClaw, its state folder and its configuration."""

    port: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        node, entry = program("OAUTHROUTER_E2E_NODE"), program("OAUTHROUTER_E2E_OPENCLAW")
        command = self.root / "bin" / "openclaw"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{node}" "{entry}" "$@"\n')
        command.chmod(0o755)
        self.port = free_port()
        self.environ["PATH"] = f"{command.parent}:{self.environ['PATH']}"
        self.environ["OAUTHROUTER_PORT"] = str(free_port())
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(CONFIG % self.port)

    @property
    def config(self) -> Path:
        """``openclaw.json``."""
        return self.home / ".openclaw" / "openclaw.json"

    @property
    def log(self) -> Path:
        """What the gateway printed."""
        return self.root / "gateway.log"

    def openclaw(self, *arguments: str, stdin: str = "") -> str:
        """Run an OpenClaw command."""
        return self.run(["openclaw", *arguments], stdin=stdin).stdout

    def plugins(self) -> dict[str, str]:
        """Where each plugin that OpenClaw knows comes from, by id."""
        listed = json.loads(self.openclaw("plugins", "list", "--json"))
        return {plugin["id"]: plugin["origin"] for plugin in listed["plugins"]}

    def local_turn(self, message: str) -> str:
        """What the agent answers, without a gateway."""
        return _text(self.openclaw("agent", "--local", "--session-id", "s1", "--message", message, "--json"))

    def turn(self, message: str) -> str:
        """What the agent answers, through the gateway."""
        return _text(self.openclaw("agent", "--agent", "main", "--message", message, "--json"))

    @contextmanager
    def gateway(self) -> Iterator[Any]:
        """The gateway, ready."""
        with running(self, ["openclaw", "gateway", "--port", str(self.port)], self.log) as process:
            wait_until(
                lambda: process.poll() is not None or re.search(r"\[gateway\] ready", self.printed()), "the gateway is ready", 200
            )
            assert process.poll() is None, self.printed()[-3000:]
            try:
                yield process
            finally:
                print(self.printed()[-6000:])  # shown when the test fails

    def printed(self) -> str:
        """What the gateway printed so far, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.log.read_text(errors="replace"))

    def python_pids(self) -> list[int]:
        """Python processes that the plugin has reported as ready, oldest first."""
        return [int(found[2]) for found in _READY.finditer(self.printed())]


def _text(output: str) -> str:
    answer = json.loads(output[output.index("{") :])
    payloads = answer.get("payloads") or answer["result"]["payloads"]
    return "\n".join(payload.get("text") or "" for payload in payloads)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running_upstream() as found:
        yield found


@pytest.fixture(scope="module")
def module_upstream() -> Iterator[Upstream]:
    """One for all tests of a file that share an OpenClaw."""
    with running_upstream() as found:
        yield found

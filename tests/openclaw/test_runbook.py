"""The commands of the runbook and of deploy.md, run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.openclaw.conftest import Host
from tests.support.real_programs import Sandbox, Upstream

DOCS = Path(__file__).parents[2] / "docs"
_BOX = re.compile(r"^```bash *(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
KEY = "sk-ant-api03-of-the-runbook-0123456789"


@dataclass(frozen=True)
class Command:
    """A line of a box.

    :ivar kind: the box's mark: ``background``, ``anywhere`` or nothing
    """

    kind: str
    line: str


def commands(name: str = "openclaw-runbook.md") -> Iterator[Command]:
    for box in _BOX.finditer((DOCS / name).read_text()):
        for line in box[2].splitlines():
            yield Command(box[1], line)


def run(sandbox: Sandbox, line: str) -> str:
    """Run a line with our own port in place of the usual one."""
    port = sandbox.environ.get("OAUTHROUTER_PORT", "8402")
    return sandbox.run(["bash", "-euo", "pipefail", "-c", line.replace("8402", port)]).stdout


def with_our_command(sandbox: Sandbox) -> None:
    sandbox.environ["PATH"] = f"{Path(sys.executable).parent}:{sandbox.environ['PATH']}"


def test_runbook_boxes_are_found() -> None:
    kinds = [command.kind for command in commands()]
    assert kinds.count("background") == 1
    assert len(ANYWHERE) >= 4
    assert len(DEPLOYING) >= 2
    assert kinds.count("") >= 15


ANYWHERE = [command.line for command in commands() if command.kind == "anywhere"]
DEPLOYING = [command.line for command in commands("deploy.md")]


@pytest.mark.parametrize("line", [*ANYWHERE, *DEPLOYING])
def test_commands_that_need_no_openclaw(tmp_path: Path, line: str) -> None:
    sandbox = Sandbox(tmp_path)
    sandbox.environ["ANTHROPIC_API_KEY"] = KEY
    with_our_command(sandbox)
    assert run(sandbox, line)


@pytest.mark.e2e
@pytest.mark.timeout(700)
def test_runbook_from_top_to_bottom(host: Host, upstream: Upstream) -> None:
    with_our_command(host)
    host.config.unlink()
    (host.root / "anthropic-key.txt").write_text(f"{KEY}\n")
    host.state.mkdir(parents=True)
    (host.state / "config.json").write_text(json.dumps({"providers": {"anthropic": {"apiBase": upstream.origin}}}))
    with ExitStack() as stack:
        for command in commands():
            if command.kind == "background":
                gateway = stack.enter_context(host.gateway())
            elif command.line.startswith("ssh "):
                check_ssh(host, command.line)
            else:
                answered = len(upstream.requests)
                output = run(host, command.line)
                if "openclaw agent" in command.line or "chat/completions" in command.line:
                    assert len(upstream.requests) > answered, output
                if "openclaw onboard" in command.line:
                    # Another gateway may have the usual port of the machine that tests run on.
                    host.openclaw("config", "set", "gateway.port", str(host.port))
            if "--route local-service" in command.line:
                # Nothing may be left running that the local service could lean on.
                gateway.terminate()
                gateway.wait(30)
    assert {headers.get("x-api-key") for _, headers, _ in upstream.requests} == {KEY}
    assert "oauthrouter" not in host.config.read_text()


def check_ssh(host: Host, line: str) -> None:
    """Nobody to connect to; the client itself says whether it understands the line."""
    if shutil.which("ssh"):
        assert "localforward 8402 [127.0.0.1]:8402" in host.run(["ssh", "-G", *line.split()[1:]]).stdout

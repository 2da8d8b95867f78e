"""The table of docs/clients.md: what each client does through the gateway, with the real client."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.clients.agents import AGENTS, PICTURE, QUIET, put_on_path
from tests.clients.matrix import ABILITIES, COMMANDS, PROGRAMS, Run
from tests.support.real_programs import Sandbox, Upstream, program, running_gateway, running_upstream, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

HERE = Path(__file__).parent / "programs"
SAID = "This is the demo speaking"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as found:
        yield found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("matrix")).tidy() as sandbox:
        sandbox.state.mkdir(parents=True)
        (sandbox.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
        sandbox.environ |= {"PICTURE": PICTURE, **QUIET}
        (sandbox.root / "square.png").write_bytes(base64.b64decode(PICTURE))
        with running_gateway(sandbox):
            yield sandbox


def interpreter(folder: str) -> Path:
    """Python of an environment that .ci/install-clients has made; ``""`` for the one that tests run in."""
    return program("OAUTHROUTER_E2E_FRAMEWORKS").parents[2] / folder / "bin" / "python" if folder else Path(sys.executable)


def printed(sandbox: Sandbox, name: str) -> dict[str, Any]:
    """What a program says of itself in its last line."""
    row = PROGRAMS[name]
    if not row.file.endswith(".mjs"):
        # -P: the programs are named like what they import.
        done = sandbox.ours("run", "--", str(interpreter(row.environment)), "-P", str(HERE / row.file))
        return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]
    # Beside the modules' folder, where Node looks for them.
    copy = program("OAUTHROUTER_E2E_SDKS").parents[2] / f"{os.getpid()}-{row.file}"
    copy.write_text((HERE / row.file).read_text())
    try:
        done = sandbox.ours("run", "--", str(program("OAUTHROUTER_E2E_NODE")), str(copy))
    finally:
        copy.unlink()
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", PROGRAMS)
def test_sdk_or_framework(name: str, sandbox: Sandbox, upstream: Upstream) -> None:
    since, left = len(upstream.requests), len(upstream.left)
    said = printed(sandbox, name)
    abilities = PROGRAMS[name].abilities
    assert set(said) - {"partial"} == set(abilities) - {"abort"}
    for ability in ("plain", "stream"):
        assert ability not in abilities or SAID in said[ability]
    assert "tools" not in abilities or said["tools"] == "get_weather"
    assert "structured" not in abilities or said["structured"] == "demo"
    assert "models" not in abilities or any("auto" in model for model in said["models"])
    sent = b"".join(body for _, _, body in upstream.requests[since:])
    assert "image" not in abilities or PICTURE[:60].encode() in sent
    if "abort" in abilities:
        wait_until(lambda: len(upstream.left) > left, "the provider is left when the client goes")


@pytest.mark.parametrize(("name", "ability"), [(name, ability) for name, row in COMMANDS.items() for ability in row.runs])
def test_command_line(name: str, ability: str, sandbox: Sandbox, upstream: Upstream) -> None:
    command = put_on_path(sandbox, name)
    run = COMMANDS[name].runs[ability]
    for path, text in run.files.items():
        (sandbox.root / path).parent.mkdir(parents=True, exist_ok=True)
        (sandbox.root / path).write_text(text)
    if run.set_up:
        sandbox.ours("setup", name, "--yes", *AGENTS[name].options)
    words = [word.replace("{root}", str(sandbox.root)) for word in run.words]
    whole = [command, *words] if run.set_up else [sys.executable, "-P", "-m", "openclaw_oauthrouter", "run", name, *words]
    try:
        CHECKS[ability](sandbox, upstream, whole, run)
    finally:
        if run.set_up:
            sandbox.ours("setup", name, "--undo", "--yes")


def _stream(sandbox: Sandbox, upstream: Upstream, words: list[str], run: Run) -> None:
    since = len(upstream.requests)
    assert SAID in sandbox.run(words, stdin=run.stdin).stdout
    assert any(json.loads(body).get("stream") for _, _, body in upstream.requests[since:] if b"say hello" in body)


def _tools(sandbox: Sandbox, upstream: Upstream, words: list[str], run: Run) -> None:
    since = len(upstream.requests)
    sandbox.run(words, stdin=run.stdin)
    # The tool has run, and the model was told what came of it.
    assert any(b"hello-from-tool" in body and body.count(b"USE_TOOL") for _, _, body in upstream.requests[since + 1 :])
    last = upstream.requests[-1][2]
    assert b"tool_result" in last or b"function_call_output" in last or b"custom_tool_call_output" in last


def _structured(sandbox: Sandbox, upstream: Upstream, words: list[str], run: Run) -> None:
    printed = sandbox.run(words, stdin=run.stdin).stdout
    assert "demo" in printed
    assert "city" in printed


def _image(sandbox: Sandbox, upstream: Upstream, words: list[str], run: Run) -> None:
    since = len(upstream.requests)
    sandbox.run(words, stdin=run.stdin.replace("{picture}", PICTURE))
    sent = [body for _, _, body in upstream.requests[since:]]
    assert any(b'"input_image"' in body or b'"type":"image"' in body for body in sent)


def _models(sandbox: Sandbox, upstream: Upstream, words: list[str], run: Run) -> None:
    assert "auto" in sandbox.run(words, stdin=run.stdin).stdout


def _abort(sandbox: Sandbox, upstream: Upstream, words: list[str], run: Run) -> None:
    left = len(upstream.left)
    process = subprocess.Popen(
        words,
        env=sandbox.environ,
        cwd=sandbox.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: upstream.counting, "it counts", 90)
        os.killpg(process.pid, signal.SIGINT)
        wait_until(lambda: len(upstream.left) > left, "the provider is left when the client is interrupted")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


CHECKS = {"stream": _stream, "tools": _tools, "structured": _structured, "image": _image, "models": _models, "abort": _abort}


def test_matrix_every_client_of_the_table_is_run() -> None:
    assert len(PROGRAMS) + len(COMMANDS) >= 15
    assert {path.name for path in HERE.glob("*.*") if path.name != "__init__.py"} == {row.file for row in PROGRAMS.values()}
    assert set(COMMANDS) == set(AGENTS)
    for row in COMMANDS.values():
        assert set(row.runs) | set(row.elsewhere) | set(row.without) == set(ABILITIES)

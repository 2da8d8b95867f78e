"""Claude Code and Codex CLI, as ``setup`` configures them, take a turn through the gateway."""

import json
from pathlib import Path

import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.support.real_programs import Sandbox, Upstream, program, running_gateway, running_upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(200)]


@pytest.fixture
def upstream():
    with running_upstream() as found:
        yield found


@pytest.fixture
def sandbox(tmp_path: Path, upstream: Upstream):
    sandbox = Sandbox(tmp_path)
    sandbox.state.mkdir(parents=True)
    (sandbox.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
    with running_gateway(sandbox):
        yield sandbox


def exported(sandbox: Sandbox) -> dict[str, str]:
    words = [line.partition(" ") for line in sandbox.ours("setup", "env").stdout.splitlines()]
    return dict(assignment.split("=", 1) for command, _, assignment in words if command == "export")


@pytest.mark.parametrize("model", ["auto", "claude-opus-5-5"])
def test_claude_code(sandbox: Sandbox, upstream: Upstream, model: str) -> None:
    claude = program("OAUTHROUTER_E2E_CLAUDE")
    sandbox.ours("setup", "claude-code", "--yes")
    settings = sandbox.home / ".claude" / "settings.json"
    assert exported(sandbox)["ANTHROPIC_AUTH_TOKEN"] not in settings.read_text()
    sandbox.environ |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
    answer = json.loads(sandbox.run([claude, "-p", "say hi", "--model", model, "--output-format", "json"]).stdout)
    assert answer["is_error"] is False
    assert answer["result"]
    assert any(b"say hi" in body for _, _, body in upstream.requests)
    sandbox.ours("setup", "claude-code", "--undo", "--yes")
    assert "ANTHROPIC_BASE_URL" not in (settings.read_text() if settings.exists() else "")


def test_codex(sandbox: Sandbox, upstream: Upstream) -> None:
    codex = program("OAUTHROUTER_E2E_CODEX")
    sandbox.ours("setup", "codex", "--default-model", "--yes")
    sandbox.environ["OAUTHROUTER_LOCAL_TOKEN"] = exported(sandbox)["OAUTHROUTER_LOCAL_TOKEN"]
    answer = sandbox.run([codex, "exec", "--skip-git-repo-check", "--json", "say hi"]).stdout
    events = [json.loads(line) for line in answer.splitlines() if line.startswith("{")]
    assert any(event.get("item", {}).get("type") == "agent_message" for event in events)
    assert any(b"say hi" in body for _, _, body in upstream.requests)
    sandbox.ours("setup", "codex", "--undo", "--yes")
    config = sandbox.home / ".codex" / "config.toml"
    assert "oauthrouter" not in (config.read_text() if config.exists() else "")

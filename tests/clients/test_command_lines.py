"""Claude Code and Codex CLI, as ``setup`` configures them, take a turn through the gateway."""

import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.support.real_programs import Sandbox, Upstream, program, running_gateway, running_upstream

CODEX_PATH = "/backend-api/codex/responses"

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


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


def claude_answers(sandbox: Sandbox, *arguments: str) -> dict[str, Any]:
    """One headless turn of Claude Code."""
    claude = program("OAUTHROUTER_E2E_CLAUDE")
    sandbox.environ |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
    answer: dict[str, Any] = json.loads(sandbox.run([claude, "-p", *arguments, "--output-format", "json"]).stdout)
    assert answer["is_error"] is False
    return answer


def codex_says(sandbox: Sandbox, *arguments: str) -> str:
    """What Codex CLI says at the end of one headless turn."""
    codex = program("OAUTHROUTER_E2E_CODEX")
    sandbox.environ["OAUTHROUTER_LOCAL_TOKEN"] = exported(sandbox)["OAUTHROUTER_LOCAL_TOKEN"]
    lines = sandbox.run([codex, "exec", "--skip-git-repo-check", "--json", *arguments]).stdout.splitlines()
    items = [json.loads(line).get("item", {}) for line in lines if line.startswith("{")]
    return [item["text"] for item in items if item.get("type") == "agent_message"][-1]


@pytest.mark.parametrize(("model", "path"), [("claude-opus-5-5", "/v1/messages"), ("openai-codex/gpt-5.6-sol", CODEX_PATH)])
def test_claude_code_calls_a_tool_at_either_vendor(sandbox: Sandbox, upstream: Upstream, model: str, path: str) -> None:
    sandbox.ours("setup", "claude-code", "--yes")
    prompt = 'USE_TOOL Bash {"command": "echo hello-from-tool", "description": "say hello"}'
    answer = claude_answers(sandbox, prompt, "--model", model, "--allowedTools", "Bash(echo:*)")
    assert "hello-from-tool" in answer["result"]
    assert {where for where, _, body in upstream.requests if b"USE_TOOL" in body} == {path}


@pytest.mark.parametrize(
    ("model", "path"), [("openai-codex/gpt-5.6-sol", CODEX_PATH), ("anthropic/claude-haiku-4-5", "/v1/messages")]
)
def test_codex_calls_a_tool_at_either_vendor(sandbox: Sandbox, upstream: Upstream, model: str, path: str) -> None:
    sandbox.ours("setup", "codex", "--default-model", "--yes")
    prompt = 'USE_TOOL exec_command {"cmd": "echo hello-from-tool"}'
    said = codex_says(sandbox, "--sandbox", "danger-full-access", "-c", f"model={model}", prompt)
    assert "hello-from-tool" in said
    assert {where for where, _, body in upstream.requests if b"USE_TOOL" in body} == {path}


@pytest.mark.parametrize("model", ["auto", "claude-opus-5-5"])
def test_claude_code(sandbox: Sandbox, upstream: Upstream, model: str) -> None:
    sandbox.ours("setup", "claude-code", "--yes")
    settings = sandbox.home / ".claude" / "settings.json"
    assert exported(sandbox)["ANTHROPIC_AUTH_TOKEN"] not in settings.read_text()
    assert claude_answers(sandbox, "say hi", "--model", model)["result"]
    assert any(b"say hi" in body for _, _, body in upstream.requests)
    sandbox.ours("setup", "claude-code", "--undo", "--yes")
    assert "ANTHROPIC_BASE_URL" not in (settings.read_text() if settings.exists() else "")


def test_codex(sandbox: Sandbox, upstream: Upstream) -> None:
    sandbox.ours("setup", "codex", "--default-model", "--yes")
    assert codex_says(sandbox, "say hi")
    assert any(b"say hi" in body for _, _, body in upstream.requests)
    sandbox.ours("setup", "codex", "--undo", "--yes")
    config = sandbox.home / ".codex" / "config.toml"
    assert "oauthrouter" not in (config.read_text() if config.exists() else "")


def tiers_of(sandbox: Sandbox) -> list[tuple[str, str | None]]:
    """Kind and tier of every request that the router led, from the gateway's trace."""
    lines = sandbox.ours("trace", "--json", "-n", "50").stdout.splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return [(event["routing"]["kind"], event["routingTier"]) for event in events if event.get("routingTier")]


def test_claude_codes_hello_and_side_requests_under_auto_are_simple_or_medium(sandbox: Sandbox) -> None:
    sandbox.ours("setup", "claude-code", "--yes")
    claude_answers(sandbox, "say hi", "--model", "auto")
    found = tiers_of(sandbox)
    assert found
    assert {tier for _, tier in found} <= {"SIMPLE", "MEDIUM"}, found

"""Claude Code and Codex CLI show our models in their pickers: what each of them made of our list stands in files and output of its own."""

import json
from pathlib import Path

import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.support.real_programs import Sandbox, program, running_gateway, running_upstream, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


@pytest.fixture
def sandbox(tmp_path: Path):
    sandbox = Sandbox(tmp_path)
    sandbox.state.mkdir(parents=True)
    with running_upstream() as upstream:
        (sandbox.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
        with running_gateway(sandbox):
            yield sandbox


def test_claude_code_offers_our_models(sandbox: Sandbox) -> None:
    claude = program("OAUTHROUTER_E2E_CLAUDE")
    sandbox.ours("setup", "claude-code", "--yes")
    sandbox.environ["DISABLE_AUTOUPDATER"] = "1"
    kept = sandbox.home / ".claude" / "cache" / "gateway-models.json"

    def asked() -> bool:
        sandbox.run([claude, "-p", "say hi", "--model", "claude-auto", "--output-format", "json"])
        return kept.exists()

    wait_until(asked, "Claude Code keeps the gateway's list")
    shown = {model["id"]: model.get("display_name") for model in json.loads(kept.read_text())["models"]}
    assert list(shown)[:2] == ["claude-auto", "claude-auto-economy"]
    assert all(shown.values())
    assert any(name.startswith("claude-via/openai-codex/") for name in shown)


def test_codex_offers_our_models(sandbox: Sandbox) -> None:
    codex = program("OAUTHROUTER_E2E_CODEX")
    sandbox.ours("setup", "codex", "--default-model", "--yes")
    kept = sandbox.home / ".codex" / "models_cache.json"

    def asked() -> bool:
        sandbox.run([codex, "exec", "--skip-git-repo-check", "say hi"])
        return kept.exists()

    wait_until(asked, "Codex keeps the gateway's list")
    # What "debug models" prints is what the picker shows, by priority.
    shown = json.loads(sandbox.run([codex, "debug", "models"]).stdout)["models"]
    shown.sort(key=lambda model: model["priority"])
    assert shown[0]["slug"] == "auto"
    assert {"anthropic/claude-opus-5-5", "openai-codex/gpt-6.2-sol"} <= {model["slug"] for model in shown}
    again = sandbox.run([codex, "exec", "--skip-git-repo-check", "say hi"])
    assert "metadata" not in again.stderr

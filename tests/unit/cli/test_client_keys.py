"""``client-keys`` and ``config unset|undo``: what the dashboard changes, from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.cli.root import root

TEXT = "# mine\n[spend_controls]\ndaily_cost_budget = 5.0\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = tmp_path / "config.toml"
    config.write_text(f'home = "{tmp_path / "home"}"\n{TEXT}')
    return config


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(root, ["--config", str(config), *words], obj={})


def test_client_keys_add_prints_the_token_once_and_list_never(config: Path) -> None:
    added = run(config, "client-keys", "add", "alice", "--cost", "1.5", "--json")
    token = json.loads(added.stdout)["token"]
    assert len(token) >= 40
    listed = run(config, "client-keys", "list", "--json")
    assert json.loads(listed.stdout) == [
        {"name": "alice", "allowlist_models": [], "daily_request_budget": None, "daily_cost_budget": 1.5}
    ]
    assert token not in run(config, "client-keys", "list").output
    assert run(config, "client-keys", "add", "alice").exit_code != 0


def test_config_undo_takes_the_latest_change_back_first(config: Path) -> None:
    before = config.read_text()
    assert run(config, "config", "set", 'routing.aliases."gpt-4.1"', "openai/gpt-5.4").exit_code == 0
    assert run(config, "client-keys", "add", "alice").exit_code == 0
    assert run(config, "client-keys", "remove", "alice").exit_code == 0
    assert [one["settings"] for one in json.loads(run(config, "config", "undo", "--json").stdout)] == [
        ["server.client_keys.alice"],
        ["server.client_keys.alice"],
        ["routing.aliases.gpt-4.1"],
    ]
    for _ in range(3):
        assert run(config, "config", "undo", "--yes").exit_code == 0
    assert config.read_text() == before
    assert "nothing to undo" in run(config, "config", "undo", "--yes").output


def test_config_dry_run_shows_lines_and_changes_nothing(config: Path) -> None:
    before = config.read_text()
    shown = run(config, "config", "set", "spend_controls.daily_cost_budget", "2", "--dry-run")
    assert "+daily_cost_budget = 2" in shown.output
    assert "-daily_cost_budget" in run(config, "config", "unset", "spend_controls.daily_cost_budget", "--dry-run").output
    assert config.read_text() == before

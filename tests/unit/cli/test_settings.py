"""Commands start from the settings of the gateway that runs: OpenClaw's, once its file leads here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.openclaw.manifest import SHIM


class Home:
    """A home folder whose OpenClaw leads here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names = ("OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH", "OPENCLAW_HOME", "OAUTHROUTER_PORT", "OAUTHROUTER_HOME")
        self.environ: dict[str, str | None] = {
            "HOME": str(path),
            **dict.fromkeys((*names, "OAUTHROUTER_LOCAL_TOKEN", "OAUTHROUTER_CONFIG")),
        }

    def openclaw(self, document: dict[str, Any]) -> None:
        file = self.path / ".openclaw" / "openclaw.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document))

    def plugin(self, config: dict[str, Any], **more: Any) -> None:
        entry = {"enabled": True, "config": {"python": "/x/python", **config}}
        self.openclaw({"plugins": {"load": {"paths": [str(SHIM)]}, "entries": {"oauthrouter": entry}}, **more})

    def run(self, *arguments: str) -> Any:
        done = CliRunner(env=self.environ).invoke(root, arguments)
        assert done.exit_code == 0, (done.output, done.exception)
        return done

    def shown(self, key: str, *options: str) -> tuple[Any, str]:
        rows = json.loads(self.run(*options, "config", "show", "--json").stdout)
        return next((row["value"], row["source"]) for row in rows if row["key"] == key)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_settings_plugins_settings_win_and_are_named(home: Home) -> None:
    home.environ["OAUTHROUTER_PORT"] = "9000"
    home.plugin({"server": {"port": 21320}, "spendControls": {"dailyRequestBudget": 3}})
    assert home.shown("server.port") == (21320, "~/.openclaw/openclaw.json")
    assert home.shown("spend_controls.daily_request_budget") == (3, "~/.openclaw/openclaw.json")
    done = home.run("spend")
    assert "No limits are set" not in done.stdout
    assert "settings: those of ~/.openclaw/openclaw.json" in done.stderr


@pytest.mark.parametrize(
    "env", [{"OAUTHROUTER_LOCAL_TOKEN": "of-the-host"}, {"vars": {"OAUTHROUTER_LOCAL_TOKEN": "of-the-host"}}]
)
def test_variables_of_the_host_are_read(home: Home, env: dict[str, Any]) -> None:
    home.plugin({}, env=env)
    assert home.run("token", "--show").stdout == "of-the-host\n"
    home.environ["OAUTHROUTER_LOCAL_TOKEN"] = "of-the-shell"
    assert home.run("token", "--show").stdout == "of-the-shell\n"


def test_references_to_variables_are_filled_in(home: Home) -> None:
    home.plugin({"server": {"authToken": "${MY_TOKEN}"}}, env={"MY_TOKEN": "referred-to"})
    assert home.run("token", "--show").stdout == "referred-to\n"


def test_settings_file_the_gateway_is_started_with_is_read(home: Home) -> None:
    file = home.path / "own.toml"
    file.write_text("[server]\nport = 9002\nmax_connections = 7\n")
    home.plugin({"configFile": str(file), "server": {"port": 9003}})
    assert home.shown("server.max_connections") == (7, f"file {file}")
    assert home.shown("server.port")[0] == 9003
    assert home.shown("server.port", "--config", str(file)) == (9002, f"file {file}")


def test_settings_local_service_says_where_it_runs(home: Home) -> None:
    environment = {"OAUTHROUTER_HOME": str(home.path / "state"), "OAUTHROUTER_PORT": "9100"}
    service = {"command": "/x/python", "args": ["-m", "openclaw_oauthrouter", "serve"], "env": environment}
    home.openclaw({"models": {"providers": {"oauthrouter": {"localService": service}}}})
    home.environ["OAUTHROUTER_PORT"] = "9000"
    assert home.shown("server.port") == (9100, "environment OAUTHROUTER_PORT")
    assert home.shown("home")[0] == str(home.path / "state")


@pytest.mark.parametrize("text", ["{ broken", '{"gateway": {"port": 1}}', '{"plugins": 5}'])
def test_settings_host_that_does_not_lead_here_changes_nothing(home: Home, text: str) -> None:
    home.openclaw({})
    (home.path / ".openclaw" / "openclaw.json").write_text(text)
    assert home.shown("server.port") == (8402, "default")

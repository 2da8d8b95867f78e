"""The commands that change other programs' files, from the command line's end."""

from __future__ import annotations

import json
import plistlib
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import json5
import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.cli import service as service_module
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.openclaw.manifest import SHIM

SEED = """\
// by hand
{
  agents: { defaults: {
    model: { primary: "oauthrouter/auto" },
    models: { "oauthrouter/auto": { provider: "oauthrouter", contextWindow: 200000, maxTokens: 128000, alias: "router" } },
  } },
}
"""


class Home:
    """A person's home folder, and the command line in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ: dict[str, str | None] = {
            "HOME": str(path),
            "PATH": str(path / "bin"),
            **dict.fromkeys(("OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_PATH", "OAUTHROUTER_PORT", "OAUTHROUTER_HOME", "CODEX_HOME")),
            **dict.fromkeys(("OAUTHROUTER_LOCAL_TOKEN", "OAUTHROUTER_CONFIG", "CLAUDE_CONFIG_DIR", "OPENCLAW_HOME")),
        }

    def run(self, *arguments: str, stdin: str = "") -> Result:
        return CliRunner(env=self.environ).invoke(root, arguments, input=stdin)

    def ok(self, *arguments: str, stdin: str = "") -> str:
        done = self.run(*arguments, stdin=stdin)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    def file(self, name: str, text: str | None = None) -> Path:
        path = self.path / name
        if text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_install_links_the_plugin_and_uninstall_restores(home: Home) -> None:
    config = home.file(".openclaw/openclaw.json", "// hello\n{ gateway: { port: 1 } }\n")
    output = home.ok("openclaw", "install", "--yes")
    assert "openclaw models set oauthrouter/auto" in output
    document = json5.loads(config.read_text())
    assert document["plugins"]["load"]["paths"] == [str(SHIM)]
    assert document["plugins"]["entries"]["oauthrouter"]["enabled"] is True
    assert "agents" not in document
    assert "already set up" in home.ok("openclaw", "install", "--yes")
    assert json.loads(home.ok("openclaw", "status", "--json"))["route"] == "linked"
    home.ok("openclaw", "install", "--undo", "--yes")
    assert config.read_text() == "// hello\n{ gateway: { port: 1 } }\n"
    assert "nothing to undo" in home.ok("openclaw", "uninstall", "--yes")


def test_setup_commands_nothing_is_written_without_consent(home: Home) -> None:
    assert "Nothing was changed" in home.ok("openclaw", "install", stdin="n\n")
    assert not home.file(".openclaw/openclaw.json").exists()
    home.ok("openclaw", "install", stdin="y\n")
    assert home.file(".openclaw/openclaw.json").exists()


def test_setup_commands_default_model_changes_only_when_asked_to_and_stays_on_a_second_run(home: Home) -> None:
    config = home.file(".openclaw/openclaw.json", '{"agents": {"defaults": {"model": "anthropic/claude"}}}')
    home.ok("openclaw", "install", "--default-model", "--yes")
    assert json5.loads(config.read_text())["agents"]["defaults"]["model"] == "oauthrouter/auto"
    home.ok("openclaw", "install", "--yes")
    assert json5.loads(config.read_text())["agents"]["defaults"]["model"] == "oauthrouter/auto"
    home.ok("openclaw", "uninstall", "--yes")
    assert json5.loads(config.read_text())["agents"]["defaults"]["model"] == "anthropic/claude"


def test_setup_commands_old_snippet_is_explained_and_taken_out(home: Home) -> None:
    config = home.file(".openclaw/openclaw.json", SEED)
    assert "older description" in (json.loads(home.ok("openclaw", "status", "--json"))["problem"] or "")
    assert "older description" in home.ok("openclaw", "install", "--yes")
    assert json5.loads(config.read_text())["agents"]["defaults"]["models"] == {"oauthrouter/auto": {"alias": "router"}}
    assert "already set up" in home.ok("openclaw", "install", "--yes")
    assert "Not restored, because OpenClaw refuses it" in home.ok("openclaw", "uninstall", "--yes")
    document = json5.loads(config.read_text())
    assert document["agents"]["defaults"]["models"] == {"oauthrouter/auto": {"alias": "router"}}
    assert "plugins" not in document
    assert config.read_text().startswith("// by hand\n")


OLD_ENTRY = {
    "baseUrl": "http://127.0.0.1:8499/v1",
    "apiKey": "old-token-of-the-original",
    "api": "openai-completions",
    "models": [{"id": "auto", "name": "auto", "contextWindow": 200000}],
}


def test_setup_commands_entry_of_the_former_product_is_taken_out_and_put_back(home: Home) -> None:
    before = json.dumps({"models": {"providers": {"oauthrouter": OLD_ENTRY, "mine": {"baseUrl": "http://x"}}}}, indent=2)
    config = home.file(".openclaw/openclaw.json", before)
    output = home.ok("openclaw", "install", "--yes")
    assert "stands there from an earlier set-up" in output
    assert "old-token-of-the-original" not in output
    assert json.loads(config.read_text())["models"]["providers"] == {"mine": {"baseUrl": "http://x"}}
    assert "already set up" in home.ok("openclaw", "install", "--yes")
    home.ok("openclaw", "uninstall", "--yes")
    assert config.read_text() == before


def test_setup_commands_entry_with_refused_keys_is_put_back_without_them(home: Home) -> None:
    old = {**OLD_ENTRY, "discovery": True, "models": ["auto", {"id": "m", "tier": 1}]}
    config = home.file(".openclaw/openclaw.json", json.dumps({"models": {"providers": {"oauthrouter": old}}}))
    home.ok("openclaw", "install", "--yes")
    config.write_text(config.read_text().replace('"models"', '"models"', 1) + "\n")  # somebody has touched it
    output = home.ok("openclaw", "uninstall", "--yes")
    assert "models.providers.oauthrouter.discovery" in output
    assert "models[1].tier" in output
    entry = json.loads(config.read_text())["models"]["providers"]["oauthrouter"]
    assert "discovery" not in entry
    assert entry["models"] == [{"id": "auto", "name": "auto"}, {"id": "m", "name": "m"}]


def test_setup_commands_local_service_replaces_an_entry_of_the_former_product(home: Home) -> None:
    before = json.dumps({"models": {"providers": {"oauthrouter": OLD_ENTRY}}})
    config = home.file(".openclaw/openclaw.json", before)
    home.ok("openclaw", "install", "--route", "local-service", "--yes")
    assert "localService" in json.loads(config.read_text())["models"]["providers"]["oauthrouter"]
    home.ok("openclaw", "uninstall", "--yes")
    assert config.read_text() == before


def test_profiles_that_openclaw_has_not_imported_are_named(home: Home) -> None:
    home.file(".openclaw/agents/main/agent/auth-profiles.json", "{}")
    assert "openclaw doctor --fix" in home.ok("openclaw", "install", "--yes")


def test_setup_commands_exclusive_list_of_plugins_is_joined(home: Home) -> None:
    config = home.file(".openclaw/openclaw.json", '{"plugins": {"allow": ["browser"]}}')
    home.ok("openclaw", "install", "--yes")
    assert json5.loads(config.read_text())["plugins"]["allow"] == ["browser", "oauthrouter"]


def test_setup_commands_what_differs_from_the_usual_is_told_to_the_plugin(home: Home) -> None:
    home.environ |= {"OAUTHROUTER_PORT": "9001", "OAUTHROUTER_HOME": str(home.path / "elsewhere")}
    home.ok("openclaw", "install", "--yes")
    entry = json5.loads(home.file(".openclaw/openclaw.json").read_text())["plugins"]["entries"]["oauthrouter"]
    assert entry["config"]["server"] == {"port": 9001}
    assert entry["config"]["home"] == str(home.path / "elsewhere")


def test_changing_the_route_takes_the_former_one_back(home: Home) -> None:
    home.ok("openclaw", "install", "--yes")
    home.ok("openclaw", "install", "--route", "local-service", "--yes")
    document = json5.loads(home.file(".openclaw/openclaw.json").read_text())
    assert "plugins" not in document
    provider = document["models"]["providers"]["oauthrouter"]
    assert provider["apiKey"] == {"source": "file", "provider": "oauthrouter", "id": "value"}
    token = Path(document["secrets"]["providers"]["oauthrouter"]["path"])
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert token.read_text().strip() not in json.dumps(document)


@pytest.fixture
def own_config(home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file in the current folder, which whoever starts the gateway later will not be in."""
    monkeypatch.chdir(home.path)
    return home.file("own.toml", "[server]\nport = 9002\n")


def test_setup_commands_named_configuration_file_goes_with_the_plugin(home: Home, own_config: Path) -> None:
    home.ok("--config", "own.toml", "openclaw", "install", "--yes")
    config = json5.loads(home.file(".openclaw/openclaw.json").read_text())["plugins"]["entries"]["oauthrouter"]["config"]
    assert config["configFile"] == str(own_config)
    assert config["server"] == {"port": 9002}
    assert "already set up" in home.ok("--config", "own.toml", "openclaw", "install", "--yes")
    home.environ["OAUTHROUTER_CONFIG"] = "own.toml"
    printed = json.loads(home.ok("openclaw", "print-config"))
    assert printed["plugins"]["entries"]["oauthrouter"]["config"]["configFile"] == str(own_config)


def test_setup_commands_named_configuration_file_goes_with_the_local_service(home: Home, own_config: Path) -> None:
    def local_service(*options: str) -> Any:
        printed = json.loads(home.ok(*options, "openclaw", "print-config", "--route", "local-service"))
        return printed["models"]["providers"]["oauthrouter"]["localService"]

    assert local_service("--config", "own.toml")["args"][-3:] == ["--config", str(own_config), "serve"]
    home.environ["OAUTHROUTER_CONFIG"] = "own.toml"
    service = local_service()
    assert service["args"][-2:] == ["openclaw_oauthrouter", "serve"]
    assert service["env"]["OAUTHROUTER_CONFIG"] == str(own_config)
    assert service["env"]["OAUTHROUTER_PORT"] == "9002"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_setup_commands_named_configuration_file_goes_with_the_service(
    home: Home, own_config: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(service_module.sys, "platform", platform)
    printed = home.ok("--config", "own.toml", "service", "install", "--print")
    if platform == "linux":
        assert f" --config {own_config} serve\n" in printed
    else:
        assert plistlib.loads(printed.encode())["ProgramArguments"][-3:] == ["--config", str(own_config), "serve"]
    home.environ["OAUTHROUTER_CONFIG"] = "own.toml"
    assert f"OAUTHROUTER_CONFIG={own_config}" in home.ok("service", "install", "--print").replace(
        "<key>OAUTHROUTER_CONFIG</key>\n\t\t<string>", "OAUTHROUTER_CONFIG="
    )


def test_setup_commands_token_of_the_environment_is_referred_to_by_name(home: Home) -> None:
    home.environ["OAUTHROUTER_LOCAL_TOKEN"] = "from-the-environment"
    printed = home.ok("openclaw", "print-config", "--route", "local-service")
    assert json.loads(printed)["models"]["providers"]["oauthrouter"]["apiKey"] == "${OAUTHROUTER_LOCAL_TOKEN}"
    assert "secrets" not in json.loads(printed)
    assert "from-the-environment" not in printed


def test_setup_commands_token_of_the_configuration_reaches_claude_code(home: Home) -> None:
    home.file(".openclaw/oauthrouter/config.toml", '[server]\nauth_token = "from-the-file"\n')
    assert "Set this variable wherever" not in home.ok("setup", "claude-code", "--yes")
    helper = json.loads(home.file(".claude/settings.json").read_text())["apiKeyHelper"]
    assert "from-the-file" not in helper
    environ = {"PATH": "/usr/bin:/bin", "HOME": "/nowhere"}
    printed = subprocess.run(["sh", "-c", helper], env=environ, cwd="/", capture_output=True, text=True, timeout=30)
    assert (printed.stdout, printed.returncode) == ("from-the-file\n", 0), printed.stderr


def test_setup_commands_token_of_the_environment_is_said_to_be_needed_by_claude_code(home: Home) -> None:
    home.environ["OAUTHROUTER_LOCAL_TOKEN"] = "from-the-environment"
    assert "Set this variable wherever Claude Code is started" in home.ok("setup", "claude-code", "--yes")
    assert "from-the-environment" not in home.file(".claude/settings.json").read_text()


def test_setup_commands_token_of_the_configuration_is_out_of_the_local_services_reach(home: Home) -> None:
    home.file(".openclaw/oauthrouter/config.toml", '[server]\nauth_token = "from-the-file"\n')
    done = home.run("openclaw", "install", "--route", "local-service", "--yes")
    assert isinstance(done.exception, ConfigurationError)
    assert "use --route linked" in done.exception.message
    assert not home.file(".openclaw/openclaw.json").exists()
    home.ok("openclaw", "install", "--yes")


def test_openclaws_own_installer_is_needed_for_a_copy(home: Home) -> None:
    done = home.run("openclaw", "install", "--route", "copied", "--yes")
    assert isinstance(done.exception, ConfigurationError)
    assert "not on the search path" in done.exception.message


def test_openclaws_own_installer_is_run_for_a_copy(home: Home) -> None:
    script = home.file("bin/openclaw", f'#!/bin/sh\necho "$@" >> "{home.path}/calls"\n')
    script.chmod(0o755)
    home.ok("openclaw", "install", "--route", "copied", "--yes")
    home.ok("openclaw", "uninstall", "--yes")
    calls = home.file("calls").read_text().splitlines()
    assert calls == [f"plugins install --force --accept-capabilities {SHIM}", "plugins uninstall --force oauthrouter"]


def test_setup_commands_broken_file_is_named_and_left_alone(home: Home) -> None:
    config = home.file(".openclaw/openclaw.json", "{ gateway: ")
    done = home.run("openclaw", "install", "--yes")
    assert isinstance(done.exception, ConfigurationError)
    assert "openclaw.json" in done.exception.message
    assert config.read_text() == "{ gateway: "


def test_claude_code_is_pointed_here_and_back(home: Home) -> None:
    before = '{\n  "model": "opus",\n  "env": {"A": "1"}\n}\n'
    settings = home.file(".claude/settings.json", before)
    home.ok("setup", "claude-code", "--yes")
    document = json.loads(settings.read_text())
    variables = document["env"]
    assert (variables.pop("A"), variables.pop("ANTHROPIC_BASE_URL")) == ("1", "http://127.0.0.1:8402")
    assert variables["ANTHROPIC_CUSTOM_MODEL_OPTION"] == "auto"
    assert variables["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == "200000"
    assert variables["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] == "1"
    assert variables["CLAUDE_CODE_EFFORT_LEVEL"] == "medium"
    assert document["apiKeyHelper"] == f"cat {home.path}/.openclaw/oauthrouter/local-token"
    assert document["model"] == "opus"
    home.ok("setup", "claude-code", "--default-model", "--yes")
    assert json.loads(settings.read_text())["model"] == "auto"
    home.ok("setup", "claude-code", "--undo", "--yes")
    assert settings.read_text() == before


def test_setup_commands_undoing_keeps_what_the_user_wrote_between_two_setups(home: Home) -> None:
    settings = home.file(".claude/settings.json", '{"model": "opus"}')
    home.ok("setup", "claude-code", "--yes")
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"mine": "precious"}))
    home.environ["OAUTHROUTER_PORT"] = "18499"
    home.ok("setup", "claude-code", "--yes")
    home.ok("setup", "claude-code", "--undo", "--yes")
    assert json.loads(settings.read_text()) == {"model": "opus", "mine": "precious"}


def test_setup_commands_uninstallation_keeps_what_the_user_wrote_between_two_installations(home: Home) -> None:
    config = home.file(".openclaw/openclaw.json", "{ gateway: { port: 1 } }")
    home.ok("openclaw", "install", "--yes")
    config.write_text(json.dumps(json5.loads(config.read_text()) | {"mine": "precious"}))
    home.environ["OAUTHROUTER_PORT"] = "18499"
    home.ok("openclaw", "install", "--yes")
    home.ok("openclaw", "uninstall", "--yes")
    assert json5.loads(config.read_text()) == {"gateway": {"port": 1}, "mine": "precious"}


def test_setup_commands_two_folders_of_claude_code_are_both_put_back(home: Home) -> None:
    files = [home.file(f"{name}/settings.json", "{}") for name in ("a", "b")]
    for file in files:
        home.environ["CLAUDE_CONFIG_DIR"] = str(file.parent)
        home.ok("setup", "claude-code", "--yes")
    for _ in files:
        assert "nothing to undo" not in home.ok("setup", "claude-code", "--undo", "--yes")
    assert [file.read_text() for file in files] == ["{}", "{}"]
    assert "nothing to undo" in home.ok("setup", "claude-code", "--undo", "--yes")


def test_codex_is_told_and_untold(home: Home) -> None:
    before = 'model = "gpt-6-sol"\n[projects."/x"]\ntrust_level = "trusted"\n'
    config = home.file(".codex/config.toml", before)
    assert "codex -c model_provider=oauthrouter" in home.ok("setup", "codex", "--yes")
    document = tomllib.loads(config.read_text())
    assert document["model"] == "gpt-6-sol"
    assert document["model_providers"]["oauthrouter"] == {
        "name": "OAuthRouter",
        "base_url": "http://127.0.0.1:8402/v1",
        "wire_api": "responses",
        "auth": {"command": "cat", "args": [f"{home.path}/.openclaw/oauthrouter/local-token"]},
    }
    home.ok("setup", "codex", "--default-model", "--yes")
    document = tomllib.loads(config.read_text())
    assert (document["model"], document["model_provider"]) == ("auto", "oauthrouter")
    home.ok("setup", "codex", "--undo", "--yes")
    assert config.read_text() == before


def test_setup_commands_table_of_codex_made_by_hand_is_left_alone(home: Home) -> None:
    before = '[model_providers.oauthrouter]\nname = "by hand"\n'
    config = home.file(".codex/config.toml", before)
    done = home.run("setup", "codex", "--yes")
    assert isinstance(done.exception, ConfigurationError)
    assert "nothing was changed" in done.exception.message
    assert config.read_text() == before


def test_odd_paths_of_plugins_do_no_harm(home: Home) -> None:
    config = home.file(".openclaw/openclaw.json", '{"plugins": {"load": {"paths": 5}}}')
    assert json.loads(home.ok("openclaw", "status", "--json"))["route"] is None
    assert "nothing to undo" in home.ok("openclaw", "uninstall", "--yes")
    assert "is not an array" in str(home.run("openclaw", "install", "--yes").exception)
    assert config.read_text() == '{"plugins": {"load": {"paths": 5}}}'


def test_exports_name_one_token_for_every_client(home: Home) -> None:
    *exports, last = home.ok("setup", "env").splitlines()
    assert [line for line in exports if not line.startswith("export ")] == []
    lines = dict(line.removeprefix("export ").split("=", 1) for line in exports)
    token = home.file(".openclaw/oauthrouter/local-token").read_text().strip()
    assert lines["OPENAI_BASE_URL"] == "http://127.0.0.1:8402/v1"
    assert lines["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8402"
    assert {lines["OPENAI_API_KEY"], lines["ANTHROPIC_AUTH_TOKEN"], lines["OAUTHROUTER_LOCAL_TOKEN"]} == {token}
    assert last == "unset ANTHROPIC_API_KEY"


def test_setup_commands_unit_survives_odd_paths() -> None:
    unit = service_module.describe(service_module.SYSTEMD, {"OAUTHROUTER_HOME": "/home/a b/100%", "ANTHROPIC_API_KEY": "secret"})
    assert 'Environment="OAUTHROUTER_HOME=/home/a b/100%%"' in unit
    assert "secret" not in unit
    assert " -m openclaw_oauthrouter serve\n" in unit


def test_setup_commands_agent_is_a_property_list() -> None:
    agent = plistlib.loads(service_module.describe(service_module.LAUNCHD, {"OAUTHROUTER_PORT": "9"}).encode())
    assert agent["ProgramArguments"][1:] == ["-P", "-m", "openclaw_oauthrouter", "serve"]
    assert agent["EnvironmentVariables"] == {"OAUTHROUTER_PORT": "9"}


def test_setup_commands_home_that_no_shell_expanded_is_still_the_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.file("work/.keep", "").parent)
    home.file("st/config.toml", 'home = "~/elsewhere"\n')
    home.environ |= {"OAUTHROUTER_HOME": "~/st", "OPENCLAW_STATE_DIR": "~/ocs", "CLAUDE_CONFIG_DIR": "~/claude"}
    home.ok("setup", "env")
    assert home.file("st/local-token").is_file()
    home.ok("setup", "claude-code", "--yes")
    assert home.file("claude/settings.json").is_file()
    home.environ |= {"OAUTHROUTER_HOME": None, "OAUTHROUTER_CONFIG": "~/st/config.toml"}
    home.ok("setup", "env")
    assert home.file("elsewhere/local-token").is_file()
    printed = home.ok("service", "install", "--print")
    assert f"OPENCLAW_STATE_DIR={home.path}/ocs\n" in printed
    assert f"OAUTHROUTER_CONFIG={home.path}/st/config.toml\n" in printed
    assert [path.name for path in Path.cwd().iterdir()] == [".keep"]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_setup_commands_service_is_installed_started_and_removed(
    home: Home, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(service_module.sys, "platform", platform)
    for name in ("systemctl", "launchctl"):
        home.file(f"bin/{name}", f'#!/bin/sh\necho {name} "$@" >> "{home.path}/calls"\n').chmod(0o755)
    manager = service_module.MANAGERS[platform]
    home.ok("service", "install", "--yes")
    assert home.file(manager.path).is_file()
    assert "running: yes" in home.ok("service", "status")
    home.ok("service", "uninstall", "--yes")
    assert not home.file(manager.path).exists()
    calls = home.file("calls").read_text().splitlines()
    expected = [*manager.reset, *manager.start, manager.query, *manager.stop, *manager.forget]
    assert calls == [" ".join(words).format(path=home.file(manager.path)) for words in expected]
    assert home.run("service", "status").exit_code == 1


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_setup_commands_second_installation_restarts_with_the_new_settings(
    home: Home, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(service_module.sys, "platform", platform)
    for name in ("systemctl", "launchctl"):
        home.file(f"bin/{name}", f'#!/bin/sh\necho "$@" >> "{home.path}/calls"\n[ "$1" != unload ]\n').chmod(0o755)
    home.ok("service", "install", "--yes")
    home.file("calls").unlink()
    home.environ["OAUTHROUTER_PORT"] = "18499"
    home.ok("service", "install", "--yes")
    path = home.file(service_module.MANAGERS[platform].path)
    assert "18499" in path.read_text()
    calls = home.file("calls").read_text().splitlines()
    if platform == "linux":
        assert calls == [
            "--user daemon-reload",
            f"--user enable {service_module.LABEL}",
            f"--user restart {service_module.LABEL}",
        ]
    else:
        assert calls == [f"unload {path}", f"load -w {path}"]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("there", [True, False], ids=["failing", "absent"])
def test_setup_commands_service_that_cannot_be_started_can_be_removed(
    home: Home, monkeypatch: pytest.MonkeyPatch, platform: str, there: bool
) -> None:
    monkeypatch.setattr(service_module.sys, "platform", platform)
    for name in ("systemctl", "launchctl") if there else ():
        home.file(f"bin/{name}", "#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n").chmod(0o755)
    why = "Failed to connect to bus" if there else "is not on the search path"
    done = home.run("service", "install", "--yes")
    assert done.exit_code == 1
    assert why in done.stderr
    assert "is in place" in done.stderr
    assert home.run("service", "status").exit_code == 1
    removed = home.run("service", "uninstall", "--yes")
    assert removed.exit_code == 0, removed.exception
    assert why in removed.stderr
    assert not home.file(service_module.MANAGERS[platform].path).exists()


def test_setup_commands_system_without_services_is_told_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module.sys, "platform", "win32")
    refused = home.run("service", "install")
    assert (refused.exit_code, "win32" in refused.stderr) == (1, True)

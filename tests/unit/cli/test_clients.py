"""The table of clients: each set-up is shown, complete, free of secrets where they can be kept elsewhere, and undone exactly."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from openclaw_oauthrouter.cli.clients import CLIENTS, find_client, nearest
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.edits.journal import FileChange

WITH_FILES = [name for name, client in CLIENTS.items() if client.guide is None]
GUIDED = [name for name, client in CLIENTS.items() if client.guide is not None]

FILES = {
    "claude-code": {".claude/settings.json": '{\n  // mine\n  "model": "opus"\n}\n'},
    "codex": {".codex/config.toml": '# mine\nmodel = "gpt-6-sol"\n\n[projects."/x"]\ntrust_level = "trusted"\n'},
    "opencode": {".config/opencode/opencode.json": '{\n  // mine\n  "theme": "dark",\n}\n'},
    "cline": {
        ".cline/data/settings/providers.json": '{"version": 1, "providers": {"cline": {"settings": {"provider": "cline"}}}}'
    },
    "continue": {
        ".continue/config.yaml": "# mine\nname: Mine\nversion: 0.0.1\nschema: v1\nmodels:\n  - name: other\n    provider: x\n    model: y\n"
    },
    "aider": {".aider.conf.yml": "# mine\ndark-mode: true\n"},
    "qwen-code": {".qwen/settings.json": '{"ui": {"theme": "x"}}'},
    "zed": {".config/zed/settings.json": '// Zed settings\n{\n  "theme": "One Dark", // mine\n}\n'},
    "llm": {
        ".config/io.datasette.llm/extra-openai-models.yaml": "- model_id: mine\n  model_name: x\n",
        ".config/io.datasette.llm/keys.json": '{"openai": "sk-mine-0123456789"}',
    },
}


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        names = ("OAUTHROUTER_PORT", "OAUTHROUTER_HOME", "OAUTHROUTER_LOCAL_TOKEN", "OAUTHROUTER_CONFIG", "XDG_CONFIG_HOME")
        clients = ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "CONTINUE_GLOBAL_DIR", "LLM_USER_PATH", "OPENCLAW_STATE_DIR")
        self.environ: dict[str, str | None] = {"HOME": str(path), **dict.fromkeys((*names, *clients))}

    def run(self, *words: str) -> Result:
        return CliRunner(env=self.environ).invoke(root, words, obj={})

    def ok(self, *words: str) -> str:
        done = self.run(*words)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    @property
    def token(self) -> str:
        return (self.path / ".openclaw" / "oauthrouter" / "local-token").read_text().strip()

    def files(self) -> dict[str, str]:
        paths = (path for path in self.path.rglob("*") if path.is_file() and ".openclaw" not in path.parts)
        return {str(path.relative_to(self.path)): path.read_text() for path in paths}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def parsed(name: str, text: str) -> Any:
    if name.endswith(".toml"):
        return tomllib.loads(text)
    return yaml.safe_load(text) if name.endswith((".yaml", ".yml")) else None


@pytest.mark.parametrize("name", WITH_FILES)
@pytest.mark.parametrize("before", ["nothing", "files"])
def test_set_up_is_shown_and_undone_exactly(home: Home, name: str, before: str) -> None:
    there = FILES[name] if before == "files" else {}
    for file, text in there.items():
        path = home.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    output = home.ok("setup", name, "--yes")
    changed = home.files()
    assert set(changed) == set(FILES[name])
    assert any("8402" in text for text in changed.values())
    assert home.token not in output
    assert "already set up" in home.ok("setup", name, "--yes")
    home.ok("setup", name, "--undo", "--yes")
    assert home.files() == there


@pytest.mark.parametrize("name", WITH_FILES)
def test_clients_what_others_wrote_since_survives_an_undoing(home: Home, name: str) -> None:
    for file, text in FILES[name].items():
        (home.path / file).parent.mkdir(parents=True, exist_ok=True)
        (home.path / file).write_text(text)
    home.ok("setup", name, "--yes")
    for file in FILES[name]:
        path = home.path / file
        comment = "#" if file.endswith((".toml", ".yaml", ".yml")) else "//"
        path.write_text(path.read_text() + f"{comment} later\n")
    home.ok("setup", name, "--undo", "--yes")
    for file in FILES[name]:
        text = (home.path / file).read_text()
        assert "later" in text
        assert "8402" not in text
        assert home.token not in text


@pytest.mark.parametrize("name", ["claude-code", "codex", "opencode", "zed"])
def test_clients_token_stays_in_its_own_file(home: Home, name: str) -> None:
    home.ok("setup", name, "--yes")
    assert not any(home.token in text for text in home.files().values())


@pytest.mark.parametrize("name", [name for name, client in CLIENTS.items() if client.selects])
def test_clients_default_model_is_chosen_only_when_asked(home: Home, name: str) -> None:
    home.ok("setup", name, "--yes")
    (file,) = FILES[name]
    first = home.files()[file]
    home.ok("setup", name, "--default-model", "--yes")
    assert home.files()[file] != first


def test_codex_reads_the_token_itself(home: Home) -> None:
    assert "export" not in home.ok("setup", "codex", "--yes")
    provider = tomllib.loads(home.files()[".codex/config.toml"])["model_providers"]["oauthrouter"]
    assert provider["auth"] == {"command": "cat", "args": [str(home.path / ".openclaw/oauthrouter/local-token")]}
    assert "env_key" not in provider


def test_items_go_into_the_list_that_is_there(home: Home) -> None:
    file = home.path / ".continue" / "config.yaml"
    file.parent.mkdir()
    file.write_text(FILES["continue"][".continue/config.yaml"])
    home.ok("setup", "continue", "--yes")
    models = yaml.safe_load(file.read_text())["models"]
    assert [model["name"] for model in models] == ["OAuthRouter auto", "other"]


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        ("aider", ".aider.conf.yml", "openai-api-base: http://mine\n"),
        ("continue", ".continue/config.yaml", "models: [{name: x}]\n"),
        ("llm", ".config/io.datasette.llm/extra-openai-models.yaml", "a: b\n"),
        ("codex", ".codex/config.toml", "[model_providers.oauthrouter]\nname = 'mine'\n"),
        ("zed", ".config/zed/settings.json", "{ broken"),
    ],
)
def test_clients_file_that_does_not_fit_is_left_alone(home: Home, name: str, file: str, text: str) -> None:
    path = home.path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    done = home.run("setup", name, "--yes")
    assert "nothing was changed" in str(done.exception.message)  # type: ignore[union-attr]
    assert path.read_text() == text


@pytest.mark.parametrize("name", GUIDED)
def test_clients_guide_names_address_and_model_but_not_the_token(home: Home, name: str) -> None:
    output = home.ok("setup", name)
    assert "8402" in output
    assert home.token not in output


def test_clients_are_found_by_their_programs_too() -> None:
    assert {find_client(name) for name in ("claude", "claude-code")} == {CLIENTS["claude-code"]}
    assert (nearest("opencod"), nearest("Claude"), nearest("zzzz")) == ("opencode", "claude-code", None)


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ('env_key = "OAUTHROUTER_LOCAL_TOKEN"', False),
        ("api_key_name: oauthrouter", False),
        ('"apiKey": "{file:/home/me/.openclaw/oauthrouter/local-token}"', False),
        ('"apiKey": "${OAUTHROUTER_LOCAL_TOKEN}"', False),
        ('"token_file": "/home/me/token"', False),
        ('"apiKeyHelper": "cat /home/me/token"', False),
        ('apiKey: "s3cret-value-0123456789"', True),
        ("openai-api-key: s3cret-value-0123456789", True),
        ("auth_token = 's3cret-value-0123456789'", True),
        ('"password": "S3CRETVALUE0123456789"', True),
    ],
)
def test_clients_diff_hides_secrets_and_nothing_else(line: str, hidden: bool) -> None:
    shown = FileChange("x", Path("file"), "", f"{line}\n").diff()
    assert (line not in shown) == hidden


def test_keys_of_llm_are_never_shown(home: Home) -> None:
    file = home.path / ".config" / "io.datasette.llm" / "keys.json"
    file.parent.mkdir(parents=True)
    file.write_text('{\n  "mistral": "of-another-provider-01",\n  "gemini": "short"\n}\n')
    for shown in (home.ok("setup", "llm", "--yes"), home.ok("setup", "llm", "--undo", "--yes")):
        assert '"oauthrouter": "********"' in shown
        assert not any(secret in shown for secret in (home.token, "of-another-provider-01", '"short"'))

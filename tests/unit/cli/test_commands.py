"""Every command explains itself; the ones that only look say what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.cli.root import COMMANDS, root, run


def every_command(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """All commands and subcommands, by their words."""
    found = [path]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, f"{name} is listed but does not exist"
            found += every_command(child, (*path, name))
    return found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own, and no credential in sight."""
    for name in ("OAUTHROUTER_CONFIG", "OAUTHROUTER_PORT", "ANTHROPIC_API_KEY", "ANTHROPIC_OAUTH_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OAUTHROUTER_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.mark.parametrize("words", every_command(root), ids=" ".join)
def test_help(words: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(root, [*words, "--help"])
    assert answer.exit_code == 0
    assert answer.output.startswith("Usage: ")
    explanation = answer.output.split("\n\n")[1].strip()
    assert explanation, "a command says what it does"
    assert not explanation.startswith("Options:")
    assert not [
        jargon for jargon in ("``", " RANGE", " INTEGER", " FLOAT", "... ", "...\n") if jargon in _below_usage(answer.output)
    ]
    if not words:
        assert all(name in answer.output for name in COMMANDS)


def _below_usage(help_text: str) -> str:
    return help_text.partition("\n")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_listed_in_the_words_of_their_own_help(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert COMMANDS[name] == command.get_short_help_str(limit=300)


def test_tab_key_offers_commands_and_options() -> None:
    context = click.Context(root)
    assert [item.value for item in root.shell_complete(context, "se")] == ["serve", "setup", "service"]
    assert "--verbose" in {item.value for item in root.shell_complete(context, "--")}


def test_version() -> None:
    assert __version__ in CliRunner().invoke(root, ["--version"]).output


def test_config_show_says_values_as_a_file_does(home: Path) -> None:
    file = home / "c.toml"
    file.write_text(
        '[providers.x]\napi_base = "http://127.0.0.1:1"\nmodels = ["a", {id = "b", images = false}]\nenabled = true\n'
    )
    answer = CliRunner().invoke(root, ["--config", str(file), "config", "show", "--all"])
    rows = {words[0]: words[1] for line in answer.output.splitlines() if len(words := re.split(r"\s{2,}", line.strip())) > 1}
    assert rows["providers.x.models"] == "[{ id = a }, { id = b, images = false }]"
    assert (rows["providers.x.enabled"], rows["providers.x.api_key"], rows["routing.aliases"]) == ("true", "not set", "{}")


def test_config_show_masks_secrets_and_tells_sources(home: Path) -> None:
    file = home / "c.toml"
    file.write_text(
        '[server]\nport = 9\nauth_token = "s3cret-token"\n[providers.x]\napi_base = "http://127.0.0.1:1"\napi_key = "s3cret-key"\n'
    )
    answer = CliRunner().invoke(root, ["--config", str(file), "config", "show", "--json"])
    assert answer.exit_code == 0, answer.output
    assert "s3cret" not in answer.output
    rows = {row["key"]: row for row in json.loads(answer.output)}
    assert (rows["server.port"]["value"], rows["server.port"]["source"]) == (9, f"file {file}")
    assert rows["routing.profile"]["source"] == "default"
    people = CliRunner().invoke(root, ["--config", str(file), "config", "show"])
    assert "s3cret" not in people.output
    assert "server.port" in people.output
    assert "routing.profile" not in people.output


def test_route_explains_in_json() -> None:
    answer = CliRunner().invoke(root, ["route", "Prove that sqrt(2) is irrational", "--json"])
    assert answer.exit_code == 0, answer.output
    decision = json.loads(answer.stdout)
    assert (decision["tier"], decision["model"]) == ("REASONING", "anthropic/claude-opus-5-5")
    assert decision["hops"][0]["reason"] == "REASONING primary"
    assert decision["dimensions"]
    assert "no provider has a credential yet" in answer.stderr


def test_route_reads_standard_input_and_obeys_the_configuration(home: Path) -> None:
    file = home / "c.json"
    file.write_text(json.dumps({"routing": {"maxTier": "SIMPLE"}}))
    answer = CliRunner().invoke(root, ["--config", str(file), "route", "--json"], input="Prove that sqrt(2) is irrational")
    assert json.loads(answer.stdout)["tier"] == "SIMPLE"


def test_plugins_are_listed() -> None:
    answer = CliRunner().invoke(root, ["plugins", "--json"])
    assert answer.exit_code == 0, answer.output
    rows = {row["plugin"]: row for row in json.loads(answer.output)}
    assert "oauthrouter_register_dialects" in rows["openclaw_oauthrouter.dialects.plugin"]["hooks"]
    assert all(row["builtin"] for name, row in rows.items() if name.startswith("openclaw_oauthrouter."))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["config", "show"], 0, ""),
        (["--config", "/nowhere/at/all.toml", "config", "show"], 2, "does not exist"),
        (["nonsense"], 2, "there is no command"),
        (["route", "--nonsense"], 2, "there is no option"),
        (["route", "hi", "--max-output-tokens", "-5"], 2, "--max-output-tokens"),
    ],
)
def test_exit_codes(arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == code
    assert said in capsys.readouterr().err


def test_commands_wrong_configuration_is_exit_2_with_the_key(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "c.toml").write_text("[server]\nport = 99999\n")
    assert run(["--config", str(home / "c.toml"), "config", "show"]) == 2
    assert "server.port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "command"),
    [
        ("CLAUDE_CONFIG_DIR", ["setup", "claude-code", "--yes"]),
        ("OAUTHROUTER_HOME", ["service", "install", "--yes"]),
        ("OAUTHROUTER_HOME", ["setup", "codex", "--yes"]),
    ],
)
def test_commands_folder_that_cannot_be_is_one_line_with_its_path(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, command: list[str]
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv(variable, str(home / "file" / "folder"))
    assert run(command) in (1, 2)
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("error: ")
    assert str(home / "file") in said[0]
    assert [line[:5] for line in said[1:]] in ([], ["try: "])


def test_commands_configuration_nested_too_deeply_is_said_to_be(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "c.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)
    assert run(["--config", str(home / "c.json"), "config", "show"]) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "nested too deeply" in said

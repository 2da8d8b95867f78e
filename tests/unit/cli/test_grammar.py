"""Every command takes the same options, says what is wrong in one style, and ends with a number that means something."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from openclaw_oauthrouter.cli.root import root, run
from tests.unit.cli.test_commands import every_command, home

__all__ = ["home"]

LEAVES = [words for words in every_command(root) if words]


def command_of(words: tuple[str, ...]) -> click.Command:
    found: click.Command = root
    for word in words:
        assert isinstance(found, click.Group)
        child = found.get_command(click.Context(found), word)
        assert child is not None
        found = child
    return found


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_grammar_every_command_takes_the_common_options(words: tuple[str, ...]) -> None:
    names = {name for parameter in command_of(words).params for name in parameter.opts}
    assert {"--config", "--verbose", "--no-color", "--no-input"} <= names
    if words != ("run",) and not isinstance(command_of(words), click.Group):  # what `run` prints is its client's
        assert "--json" in names


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_json_is_explained_in_one_way(words: tuple[str, ...]) -> None:
    texts = {
        parameter.help
        for parameter in command_of(words).params
        if isinstance(parameter, click.Option) and "--json" in parameter.opts
    }
    assert texts <= {"Print JSON, for scripts."}


@pytest.mark.parametrize("before", [True, False])
def test_config_is_taken_before_and_after_the_command(before: bool, home: Path) -> None:
    file = home / "c.toml"
    file.write_text("[server]\nport = 9\n")
    option = ["--config", str(file)]
    words = [*option, "config", "show", "--json"] if before else ["config", "show", "--json", *option]
    rows = {row["key"]: row["value"] for row in json.loads(CliRunner().invoke(root, words, obj={}).output)}
    assert rows["server.port"] == 9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["servee"], ("error: there is no command 'servee'", "try: openclaw-oauthrouter serve")),
        (["sevre"], ("error: there is no command 'sevre'", "try: openclaw-oauthrouter serve")),
        (["config", "shwo"], ("error: there is no command 'shwo'", "try: openclaw-oauthrouter config show")),
        (
            ["serve", "--prot", "1"],
            ("error: there is no option '--prot'; did you mean '--port'?", "try: openclaw-oauthrouter serve --help"),
        ),
        (["serve", "--port", "x"], ("error: invalid value for '--port'", "try: openclaw-oauthrouter serve --help")),
        (["trace", "--status", "foo"], ("error: ", "429")),
        (["--config", "/no/such/file", "config", "show"], ("error: configuration file", "does not exist")),
        (["config", "set", "server.prot", "1"], ("error: ", "did you mean 'port'?")),
        (["config", "set", "routing.profile", "qualty"], ("error: ", "did you mean 'quality'?")),
        (
            ["config", "set", "routing.tiers.SIMPEL.primary", "x"],
            ("error: ", "there is no 'SIMPEL' here", "did you mean 'SIMPLE'?"),
        ),
        (["route", "--profile", "econmy", "hi"], ("did you mean 'economy'?", "try: openclaw-oauthrouter route --help")),
        (["migrate", "--from", "LiteLM", "x"], ("did you mean 'litellm'?",)),
        (["completion", "show", "bsh"], ("did you mean 'bash'?",)),
        (["setup", "claud"], ("try: openclaw-oauthrouter setup claude-code",)),
        (["run", "cluade"], ("error: there is no client or program 'cluade'; did you mean 'claude-code'?",)),
        (["models", "antropic"], ("error: there is no provider 'antropic'; did you mean 'anthropic'?", "try: ")),
        (["auth", "status", "antropic"], ("there is no provider 'antropic'; did you mean 'anthropic'?", "try: ")),
        (
            ["prices", "show", "anthropic/claude-hiaku-4-5"],
            ("error: there is no model ", "did you mean 'anthropic/claude-haiku-4-5'?"),
        ),
        (["prices", "show", "nope/x"], ("error: there is no model 'nope/x'", "try: ")),
        (["auth"], ("Usage: openclaw-oauthrouter auth",)),
        (
            ["auth", "add", "antropic"],
            ("there is no provider 'antropic'; did you mean 'anthropic'?", "try: openclaw-oauthrouter auth add anthropic"),
        ),
        (["auth", "add", "qqq"], ("there is no provider 'qqq'", "try: one of anthropic, ")),
        (
            ["auth", "test", "antropic"],
            ("there is no provider 'antropic'; did you mean 'anthropic'?", "try: openclaw-oauthrouter auth status"),
        ),
        (["auth", "logout", "antropic"], ("there is no credential or provider 'antropic'; did you mean 'anthropic'?", "try: ")),
        (["auth", "login", "antropic"], ("'antropic' has no sign-in here", "try: openclaw-oauthrouter auth add antropic")),
        (["auth", "pause", "nope"], ("there is no credential 'nope'", "try: openclaw-oauthrouter auth status")),
        (["auth", "resume", "nope"], ("'nope' is not paused", "try: openclaw-oauthrouter auth status")),
        (["client-keys", "remove", "alic"], ("there is no client key 'alic'", "try: openclaw-oauthrouter client-keys list")),
        (["client-keys", "add", "a", "--cost", "much"], ("'much' is not a number", "try: ")),
        (["client-keys", "add", "default"], ("a client key's name",)),
        (["config", "undo", "nope"], ("there is no change 'nope'", "try: openclaw-oauthrouter config undo --list")),
        (["config", "set", "server port", "1"], ("is not the name of a setting", "try: openclaw-oauthrouter config show --all")),
        (["config", "edit", "--no-input"], ("--no-input", "try: openclaw-oauthrouter config set KEY VALUE")),
        (["trace", "-n", "-1"], ("error: invalid value for '-n' / '--lines': it must be 0 or more", "try: ")),
        (["trace", "-n", "x"], ("'x' is not a whole number",)),
        (["trace", "extra"], ("error: unexpected argument 'extra'", "try: openclaw-oauthrouter trace --help")),
        (["serve", "--port", "99999"], ("it must be between 0 and 65535",)),
        (["report", "--days", "0"], ("it must be more than 0",)),
        (["report", "--wxyz", "1"], ("error: there is no option '--wxyz'\ntry: ",)),
        (["completion", "install", "csh"], ("'csh' is not one of 'bash', 'zsh', 'fish'",)),
        (
            ["migrate", "--no-input"],
            ("error: no file of another gateway is in the usual places", "try: openclaw-oauthrouter migrate FILE"),
        ),
        (["migrate", "/no/such"], ("'/no/such' cannot be read: No such file or directory",)),
        (["run", "cursor"], ("error: Cursor is not started from a shell", "try: openclaw-oauthrouter setup cursor")),
    ],
)
def test_grammar_wrong_usage_ends_with_2_and_says_what_to_try(
    words: list[str], said: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    told = capsys.readouterr().err
    for part in said:
        assert part in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dashboard"], ("there is no local token at ", "try: openclaw-oauthrouter serve")),
        (
            ["auth", "test", "anthropic"],
            ("no usable credential for provider 'anthropic'", "try: openclaw-oauthrouter auth add anthropic"),
        ),
        (
            ["auth", "logout", "anthropic"],
            ("our own store holds nothing of 'anthropic'", "try: openclaw-oauthrouter auth status"),
        ),
        (["run", "zed"], ("error: Zed is not installed",)),
    ],
)
def test_grammar_what_does_not_work_ends_with_1_and_says_what_to_try(
    words: list[str], said: tuple[str, ...], home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    assert run(words) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    for part in said:
        assert part in told


def test_grammar_question_that_nobody_answers_names_the_option(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert run(["setup", "claude-code"]) == 2
    told = capsys.readouterr().err
    assert "was not answered: standard input has ended" in told
    assert "try: the same with --yes" in told


def test_config_set_keeps_comments_and_checks_before_it_writes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "c.toml"
    file.write_text("# mine\n[server]\nport = 9 # nine\n")
    assert run(["config", "set", "spend_controls.daily_cost_budget", "2.5", "--config", str(file)]) == 0
    assert run(["config", "set", "routing.profile", "economy", "--config", str(file)]) == 0
    text = file.read_text()
    assert "# mine\n[server]\nport = 9 # nine\n" in text
    assert "daily_cost_budget = 2.5" in text
    assert 'profile = "economy"' in text
    assert run(["config", "set", "server.port", '"many"', "--config", str(file)]) == 2
    assert file.read_text() == text
    assert sorted(path.name for path in home.iterdir() if path.suffix in (".toml", ".try")) == ["c.toml"]
    capsys.readouterr()


def test_config_init_writes_a_valid_file_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "path"]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert run(["config", "init"]) == 0
    assert os.stat(path).st_mode & 0o077 == 0
    assert run(["config", "show"]) == 0
    assert run(["config", "init"]) == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_installed_where_the_shell_looks(shell: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "install", shell]) == 0
    written = [path for path in home.rglob("*openclaw-oauthrouter*") if path.is_file()]
    assert len(written) == 1
    assert "_OPENCLAW_OAUTHROUTER_COMPLETE" in written[0].read_text()
    assert str(written[0]) in capsys.readouterr().out


def test_status_without_a_gateway_says_so_and_ends_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHROUTER_PORT", "1")
    assert run(["status", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ready"] is False
    assert told["status"] == "not running"


def test_grammar_no_input_never_asks(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["setup", "claude-code", "--no-input"]) == 2
    assert "--yes" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["config", "path"],
        ["config", "init"],
        ["config", "set", "server.port", "9"],
        ["setup", "env"],
        ["setup", "cursor"],
        ["setup", "claude-code", "--yes"],
        ["completion", "show", "bash"],
        ["openclaw", "print-config"],
        ["service", "install", "--print"],
        ["service", "status"],
    ],
    ids=" ".join,
)
def test_json_of_commands_that_only_say_what_they_did(words: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run([*words, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["command"] == " ".join(["openclaw-oauthrouter", *[word for word in words if word in told["command"]]])
    assert told["ok"] == (code == 0)
    assert told["lines"]


def test_json_asks_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["setup", "claude-code", "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "try: the same with --yes" in err


def test_token_as_json(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHROUTER_LOCAL_TOKEN", "a-token-of-ours")
    assert run(["token", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"token": "a-token-of-ours", "file": None}


def test_config_set_names_a_model_that_is_misspelt(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "set", "routing.aliases.fast", "anthropic/claude-hiaku-4-5"]) == 0
    assert "claude-haiku-4-5" in capsys.readouterr().err

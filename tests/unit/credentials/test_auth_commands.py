"""``auth status|add|import|logout`` as a user meets them."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openclaw_oauthrouter.cli.auth import command

VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_OAUTH_TOKEN",
    "OPENAI_API_KEY",
    "DEEPSEEK_API_KEY",
    "OPENCLAW_STATE_DIR",
    "OAUTHROUTER_HOME",
)


@pytest.fixture
def auth(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, **options) -> Result:
        return CliRunner().invoke(command, arguments, obj={}, **options)

    return run


@pytest.fixture
def store(state_dir: Path) -> Path:
    return state_dir / "oauthrouter" / "credentials.json"


def rows(result: Result) -> dict[str, dict]:
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_auth_commands_nothing_there(auth) -> None:
    result = auth("status")
    assert result.exit_code == 1
    assert "No credentials found" in result.stdout
    assert json.loads(auth("status", "--json").stdout) == []
    assert "Set ANTHROPIC_OAUTH_TOKEN or ANTHROPIC_API_KEY" in auth("status", "anthropic").stdout


def test_add_reads_the_secret_from_standard_input(auth, store) -> None:
    result = auth("add", "anthropic", "--json", input="sk-ant-api03-secret\n")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"added": "anthropic:key", "provider": "anthropic"}
    assert json.loads(store.read_text()) == {
        "version": 1,
        "profiles": {"anthropic:key": {"provider": "anthropic", "type": "api_key", "key": "sk-ant-api03-secret"}},
    }
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.parent.stat().st_mode) == 0o700
    listed = rows(auth("status", "--json"))["store:anthropic:key"]
    assert listed == {
        "source": "store",
        "name": "store:anthropic:key",
        "provider": "anthropic",
        "kind": "api_key",
        "expires_at": None,
        "usable": True,
        "reason": "",
        "paused": False,
    }


def test_add_keeps_what_is_there_and_replaces_its_namesake(auth, store) -> None:
    auth("add", "anthropic", input="one")
    auth("add", "anthropic", "--profile-id", "anthropic:work", input="two")
    auth("add", "my-vllm", "--force", input="three")
    auth("add", "anthropic", input="four")
    profiles = json.loads(store.read_text())["profiles"]
    assert {key: entry["key"] for key, entry in profiles.items()} == {
        "anthropic:key": "four",
        "anthropic:work": "two",
        "my-vllm:key": "three",
    }


def test_add_refuses_a_name_that_nobody_knows_and_says_which_was_meant(auth, store) -> None:
    result = auth("add", "opnai", input="sk-x")
    assert result.exit_code == 2
    assert "did you mean 'openai'" in result.stderr
    assert not store.exists()


@pytest.mark.parametrize(("word", "meant"), [("kimi", "moonshot"), ("glm", "zai"), ("grok", "xai"), ("claude", "anthropic")])
def test_add_knows_what_people_call_a_provider(auth, word, meant) -> None:
    result = auth("add", word, input="sk-x")
    assert (result.exit_code, f"did you mean '{meant}'" in result.stderr) == (2, True)


def test_add_of_a_server_on_this_machine_takes_no_key(auth, store) -> None:
    auth("add", "ollama", input="")
    assert json.loads(store.read_text())["profiles"]["ollama:key"]["provider"] == "ollama"


def test_add_warns_of_the_terms_for_claude_tokens(auth, store) -> None:
    result = auth("add", "anthropic", input="sk-ant-oat01-t")
    assert "its terms do not allow for" in result.stderr
    assert json.loads(store.read_text())["profiles"]["anthropic:token"]["type"] == "token"


@pytest.mark.parametrize(("secret", "reason"), [("", "is empty"), ("two words", "contains spaces"), ("a\nb", "contains spaces")])
def test_add_refuses_what_cannot_be_a_secret(auth, store, secret, reason) -> None:
    result = auth("add", "openai", input=secret)
    assert result.exit_code == 1
    assert reason in result.stderr
    assert not store.exists()


def test_add_spells_the_provider_as_it_is_looked_up(auth, store) -> None:
    result = auth("add", " Anthropic ", input="sk-ant-api03-secret")
    assert "no usable credential" not in result.stdout
    assert json.loads(store.read_text())["profiles"]["anthropic:key"]["provider"] == "anthropic"


@pytest.mark.parametrize("provider", ["", "  "])
def test_add_refuses_a_provider_without_a_name(auth, store, provider) -> None:
    result = auth("add", provider, input="sk-x")
    assert result.exit_code == 2
    assert "name the provider" in result.stderr
    assert not store.exists()


def test_add_sends_codex_users_to_the_sign_in(auth) -> None:
    result = auth("add", "openai-codex", input="x")
    assert result.exit_code == 1
    assert "auth login openai" in result.stderr


def test_auth_commands_damaged_store_is_never_overwritten(auth, store) -> None:
    store.parent.mkdir(parents=True)
    store.write_text("{damaged")
    for arguments in (["add", "openai"], ["logout", "openai"]):
        result = auth(*arguments, input="sk-x")
        assert result.exit_code == 1
        assert "is not valid JSON" in result.stderr
    assert store.read_text() == "{damaged"
    assert "is not valid JSON" in json.loads(auth("status", "--json").stdout)[0]["reason"]


def test_status_tells_why_something_cannot_be_used(auth, write_profiles) -> None:
    write_profiles(
        {
            "profiles": {
                "anthropic:old": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-hidden", "expires": 1000},
                "openai-codex:due": {
                    "type": "oauth",
                    "provider": "openai-codex",
                    "access": "hidden",
                    "refresh": "hidden",
                    "expires": 1000,
                },
                "openai:[red]ref[/red]": {"type": "api_key", "provider": "openai", "keyRef": {"source": "exec"}},
            }
        }
    )
    listed = rows(auth("status", "--json"))
    assert (listed["anthropic:old"]["usable"], listed["anthropic:old"]["expires_at"]) == (False, 1000)
    assert "has expired; run" in listed["anthropic:old"]["reason"]
    assert listed["openai-codex:due"]["usable"]
    assert "will be renewed" in listed["openai-codex:due"]["reason"]
    assert not listed["openai:[red]ref[/red]"]["usable"]
    table = auth("status").stdout
    assert "openai:[red]ref[/red]" in table
    assert "hidden" not in table
    assert auth("status", "anthropic").exit_code == 1
    assert auth("status").exit_code == 0


@pytest.mark.parametrize("expires", [1e300, 99999999999999999, -1])
def test_auth_commands_odd_time_is_no_time(auth, write_profiles, store, expires) -> None:
    write_profiles(
        {"profiles": {"anthropic:t": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t", "expires": expires}}}
    )
    assert "anthropic:t" in auth("status").stdout
    assert json.loads(auth("import", "--yes", "--json").stdout)["imported"] == ["anthropic:t"]
    assert "expires" not in json.loads(store.read_text())["profiles"]["anthropic:t"]
    assert auth("status").exit_code == 0


def test_import_copies_keys_and_tokens_after_asking(auth, write_profiles, store, monkeypatch) -> None:
    write_profiles(
        {
            "profiles": {
                "anthropic:t": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t", "expires": 4e12},
                "openai:k": {"type": "api_key", "provider": "openai", "key": "sk-k"},
                "openai-codex:o": {"type": "oauth", "provider": "openai-codex", "access": "a", "refresh": "r", "expires": 4e12},
                "anthropic:expired": {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-x", "expires": 1},
            }
        }
    )
    monkeypatch.setenv("DEEPSEEK_API_KEY", "dk")
    refused = auth("import", input="n\nn\nn\n")
    assert "Copy 'env:DEEPSEEK_API_KEY' (deepseek, api_key) from environment?" in refused.stderr
    assert not store.exists()
    assert json.loads(auth("import", "--yes", "--json").stdout) == {
        "imported": ["env:DEEPSEEK_API_KEY", "anthropic:t", "openai:k"],
        "skipped": [],
    }
    profiles = json.loads(store.read_text())["profiles"]
    assert profiles["anthropic:t"] == {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-t", "expires": 4e12}
    assert sorted(profiles) == ["anthropic:t", "env:DEEPSEEK_API_KEY", "openai:k"]


@pytest.fixture
def two_of_one_name(auth, write_profiles, store) -> None:
    """The user's own key in the store, and two others of its name in OpenClaw's files."""
    for key, agent in (("sk-new", "main"), ("sk-old", None)):
        profiles = {"anthropic:default": {"type": "api_key", "provider": "anthropic", "key": key}}
        write_profiles({"profiles": profiles}, agent=agent)


def kept_keys(store: Path) -> dict[str, str]:
    return {name: entry["key"] for name, entry in json.loads(store.read_text())["profiles"].items()}


@pytest.mark.usefixtures("two_of_one_name")
def test_import_leaves_what_the_store_holds(auth, store) -> None:
    auth("add", "anthropic", "--profile-id", "anthropic:default", input="sk-own")
    result = auth("import", "--yes")
    assert result.stderr.count("Not copied: 'anthropic:default' from auth-profiles") == 2
    assert "Copied 0" in result.stdout
    assert kept_keys(store) == {"anthropic:default": "sk-own"}


@pytest.mark.usefixtures("two_of_one_name")
def test_import_takes_the_first_of_a_name(auth, store) -> None:
    result = auth("import", "--yes", "--json")
    assert json.loads(result.stdout) == {"imported": ["anthropic:default"], "skipped": ["anthropic:default"]}
    assert "has just been copied" in result.stderr
    assert kept_keys(store) == {"anthropic:default": "sk-new"}


@pytest.mark.usefixtures("two_of_one_name")
def test_import_overwrites_only_when_told_to(auth, store) -> None:
    auth("add", "anthropic", "--profile-id", "anthropic:default", input="sk-own")
    asked = auth("import", "--overwrite", input="n\nn\n")
    assert "Overwrite ours with 'anthropic:default'" in asked.stderr
    assert kept_keys(store) == {"anthropic:default": "sk-own"}
    assert auth("import", "--overwrite", "--yes").exit_code == 0
    assert kept_keys(store) == {"anthropic:default": "sk-new"}


def test_logout_removes_a_profile_or_all_of_a_provider(auth, store) -> None:
    for name in ("anthropic:a", "anthropic:b", "openai:a"):
        auth("add", name.partition(":")[0], "--profile-id", name, input="secret")
    assert json.loads(auth("logout", "store:openai:a", "--json").stdout) == {"removed": ["openai:a"]}
    assert auth("logout", "anthropic").stdout == "Removed anthropic:a, anthropic:b.\n"
    assert json.loads(store.read_text())["profiles"] == {}
    result = auth("logout", "anthropic")
    assert result.exit_code == 1
    assert "our own store holds nothing of 'anthropic'" in result.stderr


def test_auth_commands_configuration_file_of_the_outer_command_counts(auth, tmp_path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"providers": {"my-vllm": {"apiKey": "v", "apiBase": "http://127.0.0.1:1"}}}))
    result = CliRunner().invoke(command, ["status", "--json"], obj={"config": config})
    assert list(rows(result)) == ["config:my-vllm"]


@pytest.mark.parametrize("name", ["status", "add", "login", "import", "logout"])
def test_auth_commands_every_command_explains_itself(auth, name) -> None:
    result = auth(name, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_login_refuses_a_port_there_cannot_be(auth) -> None:
    result = auth("login", "openai", "--port", "99999")
    assert result.exit_code == 2
    assert "0<=x<=65535" in result.stderr


def test_login_knows_only_chatgpt(auth) -> None:
    result = auth("login", "anthropic")
    assert result.exit_code == 2
    assert "'anthropic' has no sign-in here" in result.stderr


def test_pause_leaves_a_credential_alone_until_resume(auth, store) -> None:
    auth("add", "groq", input="gsk-0123456789abcdef\n")
    assert auth("pause", "store:groq:key").exit_code == 0
    row = rows(auth("status", "--json"))["store:groq:key"]
    assert (row["usable"], row["paused"]) == (False, True)
    assert "is paused" in auth("status", "groq").stdout
    assert auth("resume", "store:groq:key").exit_code == 0
    assert rows(auth("status", "--json"))["store:groq:key"]["usable"]


def test_pause_of_an_unknown_name_says_what_is_meant(auth, store) -> None:
    auth("add", "groq", input="gsk-0123456789abcdef\n")
    refused = auth("pause", "store:groq:kye")
    assert (refused.exit_code, "did you mean 'store:groq:key'?" in refused.output) == (2, True)
    assert auth("resume", "store:groq:key").exit_code == 2

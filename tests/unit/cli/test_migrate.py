"""Other gateways' files say the same in ours; what has no counterpart is named, and everything can be taken back."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from openclaw_oauthrouter.cli.migrations import ORIGINS, origin_of
from openclaw_oauthrouter.cli.root import root
from openclaw_oauthrouter.config.loading import check_settings

LITELLM = """\
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/OPENAI_API_KEY}
  - model_name: fast
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/MY_KEY}
  - model_name: local
    litellm_params: {model: openai/llama-4, api_base: "http://127.0.0.1:8000/v1", api_key: none-needed}
  - model_name: fast
    litellm_params: {model: groq/llama-4}
  - model_name: far
    litellm_params: {model: bedrock/claude}
  - model_name: all/*
    litellm_params: {model: openrouter/*, api_key: sk-or-v1-0123456789}
router_settings: {model_group_alias: {smart: gpt-4o}}
litellm_settings: {fallbacks: [{fast: [gpt-4o]}], max_budget: 5, budget_duration: 1d, drop_params: true}
general_settings: {master_key: sk-1234-master}
"""
ROUTER = {
    "PORT": 3456,
    "HOST": "0.0.0.0",
    "APIKEY": "my-secret",
    "Providers": [
        {
            "name": "openrouter",
            "api_base_url": "https://openrouter.ai/api/v1/chat/completions",
            "api_key": "sk-or-v1-0123456789",
            "models": ["anthropic/claude-sonnet-5"],
            "transformer": {"use": ["openrouter"]},
        },
        {"name": "my box", "api_base_url": "http://box:8080/v1/chat/completions", "api_key": "$BOX_KEY", "models": ["qwen"]},
    ],
    "Router": {
        "default": "openrouter,anthropic/claude-sonnet-5",
        "background": "my box,qwen",
        "think": "nobody,x",
        "longContext": "a,b",
    },
}
ORIGINAL = {
    "providers": {"anthropic": {"apiBase": "https://api.anthropic.com", "authHeader": "claude-oauth-auto"}},
    "port": 8402,
    "authToken": "old-token-0123456789",
    "spendControls": {"dailyRequestBudget": 500},
    "routingConfig": {"tiers": {"SIMPLE": {"primary": "anthropic/claude-haiku-4-5"}}},
    "dedup": True,
}


def migrated(name: str, document: Any) -> tuple[dict[str, Any], str]:
    migration = ORIGINS[name].read(document)
    check_settings(migration.settings)
    return migration.settings, "\n".join(migration.notes)


def test_litellm() -> None:
    settings, notes = migrated("litellm", yaml.safe_load(LITELLM))
    assert settings["server"] == {"auth_token": "sk-1234-master"}
    assert settings["spend_controls"] == {"daily_cost_budget": 5.0}
    assert settings["routing"]["aliases"] == {
        "fast": "anthropic/claude-haiku-4-5",
        "local": "openai-127-0-0-1/llama-4",
        "smart": "openai/gpt-4o",
    }
    own = settings["providers"]["openai-127-0-0-1"]
    assert own == {"api_base": "http://127.0.0.1:8000/v1", "api_key": "none-needed", "models": ["llama-4"]}
    assert settings["providers"]["openrouter"] == {"api_key": "sk-or-v1-0123456789"}
    assert "openai" not in settings["providers"]
    for words in ("stood in MY_KEY", "'bedrock'", "stood for several models", "fallbacks", "wildcard"):
        assert words in notes


def test_claude_code_router() -> None:
    settings, notes = migrated("claude-code-router", ROUTER)
    assert settings["server"] == {"port": 3456, "auth_token": "my-secret"}
    assert settings["routing"]["tiers"] == {
        "SIMPLE": {"primary": "my-box/qwen"},
        "MEDIUM": {"primary": "openrouter/anthropic/claude-sonnet-5"},
        "COMPLEX": {"primary": "openrouter/anthropic/claude-sonnet-5"},
    }
    assert settings["providers"]["my-box"] == {"api_base": "http://box:8080/v1/chat/completions", "models": ["qwen"]}
    assert settings["providers"]["openrouter"] == {"api_key": "sk-or-v1-0123456789"}
    for words in ("BOX_KEY", "MY_BOX_API_KEY", "'nobody,x'", "longContext", "0.0.0.0", "transformers"):
        assert words in notes


def test_migrate_original() -> None:
    settings, notes = migrated("oauthrouter", ORIGINAL)
    loaded = check_settings(settings)
    assert loaded.spend_controls.daily_request_budget == 500
    assert loaded.server.port == 8402
    assert "claude_code = true" in notes
    assert "dedup" in notes
    in_host = {
        "plugins": {"entries": {"oauthrouter": {"config": {"proxyAuthToken": "t", "spendControls": {"dailyCostBudget": 2}}}}}
    }
    settings, _ = migrated("oauthrouter", in_host)
    assert settings == {"server": {"auth_token": "t"}, "spend_controls": {"dailyCostBudget": 2}}


@pytest.mark.parametrize(
    ("name", "document"), [("litellm", yaml.safe_load(LITELLM)), ("claude-code-router", ROUTER), ("oauthrouter", ORIGINAL)]
)
def test_files_are_told_apart(name: str, document: Any) -> None:
    origin = origin_of(document)
    assert origin is not None
    assert origin.name == name


@pytest.mark.parametrize("name", ORIGINS)
@pytest.mark.parametrize("document", [{}, {"Providers": 5, "Router": []}, {"model_list": [5, {}]}, {"providers": {"x": 5}}])
def test_odd_files_do_no_harm(name: str, document: Any) -> None:
    assert ORIGINS[name].read(document) is not None


ODD: tuple[Any, ...] = (None, [], {}, "x", 5, True, {"a": None}, [1, {"model_name": 5}], [None], "$VARIABLE")
FIELDS = {
    "litellm": ("model_list", "router_settings", "litellm_settings", "general_settings"),
    "claude-code-router": ("Providers", "Router", "PORT", "HOST", "APIKEY", "PROXY_URL", "CUSTOM_ROUTER_PATH"),
    "oauthrouter": ("providers", "proxyAuthToken", "routingConfig", "plugins", "apiBase", "spendControls", "rateLimitFallback"),
}
DEEP = {
    "litellm": (
        *(("model_list", 0, "litellm_params", name) for name in ("model", "api_key", "api_base")),
        ("router_settings", "model_group_alias"),
        ("litellm_settings", "max_budget"),
        ("general_settings", "master_key"),
    ),
    "claude-code-router": (
        *(("Providers", 0, name) for name in ("name", "api_key", "api_base_url", "models", "transformer")),
        ("Router", "default"),
    ),
    "oauthrouter": (
        ("providers", "anthropic"),
        ("plugins", "entries", "oauthrouter", "config"),
        ("spendControls", "dailyCostBudget"),
    ),
}


def nested(path: tuple[Any, ...], value: Any) -> Any:
    for step in reversed(path):
        value = [value] if step == 0 else {step: value}
    return value


@pytest.mark.parametrize("name", ORIGINS)
def test_odd_values_are_left_out_and_the_rest_can_be_used(name: str) -> None:
    for path in (*((field,) for field in FIELDS[name]), *DEEP[name]):
        for value in ODD:
            migration = ORIGINS[name].read(nested(path, value))
            migration.leave_out_what_is_refused()
            check_settings(migration.settings)
            assert name != "claude-code-router" or "$VARIABLE" not in str(migration.settings.get("server"))


def test_one_value_that_is_refused_does_not_keep_the_others_out() -> None:
    migration = ORIGINS["oauthrouter"].read({**ORIGINAL, "spendControls": {"dailyCostBudget": 2, "oldName": 7}})
    migration.leave_out_what_is_refused()
    assert check_settings(migration.settings).spend_controls.daily_cost_budget == 2
    assert "spend_controls.old_name was left out" in " ".join(migration.notes)


def test_claude_code_routers_models_may_be_objects_and_aliases_of_litellm_hidden() -> None:
    box = {"name": "box", "api_base_url": "http://box/v1", "models": [{"name": "a"}, "b", 5]}
    settings, _ = migrated("claude-code-router", {"Providers": [box]})
    assert settings["providers"]["box"]["models"] == ["a", "b"]
    settings, _ = migrated("litellm", {"router_settings": {"model_group_alias": {"x": {"model": "y", "hidden": True}}}})
    assert settings["routing"]["aliases"] == {"x": "y"}


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ = {"HOME": str(path), "OAUTHROUTER_HOME": None, "OAUTHROUTER_CONFIG": None, "OAUTHROUTER_PORT": None}

    def run(self, *words: str) -> Any:
        done = CliRunner(env=self.environ).invoke(root, ["migrate", *words], obj={})
        assert done.exit_code == 0, (done.output, done.exception)
        return done.output

    @property
    def config(self) -> Path:
        return self.path / ".openclaw" / "oauthrouter" / "config.toml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


def test_migrate_file_at_its_usual_place_is_found_shown_and_taken_back(home: Home) -> None:
    file = home.path / ".claude-code-router" / "config.json"
    file.parent.mkdir()
    file.write_text(json.dumps(ROUTER))
    output = home.run("--yes")
    assert "From claude-code-router" in output
    assert "sk-or-v1-0123456789" not in output
    assert tomllib.loads(home.config.read_text())["server"]["port"] == 3456
    home.run("--undo", "--yes")
    assert not home.config.exists()


def test_migrate_what_our_file_says_already_stays(home: Home) -> None:
    before = "# mine\n[server]\nport = 9000  # because\n"
    home.config.parent.mkdir(parents=True)
    home.config.write_text(before)
    (home.path / "ccr.json").write_text(json.dumps(ROUTER))
    home.run("ccr.json", "--yes")
    document = tomllib.loads(home.config.read_text())
    assert (document["server"]["port"], document["server"]["auth_token"]) == (9000, "my-secret")
    assert home.config.read_text().startswith("# mine\n[server]\nport = 9000  # because\n")
    home.config.write_text(home.config.read_text() + "\n[telemetry]\nprompts = true\n")
    home.run("--undo", "--yes")
    left = tomllib.loads(home.config.read_text())
    assert left == {"server": {"port": 9000}, "telemetry": {"prompts": True}}


def test_migrate_json_file_of_ours_is_filled_in_too(home: Home) -> None:
    config = home.config.with_suffix(".json")
    config.parent.mkdir(parents=True)
    config.write_text('{"server": {"port": 9000}}')
    (home.path / "litellm_config.yaml").write_text(LITELLM)
    home.run("--yes")
    assert json.loads(config.read_text())["server"] == {"port": 9000, "auth_token": "sk-1234-master"}
    home.run("--undo", "--yes")
    assert config.read_text() == '{"server": {"port": 9000}}'

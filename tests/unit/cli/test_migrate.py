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


ODD_LITELLM = """\
x-common: &common {api_key: os.environ/OPENAI_API_KEY, rpm: 60}
model_list:
  - {model_name: gpt-4o, litellm_params: {<<: *common, model: openai/gpt-4o}}
  - {model_name: claude, litellm_params: {model: anthropic/claude-sonnet-4-5, api_key: os.environ/MY_KEY}}
  - {model_name: deployed, litellm_params: {model: azure/my-deploy, api_base: os.environ/AZURE_BASE, api_key: "${AZURE_API_KEY}"}}
  - {model_name: one, litellm_params: {model: ollama_chat/llama3, api_base: "http://localhost:11434"}}
  - {model_name: two, litellm_params: {model: hosted_vllm/meta/llama, api_base: "http://10.0.0.2:8000/v1"}}
  - {model_name: three, litellm_params: {model: hosted_vllm/qwen, api_base: "http://10.0.0.3:8000/v1"}}
  - {model_name: own, litellm_params: {model: gpt-4o-mini, custom_llm_provider: openai, api_base: "https://my.host/v1"}}
  - {model_name: keys, litellm_params: {model: groq/a, api_key: first-key-0123456}}
  - {model_name: keys2, litellm_params: {model: groq/b, api_key: second-key-012345}}
  - {model_name: lent, litellm_params: {model: mistral/large, litellm_credential_name: c1}}
  - {model_name: nothing}
  - just a text
  - {model_name: null, litellm_params: null}
  - {model_name: "*", litellm_params: {model: "*"}}
credential_list: [{credential_name: c1, credential_values: {api_key: key-of-a-credential}}]
router_settings: {model_group_alias: {hid: {model: claude, hidden: true}, gone: {hidden: true}}}
environment_variables: {OPENAI_API_KEY: sk-in-the-file}
include: [other.yaml]
"""


def test_litellms_references_hosts_and_credentials_are_told_apart() -> None:
    settings, notes = migrated("litellm", yaml.safe_load(ODD_LITELLM))
    providers = settings["providers"]
    assert providers == {
        "ollama": {},
        "vllm-10-0-0-2": {"api_base": "http://10.0.0.2:8000/v1", "models": ["meta/llama"]},
        "vllm-10-0-0-3": {"api_base": "http://10.0.0.3:8000/v1", "models": ["qwen"]},
        "openai-my-host": {"api_base": "https://my.host/v1", "models": ["gpt-4o-mini"]},
        "groq": {"api_key": "first-key-0123456"},
        "mistral": {"api_key": "key-of-a-credential"},
    }
    assert settings["routing"]["aliases"] == {
        "claude": "anthropic/claude-sonnet-4-5",
        "deployed": "azure/my-deploy",
        "one": "ollama/llama3",
        "two": "vllm-10-0-0-2/meta/llama",
        "three": "vllm-10-0-0-3/qwen",
        "own": "openai-my-host/gpt-4o-mini",
        "keys": "groq/a",
        "keys2": "groq/b",
        "lent": "mistral/large",
        "hid": "anthropic/claude-sonnet-4-5",
    }
    for told in (
        "MY_KEY: set ANTHROPIC_API_KEY",
        "os.environ/AZURE_BASE",
        "several keys",
        "'nothing' names no model",
        "include",
        "environment_variables.OPENAI_API_KEY",
        "'gone' leads to no model",
    ):
        assert told in notes
    assert "sk-in-the-file" not in notes


def test_claude_code_routers_providers_of_one_name_are_told_apart_by_their_models() -> None:
    rows = [
        {"name": "ollama", "api_base_url": "http://localhost:11434/v1/chat/completions", "api_key": "ollama", "models": ["a"]},
        {"name": "ollama", "api_base_url": "http://other:11434/v1/chat/completions", "api_key": "%OTHER_KEY%", "models": ["b"]},
        {"api_base_url": "https://nameless/v1"},
        None,
    ]
    router = {"default": "ollama,b", "background": "ollama , a"}
    settings, notes = migrated("claude-code-router", {"Providers": rows, "Router": router})
    assert settings["providers"]["ollama-other"] == {"api_base": "http://other:11434/v1/chat/completions", "models": ["b"]}
    assert "api_base" not in settings["providers"]["ollama"]
    tiers = settings["routing"]["tiers"]
    assert (tiers["SIMPLE"], tiers["MEDIUM"]) == ({"primary": "ollama/a"}, {"primary": "ollama-other/b"})
    assert "without a name" in notes
    assert "OTHER_KEY" in notes


def test_the_originals_references_are_no_keys_and_nothing_empty_is_left() -> None:
    document = {
        "proxyAuthToken": "${TOKEN}",
        "providers": {"anthropic": {"apiKey": "$ANTHROPIC_API_KEY"}, "bogus": {"x": 1}},
        "spendControls": {"dailyRequestBudget": "many"},
    }
    migration = ORIGINS["oauthrouter"].read(document)
    migration.leave_out_what_is_refused()
    assert "bogus" not in migration.settings.get("providers", {})
    assert "spend_controls" not in migration.settings
    assert "$" not in json.dumps(migration.settings)
    notes = "\n".join(migration.notes)
    assert "ANTHROPIC_API_KEY" in notes
    assert "TOKEN" in notes

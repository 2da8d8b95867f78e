"""Where settings come from, how they may be spelt, and what is said about wrong ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.config.effective import MASK, effective_rows
from openclaw_oauthrouter.config.loading import ENVIRONMENT, SHORTHANDS, LoadedSettings, load_settings
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.errors import ConfigurationError

TOML = """
[server]
port = 1111

[providers.my-Endpoint]
apiBase = "http://127.0.0.1:1/v1/"
models = ["one", { id = "two", contextWindow = 5 }]
headers = { "X-Api-Key" = "hide-me", "X-Team" = "blue" }
"""


def load(file: Path | None = None, environ: Mapping[str, str] | None = None, **overrides: Any) -> LoadedSettings:
    return load_settings(file, environ={"OAUTHROUTER_HOME": "/nowhere", **(environ or {})}, overrides=overrides)


def refused(**overrides: Any) -> str:
    with pytest.raises(ConfigurationError) as wrong:
        load(**overrides)
    return wrong.value.message


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(TOML)
    return path


# ------------------------------------------------------------------ sources


def test_later_sources_win_and_are_remembered(file: Path) -> None:
    assert load().settings.server.port == 8402
    in_file = load(file)
    assert (in_file.settings.server.port, in_file.sources["server.port"]) == (1111, f"file {file}")
    in_environment = load(file, {"OAUTHROUTER_PORT": "2222"})
    assert (in_environment.settings.server.port, in_environment.sources["server.port"]) == (2222, "environment OAUTHROUTER_PORT")
    argument = load(file, {"OAUTHROUTER_PORT": "2222"}, port=3333)
    assert (argument.settings.server.port, argument.sources["server.port"]) == (3333, "argument")
    assert "server.listen_host" not in argument.sources


def sample(key: str) -> object:
    """A value that the setting takes and does not have by default."""
    default = {row.key: row.value for row in effective_rows(load())}[key]
    words = {"telemetry.log_level": "debug", "telemetry.log_format": "json"}
    if isinstance(default, bool):
        return not default
    return default + 1 if isinstance(default, int | float) else words.get(key, "/some/where")


@pytest.mark.parametrize(("variable", "key"), list(ENVIRONMENT.items()))
def test_loading_every_environment_variable_reaches_its_setting(variable: str, key: str) -> None:
    value = sample(key)
    found = {row.key: row for row in effective_rows(load(environ={variable: str(value)}))}[key]
    assert found.source == f"environment {variable}"
    assert found.value in (value, MASK)


def test_loading_empty_variable_is_none_at_all() -> None:
    assert load(environ={"OAUTHROUTER_PORT": ""}).settings.server.port == 8402


@pytest.mark.parametrize("name", ["config.toml", "config.json"])
def test_loading_file_is_found_in_the_state_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"server": {"port": 5}}' if name.endswith("json") else "[server]\nport = 5\n")
    assert load(environ={"OAUTHROUTER_HOME": str(tmp_path)}).settings.server.port == 5


def test_loading_file_is_named_by_a_variable_or_an_argument(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"server": {"port": 7}}))
    assert load(environ={"OAUTHROUTER_CONFIG": str(file)}).path == file
    assert load(other, {"OAUTHROUTER_CONFIG": str(file)}).settings.server.port == 7


@pytest.mark.parametrize("text", [b"[server", b"\xff\xfe", b"[]"])
def test_loading_unreadable_file_is_named(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text)
    with pytest.raises(ConfigurationError, match=r"config\.json"):
        load(path)


def test_loading_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml.*does not exist"):
        load(tmp_path / "absent.toml")


# ------------------------------------------------------------------ spellings


@pytest.mark.parametrize(
    ("overrides", "key", "value"),
    [
        ({"spendControls": {"dailyRequestBudget": 5}}, "spend_controls.daily_request_budget", 5),
        ({"spend_controls": {"daily_request_budget": 5}}, "spend_controls.daily_request_budget", 5),
        ({"port": 1}, "server.port", 1),
        ({"listenHost": "::1"}, "server.listen_host", "::1"),
        ({"proxyAuthToken": "t"}, "server.auth_token", MASK),
        ({"authToken": "t"}, "server.auth_token", MASK),
        ({"routingConfig": {"maxTier": "MEDIUM"}}, "routing.max_tier", "MEDIUM"),
        ({"rateLimitFallback": {"onStatusCodes": [429]}}, "rate_limit_fallback.on_status_codes", [429]),
    ],
)
def test_loading_both_spellings_and_the_originals_shorthands(overrides: dict[str, Any], key: str, value: object) -> None:
    found = {row.key: row for row in effective_rows(load(**overrides))}[key]
    assert (found.value, found.source) == (value, "argument")


def test_loading_every_shorthand_leads_to_a_setting() -> None:
    keys = {row.key for row in effective_rows(load())}
    assert all(any(key == target or key.startswith(f"{target}.") for key in keys) for target in SHORTHANDS.values())


def test_names_the_user_made_up_keep_their_spelling(file: Path) -> None:
    settings = load(file, routing={"aliases": {"myAlias": "a/b"}, "tiers": {"SIMPLE": {"primary": "a/b"}}}).settings
    assert list(settings.providers) == ["my-Endpoint"]
    provider = settings.providers["my-Endpoint"]
    assert provider.api_base == "http://127.0.0.1:1/v1"
    assert [(model.id, model.context_window) for model in provider.models] == [("one", None), ("two", 5)]
    assert list(provider.headers) == ["X-Api-Key", "X-Team"]
    assert settings.routing.aliases == {"myAlias": "a/b"}


def test_loading_one_tier_leaves_the_others_as_they_are() -> None:
    tiers = load(routing={"tiers": {"SIMPLE": {"primary": "a/b"}}}).settings.routing.tiers
    assert tiers["SIMPLE"].primary == "a/b"
    assert not tiers["SIMPLE"].computed
    assert tiers["REASONING"].computed


def test_loading_bare_auth_header_is_authorization() -> None:
    header = load(providers={"x": {"authHeader": "Bearer t"}}).settings.providers["x"].auth_header
    assert header is not None
    assert (header.name, header.value.get_secret_value()) == ("Authorization", "Bearer t")


def test_settings_objects_are_taken_as_they_are() -> None:
    assert load(routing_config=RoutingSettings(profile="economy")).settings.routing.profile == "economy"


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"port": 99999}, ["server.port", "(argument)", "65535", "99999"]),
        ({"server": {"prot": 1}}, ["server.prot", "no such setting", "did you mean 'port'"]),
        ({"spendControls": {"dailyRequestBudgte": 1}}, ["spend_controls.daily_request_budgte", "daily_request_budget"]),
        ({"routing": {"profile": "cheap"}}, ["routing.profile", "economy", "quality", "cheap"]),
        ({"routing": {"tiers": {"HUGE": {"primary": "a/b"}}}}, ["routing.tiers", "SIMPLE"]),
        ({"providers": {"x": {"apiBase": "ftp://x"}}}, ["providers.x.api_base", "http://", "ftp://x"]),
        ({"providers": {"x": {"apiBase": "http://localhost:70000"}}}, ["providers.x.api_base", "port", "65535"]),
        ({"upstream": {"retry": {"attempts": 0}}}, ["upstream.retry.attempts", "greater than or equal to 1"]),
    ],
)
def test_loading_error_names_the_key_the_value_and_what_is_allowed(overrides: dict[str, Any], said: list[str]) -> None:
    message = refused(**overrides)
    assert [word for word in said if word not in message] == []


def test_loading_all_errors_are_told_at_once_with_their_source(file: Path) -> None:
    file.write_text("[server]\nport = -1\n[telemetry]\nring_size = 0\n")
    with pytest.raises(ConfigurationError) as wrong:
        load(file)
    assert f"server.port (file {file})" in wrong.value.message
    assert "telemetry.ring_size" in wrong.value.message


@pytest.mark.parametrize(
    "overrides",
    [
        {"auth_token": ["s3cret"]},
        {"providers": {"x": {"api_key": ["s3cret"]}}},
        {"providers": {"x": {"auth_header": {"name": "n", "value": ["s3cret"]}}}},
        {"providers": {"x": {"headers": {"Authorization": ["s3cret"]}}}},
        {"server": {"client_keys": {"ann": {"token": ["s3cret"]}}}},
        {"providers": {"anthropic": "s3cret"}},
        {"providers": {"x": {"models": "s3cret"}}},
        {"providers": {"x": {"api_base": "s3cret"}}},
        {"providers": {"x": {"api_base": "http://user:s3cret@host/v1"}}},
        {"providers": {"x": {"api_base": "ftp://user:s3cret@host/v1"}}},
        {"server": {"client_keys": "s3cret"}},
        {"server": {"client_keys": {"ann": "s3cret"}}},
        {"state_url": ["redis://:s3cret@host"]},
        {"state_url": [f"redis://{'u' * 60}:s3cret{'x' * 20}@host"]},
    ],
)
def test_loading_error_never_shows_a_secret(overrides: dict[str, Any]) -> None:
    assert "s3cret" not in refused(**overrides)


def test_loading_hidden_value_is_told_by_its_type() -> None:
    assert refused(providers={"anthropic": "s3cret"}).endswith("got a value of type 'str'")


def test_loading_password_in_an_address_is_refused_with_what_to_use_instead() -> None:
    assert "use api_key or auth_header" in refused(providers={"x": {"api_base": "http://user:s3cret@host/v1"}})
    assert load(providers={"x": {"api_base": "http://[fd00::1]:8000/v1/"}}).settings.providers["x"].api_base == (
        "http://[fd00::1]:8000/v1"
    )


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().settings.server.port = 1  # type: ignore[misc]


# ------------------------------------------------------------------ for people


def test_secrets_are_masked_for_people(file: Path) -> None:
    loaded = load(
        file,
        auth_token="s3cret",
        server={"client_keys": {"ann": {"token": "s3cret"}}},
        providers={"x": {"api_key": "s3cret", "auth_header": "Bearer s3cret", "headers": {"Authorization": "s3cret"}}},
    )
    rows = {row.key: row.value for row in effective_rows(loaded)}
    text = json.dumps(rows, default=str)
    assert "s3cret" not in text
    assert "hide-me" not in text
    assert rows["providers.my-Endpoint.headers.X-Team"] == MASK
    assert rows["server.client_keys.ann.token"] == MASK
    assert "s3cret" not in repr(loaded.settings)


def test_passwords_in_addresses_are_masked_for_people() -> None:
    loaded = load(
        state_url="redis://:s3cret@cache:6379/1?db=0",
        telemetry={"otlp_endpoint": "https://name:s3cret@collector/v1"},
        providers={"x": {"api_base": "http://host/v1?version=a@b", "headers": {"x-auth": "s3cret", "x-pass": "s3cret"}}},
    )
    rows = {row.key: row.value for row in effective_rows(loaded)}
    assert "s3cret" not in json.dumps(rows, default=str)
    assert rows["state_url"] == f"redis://{MASK}@cache:6379/1?db=0"
    assert rows["telemetry.otlp_endpoint"] == f"https://{MASK}@collector/v1"
    assert rows["providers.x.api_base"] == "http://host/v1?version=a@b"


def test_loading_every_path_may_begin_with_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    tree = {"home": "~/state", "upstream": {"debug_log": {"path": "~/log"}}, "credentials": {"openclaw_state_dir": "~/claw"}}
    settings = load_settings(environ={}, overrides=tree).settings
    found = (settings.home, settings.upstream.debug_log.path, settings.credentials.openclaw_state_dir)
    assert [str(path) for path in found] == ["/home/somebody/state", "/home/somebody/log", "/home/somebody/claw"]

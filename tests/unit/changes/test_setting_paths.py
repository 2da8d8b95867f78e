"""Which settings there are, how a file spells them, and which of them the dashboard may change."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.changes.setting_paths import check_page_may, check_path, spelled
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.errors import ForbiddenError, InvalidRequestError

SETTINGS = Settings.model_validate(
    {
        "providers": {"mine": {"api_base": "http://127.0.0.1:1/v1"}},
        "server": {"client_keys": {"nightly": {"token": "a-token-of-nightly-jobs"}}},
    }
)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (["routing", "profile"], ("routing", "profile")),
        (["spendControls", "dailyCostBudget"], ("spend_controls", "daily_cost_budget")),
        (["routing", "aliases", "gpt-4.1"], ("routing", "aliases", "gpt-4.1")),
        (["routing", "aliases", "myFast"], ("routing", "aliases", "myFast")),
        (["routing", "tiers", "SIMPLE", "primary"], ("routing", "tiers", "SIMPLE", "primary")),
        (["port"], ("server", "port")),
        (["server", "clientKeys", "nightJobs", "dailyCostBudget"], ("server", "client_keys", "nightJobs", "daily_cost_budget")),
    ],
)
def test_check_path_reads_every_spelling(path: list[str], meant: tuple[str, ...]) -> None:
    assert check_path(path) == meant


@pytest.mark.parametrize(
    "path",
    [
        [],
        ["nonsense"],
        ["routing", "profil"],
        ["routing", "profile", "deeper"],
        ["spend_controls", ""],
        ["spend_controls", 7],
        ["a"] * 9,
        ["spend_controls", "x" * 300],
    ],
)
def test_check_path_refuses_what_is_no_setting(path: list[object]) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        check_path(path)
    assert refused.value.code == "unknown_setting"


@pytest.mark.parametrize(
    "path",
    [
        ("routing", "profile"),
        ("routing", "tiers", "SIMPLE"),
        ("routing", "aliases", "fast"),
        ("spend_controls", "daily_cost_budget"),
        ("spend_controls", "budgets"),
        ("credentials", "paused"),
        ("providers", "openai", "enabled"),
        ("providers", "of-my-own"),
        ("server", "client_keys", "nightly", "daily_cost_budget"),
    ],
)
def test_page_may_change(path: tuple[str, ...]) -> None:
    check_page_may(path, SETTINGS)


@pytest.mark.parametrize(
    "path",
    [
        ("home",),
        ("routing",),
        ("routing", "classifier"),
        ("spend_controls",),
        ("spend_controls", "warn_command"),
        ("spend_controls", "warn_url"),
        ("server", "auth_token"),
        ("server", "listen_host"),
        ("server", "allowed_origins"),
        ("server", "client_keys", "nightly", "token"),
        ("server", "client_keys", "nightly"),
        ("server", "client_keys", "new", "daily_cost_budget"),
        ("credentials", "openai_token_url"),
        ("credentials", "order"),
        ("providers", "openai"),
        ("providers", "mine"),
        ("providers", "mine", "api_base"),
        ("providers", "openai", "api_base"),
        ("providers", "openai", "headers"),
        ("upstream", "ca_file"),
        ("telemetry", "prompts"),
        ("state_url",),
    ],
)
def test_page_may_not_start_programs_or_lead_keys_elsewhere(path: tuple[str, ...]) -> None:
    with pytest.raises(ForbiddenError) as refused:
        check_page_may(path, SETTINGS)
    assert refused.value.code == "by_command_only"


@pytest.mark.parametrize(
    ("tree", "path", "found"),
    [
        ({}, ("routing", "profile"), ("routing", "profile")),
        (
            {"spendControls": {"dailyCostBudget": 1}},
            ("spend_controls", "daily_cost_budget"),
            ("spendControls", "dailyCostBudget"),
        ),
        ({"routingConfig": {"maxTier": "SIMPLE"}}, ("routing", "max_tier"), ("routingConfig", "maxTier")),
        ({"port": 1}, ("server", "port"), ("port",)),
        ({"routing": {"aliases": {"myFast": "x/y"}}}, ("routing", "aliases", "my_fast"), ("routing", "aliases", "my_fast")),
    ],
)
def test_spelled_finds_what_the_file_says(tree: dict[str, object], path: tuple[str, ...], found: tuple[str, ...]) -> None:
    assert spelled(tree, path) == found

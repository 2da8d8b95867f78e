"""Names of models and providers in the settings: what leads nowhere is said with what was meant."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.catalog.references import check_references
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.plugins import create_plugin_manager

MINE = {"mine": {"api_base": "http://127.0.0.1:9", "models": ["llama-4"]}}


def problems(tmp_path: Any, **settings: Any) -> list[tuple[str, bool, str]]:
    said = Settings.model_validate({"home": tmp_path, "providers": MINE, **settings})
    providers = Builder(said, create_plugin_manager(load_entry_points=False)).providers
    return [(problem.key, problem.wrong, problem.message) for problem in check_references(said, providers)]


@pytest.mark.parametrize(
    ("settings", "key", "wrong", "words"),
    [
        ({"routing": {"tiers": {"SIMPLE": {"primary": "anthropi/claude-haiku-4-5"}}}}, "routing.tiers.SIMPLE.primary", True, "anthropic"),
        ({"routing": {"tiers": {"SIMPLE": {"primary": "anthropic/claude-hiaku-4-5"}}}}, "routing.tiers.SIMPLE.primary", False, "anthropic/claude-haiku-4-5"),
        ({"routing": {"tiers": {"SIMPLE": {"primary": "mine/llama-4", "fallback": ["mine/llama-5"]}}}}, "routing.tiers.SIMPLE.fallback[0]", False, "mine/llama-4"),
        ({"routing": {"tiers": {"SIMPLE": {"primary": "claude-haiku-4-5"}}}}, "routing.tiers.SIMPLE.primary", True, "provider/model"),
        ({"routing": {"aliases": {"fast": "anthropic/nope"}}}, "routing.aliases.fast", False, "serves no model"),
        ({"routing": {"exclude": ["anthropic/claude-opus-9"]}}, "routing.exclude[0]", False, "claude-opus"),
        ({"routing": {"exclude": ["claude-hiaku-4-5"]}}, "routing.exclude[0]", False, "claude-haiku-4-5"),
        ({"routing": {"baseline": "nosuch/x"}}, "routing.baseline", True, "no provider"),
        ({"spend_controls": {"allowlist_models": ["claude-hiaku-4-5"]}}, "spend_controls.allowlist_models[0]", False, "claude-haiku-4-5"),
        ({"spend_controls": {"denylist_models": ["opnai/gpt-5"]}}, "spend_controls.denylist_models[0]", True, "openai"),
        ({"rate_limit_fallback": {"enabled": True, "from_providers": ["antropic"]}}, "rate_limit_fallback.from_providers[0]", True, "anthropic"),
        (
            {"rate_limit_fallback": {"enabled": True, "chain": [{"provider": "deepseek", "default_model": "deepseek-chatt"}]}},
            "rate_limit_fallback.chain[0].default_model",
            False,
            "deepseek/deepseek-chat",
        ),
        ({"providers": {"openai": {"enabled": False}}, "routing": {"baseline": "openai/gpt-5"}}, "routing.baseline", False, "switched off"),
    ],
)  # fmt: skip
def test_check_references_names_what_was_meant(
    settings: dict[str, Any], key: str, wrong: bool, words: str, tmp_path: Any
) -> None:
    [(where, is_wrong, message)] = problems(tmp_path, **settings)
    assert (where, is_wrong) == (key, wrong)
    assert words in message


def test_check_references_passes_what_exists_however_it_is_spelt(tmp_path: Any) -> None:
    names = {
        "routing": {
            "tiers": {
                "SIMPLE": {
                    "primary": "mine/llama-4",
                    "fallback": ["anthropic/claude-haiku-4.5", "openrouter/anthropic/claude-haiku-4.5"],
                }
            },
            "aliases": {"fast": "auto-economy", "faster": "fast", "old": "claude-haiku-4-5-20251001"},
            "exclude": ["llama-4", "anthropic/claude-haiku-4.5", "anthropic/claude-opus-4-6-20260205"],
        },
        "spend_controls": {"denylist_models": ["gpt-5.4", "openai/gpt-5.4-mini-2026-03-17"]},
    }
    assert problems(tmp_path, **names) == []
    assert problems(tmp_path, routing={"tiers": "original"}) == []
    assert problems(tmp_path) == []

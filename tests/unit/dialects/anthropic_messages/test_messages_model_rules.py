"""The table of model rules, checked against a second copy of the facts written the other way round."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages.model_rules import (
    ALL_EFFORTS,
    COMPATIBLE,
    MODEL_RULES,
    NEWEST,
    ModelRules,
    normal_id,
    rules_for,
)

# model: sampling, budget, adaptive, thinks by default, how it is switched off, efforts, prefill, forced tool choice, system messages
FACTS = {
    "haiku-4-5": ("one", 1, 0, 0, "disabled", "", 1, 1, 0),
    "sonnet-4-5": ("one", 1, 0, 0, "disabled", "", 1, 1, 0),
    "opus-4-5": ("one", 1, 0, 0, "disabled", "low medium high", 1, 1, 0),
    "opus-4-6": ("one", 1, 1, 0, "disabled", "low medium high max", 0, 1, 0),
    "sonnet-4-6": ("one", 1, 1, 0, "disabled", "low medium high max", 0, 1, 0),
    "opus-4-7": ("none", 0, 1, 0, "disabled", "low medium high xhigh max", 0, 1, 0),
    "opus-4-8": ("none", 0, 1, 0, "disabled", "low medium high xhigh max", 0, 1, 1),
    "sonnet-5": ("none", 0, 1, 1, "disabled", "low medium high xhigh max", 0, 1, 0),
    "opus-5": ("none", 0, 1, 1, "disabled", "low medium high xhigh max", 0, 1, 1),
    "fable-5": ("none", 0, 1, 1, "", "low medium high xhigh max", 0, 1, 1),
    "mythos-5": ("none", 0, 1, 1, "", "low medium high xhigh max", 0, 1, 1),
    "fable-5-1": ("none", 0, 1, 1, "", "low medium high xhigh max", 0, 0, 1),
    "fable-5-2": ("none", 0, 1, 1, "", "low medium high xhigh max", 0, 0, 1),
    "mythos-5-1": ("none", 0, 1, 1, "", "low medium high xhigh max", 0, 0, 1),
    "mythos-5-2": ("none", 0, 1, 1, "", "low medium high xhigh max", 0, 0, 1),
    "opus-5-5": ("none", 0, 1, 1, "", "low medium high xhigh max", 0, 0, 1),
    "sonnet-5-5": ("none", 0, 1, 1, "between_tools", "low medium high xhigh max", 0, 0, 0),
    "haiku-5-5": ("none", 0, 1, 1, "disabled", "low medium high xhigh max", 0, 1, 0),
}
BINDING = {"fable-5-1", "fable-5-2", "mythos-5-1", "mythos-5-2", "opus-5-5", "sonnet-5-5", "haiku-5-5"}
SMALL_OUTPUT = {"haiku-4-5", "sonnet-4-5", "opus-4-5"}


def rules(model: str) -> ModelRules:
    return rules_for(ModelInfo("anthropic", model))


def test_every_model_has_its_facts() -> None:
    assert set(MODEL_RULES) == {f"claude-{name}" for name in FACTS}


@pytest.mark.parametrize("name", FACTS)
def test_rules_are_the_facts(name: str) -> None:
    sampling, budget, adaptive, default, off, efforts, prefill, forced, system = FACTS[name]
    thinking = {word for word, yes in (("enabled", budget), ("adaptive", adaptive), (off, off)) if yes}
    found = rules(f"claude-{name}")
    assert found.sampling == sampling
    assert found.thinking == thinking
    assert found.thinks_by_default == bool(default)
    assert found.efforts == tuple(str(efforts).split())
    assert (found.prefill, found.forced_tool_choice, found.system_messages) == (bool(prefill), bool(forced), bool(system))
    assert found.binds_thinking == (name in BINDING)
    assert found.max_output_tokens == (64_000 if name in SMALL_OUTPUT else 128_000)


@pytest.mark.parametrize(
    ("model", "like"),
    [
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("claude-opus-5-20260714", "claude-opus-5"),
        ("claude-opus-5-5-20261001", "claude-opus-5-5"),
        ("claude-opus-4.6", "claude-opus-4-6"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("claude-fable-5-latest", "claude-fable-5"),
    ],
)
def test_dated_dotted_and_prefixed_ids(model: str, like: str) -> None:
    assert rules(model) == MODEL_RULES[like]


@pytest.mark.parametrize("model", ["claude-opus-6", "claude-haiku-7-1", "claude-opus-5-6", "claude-saga-1", "claude-next"])
def test_an_unknown_claude_gets_the_strictest_rules(model: str) -> None:
    assert rules(model) == NEWEST
    assert NEWEST.sampling == "none"
    assert not NEWEST.prefill
    assert not NEWEST.forced_tool_choice
    assert NEWEST.efforts == ALL_EFFORTS


def test_another_makers_model_keeps_its_fields() -> None:
    assert rules("glm-4.6") == COMPATIBLE


def test_the_cards_own_limit_wins() -> None:
    assert rules_for(ModelInfo("anthropic", "claude-opus-5", max_output_tokens=9)).max_output_tokens == 9


def test_dots_of_other_makers_stay() -> None:
    assert normal_id("vendor/glm-4.6") == "glm-4.6"

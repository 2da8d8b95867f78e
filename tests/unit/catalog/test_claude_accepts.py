"""The table of what Claude models take, checked against a second copy of the facts written the other way round."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.catalog.accepts import accepts_of, accepts_table, with_accepts

CLAUDE = accepts_table().claude

MESSAGES = "anthropic_messages"

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


def test_claude_accepts_every_model_has_its_facts() -> None:
    assert set(CLAUDE) == {f"claude-{name}" for name in FACTS}


@pytest.mark.parametrize("name", FACTS)
def test_accepts_are_the_facts(name: str) -> None:
    sampling, budget, adaptive, default, off, efforts, prefill, forced, system = FACTS[name]
    found = CLAUDE[f"claude-{name}"]
    assert (found.temperature, found.top_p, found.top_k) == (sampling != "none",) * 3
    assert found.temperature_with_top_p is False
    assert (found.budget, found.adaptive) == (bool(budget), bool(adaptive))
    assert found.reasons_by_default == bool(default)
    assert found.thinking_off == (off or "never")
    assert found.efforts == tuple(str(efforts).split())
    assert (found.prefill, found.forced_tool_choice, found.system_messages) == (bool(prefill), bool(forced), bool(system))
    assert found.binds_thinking == (name in BINDING)
    limit = with_accepts(ModelInfo("anthropic", f"claude-{name}"), MESSAGES).max_output_tokens
    assert limit == (64_000 if name in SMALL_OUTPUT else 128_000)


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
def test_accepts_of_dated_dotted_and_prefixed_ids(model: str, like: str) -> None:
    assert accepts_of("anthropic", model, MESSAGES) is CLAUDE[like]


@pytest.mark.parametrize("model", ["claude-opus-6", "claude-haiku-7-1", "claude-opus-5-6", "claude-saga-1", "claude-next"])
def test_accepts_of_an_unknown_claude_are_the_strictest(model: str) -> None:
    found = accepts_of("anthropic", model, MESSAGES)
    assert (found.known, found.temperature, found.prefill, found.forced_tool_choice) == (False,) * 4
    assert found.efforts == CLAUDE["claude-opus-5-5"].efforts


def test_accepts_of_another_makers_model_leave_its_fields() -> None:
    found = accepts_of("glm", "glm-4.6", MESSAGES)
    assert found.temperature
    assert found.top_p
    assert found.temperature_with_top_p


def test_claude_accepts_with_accepts_keeps_the_catalogs_own_limit() -> None:
    assert with_accepts(ModelInfo("anthropic", "claude-opus-5", max_output_tokens=9), MESSAGES).max_output_tokens == 9

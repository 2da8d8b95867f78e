"""What each family takes is found by the model's id, however it is spelt."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.catalog.accepts import accepts_of, with_accepts

MESSAGES, CHAT = "anthropic_messages", "openai_chat_completions"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("claude-opus-4-6", "anthropic/claude-opus-4.6"),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("gpt-5.4", "openai/gpt-5.4"),
        ("o4-mini", "o4-mini-2026-01-01"),
    ],
)
def test_accepts_of_knows_a_model_by_any_spelling(first: str, second: str) -> None:
    assert accepts_of("p", first, CHAT) == accepts_of("p", second, CHAT)
    assert accepts_of("p", first, CHAT).known


@pytest.mark.parametrize("model", ["claude-opus-7", "claude-of-tomorrow", "claude-fable-6-1"])
def test_accepts_of_takes_the_newest_claude_for_the_strictest(model: str) -> None:
    found = accepts_of("anthropic", model, MESSAGES)
    assert not found.known
    assert not found.temperature
    assert not found.forced_tool_choice


def test_accepts_of_assumes_nothing_of_strangers() -> None:
    assert accepts_of("local", "llama-4", CHAT) == Accepts(
        known=False, budget=False, adaptive=False, user_limit=64, web_search=None
    )
    assert accepts_of("local", "palm-9", "gemini_generate_content") == Accepts(known=False)


def test_accepts_with_accepts_lets_the_catalog_say() -> None:
    info = ModelInfo("x", "claude-haiku-4-5", accepts=Accepts(top_k=False))
    assert with_accepts(info, MESSAGES) is info
    assert with_accepts(ModelInfo("x", "claude-haiku-4-5"), MESSAGES).max_output_tokens == 64_000

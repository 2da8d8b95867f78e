"""Whose fault a refusal is, from its words; every row is something that vendors say."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from tests.support.refusals import CHAT_REFUSALS, MESSAGES_REFUSALS, Said

NOW = 1_764_000_000.0  # 2025-11-24 16:00 UTC


@pytest.mark.parametrize("said", CHAT_REFUSALS, ids=lambda said: said.name)
def test_chat_refusal_blames_whom_it_speaks_of(said: Said) -> None:
    error = ChatCompletions(lambda: NOW).decode_error(said.status, {}, said.body)
    assert error.blame == said.blame, error.message


@pytest.mark.parametrize("said", MESSAGES_REFUSALS, ids=lambda said: said.name)
def test_messages_refusal_blames_whom_it_speaks_of(said: Said) -> None:
    error = AnthropicMessages(lambda: NOW).decode_error(said.status, {}, said.body)
    assert error.blame == said.blame, error.message

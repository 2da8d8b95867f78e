"""A conversation that goes on is read as if it had come at once: what was read of it before changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.dialects.anthropic_messages.dialect import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_responses.dialect import OpenAIResponses

WORDS = st.sampled_from(["yes", "look", "", "ünd"])
MESSAGES = st.one_of(
    WORDS.map(lambda text: {"role": "user", "content": text or "."}),
    WORDS.map(lambda text: {"role": "assistant", "content": [{"type": "text", "text": text or "."}]}),
    st.just({"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": "b"}}]}),
    st.just({"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]}),
    st.just({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]}),
)
ITEMS = st.one_of(
    WORDS.map(lambda text: {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}),
    WORDS.map(lambda text: {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}),
    st.just({"role": "developer", "content": "rules"}),
    st.just({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "sealed"}),
    st.just({"type": "reasoning", "summary": []}),
    st.just({"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}),
    st.just({"type": "function_call_output", "call_id": "c", "output": "done"}),
    st.just({"type": "additional_tools", "tools": [{"type": "function", "name": "g", "parameters": {}}]}),
)


@given(messages=st.lists(MESSAGES, min_size=4, max_size=12), cuts=st.lists(st.integers(1, 12), max_size=3))
def test_messages_read_in_turns_are_those_read_at_once(messages: list[dict[str, Any]], cuts: list[int]) -> None:
    dialect = AnthropicMessages(lambda: 0.0)
    for cut in (*cuts, len(messages)):
        body = {"model": "m", "max_tokens": 1, "messages": messages[:cut]}
        fresh = AnthropicMessages(lambda: 0.0).decode_request(body, {})
        assert dialect.decode_request(body, {}).messages == fresh.messages


@given(items=st.lists(ITEMS, min_size=4, max_size=12), cuts=st.lists(st.integers(1, 12), max_size=3))
def test_items_read_in_turns_are_those_read_at_once(items: list[dict[str, Any]], cuts: list[int]) -> None:
    dialect = OpenAIResponses(lambda: 0.0, lambda: "id")
    for cut in (*cuts, len(items)):
        body = {"model": "m", "input": items[:cut]}
        fresh = OpenAIResponses(lambda: 0.0, lambda: "id").decode_request(body, {})
        assert dialect.decode_request(body, {}).messages == fresh.messages

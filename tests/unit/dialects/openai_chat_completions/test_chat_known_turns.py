"""A conversation's next request is read from where the last one ended, and to the same."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import InvalidRequestError

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
CONVERSATION: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "https://h/i.png"}}]},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "done"},
    {"role": "assistant", "content": "It is done."},
    {"role": "user", "content": "thanks"},
]
LEGACY: list[dict[str, Any]] = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "function", "name": "f", "content": "done"},
    {"role": "user", "content": "thanks"},
]


def body(messages: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": messages, **fields}


@pytest.mark.parametrize("conversation", [CONVERSATION, LEGACY])
@pytest.mark.parametrize("mark", [{}, {"cache_control": {"type": "ephemeral"}}])
def test_decode_request_of_a_later_turn_is_that_of_a_dialect_without_memory(
    conversation: list[dict[str, Any]], mark: dict[str, Any]
) -> None:
    dialect = ChatCompletions(lambda: 0.0)
    more = [*conversation, {"role": "assistant", "content": "You are welcome."}, {"role": "user", "content": "go on"}]
    for messages in (conversation, more, conversation[:4], more, [*more[:-1], {"role": "user", "content": "or not"}]):
        asked = body([dict(message) for message in messages], **mark)
        assert dialect.decode_request(asked, {}) == ChatCompletions(lambda: 0.0).decode_request(asked, {})


def test_decode_request_keeps_the_messages_that_come_again() -> None:
    dialect = ChatCompletions(lambda: 0.0)
    first = dialect.decode_request(body(CONVERSATION), {})
    second = dialect.decode_request(body([dict(message) for message in CONVERSATION] + [{"role": "user", "content": "x"}]), {})
    assert all(one is other for one, other in zip(first.messages, second.messages, strict=False))


def test_decode_request_names_the_place_of_a_fault_behind_what_is_known() -> None:
    dialect = ChatCompletions(lambda: 0.0)
    dialect.decode_request(body(CONVERSATION), {})
    with pytest.raises(InvalidRequestError, match=r"messages\[6\]\.role"):
        dialect.decode_request(body([*CONVERSATION, {"role": "nobody", "content": "x"}]), {})

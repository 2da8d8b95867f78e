"""A conversation's next request is read from where the last one ended, and to the same."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.errors import InvalidRequestError

CONVERSATION: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1, "y": [True]}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "done"}]},
    {"role": "assistant", "content": "It is done."},
    {"role": "user", "content": "thanks"},
]


def body(messages: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9, "messages": [dict(message) for message in messages], **fields}


@pytest.mark.parametrize("fields", [{}, {"system": "Be brief."}, {"system": [{"type": "text", "text": "Be brief."}]}])
def test_decode_request_of_a_later_turn_is_that_of_a_dialect_without_memory(fields: dict[str, Any]) -> None:
    dialect = AnthropicMessages(lambda: 0.0)
    more = [*CONVERSATION, {"role": "assistant", "content": "You are welcome."}, {"role": "user", "content": "go on"}]
    for messages in (CONVERSATION, more, CONVERSATION[:4], more, [*more[:-1], {"role": "user", "content": "or not"}]):
        asked = body(messages, **fields)
        assert dialect.decode_request(asked, {}) == AnthropicMessages(lambda: 0.0).decode_request(asked, {})


def test_decode_request_reads_arguments_again_that_are_only_equal() -> None:
    dialect = AnthropicMessages(lambda: 0.0)
    dialect.decode_request(body(CONVERSATION), {})
    changed = [*CONVERSATION]
    changed[1] = {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1.0, "y": [True]}}],
    }
    assert (
        dialect.decode_request(body(changed), {}).messages[1]
        == (AnthropicMessages(lambda: 0.0).decode_request(body(changed), {}).messages[1])
    )
    assert '"x":1.0' in dialect.decode_request(body(changed), {}).messages[1].parts[0].arguments  # type: ignore[union-attr]


def test_decode_request_names_the_place_of_a_fault_behind_what_is_known() -> None:
    dialect = AnthropicMessages(lambda: 0.0)
    dialect.decode_request(body(CONVERSATION), {})
    with pytest.raises(InvalidRequestError, match=r"messages\.5\.role"):
        dialect.decode_request(body([*CONVERSATION, {"role": "nobody", "content": "x"}]), {})

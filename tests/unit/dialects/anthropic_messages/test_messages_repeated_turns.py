"""Turns that an earlier request of the conversation has written are not written again, and nobody can tell."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import (
    CacheMark,
    Opaque,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
)
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message, Tool
from openclaw_oauthrouter.dialects.anthropic_messages.request_encoder import MAX_MARKS, encode_request

CLAUDE = ModelInfo("anthropic", "claude-haiku-4-5", accepts=Accepts())
UNSIGNED = ModelInfo("anthropic", "claude-haiku-4-5", accepts=Accepts(unsigned_thinking=True))
LONG = "It rains on the plain. " * 300


def user(*parts: Part | str) -> Message:
    return Message("user", tuple(TextPart(part) if isinstance(part, str) else part for part in parts))


def said(*parts: Part | str) -> Message:
    return replace(user(*parts), role="assistant")


def round_of(id_: str, name: str = "look", arguments: str = '{"at":1}') -> tuple[Message, Message]:
    return said(ToolCallPart(id_, name, arguments)), user(ToolCallResponsePart(id_, (TextPart("dry"),)))


CONVERSATIONS: dict[str, tuple[Message, ...]] = {
    "words": (user(LONG), said("yes"), user("and?"), said("no"), user("well")),
    "calls": (user("look"), *round_of("c1"), *round_of("c2"), said("done"), user("thanks")),
    "odd ids": (user("look"), *round_of("c:1"), *round_of("c_1"), *round_of("c.1"), user("thanks")),
    "odd names": (user("look"), *round_of("c1", "a.b"), *round_of("c2", "a_b"), user("thanks")),
    "broken arguments": (user("look"), *round_of("c1", arguments="{"), *round_of("c2", arguments="[1]"), user("thanks")),
    "long numbers": (user("look"), *round_of("c1", arguments='{"n": 123456789012345678901}'), said("so"), user("thanks")),
    "two in one turn": (user("a"), user("b"), said("yes"), said("or no"), user("c")),
    "a turn that says nothing": (user("a"), said(" "), user("b"), said("yes"), user("c")),
    "thinking": (
        user("a"),
        said(ReasoningPart("hm", Opaque("signature", "S")), "x"),
        user("b"),
        said(ReasoningPart("hm")),
        user("c"),
    ),
    "marks": (
        user(TextPart("a", CacheMark("5m"))),
        said("yes"),
        *(user(TextPart("b", CacheMark("1h"))), said("no")) * 6,
        user("c"),
    ),
}


def written(messages: tuple[Message, ...], info: ModelInfo = CLAUDE, **fields: Any) -> EncodedRequest:
    return encode_request(ChatRequest("openai_chat_completions", "auto", messages, **fields), info)


def anew(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(Message(message.role, message.parts) for message in messages)


def wire(encoded: EncodedRequest) -> tuple[bytes, Any, Any]:
    return orjson.dumps(encoded.body), encoded.notes, encoded.tool_names


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_repeated_conversation_is_written_as_a_new_one(name: str) -> None:
    messages = CONVERSATIONS[name]
    for end in range(1, len(messages) + 1):
        for info in (CLAUDE, UNSIGNED, CLAUDE):
            for tools in ((), (Tool("look"), Tool("a.b"))):
                fresh = wire(written(anew(messages[:end]), info, tools=tools))
                assert wire(written(messages[:end], info, tools=tools)) == fresh, (end, info.accepts)


def test_a_body_stays_as_it_is_when_the_conversation_goes_on() -> None:
    messages = (user(LONG), *round_of("c1"), said("done"), user("thanks"))
    first = written(messages)
    kept = deepcopy(first.body)
    assert orjson.dumps(kept).count(b"cache_control") == 2
    longer = written((*messages, said("welcome"), user("bye")))
    assert first.body == kept
    assert orjson.dumps(longer.body).count(b"cache_control") == 2


def test_an_id_that_another_has_taken_is_spelt_otherwise_although_it_was_written_before() -> None:
    known = round_of("c_1")
    assert b'"c_1"' in orjson.dumps(written((user("a"), *known, user("b"))).body)
    again = written((user("a"), *round_of("c:1"), *known, user("b"))).body
    ids = [block["id"] for message in again["messages"] for block in message["content"] if block["type"] == "tool_use"]  # type: ignore[attr-defined]
    assert ids == ["c_1", "c_1_2"]


def test_marks_beyond_the_limit_go_each_time() -> None:
    for _ in range(2):
        assert orjson.dumps(written(CONVERSATIONS["marks"]).body).count(b"cache_control") == MAX_MARKS

"""Whole answers: written for a client, read from an upstream, passed on."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import Citation, Opaque, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import UpstreamError, UpstreamProtocolError, UpstreamRateLimitError

DIALECT = ChatCompletions(lambda: 1_700_000_000.25)


def encode(*parts: Any, request: dict[str, Any] | None = None, **fields: Any) -> Any:
    asked = DIALECT.decode_request({"model": "auto", "messages": [{"role": "user", "content": "x"}], **(request or {})}, {})
    response = ChatResponse(
        **{"id": "msg_1", "model": "m", "parts": parts, "finish_reason": "stop", "usage": Usage(9, 3), **fields}
    )
    return DIALECT.encode_response(response, asked, "a/m")


def test_text_answer_whole() -> None:
    assert encode(TextPart("A"), TextPart("B")) == {
        "id": "chatcmpl-msg_1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "a/m",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": "AB", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"parts": ()}, {"content": None}),
        ({"parts": (RefusalPart("no"),), "explanation": "why"}, {"content": None, "refusal": "no"}),
        ({"parts": (TextPart("I"),), "explanation": "why"}, {"content": "I", "refusal": "why"}),
        ({"parts": (ReasoningPart("a"), ReasoningPart("b")), "request": {"reasoning_effort": "low"}}, {"reasoning_content": "ab"}),
        (
            {"parts": (ToolCallPart("t", "f", ""), ToolCallPart("u", "g", "{}"))},
            {"content": None, "tool_calls": [
                {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "u", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ]},
        ),
        (
            {"parts": (TextPart("a", citations=(Citation("u", "t", 0, 1),)),)},
            {"annotations": [{"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "url": "u", "title": "t"}}]},
        ),
    ],
)  # fmt: skip
def test_message(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert encode(**fields)["choices"][0]["message"].items() >= expected.items()


def test_sealed_reasoning_can_be_sent_back() -> None:
    signed, hidden = Opaque("signature", "s", "anthropic/me"), Opaque("encrypted", "e", "openai-codex/me", "rs_1")
    answer = (ReasoningPart("a", signed), ReasoningPart("", hidden), TextPart("x"))
    message = encode(*answer, request={"reasoning_effort": "low"})["choices"][0]["message"]
    assert message["thinking_blocks"] == [
        {"type": "thinking", "thinking": "a", "signature": seal(signed)},
        {"type": "redacted_thinking", "data": seal(hidden)},
    ]
    back = DIALECT.decode_request({"model": "auto", "messages": [message]}, {})
    assert back.messages[0].parts == answer


def test_reasoning_is_for_clients_that_know_of_it() -> None:
    def fields(**request: Any) -> set[str]:
        return set(encode(ReasoningPart("a"), TextPart("x"), request=request)["choices"][0]["message"])

    earlier = {"role": "assistant", "content": "y", "reasoning_content": "b"}
    assert "reasoning_content" not in fields()
    assert "reasoning_content" in fields(reasoning_effort="low")
    assert "reasoning_content" in fields(messages=[{"role": "user", "content": "x"}, earlier, {"role": "user", "content": "z"}])


def test_custom_tools_and_deprecated_functions() -> None:
    custom = {"tools": [{"type": "custom", "custom": {"name": "patch"}}]}
    wrapped, plain = ToolCallPart("t", "patch", '{"input":"a"}'), ToolCallPart("u", "patch", "b", custom=True)
    calls = encode(wrapped, plain, request=custom)["choices"][0]["message"]["tool_calls"]
    assert [call["custom"]["input"] for call in calls] == ["a", "b"]
    for odd in ("not json", "[1]", '{"input":1}'):
        [call] = encode(ToolCallPart("t", "patch", odd), request=custom)["choices"][0]["message"]["tool_calls"]
        assert call["custom"]["input"] == odd
    choice = encode(ToolCallPart("t", "f", ""), request={"functions": [{"name": "f"}]}, finish_reason="tool_call")["choices"][0]
    assert choice["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert choice["finish_reason"] == "function_call"


def test_missing_id_is_made_of_the_time_and_the_tier_is_told() -> None:
    out = encode(id="", usage=Usage(service_tier="flex"))
    assert out["id"] == f"chatcmpl-{1_700_000_000_250_000:x}"
    assert out["service_tier"] == "flex"


def test_chat_responses_whole_upstream_answer() -> None:
    message = {
        "role": "assistant",
        "content": "A",
        "reasoning_content": "r",
        "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}, {"type": "file"}],
        "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, {"function": {"name": "g", "arguments": {"a": 1}}}],
    }
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    body = {"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": usage}
    folded = ResponseFold()
    for event in DIALECT.decode_response(body):
        folded.receive(event)
    assert folded.result() == ChatResponse(
        id="c",
        model="m",
        parts=(
            ReasoningPart("r"),
            TextPart("A", citations=(Citation("u"),)),
            ToolCallPart("call_c_2", "f", "{}"),
            ToolCallPart("call_c_3", "g", '{"a":1}'),
        ),
        finish_reason="tool_call",
        usage=Usage(5, 2),
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "m", "code": 429}}, UpstreamRateLimitError),
        ({}, UpstreamProtocolError),
        ({"choices": ["x"]}, UpstreamProtocolError),
        ({"choices": [{"message": {"tool_calls": 5}}]}, UpstreamProtocolError),
    ],
)
def test_chat_responses_no_answer(body: dict[str, Any], kind: type[UpstreamError]) -> None:
    with pytest.raises(kind):
        DIALECT.decode_response(body)


def test_relayed_answer_keeps_everything_but_foreign_tool_names() -> None:
    call = {"id": "t", "type": "function", "function": {"name": "Read", "arguments": "{}"}}
    body = {
        "id": "c",
        "x": 1,
        "choices": [{"message": {"content": "Read", "tool_calls": [call]}}, {"message": {"content": None}}],
    }
    assert DIALECT.relay_response(body, {}) is body
    renamed = DIALECT.relay_response(body, {"Read": "read"})
    assert renamed["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "read"
    assert (renamed["x"], renamed["choices"][0]["message"]["content"]) == (1, "Read")

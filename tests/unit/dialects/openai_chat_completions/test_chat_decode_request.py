"""A client's request: every field Chat Completions has, and the 400 that names the one that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    FilePart,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Tool, ToolChoice
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import InvalidRequestError

NAME = "openai_chat_completions"
USER = {"role": "user", "content": "hi"}


def decode(**fields: Any) -> ChatRequest:
    return ChatCompletions(lambda: 0.0).decode_request({"model": "auto", "messages": [USER], **fields}, {})


def decode_parts(message: dict[str, Any], *earlier: dict[str, Any]) -> tuple[Part, ...]:
    return decode(messages=[*earlier, message]).messages[-1].parts


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"max_completion_tokens": 5, "max_tokens": 9}, "max_output_tokens", 5),
        ({"max_tokens": 9.0}, "max_output_tokens", 9),
        ({"temperature": 1.6}, "temperature", 1.6),
        ({"temperature": 0}, "temperature", 0),
        ({"top_p": 0.5}, "top_p", 0.5),
        ({"top_k": 40}, "top_k", 40),
        ({"stop": "END"}, "stop", ("END",)),
        ({"stop": ["A", 3, "B"]}, "stop", ("A", "B")),
        ({"stop": None}, "stop", ()),
        ({"stream": True}, "stream", True),
        ({"stream_options": {"include_usage": True}}, "include_usage", True),
        ({"parallel_tool_calls": False}, "parallel_tool_calls", False),
        ({"verbosity": "low"}, "verbosity", "low"),
        ({"user": "u"}, "user", "u"),
        ({"user": "u", "safety_identifier": "s"}, "user", "u"),
        ({"user": "u", "safety_identifier": "s"}, "native", {"safety_identifier": "s"}),
        ({"safety_identifier": "s"}, "user", "s"),
        ({"service_tier": "flex"}, "service_tier", "flex"),
        ({"prompt_cache_key": "k"}, "prompt_cache_key", "k"),
        ({"logprobs": True}, "logprobs", True),
        ({"reasoning_effort": "high"}, "reasoning", Reasoning(effort="high")),
        ({"reasoning": {"max_tokens": 2000}}, "reasoning", Reasoning(budget_tokens=2000)),
        ({"reasoning": {"enabled": False}}, "reasoning", Reasoning(effort="none")),
        ({"reasoning": {"enabled": True, "effort": "low"}}, "reasoning", Reasoning(effort="low")),
        ({"thinking": {"type": "enabled", "budget_tokens": 3000}}, "reasoning", Reasoning(budget_tokens=3000)),
        ({"thinking": {"type": "adaptive"}}, "reasoning", Reasoning(adaptive=True)),
        ({"thinking": {"type": "disabled"}}, "reasoning", Reasoning(effort="none")),
        ({"response_format": {"type": "json_object"}}, "response_format", ResponseFormat("json_object")),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}}},
            "response_format",
            ResponseFormat("json_schema", schema={"type": "object"}, name="n", strict=True),
        ),
        ({"tool_choice": "required"}, "tool_choice", ToolChoice("required")),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice", ToolChoice("tool", "f")),
        ({"tool_choice": {"type": "custom", "custom": {"name": "c"}}}, "tool_choice", ToolChoice("tool", "c")),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
                {"type": "function", "function": {"name": "f"}, "custom": None}, {"type": "custom", "custom": {"name": "c"}}]}}},
            "tool_choice",
            ToolChoice("required", allowed=("f", "c")),
        ),
        ({"function_call": {"name": "f"}}, "tool_choice", ToolChoice("tool", "f")),
        ({"tools": [{"type": "function", "function": {"name": "ping"}}]}, "tools", (Tool("ping"),)),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"a": 1}, "strict": True},
                        "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            "tools",
            (Tool("f", "d", {"a": 1}, strict=True, cache=CacheMark("1h")),),
        ),
        ({"tools": [{"type": "function", "function": {"name": "f"}, "cache_control": {"ttl": []}}]}, "tools", (Tool("f", cache=CacheMark()),)),
        (
            {"tools": [{"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}}]},
            "tools",
            (Tool("c", custom=True, format={"type": "text"}),),
        ),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "tools",
            (Tool("web_search", native=(NAME, {"type": "web_search_20250305", "name": "web_search"})),),
        ),
        ({"functions": [{"name": "f"}]}, "tools", (Tool("f"),)),
        ({"functions": [{"name": "f"}]}, "parallel_tool_calls", False),
        ({"n": 2, "seed": 4, "x_new": {"a": [1]}, "store": None}, "native", {"n": 2, "seed": 4, "x_new": {"a": [1]}}),
        ({"response_format": {"type": "regex", "regex": "a"}}, "native", {"response_format": {"type": "regex", "regex": "a"}}),
        ({"thinking": {"type": "between_tools"}}, "native", {"thinking": {"type": "between_tools"}}),
    ],
)  # fmt: skip
def test_field(fields: dict[str, Any], name: str, expected: object) -> None:
    assert getattr(decode(**fields), name) == expected


def test_body_and_headers_are_kept() -> None:
    body = {"model": "auto", "messages": [USER]}
    request = ChatCompletions(lambda: 0.0).decode_request(body, {"user-agent": "x"})
    assert request.body is body
    assert (request.dialect, request.model, request.headers) == (NAME, "auto", {"user-agent": "x"})


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, TextPart("a", CacheMark("5m"))),
        ({"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}, TextPart("a", CacheMark("1h"))),
        ({"type": "image_url", "image_url": "https://e/x.png"}, UriPart("image", "https://e/x.png")),
        ({"type": "image_url", "image_url": {"url": "https://e/x.png", "detail": "low"}}, UriPart("image", "https://e/x.png", detail="low")),
        ({"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AA=="}}, BlobPart("image", "image/jpeg", "AA==")),
        ({"type": "file", "file": {"file_id": "file-1", "filename": "a.pdf"}}, FilePart("document", "file-1", "a.pdf")),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
            BlobPart("document", "application/pdf", "AA==", "a.pdf"),
        ),
        ({"type": "file", "file": {"file_data": "https://e/a.pdf"}}, UriPart("document", "https://e/a.pdf")),
        ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}}, BlobPart("audio", "audio/mpeg", "AA==")),
        ({"type": "video_url", "video_url": {"url": "u"}}, NativePart(NAME, "video_url", {"type": "video_url", "video_url": {"url": "u"}})),
    ],
)  # fmt: skip
def test_user_part(part: dict[str, Any], expected: Part) -> None:
    assert decode_parts({"role": "user", "content": [part]}) == (expected,)


def test_roles_and_empty_content() -> None:
    request = decode(messages=[
        {"role": "system", "content": "s"},
        {"role": "developer", "content": [{"type": "text", "text": "d"}]},
        {"role": "user", "content": ""},
        {"role": "assistant", "content": None},
    ])  # fmt: skip
    assert request.messages == (
        Message("system", (TextPart("s"),)),
        Message("system", (TextPart("d"),)),
        Message("user", ()),
        Message("assistant", ()),
    )


def test_assistant_parts_in_canonical_order() -> None:
    parts = decode_parts({
        "role": "assistant",
        "content": [{"type": "text", "text": "t"}, {"type": "refusal", "refusal": "r"}],
        "reasoning_content": "why",
        "refusal": "no",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": ""}},
            {"id": "2", "type": "custom", "custom": {"name": "c", "input": "free"}},
        ],
    })  # fmt: skip
    assert parts == (
        ReasoningPart("why"),
        TextPart("t"),
        RefusalPart("r"),
        RefusalPart("no"),
        ToolCallPart("1", "f", "{}"),
        ToolCallPart("2", "c", "free", custom=True),
    )


def test_thinking_blocks_are_unsealed_and_beat_plain_reasoning() -> None:
    ours = Opaque("encrypted", "cipher", "openai-codex/me", "rs_1")
    blocks = [
        {"type": "thinking", "thinking": "a", "signature": "raw"},
        {"type": "redacted_thinking", "data": seal(ours)},
        {"type": "thinking", "thinking": ""},
    ]
    parts = decode_parts({"role": "assistant", "content": None, "reasoning_content": "a", "thinking_blocks": blocks})
    assert parts == (ReasoningPart("a", Opaque("signature", "raw")), ReasoningPart("", ours))


def test_chat_decode_request_call_whose_other_kind_is_null_is_read() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "custom": None}
    message = decode(messages=[{"role": "assistant", "tool_calls": [call]}, {"role": "user", "content": "x"}]).messages[0]
    assert message.parts == (ToolCallPart("c1", "f", "{}"),)


def test_tool_answer() -> None:
    content = [{"type": "text", "text": "dry"}, {"type": "image_url", "image_url": "https://e/x.png"}]
    parts = decode_parts({"role": "tool", "tool_call_id": "1", "content": content})
    assert parts == (ToolCallResponsePart("1", (TextPart("dry"), UriPart("image", "https://e/x.png"))),)


def test_chat_decode_request_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        ChatCompletions(lambda: 0.0).decode_request([], {})  # type: ignore[arg-type]


def test_deprecated_function_answer_finds_its_call() -> None:
    calls = [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "one"},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    ]
    messages = decode(messages=[*calls, {"role": "function", "name": "f", "content": "two"}]).messages
    ids = [message.parts[0].id for message in messages]  # type: ignore[union-attr]
    assert ids[0] == ids[1] != ids[2] == ids[3]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 5}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [USER, "hi"]}, "messages[1]"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [USER, {"role": "user"}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].image_url"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,xx"}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].name"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}]}]}, "messages[0].tool_calls[0].function"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {}}}]}]},
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": "x"}}]}, "tools[0].function.parameters"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": 1}, "tool_choice"),
        ({"tool_choice": {"type": "x"}}, "tool_choice.type"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"max_completion_tokens": float("inf")}, "max_completion_tokens"),
        ({"max_tokens": 1e300}, "max_tokens"),
        ({"max_tokens": 2**53}, "max_tokens"),
        ({"stop": 3}, "stop"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": True}, "stream_options"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"reasoning_effort": 3}, "reasoning_effort"),
    ],
)
def test_refusal_names_the_parameter(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        decode(**fields)
    assert refused.value.param == param
    assert param in refused.value.message

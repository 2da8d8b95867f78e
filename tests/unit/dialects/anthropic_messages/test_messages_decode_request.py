"""What a Messages client's request means: every block and field, and every refusal."""

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
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
)
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Tool, ToolChoice
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.errors import InvalidRequestError

USER = {"role": "user", "content": "hi"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def decode(**fields: Any) -> ChatRequest:
    body = {"model": "auto", "max_tokens": 10, "messages": [USER], **fields}
    return AnthropicMessages(lambda: 0.0).decode_request(body, {"user-agent": "t"})


def part(block: dict[str, Any]) -> Part:
    return decode(messages=[{"role": "user", "content": [block]}]).messages[0].parts[0]


def test_a_small_request() -> None:
    request = decode(stream=True)
    assert request == ChatRequest(
        dialect="anthropic_messages",
        model="auto",
        messages=(Message("user", (TextPart("hi"),)),),
        body={"model": "auto", "max_tokens": 10, "messages": [USER], "stream": True},
        headers={"user-agent": "t"},
        max_output_tokens=10,
        stream=True,
        include_usage=True,
    )


MARK = {"type": "ephemeral", "ttl": "1h"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "cGRm"}
BLOCKS: list[tuple[dict[str, Any], Part]] = [
    ({"type": "text", "text": "a", "cache_control": MARK}, TextPart("a", CacheMark("1h"))),
    ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, TextPart("a", CacheMark("5m"))),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        BlobPart("image", "image/png", "aGk="),
    ),
    ({"type": "image", "source": {"type": "url", "url": "https://x.example"}}, UriPart("image", "https://x.example")),
    ({"type": "image", "source": {"type": "file", "file_id": "f1"}}, FilePart("image", "f1")),
    ({"type": "document", "source": PDF, "title": "a.pdf"}, BlobPart("document", "application/pdf", "cGRm", "a.pdf")),
    (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
        BlobPart("document", "text/plain", "aGk="),
    ),
    ({"type": "thinking", "thinking": "hm", "signature": "s"}, ReasoningPart("hm", Opaque("signature", "s"))),
    ({"type": "thinking", "thinking": "hm", "signature": ""}, ReasoningPart("hm")),
    ({"type": "redacted_thinking", "data": "d"}, ReasoningPart("", Opaque("redacted", "d"))),
    (
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "ä"}, "cache_control": MARK},
        ToolCallPart("t", "f", '{"a":"ä"}', cache=CacheMark("1h")),
    ),
    ({"type": "tool_result", "tool_use_id": "t"}, ToolCallResponsePart("t")),
    (
        {"type": "tool_result", "tool_use_id": "t", "content": "x", "is_error": True, "cache_control": MARK},
        ToolCallResponsePart("t", (TextPart("x"),), is_error=True, cache=CacheMark("1h")),
    ),
    (
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "text", "text": "x"}, {"type": "search_result", "a": 1}],
        },
        ToolCallResponsePart(
            "t", (TextPart("x"), NativePart("anthropic_messages", "search_result", {"type": "search_result", "a": 1}))
        ),
    ),
]


@pytest.mark.parametrize(("block", "expected"), BLOCKS, ids=lambda value: value.get("type") if isinstance(value, dict) else "")
def test_blocks(block: dict[str, Any], expected: Part) -> None:
    assert part(block) == expected


@pytest.mark.parametrize(
    "block",
    [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "container_upload", "file_id": "f"},
        {"type": "of tomorrow"},
        {"type": "document", "source": {"type": "content", "content": []}},
    ],
)
def test_blocks_without_a_word_of_our_own_stay_as_they_are(block: dict[str, Any]) -> None:
    assert part(block) == NativePart("anthropic_messages", block["type"], block)


def test_sealed_reasoning_is_unsealed() -> None:
    opaque = Opaque("encrypted", "blob", "openai-codex/acc", "rs_1")
    assert part({"type": "thinking", "thinking": "", "signature": seal(opaque)}) == ReasoningPart("", opaque)
    assert part({"type": "redacted_thinking", "data": seal(opaque)}) == ReasoningPart("", opaque)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("Be.", (TextPart("Be."),)),
        (
            [{"type": "text", "text": "A"}, {"type": "text", "text": "B", "cache_control": MARK}],
            (TextPart("A"), TextPart("B", CacheMark("1h"))),
        ),
    ],
)
def test_system(system: Any, expected: tuple[Part, ...]) -> None:
    assert decode(system=system).messages == (Message("system", expected), Message("user", (TextPart("hi"),)))


def test_no_system() -> None:
    assert [message.role for message in decode(system="", messages=[USER, {"role": "system", "content": "x"}]).messages] == [
        "user",
        "system",
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"temperature": 1, "top_p": 0.5, "top_k": 3}, {"temperature": 1, "top_p": 0.5, "top_k": 3}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ("a", "b")}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"tool_choice": {"type": "auto"}}, {"tool_choice": ToolChoice("auto"), "parallel_tool_calls": None}),
        (
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            {"tool_choice": ToolChoice("required"), "parallel_tool_calls": False},
        ),
        ({"tool_choice": {"type": "tool", "name": "f"}}, {"tool_choice": ToolChoice("tool", "f")}),
        ({"tool_choice": {"type": "none"}}, {"tool_choice": ToolChoice("none")}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"reasoning": Reasoning(budget_tokens=2000)}),
        (
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}},
            {"reasoning": Reasoning("low", summary="auto", adaptive=True)},
        ),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}, {"reasoning": Reasoning("none")}),
        ({"output_config": {"effort": "max"}}, {"reasoning": Reasoning("max")}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            {"response_format": ResponseFormat("json_schema", {"type": "object"}, strict=True)},
        ),
        (
            {
                "tools": [
                    {"name": "f", "description": "d", "input_schema": {"type": "object"}, "strict": True, "cache_control": MARK},
                    SEARCH,
                ]
            },
            {
                "tools": (
                    Tool("f", "d", {"type": "object"}, True, cache=CacheMark("1h")),
                    Tool("web_search", native=("anthropic_messages", SEARCH)),
                )
            },
        ),
        (
            {"context_management": {"edits": []}, "container": "c", "mcp_servers": [], "inference_geo": None},
            {"native": {"context_management": {"edits": []}, "container": "c", "mcp_servers": []}},
        ),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
                "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
                "metadata": {"user_id": "u"},
                "service_tier": "auto",
            },
            {"native": {}},
        ),
        (
            {"output_config": {"effort": "low", "task_budget": 9}, "metadata": {"team": "a"}, "service_tier": "of_tomorrow"},
            {
                "native": {
                    "output_config": {"effort": "low", "task_budget": 9},
                    "metadata": {"team": "a"},
                    "service_tier": "of_tomorrow",
                }
            },
        ),
    ],
)
def test_fields(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    request = decode(**fields)
    assert {name: getattr(request, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 4}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 2**53}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        ({"messages": [USER, {"role": "user"}]}, "messages.1.content"),
        ({"messages": [{"role": "user", "content": 4}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, "messages.0.content.0.source.type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "t", "name": "f"}]}]},
            "messages.0.content.0.input",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "thinking", "thinking": ""}]}
                        ],
                    }
                ]
            },
            "messages",
        ),
        ({"stream": "yes"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"stop_sequences": [3]}, "stop_sequences"),
        ({"system": 3}, "system"),
        ({"tools": [{"name": "f"}]}, "tools.0.input_schema"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {}}, "thinking.type"),
    ],
)
def test_refusals_name_the_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        decode(**fields)
    assert caught.value.param == param
    assert caught.value.message.startswith(f"{param}: ")

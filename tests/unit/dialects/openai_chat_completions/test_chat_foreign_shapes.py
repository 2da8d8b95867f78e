"""Parts, tools and bodies of other dialects in a Chat request: read, and restated for providers of Chat; anything else names its field."""

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
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, ResponseFormat, Tool, ToolChoice
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import InvalidRequestError

DIALECT = ChatCompletions(lambda: 0.0)
PNG = {"type": "base64", "media_type": "image/png", "data": "AA=="}
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}


def decode(body: dict[str, Any]) -> ChatRequest:
    return DIALECT.decode_request({"model": "auto", **body}, {})


def relayed(body: dict[str, Any]) -> dict[str, Any]:
    return dict(DIALECT.encode_request(decode(body), ModelInfo("local", "m-1")).body)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "input_text", "text": "a"}, TextPart("a")),
        ({"type": "output_text", "text": "a"}, TextPart("a")),
        ({"type": "input_image", "image_url": "https://x/a.png", "detail": "low"}, UriPart("image", "https://x/a.png", detail="low")),
        ({"type": "input_image", "image_url": {"url": "data:image/png;base64,AA=="}}, BlobPart("image", "image/png", "AA==")),
        ({"type": "input_image", "file_id": "file-1"}, FilePart("image", "file-1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
            BlobPart("document", "application/pdf", "AA==", "a.pdf"),
        ),
        ({"type": "input_file", "file_url": "https://x/a.pdf"}, UriPart("document", "https://x/a.pdf")),
        ({"type": "input_file", "file_id": "file-1"}, FilePart("document", "file-1")),
        ({"type": "image", "source": PNG}, BlobPart("image", "image/png", "AA==")),
        ({"type": "image", "source": {"type": "url", "url": "https://x/a.png"}}, UriPart("image", "https://x/a.png")),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, FilePart("image", "f")),
        (
            {"type": "document", "title": "t", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="}},
            BlobPart("document", "application/pdf", "AA==", "t"),
        ),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}, TextPart("words")),
        (
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}},
            TextPart("a\nb"),
        ),
        (
            {"type": "search_result", "title": "T", "source": "https://x", "content": [{"type": "text", "text": "found"}]},
            TextPart("T\nhttps://x\nfound"),
        ),
        ({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, TextPart("a", CacheMark())),
    ],
)  # fmt: skip
def test_part_of_another_dialect_is_read(part: dict[str, Any], expected: Part) -> None:
    [message] = decode({"messages": [{"role": "user", "content": [part]}]}).messages
    assert message.parts == (expected,)


TOOL_ROUND = [
    {"role": "user", "content": "hi"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "I read it."},
            {"type": "tool_use", "id": "toolu_8", "name": "read", "input": {"path": "a"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "toolu_8",
                "is_error": True,
                "content": [{"type": "text", "text": "seven"}, {"type": "image", "source": PNG}],
            },
            {"type": "text", "text": "go on"},
        ],
    },
]


def test_tool_round_of_messages_is_read() -> None:
    _, said, answered = decode({"messages": TOOL_ROUND}).messages
    assert said.parts == (
        ReasoningPart("hm", Opaque("signature", "s")),
        TextPart("I read it."),
        ToolCallPart("toolu_8", "read", '{"path":"a"}'),
    )
    image = BlobPart("image", "image/png", "AA==")
    assert answered.parts == (ToolCallResponsePart("toolu_8", (TextPart("seven"), image), is_error=True), TextPart("go on"))


def test_tool_round_of_messages_reaches_a_chat_provider_in_chat_s_words() -> None:
    body = relayed({"messages": TOOL_ROUND, "n": 2})
    assert body["n"] == 2
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "tool", "user"]
    assert body["messages"][1]["tool_calls"] == [
        {"id": "toolu_8", "type": "function", "function": {"name": "read", "arguments": '{"path":"a"}'}}
    ]
    assert body["messages"][2]["content"] == [
        {"type": "text", "text": "seven"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "name": "read", "description": "d", "parameters": SCHEMA},
        {"name": "read", "description": "d", "input_schema": SCHEMA},
        {"type": "custom", "name": "read", "description": "d", "input_schema": SCHEMA},
        {"type": "function", "function": {"name": "read", "description": "d", "parameters": SCHEMA}},
    ],
)
def test_tool_in_another_shape_is_read_and_restated(tool: dict[str, Any]) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    assert decode(body).tools == (Tool("read", "d", SCHEMA),)
    assert relayed(body)["tools"] == [
        {"type": "function", "function": {"name": "read", "description": "d", "parameters": SCHEMA}}
    ]


@pytest.mark.parametrize(
    ("choice", "expected", "restated"),
    [
        ({"type": "function", "name": "read"}, ToolChoice("tool", "read"), {"type": "function", "function": {"name": "read"}}),
        ({"type": "tool", "name": "read"}, ToolChoice("tool", "read"), {"type": "function", "function": {"name": "read"}}),
        ({"type": "any"}, ToolChoice("required"), "required"),
        ({"type": "auto"}, ToolChoice("auto"), "auto"),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "read"}]},
            ToolChoice("required", allowed=("read",)),
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "read"}}]},
            },
        ),
    ],
)
def test_tool_choice_in_another_shape_is_read(choice: dict[str, Any], expected: ToolChoice, restated: object) -> None:
    tools = [{"type": "function", "function": {"name": "read", "parameters": SCHEMA}}]
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": tools, "tool_choice": choice}
    assert decode(body).tool_choice == expected
    assert relayed(body)["tool_choice"] == restated


RESPONSES = {
    "instructions": "be brief",
    "input": [
        {"role": "developer", "content": "d"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "c1", "name": "read", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "read", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "two"}]},
    ],
    "max_output_tokens": 64,
    "reasoning": {"effort": "low"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}, "verbosity": "low"},
    "tools": [{"type": "function", "name": "read", "parameters": SCHEMA}],
}


def test_responses_body_is_read() -> None:
    request = decode(RESPONSES)
    assert request.messages == (
        Message("system", (TextPart("be brief"),)),
        Message("system", (TextPart("d"),)),
        Message("user", (TextPart("hi"),)),
        Message("assistant", (ReasoningPart("hm"), ToolCallPart("c1", "read", "{}"), ToolCallPart("c2", "read", "{}"))),
        Message("user", (ToolCallResponsePart("c1", (TextPart("one"),)),)),
        Message("user", (ToolCallResponsePart("c2", (TextPart("two"),)),)),
    )
    assert (request.max_output_tokens, request.reasoning, request.verbosity) == (64, Reasoning(effort="low"), "low")
    assert request.response_format == ResponseFormat("json_schema", SCHEMA, "n")


def test_responses_body_reaches_a_chat_provider_in_chat_s_words() -> None:
    body = relayed(RESPONSES)
    assert {"input", "instructions", "text", "max_output_tokens"} & body.keys() == set()
    assert [message["role"] for message in body["messages"]] == ["system", "system", "user", "assistant", "tool", "tool"]
    assert (body["max_completion_tokens"], body["verbosity"]) == (64, "low")
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA


def test_words_as_input_are_the_user_s() -> None:
    assert decode({"input": "hi"}).messages == (Message("user", (TextPart("hi"),)),)


def test_messages_body_is_read() -> None:
    body = {"system": [{"type": "text", "text": "be brief"}], "messages": TOOL_ROUND, "stop_sequences": ["X"], "max_tokens": 9}
    request = decode(body)
    assert request.messages[0] == Message("system", (TextPart("be brief"),))
    assert request.stop == ("X",)
    assert relayed(body)["stop"] == ["X"]
    assert relayed(body)["max_completion_tokens"] == 9


def test_thinking_of_mistral_is_at_home_here() -> None:
    said = {"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}
    body = {"messages": [{"role": "user", "content": "hi"}, said, {"role": "user", "content": "go on"}]}
    assert decode(body).messages[1].parts == (ReasoningPart("hm"),)
    assert relayed(body)["messages"] == body["messages"]


def test_part_that_only_some_providers_know_passes_to_them() -> None:
    part = {"type": "video_url", "video_url": {"url": "https://x/v.mp4"}}
    body = {"messages": [{"role": "user", "content": [part]}]}
    assert decode(body).messages[0].parts == (NativePart("openai_chat_completions", "video_url", part),)
    assert relayed(body)["messages"] == body["messages"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "ftp"}}]}]}, "messages[0].content[0].source.type"),
        ({"messages": [{"role": "user", "content": [{"type": "input_text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "n"}]}]}, "messages[0].content[0].input"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]}, "messages[0].content[0].tool_use_id"),
        ({"input": [{"type": "local_shell_call", "call_id": "c"}]}, "input[0].type"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": 1}]}]}, "input[0].output[0].text"),
        ({"input": [{"role": "owner", "content": "x"}]}, "input[0].role"),
        ({"input": []}, "messages"),
        ({"input": "a", "messages": [{"role": "user", "content": "hi"}]}, "input"),
        ({"messages": [{"role": "user", "content": "hi"}], "tools": [{"type": "function", "name": "f", "parameters": "x"}]}, "tools[0].parameters"),
    ],
)  # fmt: skip
def test_chat_foreign_shapes_what_cannot_be_read_names_its_field(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        decode(body)
    assert refused.value.param == param

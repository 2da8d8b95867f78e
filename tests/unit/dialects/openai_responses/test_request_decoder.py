"""What a Responses client sends, read into canonical form: one row per rule."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    FilePart,
    NativePart,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
    UriPart,
    WebSearch,
)
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import Message, Reasoning, ResponseFormat, Tool, ToolChoice, WebSearchOptions
from openclaw_oauthrouter.dialects.openai_responses.request_decoder import STATEFUL
from openclaw_oauthrouter.errors import InvalidRequestError
from tests.support.recordings import SHARED, recorded_body, recordings
from tests.support.responses import assistant, from_client, make_dialect, system, user

CALL = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'}
ANSWER = {"type": "function_call_output", "call_id": "c1", "output": "snow"}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"role": "user", "content": "hi"}, user("hi")),
        ({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}, user("hi")),
        ({"role": "system", "content": "be brief"}, system("be brief")),
        ({"role": "developer", "content": "be brief"}, system("be brief")),
        ({"role": "assistant", "content": None}, None),
        ({"role": "assistant", "content": [{"type": "output_text", "text": "yo", "annotations": []}]}, assistant("yo")),
        ({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, assistant(RefusalPart("no"))),
        (CALL, assistant(ToolCallPart("c1", "weather", '{"city":"Oslo"}'))),
        ({**CALL, "namespace": "agents"}, assistant(ToolCallPart("c1", "agents__weather", '{"city":"Oslo"}'))),
        (ANSWER, user(ToolCallResponsePart("c1", (TextPart("snow"),)))),
        (
            {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
            assistant(ToolCallPart("c2", "patch", "*** Begin", custom=True)),
        ),
        (
            {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
            user(ToolCallResponsePart("c2", (TextPart("done"),), custom=True)),
        ),
        (
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
                "encrypted_content": "gAAA",
            },
            assistant(ReasoningPart("a\n\nb", Opaque("encrypted", "gAAA", item_id="rs_1"))),
        ),
        (
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [],
                "encrypted_content": seal(Opaque("signature", "sig", "anthropic/a")),
            },
            assistant(ReasoningPart("", Opaque("signature", "sig", "anthropic/a"))),
        ),
        (
            {"type": "web_search_call", "id": "ws_1"},
            assistant(
                NativePart(
                    "openai_responses",
                    "web_search_call",
                    {"type": "web_search_call", "id": "ws_1"},
                    words="[searched the web]",
                    search=WebSearch("ws_1"),
                )
            ),
        ),
        (
            {"type": "tool_search_output", "call_id": "t"},
            user(ToolCallResponsePart("t", (TextPart("No tools were found."),))),
        ),
    ],
)
def test_item(item: dict[str, object], message: Message | None) -> None:
    assert from_client(input=[item]).messages == (() if message is None else (message,))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
            UriPart("image", "https://x/y.png", detail="low"),
        ),
        ({"type": "input_image", "image_url": "data:image/png;base64,AAA="}, BlobPart("image", "image/png", "AAA=")),
        ({"type": "input_image", "file_id": "file_1"}, FilePart("image", "file_1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
            BlobPart("document", "application/pdf", "JVBE", "a.pdf"),
        ),
        ({"type": "input_file", "file_url": "https://x/a.pdf"}, UriPart("document", "https://x/a.pdf")),
        ({"type": "input_file", "file_id": "file_2"}, FilePart("document", "file_2")),
        ({"type": "input_audio", "input_audio": {"format": "wav", "data": "UklG"}}, BlobPart("audio", "audio/wav", "UklG")),
        ({"type": "hologram", "x": 1}, NativePart("openai_responses", "hologram", {"type": "hologram", "x": 1})),
    ],
)
def test_content_part(part: dict[str, object], expected: object) -> None:
    assert from_client(input=[{"role": "user", "content": [part]}]).messages[0].parts == (expected,)


def test_request_decoder_turn_of_the_assistant_becomes_one_message_and_so_do_its_answers() -> None:
    request = from_client(
        instructions="be brief",
        input=[
            {"role": "user", "content": "rain?"},
            {"role": "user", "content": "and wind?"},
            {"type": "reasoning", "summary": [], "encrypted_content": "e"},
            {"role": "assistant", "content": "checking"},
            CALL,
            {**CALL, "call_id": "c2"},
            ANSWER,
            {**ANSWER, "call_id": "c2", "output": [{"type": "input_text", "text": "sun"}]},
            {"role": "user", "content": "thanks"},
        ],
    )
    assert [message.role for message in request.messages] == ["system", "user", "user", "assistant", "user", "user"]
    assert [type(part) for part in request.messages[3].parts] == [ReasoningPart, TextPart, ToolCallPart, ToolCallPart]
    assert [part.id for part in request.messages[4].parts if isinstance(part, ToolCallResponsePart)] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": False},
            Tool("f", "d", {"type": "object"}, strict=False),
        ),
        ({"type": "function", "name": "f", "parameters": None, "strict": None}, Tool("f")),
        (
            {"type": "custom", "name": "p", "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}},
            Tool("p", custom=True, format={"type": "grammar", "syntax": "lark", "definition": "start: /x/"}),
        ),
        (
            {"type": "web_search"},
            Tool("web_search", native=("openai_responses", {"type": "web_search"}), search=WebSearchOptions()),
        ),
        ({"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "spawn"}]}, Tool("agents__spawn")),
    ],
)
def test_tool(tool: dict[str, object], expected: Tool) -> None:
    assert from_client(tools=[tool]).tools == (expected,)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("tool", "f")),
        ({"type": "custom", "name": "p"}, ToolChoice("tool", "p")),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}]},
            ToolChoice("required", allowed=("f",)),
        ),
        ({"type": "web_search"}, None),
    ],
)
def test_tool_choice(choice: object, expected: ToolChoice | None) -> None:
    assert from_client(tool_choice=choice).tool_choice == expected


def test_settings() -> None:
    request = from_client(
        reasoning={"effort": "high", "summary": "auto"},
        text={"format": {"type": "json_schema", "name": "out", "schema": {"type": "object"}, "strict": True}, "verbosity": "low"},
        max_output_tokens=100,
        temperature=0.5,
        top_p=1,
        parallel_tool_calls=False,
        stream=True,
        user="u",
        service_tier="flex",
        prompt_cache_key="k",
        include=["message.output_text.logprobs"],
        metadata={"a": "b"},
        truncation=None,
    )
    assert request.reasoning == Reasoning("high", summary="auto")
    assert request.response_format == ResponseFormat("json_schema", {"type": "object"}, "out", strict=True)
    assert (request.verbosity, request.max_output_tokens, request.temperature, request.top_p) == ("low", 100, 0.5, 1.0)
    assert (request.parallel_tool_calls, request.stream, request.include_usage, request.logprobs) == (False, True, True, True)
    assert (request.user, request.service_tier, request.prompt_cache_key) == ("u", "flex", "k")
    assert request.native == {"metadata": {"a": "b"}}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"input": None}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        ({"input": [{"content": "hi"}]}, "input[0].type"),
        ({"input": [{"role": "robot", "content": "hi"}]}, "input[0].role"),
        ({"input": [{**CALL, "call_id": None}]}, "input[0].call_id"),
        ({"input": [{**CALL, "arguments": 7}]}, "input[0].arguments"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"model": 3}, "model"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 1e300}, "max_output_tokens"),
        ({"max_output_tokens": float("inf")}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
        ({"reasoning": "high"}, "reasoning"),
        ({"instructions": ["x"]}, "instructions[0]"),
        ({"include": True}, "include"),
        ({"input": [{"type": "reasoning", "summary": True}]}, "input[0].summary"),
        ({"input": [{"type": "reasoning", "content": ["x"]}]}, "input[0].content[0]"),
        ({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": []}]}]}, "tools[0].tools[0].type"),
    ],
)
def test_request_decoder_bad_request_is_refused_by_name(body: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        from_client(**body)
    assert caught.value.param == param
    assert caught.value.status_code == 400


def test_request_decoder_format_that_says_nothing() -> None:
    assert from_client(text={"format": {"type": "text"}}).response_format is None


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "background", "prompt"])
def test_request_decoder_stateful_field_that_says_nothing_is_no_fault(field: str) -> None:
    assert from_client(**{field: None}).messages == (user("hi"),)


@pytest.mark.parametrize(
    "path", recordings("openai-responses", ".request.json") + recordings("openai-responses", ".exchange.json")
)
def test_recorded_requests_decode_or_are_refused_for_being_stateful(path: Path) -> None:
    body = recorded_body(json.loads(path.read_text())["request"])
    items = body["input"] if isinstance(body["input"], list) else []
    stateful = any(body.get(field) for field in STATEFUL) or any(item.get("type") == "item_reference" for item in items)
    with pytest.raises(InvalidRequestError) if stateful else nullcontext():
        assert make_dialect().decode_request(body, {}).messages


@pytest.mark.parametrize(
    "name", ["client-captures/codex-cli-01.json", "openclaw-captures/resp-02.json", "openclaw-captures/resp-03.json"]
)
def test_requests_of_real_clients(name: str) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip("needs the captures")
    request = make_dialect().decode_request(recorded_body(json.loads(path.read_text())), {})
    assert request.messages[0].role == "system"
    assert any(message.role == "user" for message in request.messages)
    assert request.tools
    if "codex" in name:
        assert "multi_agent_v1__spawn_agent" in {tool.name for tool in request.tools}
        assert [tool.name for tool in request.tools if tool.native] == ["web_search"]

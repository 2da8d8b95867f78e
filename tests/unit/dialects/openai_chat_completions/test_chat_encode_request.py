"""A request on its way to a Chat Completions upstream: translated from another dialect, or passed on as it is."""

from __future__ import annotations

import re
from dataclasses import replace
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
from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    EncodedRequest,
    Message,
    Note,
    Reasoning,
    ResponseFormat,
    Tool,
    ToolChoice,
)
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_chat_completions.tools import encode_tools
from openclaw_oauthrouter.errors import InvalidRequestError

DIALECT = ChatCompletions(lambda: 0.0)
CARD = ModelInfo("openai", "gpt-x", max_output_tokens=100)
CLOSED = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
HI = Message("user", (TextPart("hi"),))


def encode(*messages: Message, **fields: Any) -> EncodedRequest:
    request = ChatRequest("anthropic_messages", "auto", messages or (HI,), **fields)
    return fitted(request)


def fitted(request: ChatRequest, info: ModelInfo = CARD) -> EncodedRequest:
    """As the gateway does it: fitted to the model, then spelled."""
    info = with_accepts(info, DIALECT.name)
    request, notes = fit(request, info, DIALECT.name)
    encoded = DIALECT.encode_request(request, info)
    return replace(encoded, notes=(*notes, *encoded.notes))


def encode_messages(*messages: Message) -> Any:
    return encode(*messages).body["messages"]


def test_smallest_request() -> None:
    assert encode().body == {"model": "gpt-x", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_output_tokens": 50}, {"max_completion_tokens": 50}),
        ({"max_output_tokens": 5000}, {"max_completion_tokens": 100}),
        ({"temperature": 0.0, "top_p": 0.5}, {"temperature": 0.0, "top_p": 0.5}),
        ({"stop": ("A",)}, {"stop": ["A"]}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        ({"reasoning": Reasoning(effort="high", budget_tokens=9)}, {"reasoning_effort": "high"}),
        ({"reasoning": Reasoning(budget_tokens=1024)}, {"reasoning_effort": "low"}),
        ({"reasoning": Reasoning(budget_tokens=4096)}, {"reasoning_effort": "medium"}),
        ({"reasoning": Reasoning(budget_tokens=20000)}, {"reasoning_effort": "high"}),
        ({"reasoning": Reasoning(adaptive=True)}, {}),
        ({"verbosity": "low", "user": "u", "prompt_cache_key": "k"}, {"verbosity": "low", "user": "u", "prompt_cache_key": "k"}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"response_format": ResponseFormat("json_object")}, {"response_format": {"type": "json_object"}}),
        (
            {"response_format": ResponseFormat("json_schema", schema={"type": "object"})},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {}}},
                }
            },
        ),
        ({"tool_choice": ToolChoice("required"), "parallel_tool_calls": False}, {}),
        (
            {"tools": (Tool("f", "d", CLOSED, strict=True),), "tool_choice": ToolChoice("tool", "f"), "parallel_tool_calls": False},
            {
                "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": CLOSED, "strict": True}}],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "parallel_tool_calls": False,
            },
        ),
        (
            {"tools": (Tool("f"),), "tool_choice": ToolChoice("auto", allowed=("f",))},
            {
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
                },
            },
        ),
    ],
)  # fmt: skip
def test_field(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    body = dict(encode(**fields).body)
    assert body.pop("model") == "gpt-x"
    assert body.pop("messages")
    assert body == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            UriPart("image", "https://e/x", detail="low"),
            {"type": "image_url", "image_url": {"url": "https://e/x", "detail": "low"}},
        ),
        (BlobPart("image", "image/png", "AA=="), {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}),
        (
            BlobPart("document", "application/pdf", "AA==", "a.pdf"),
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
        ),
        (BlobPart("audio", "audio/mpeg", "AA=="), {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}}),
        (NativePart("openai_chat_completions", "video_url", {"type": "video_url"}), {"type": "video_url"}),
    ],
)
def test_user_part(part: Part, expected: dict[str, Any]) -> None:
    [message] = encode_messages(Message("user", (TextPart("see"), part)))
    assert message == {"role": "user", "content": [{"type": "text", "text": "see"}, expected]}


@pytest.mark.parametrize(
    "part",
    [
        FilePart("document", "file-1"),
        UriPart("document", "https://e/a.pdf"),
        NativePart("anthropic_messages", "search_result", {}),
        ToolCallPart("1", "f", "{}"),
    ],
)
def test_part_without_counterpart_is_refused(part: Part) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        encode(HI, Message("user", (TextPart("see"), part)))
    # A block of another dialect is refused by fitting, which does not count messages.
    assert refused.value.param == ("messages" if isinstance(part, NativePart) else "messages[1]")


def test_chat_encode_request_tool_that_runs_at_its_provider_is_left_out_with_a_note() -> None:
    notes: list[Note] = []
    request = ChatRequest("x", "m", (HI,), tools=(Tool("f"), Tool("web_search", native=("anthropic_messages", {}))))
    assert [tool["function"]["name"] for tool in encode_tools(request, notes)["tools"]] == ["f"]
    assert [(note.action, note.subject) for note in notes] == [("dropped", "tools[1]")]


HOSTED = Tool("web_search", native=("anthropic_messages", {"type": "web_search_20250305", "name": "web_search"}))


@pytest.mark.parametrize(
    ("tools", "choice", "written"),
    [
        ((HOSTED, Tool("f")), ToolChoice("tool", "web_search"), None),
        (
            (HOSTED, Tool("web_search")),
            ToolChoice("tool", "web_search"),
            {"type": "function", "function": {"name": "web_search"}},
        ),
        ((HOSTED, Tool("f")), ToolChoice("auto", allowed=("web_search",)), None),
        (
            (HOSTED, Tool("f")),
            ToolChoice("required", allowed=("web_search", "f")),
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
        ),
        ((HOSTED, Tool("f")), ToolChoice("none", allowed=("web_search",)), "none"),
    ],
)
def test_chat_encode_request_tool_that_was_left_out_cannot_be_chosen(
    tools: tuple[Tool, ...], choice: ToolChoice, written: object
) -> None:
    encoded = encode(tools=tools, tool_choice=choice)
    assert encoded.body.get("tool_choice") == written
    assert ("tool_choice" in {note.subject for note in encoded.notes}) == (written is None)


def test_chat_encode_request_result_outside_a_users_message_finds_its_call_or_stays_as_words() -> None:
    call = Message("assistant", (ToolCallPart("1", "f", "{}"), ToolCallResponsePart("0", (TextPart("early"),))))
    messages = encode_messages(HI, call, Message("system", (ToolCallResponsePart("1", (TextPart("ok"),)), TextPart("s"))))
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "system"]
    assert messages[1]["content"] == "[result of tool call 0]early"
    assert messages[2] == {"role": "tool", "tool_call_id": "1", "content": "ok"}
    assert messages[3]["content"] == "s"


def test_tool_round_trip_puts_answers_right_after_the_calls() -> None:
    call = Message(
        "assistant",
        (ReasoningPart("why"), TextPart("a"), TextPart("b"), ToolCallPart("1", "f", '{"x":1}'), ToolCallPart("2", "g", "")),
    )
    image = UriPart("image", "https://e/x")
    answers = (
        TextPart("and?"),
        ToolCallResponsePart("1", (TextPart("one"),)),
        ToolCallResponsePart("2", (TextPart("two"), image)),
    )
    assert encode_messages(HI, call, Message("user", answers))[1:] == [
        {
            "role": "assistant",
            "content": "ab",
            "reasoning_content": "why",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                {"id": "2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "one"},
        {
            "role": "tool",
            "tool_call_id": "2",
            "content": [{"type": "text", "text": "two"}, {"type": "image_url", "image_url": {"url": "https://e/x"}}],
        },
        {"role": "user", "content": "and?"},
    ]  # fmt: skip


def test_files_of_a_tool_move_to_a_user_message() -> None:
    call = Message("assistant", (ToolCallPart("1", "f", "{}"), ToolCallPart("2", "g", "{}")))
    pdf = BlobPart("document", "application/pdf", "AA==", "a.pdf")
    answers = (ToolCallResponsePart("1", (TextPart("see"), pdf)), ToolCallResponsePart("2", (pdf,)), TextPart("so?"))
    encoded = encode(HI, call, Message("user", answers))
    first, second, user = encoded.body["messages"][2:]  # type: ignore[index]
    assert (first["content"], second["content"]) == ("see", "The answer is a file, in the next message.")
    assert [part["type"] for part in user["content"]] == ["text", "file", "text", "file", "text"]
    assert [note.action for note in encoded.notes] == ["mapped", "mapped"]


def test_chat_encode_request_what_an_upstream_would_refuse_is_mended() -> None:
    encoded = encode(HI, Message("assistant", (ToolCallPart("1", "f", "{}"),)), HI)
    assert [message["role"] for message in encoded.body["messages"]] == ["user", "assistant", "tool", "user"]  # type: ignore[attr-defined]
    assert [note.action for note in encoded.notes] == ["repaired"]


def test_chat_encode_request_other_turns() -> None:
    assert encode_messages(
        Message("system", (TextPart("s"), TextPart("t"))),
        Message("assistant", (RefusalPart("no"),)),
        Message("assistant", (NativePart("anthropic_messages", "server_tool_use", {}),)),
        Message("assistant", ()),
        Message("user", ()),
    ) == [
        {"role": "system", "content": [{"type": "text", "text": "s"}, {"type": "text", "text": "t"}]},
        {"role": "assistant", "content": None, "refusal": "no"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": ""},
    ]


def test_custom_tool_becomes_a_function_with_one_argument() -> None:
    history = (
        HI,
        Message("assistant", (ToolCallPart("1", "patch", "a\nb", custom=True),)),
        Message("user", (ToolCallResponsePart("1"),)),
    )
    body = encode(*history, tools=(Tool("patch", custom=True),)).body
    assert body["messages"][1]["tool_calls"][0]["function"] == {"name": "patch", "arguments": '{"input": "a\\nb"}'}  # type: ignore[index]
    assert body["tools"][0]["function"]["parameters"]["required"] == ["input"]  # type: ignore[index]


def test_names_openai_refuses_are_shortened_and_told() -> None:
    long, dotted = "mcp__" + "x" * 80, "a.b"
    call = (Message("assistant", (ToolCallPart("1", long, "{}"),)), Message("user", (ToolCallResponsePart("1"),)))
    encoded = encode(HI, *call, tools=(Tool(long), Tool(dotted), Tool("ok")), tool_choice=ToolChoice("tool", dotted))
    names = [tool["function"]["name"] for tool in encoded.body["tools"]]  # type: ignore[attr-defined]
    assert encoded.tool_names == {names[0]: long, names[1]: dotted}
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in names)
    assert encoded.body["messages"][1]["tool_calls"][0]["function"]["name"] == names[0]  # type: ignore[index]
    assert encoded.body["tool_choice"] == {"type": "function", "function": {"name": names[1]}}


def test_chat_encode_request_failed_tool_without_words_says_so() -> None:
    call = Message("assistant", (ToolCallPart("1", "f", "{}"),))
    *_, answer = encode_messages(HI, call, Message("user", (ToolCallResponsePart("1", is_error=True),)))
    assert "failed" in answer["content"]


def test_notes_tell_what_was_lost() -> None:
    sealed = ReasoningPart("why", Opaque("signature", "s", "anthropic/me"))
    encoded = encode(
        Message("user", (TextPart("hi", CacheMark()),)),
        Message(
            "assistant",
            (
                sealed,
                NativePart("anthropic_messages", "server_tool_use", {}),
                TextPart("see"),
                UriPart("image", "https://x/a.png"),
            ),
        ),
        top_k=5,
        native={"container": "c"},
        max_output_tokens=101,
    )
    subjects = {note.subject for note in encoded.notes}
    assert subjects == {
        "messages[1].thinking",
        "server_tool_use",
        "messages",
        "cache_control",
        "top_k",
        "container",
        "max_tokens",
    }


def test_chat_encode_request_what_a_messages_client_asked_for_and_gets_is_not_noted_as_lost() -> None:
    asked = {
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "metadata": {"user_id": "u"},
        "service_tier": "standard_only",
    }
    body = {"model": "auto", "max_tokens": 40, "messages": [{"role": "user", "content": "hi"}], **asked}
    encoded = fitted(AnthropicMessages(lambda: 0.0).decode_request(body, {}))
    assert {name: encoded.body[name] for name in ("reasoning_effort", "user", "service_tier")} == {
        "reasoning_effort": "high",
        "user": "u",
        "service_tier": "default",
    }
    assert encoded.notes == ()


def relay(body: dict[str, Any], **fields: Any) -> EncodedRequest:
    request = DIALECT.decode_request(body, {})
    return fitted(replace(request, **fields))


def test_chat_encode_request_own_dialect_passes_with_only_the_model_changed() -> None:
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "hi", "name": "n"}], "x": {"y": 1}, "n": 2}
    encoded = relay(body)
    assert encoded.body == {**body, "model": "gpt-x"}
    assert body["model"] == "auto"
    assert encoded.notes == ()


@pytest.mark.parametrize("blocks", [True, "x", {"a": 1}, ["x"], [None]])
@pytest.mark.parametrize("role", ["system", "user"])
def test_fields_that_mean_nothing_on_a_message_pass_unread(role: str, blocks: object) -> None:
    message = {"role": role, "content": "a", "thinking_blocks": blocks}
    assert relay({"model": "auto", "messages": [message]}).body["messages"] == [message]


@pytest.mark.parametrize("blocks", [True, "x", {"a": 1}, ["x"], [None]])
def test_blocks_of_reasoning_that_are_none_are_refused(blocks: object) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        relay({"model": "auto", "messages": [{"role": "assistant", "content": "a", "thinking_blocks": blocks}]})
    assert str(refused.value.param).startswith("messages[0].thinking_blocks")


def test_reasoning_sealed_by_others_stays_here() -> None:
    sealed = {"type": "thinking", "thinking": "t", "signature": seal(Opaque("signature", "s", "anthropic/me"))}
    foreign = {"type": "redacted_thinking", "data": "theirs"}
    own = {"type": "thinking", "thinking": "t", "signature": "own"}
    said = {"role": "assistant", "content": "a"}
    body = {"model": "auto", "messages": [
        {**said, "thinking_blocks": [sealed, own, foreign]},
        {**said, "thinking_blocks": [sealed]},
        {**said, "thinking_blocks": [own]},
    ]}  # fmt: skip
    encoded = relay(body, foreign_opaque=frozenset({"theirs", "s"}))
    assert encoded.body["messages"] == [
        {**said, "reasoning_content": "t", "thinking_blocks": [own]},
        {**said, "reasoning_content": "t"},
        {**said, "thinking_blocks": [own]},
    ]
    assert [note.subject for note in encoded.notes] == ["thinking"]
    assert len(body["messages"][0]["thinking_blocks"]) == 3  # type: ignore[arg-type, index]

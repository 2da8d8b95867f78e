"""Requests of other dialects' clients, written as Responses bodies: one row per rule, every body judged by the SDK's own types."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, cast

import pytest
from openai.types.responses import ResponseCreateParams
from pydantic import TypeAdapter

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
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
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Tool,
    ToolChoice,
    WebSearchOptions,
)
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.errors import InvalidRequestError
from tests.support.recordings import SHARED, recorded_body
from tests.support.responses import CARD, NOW, assistant, foreign, make_dialect, system, user

SCHEMA = TypeAdapter(ResponseCreateParams)
CLASSIC = ModelInfo("openai", "gpt-4.1")
WEATHER = Tool("weather", "d", {"type": "object", "properties": {"city": {"type": "string"}}})
SEARCH = Tool("web_search", native=("anthropic_messages", {"type": "web_search_20250305", "name": "web_search"}))
COMPUTER = Tool("computer", native=("anthropic_messages", {"type": "computer_20250124"}))
CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
STRICT_WEATHER = replace(WEATHER, strict=True, parameters=CLOSED)
JSON_REMINDER = {
    "type": "message",
    "role": "developer",
    "content": [{"type": "input_text", "text": "Reply with one JSON object and nothing else."}],
}
USER_SAYS_HI = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
WIRE_WEATHER = {"type": "function", "name": "weather", "description": "d", "parameters": WEATHER.parameters, "strict": None}


def encode(request: ChatRequest, info: ModelInfo = CARD) -> tuple[dict[str, Any], set[str]]:
    """The body, judged by the SDK's types, and the subjects of the notes."""
    known = with_accepts(info, "openai_responses")
    fitted, notes = fit(request, known, "openai_responses")
    encoded = make_dialect().encode_request(fitted, known)
    SCHEMA.validate_python(_as_typed(encoded.body))
    return encoded.body, {note.subject for note in (*notes, *encoded.notes)}


def _as_typed(body: dict[str, Any]) -> dict[str, Any]:
    """Past words of the assistant need no id, status or annotations on the wire, but the SDK's types ask for them."""
    items = []
    for item in body["input"]:
        if item.get("role") == "assistant":
            content = [{"annotations": [], **part} if part["type"] == "output_text" else part for part in item["content"]]
            item = {**item, "id": "msg_1", "status": "completed", "content": content}
        items.append({"id": "rs_1", **item} if item["type"] == "reasoning" else item)
    return {**body, "input": items}


def items_of(*messages: Message, **fields: Any) -> list[dict[str, Any]]:
    return encode(foreign(user("go"), *messages, **fields))[0]["input"][1:]


def test_request_encoder_plain_request() -> None:
    body, notes = encode(foreign(system("a"), system("b"), user("hi"), assistant("yo"), user("bye")))
    assert body == {
        "model": "gpt-5.6-sol",
        "instructions": "a\n\nb",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "yo"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "bye"}]},
        ],
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    assert not notes


def test_request_encoder_later_system_message_stays_where_it_is() -> None:
    assert items_of(system("now in French"))[0]["role"] == "developer"


def test_request_encoder_request_of_nothing_but_instructions_still_has_input() -> None:
    body, _ = encode(foreign(system("say hi")))
    assert "instructions" not in body
    assert body["input"] == [{"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "say hi"}]}]


@pytest.mark.parametrize(
    ("part", "encoded"),
    [
        (TextPart("x"), {"type": "input_text", "text": "x"}),
        (
            BlobPart("image", "image/png", "AAA="),
            {"type": "input_image", "image_url": "data:image/png;base64,AAA=", "detail": "auto"},
        ),
        (UriPart("image", "https://x/y", detail="low"), {"type": "input_image", "image_url": "https://x/y", "detail": "low"}),
        (FilePart("image", "file_1"), {"type": "input_image", "file_id": "file_1", "detail": "auto"}),
        (
            BlobPart("document", "application/pdf", "JVBE"),
            {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        (
            BlobPart("document", "application/pdf", "JVBE", "a.pdf"),
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
        ),
        (UriPart("document", "https://x/a.pdf"), {"type": "input_file", "file_url": "https://x/a.pdf"}),
        (FilePart("document", "file_2"), {"type": "input_file", "file_id": "file_2"}),
    ],
)
def test_user_content(part: Part, encoded: dict[str, Any]) -> None:
    assert items_of(user(part)) == [{"type": "message", "role": "user", "content": [encoded]}]


def test_audio_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        items_of(user(BlobPart("audio", "audio/wav", "UklG")))
    assert caught.value.param == "messages"


def test_calls_and_answers() -> None:
    calls = assistant("both", ToolCallPart("a", "weather", '{"city":"Oslo"}'), ToolCallPart("b", "clock", ""))
    answers = user(
        ToolCallResponsePart("a", (TextPart("snow"),)),
        ToolCallResponsePart("b", (TextPart("see"), BlobPart("image", "image/png", "AAA="))),
        TextPart("and?"),
    )
    assert items_of(calls, answers) == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "both"}]},
        {"type": "function_call", "call_id": "a", "name": "weather", "arguments": '{"city":"Oslo"}'},
        {"type": "function_call", "call_id": "b", "name": "clock", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "snow"},
        {
            "type": "function_call_output",
            "call_id": "b",
            "output": [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAA=", "detail": "auto"},
            ],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "and?"}]},
    ]


@pytest.mark.parametrize(("is_error", "output"), [(False, ""), (True, "The tool failed.")])
def test_request_encoder_answer_that_says_nothing(is_error: bool, output: str) -> None:
    items = items_of(assistant(ToolCallPart("a", "f", "{}")), user(ToolCallResponsePart("a", (), is_error)))
    assert items[1]["output"] == output


def test_request_encoder_answer_to_a_custom_call_is_a_custom_one() -> None:
    items = items_of(
        assistant(ToolCallPart("a", "patch", "*** Begin", custom=True)), user(ToolCallResponsePart("a", (TextPart("ok"),)))
    )
    assert items == [
        {"type": "custom_tool_call", "call_id": "a", "name": "patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "ok"},
    ]


def test_request_encoder_call_without_an_answer_is_mended() -> None:
    body, notes = encode(foreign(user("go"), assistant(ToolCallPart("a", "f", "{}")), user("well?")))
    assert [item["type"] for item in body["input"]] == ["message", "function_call", "function_call_output", "message"]
    assert notes == {"tool call 'a'"}


def test_long_ids_and_names_are_shortened_alike_everywhere() -> None:
    name, call_id = "mcp.server/" + "x" * 80, "toolu_" + "y" * 80
    request = foreign(
        user("go"),
        assistant(ToolCallPart(call_id, name, "{}")),
        user(ToolCallResponsePart(call_id, (TextPart("ok"),))),
        tools=(Tool(name), WEATHER),
        tool_choice=ToolChoice("tool", name),
    )
    encoded = make_dialect().encode_request(request, CARD)
    call, answer = encoded.body["input"][1:]  # type: ignore[index]
    tools: Any = encoded.body["tools"]
    assert call["call_id"] == answer["call_id"] != call_id
    assert call["name"] == tools[0]["name"] == encoded.body["tool_choice"]["name"]  # type: ignore[index]
    assert max(len(call["call_id"]), len(call["name"])) <= 64
    assert encoded.tool_names == {call["name"]: name}


def test_reasoning_goes_back_to_its_maker_before_the_call_it_led_to() -> None:
    thought = ReasoningPart("hm", Opaque("encrypted", "gAAA", "openai/a", "rs_9"))
    items = items_of(assistant(thought, ToolCallPart("a", "f", "{}")), user(ToolCallResponsePart("a")))
    assert items[0] == {
        "type": "reasoning",
        "id": "rs_9",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "gAAA",
    }
    assert items[1]["type"] == "function_call"


@pytest.mark.parametrize(
    "part",
    [
        ReasoningPart("only words"),
        ReasoningPart("", Opaque("signature", "sig")),
        ReasoningPart("", Opaque("redacted", "red")),
        ReasoningPart("", Opaque("encrypted", "elsewhere")),
    ],
)
def test_reasoning_that_is_not_this_maker_s_stays_behind(part: ReasoningPart) -> None:
    body, notes = encode(foreign(user("go"), assistant(part, "yo"), user("on"), foreign_opaque=frozenset({"elsewhere"})))
    assert [item["type"] for item in body["input"]] == ["message"] * 3
    assert "reasoning" in notes


def test_reasoning_that_nothing_follows_stays_behind() -> None:
    assert items_of(assistant(ReasoningPart("", Opaque("encrypted", "e"))), user("on")) == items_of(user("on"))


def test_parts_without_a_counterpart_are_dropped_and_noted() -> None:
    request = foreign(
        user("go", NativePart("anthropic_messages", "container_upload", {}, words="[a file]")),
        assistant(NativePart("anthropic_messages", "fallback", {}), UriPart("image", "https://x"), RefusalPart("no")),
    )
    body, notes = encode(request)
    assert body["input"][0]["content"][1] == {"type": "input_text", "text": "[a file]"}
    assert body["input"][1]["content"] == [{"type": "refusal", "refusal": "no"}]
    [moved] = [part for part in body["input"][2]["content"] if part["type"] == "input_image"]
    assert moved["image_url"] == "https://x"
    assert notes == {"container_upload", "fallback", "messages"}


@pytest.mark.parametrize(
    ("fields", "encoded"),
    [
        ({"tools": (WEATHER,)}, {"tools": [WIRE_WEATHER]}),
        (
            {"tools": (Tool("f"),)},
            {"tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": None}]},
        ),
        ({"tools": (STRICT_WEATHER,)}, {"tools": [{**WIRE_WEATHER, "parameters": STRICT_WEATHER.parameters, "strict": True}]}),
        (
            {"tools": (Tool("p", "d", custom=True, format={"type": "text"}),)},
            {"tools": [{"type": "custom", "name": "p", "description": "d", "format": {"type": "text"}}]},
        ),
        ({"tools": (WEATHER,), "tool_choice": ToolChoice("required")}, {"tools": [WIRE_WEATHER], "tool_choice": "required"}),
        (
            {"tools": (WEATHER,), "tool_choice": ToolChoice("tool", "weather"), "parallel_tool_calls": False},
            {"tools": [WIRE_WEATHER], "tool_choice": {"type": "function", "name": "weather"}, "parallel_tool_calls": False},
        ),
        (
            {"tools": (Tool("p", custom=True),), "tool_choice": ToolChoice("auto", allowed=("p",))},
            {
                "tools": [{"type": "custom", "name": "p"}],
                "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "p"}]},
            },
        ),
        (
            {"tools": (WEATHER,), "tool_choice": ToolChoice("none", allowed=("weather",))},
            {"tools": [WIRE_WEATHER], "tool_choice": "none"},
        ),
        ({"tool_choice": ToolChoice("auto"), "parallel_tool_calls": True}, {}),
        ({"stream": True}, {"stream": True}),
        (
            {"tools": (Tool("web_search", native=("openai_responses", {"type": "web_search"})),)},
            {"tools": [{"type": "web_search"}]},
        ),
        ({"max_output_tokens": 500}, {"max_output_tokens": 500}),
        (
            {"response_format": ResponseFormat("json_object")},
            {"text": {"format": {"type": "json_object"}}, "input": [JSON_REMINDER, USER_SAYS_HI]},
        ),
        (
            {"response_format": ResponseFormat("json_schema", CLOSED, "out", "d", True), "verbosity": "low"},
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "out",
                        "schema": CLOSED,
                        "description": "d",
                        "strict": True,
                    },
                    "verbosity": "low",
                }
            },
        ),
        ({"reasoning": Reasoning("high")}, {"reasoning": {"effort": "high", "summary": "auto"}}),
        ({"reasoning": Reasoning("low", summary="detailed")}, {"reasoning": {"effort": "low", "summary": "detailed"}}),
        ({"reasoning": Reasoning(budget_tokens=1024)}, {"reasoning": {"effort": "low", "summary": "auto"}}),
        ({"reasoning": Reasoning(budget_tokens=4096)}, {"reasoning": {"effort": "medium", "summary": "auto"}}),
        ({"reasoning": Reasoning(budget_tokens=32000)}, {"reasoning": {"effort": "high", "summary": "auto"}}),
        ({"reasoning": Reasoning(adaptive=True)}, {"reasoning": {"summary": "auto"}}),
        (
            {"user": "u", "service_tier": "flex", "prompt_cache_key": "k"},
            {"user": "u", "service_tier": "flex", "prompt_cache_key": "k"},
        ),
        ({"native": {"metadata": {"a": "b"}}}, {"metadata": {"a": "b"}}),
        ({"user": "u", "native": {"metadata": {"user_id": "u"}}}, {"user": "u", "metadata": {"user_id": "u"}}),
        (
            {"temperature": 0.2, "reasoning": Reasoning("none")},
            {"temperature": 0.2, "reasoning": {"effort": "none", "summary": "auto"}},
        ),
    ],
)
def test_field(fields: dict[str, Any], encoded: dict[str, Any]) -> None:
    plain, _ = encode(foreign(user("hi")))
    body, notes = encode(foreign(user("hi"), **fields))
    assert body == plain | encoded
    assert notes <= {"thinking"}  # a budget becomes an effort


@pytest.mark.parametrize("format_", ["tool", "answer"])
def test_schema_that_cannot_be_strict_is_sent_without(format_: str) -> None:
    loose = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}
    if format_ == "tool":
        body, notes = encode(foreign(user("hi"), tools=(Tool("f", parameters=loose, strict=True),)))
        found = body["tools"][0]
        assert found["parameters"] == loose
    else:
        body, notes = encode(foreign(user("hi"), response_format=ResponseFormat("json_schema", loose, strict=True)))
        found = body["text"]["format"]
        assert found["schema"] == loose
    assert found["strict"] is False
    assert any(note.endswith("strict") for note in notes)


@pytest.mark.parametrize(
    ("schema", "properties"),
    [
        ({"type": "object"}, {}),
        ({"type": None}, {}),
        ({"properties": {"a": {"type": "string"}}}, {"a": {"type": "string"}}),
        ({"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}]}, {"a": {"type": "string"}}),
        (None, {}),
    ],
)
def test_root_of_a_tool_schema_is_an_object_with_properties(schema: Any, properties: dict[str, Any]) -> None:
    body, _ = encode(foreign(user("hi"), tools=(Tool("f", parameters=schema),)))
    assert body["tools"][0]["parameters"]["type"] == "object"
    assert body["tools"][0]["parameters"]["properties"] == properties
    relayed = make_dialect().encode_request(
        make_dialect().decode_request(
            {"model": "m", "input": "hi", "tools": [{"type": "function", "name": "f", "parameters": schema}]}, {}
        ),
        CARD,
    )
    (tool,) = cast("list[dict[str, Any]]", relayed.body["tools"])
    assert (tool["parameters"]["type"], tool["parameters"]["properties"]) == ("object", properties)
    assert "strict" not in tool


@pytest.mark.parametrize("said", ["Answer in JSON.", "x" * 300 + " json"])
def test_json_mode_has_the_word_in_the_input(said: str) -> None:
    body, _ = encode(foreign(system(said), user("two colours"), response_format=ResponseFormat("json_object")))
    assert body["instructions"] == said
    assert "json" in str(body["input"]).lower()
    already, _ = encode(foreign(system(said), user("as json"), response_format=ResponseFormat("json_object")))
    assert len(already["input"]) == 1


def test_search_options_of_another_dialect_are_carried_over() -> None:
    options = WebSearchOptions(allowed_domains=("e.org",), user_location={"city": "Bergen"})
    tool = Tool("web_search", native=("anthropic_messages", {"type": "web_search_20250305"}), search=options)
    body, _ = encode(foreign(user("hi"), tools=(tool,)))
    assert body["tools"] == [
        {
            "type": "web_search",
            "filters": {"allowed_domains": ["e.org"]},
            "user_location": {"type": "approximate", "city": "Bergen"},
        }
    ]
    assert "web_search_call.action.sources" in body["include"]


@pytest.mark.parametrize(
    ("fields", "info", "kept", "noted"),
    [
        ({"max_output_tokens": 5}, CARD, {"max_output_tokens": 16}, {"max_output_tokens"}),
        ({"temperature": 0.2, "top_p": 0.9}, CARD, {}, {"temperature", "top_p"}),
        ({"temperature": 0.2}, ModelInfo("openai", "o3"), {}, {"temperature"}),
        ({"temperature": 0.2}, ModelInfo("p", "openai/gpt-5"), {}, {"temperature"}),
        ({"temperature": 0.2}, ModelInfo("local", "qwen3"), {"temperature": 0.2}, set()),
        ({"temperature": 0.2, "reasoning": Reasoning("high")}, CLASSIC, {"temperature": 0.2}, {"reasoning"}),
        ({"stop": ("END",), "top_k": 3, "logprobs": True}, CARD, {}, {"stop", "top_k", "logprobs"}),
        ({"native": {"seed": 1, "n": 2}}, CARD, {}, {"seed", "n"}),
        (
            {"user": "x" * 65, "service_tier": "standard_only"},
            CARD,
            {"user": hashlib.sha256(b"x" * 65).hexdigest()},
            {"user", "service_tier"},
        ),
        (
            {
                "tools": (
                    Tool("web_search", native=("anthropic_messages", {"type": "web_search_20250305", "name": "web_search"})),
                )
            },
            CARD,
            {"tools": [{"type": "web_search"}]},
            {"web_search_20250305"},
        ),
        (
            {
                "tools": (COMPUTER,),
                "tool_choice": ToolChoice("auto"),
            },
            CARD,
            {},
            {"computer_20250124"},
        ),
        (
            {"tools": (SEARCH, WEATHER), "tool_choice": ToolChoice("tool", "web_search")},
            CARD,
            {
                "tools": [{"type": "web_search"}, WIRE_WEATHER],
                "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
            },
            {"web_search_20250305"},
        ),
        (
            {"tools": (COMPUTER, WEATHER), "tool_choice": ToolChoice("tool", "computer")},
            CARD,
            {"tools": [WIRE_WEATHER]},
            {"computer_20250124", "tool_choice"},
        ),
        (
            {"tools": (COMPUTER, WEATHER), "tool_choice": ToolChoice("required", allowed=("computer", "weather"))},
            CARD,
            {
                "tools": [WIRE_WEATHER],
                "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "weather"}]},
            },
            {"computer_20250124"},
        ),
    ],
)
def test_request_encoder_what_cannot_be_said_is_noted(
    fields: dict[str, Any], info: ModelInfo, kept: dict[str, Any], noted: set[str]
) -> None:
    plain, _ = encode(foreign(user("hi")), info)
    body, notes = encode(foreign(user("hi"), **fields), info)
    assert body == plain | kept
    assert notes == noted


def test_request_encoder_what_a_messages_client_asked_for_and_gets_is_not_noted_as_lost() -> None:
    asked = {
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "metadata": {"user_id": "u"},
        "service_tier": "standard_only",
    }
    body = {"model": "auto", "max_tokens": 400, "messages": [{"role": "user", "content": "hi"}], **asked}
    encoded, notes = encode(AnthropicMessages(lambda: NOW).decode_request(body, {}))
    assert (encoded["reasoning"]["effort"], encoded["user"], encoded["service_tier"]) == ("high", "u", "default")
    assert notes == set()


def test_request_encoder_only_models_known_to_reason_are_asked_for_sealed_reasoning() -> None:
    asked = {info.id: "include" in encode(foreign(user("hi")), info)[0] for info in (CARD, CLASSIC, ModelInfo("local", "qwen3"))}
    assert asked == {"gpt-5.6-sol": True, "gpt-4.1": False, "qwen3": False}


def test_request_encoder_request_of_claude_code() -> None:
    path = SHARED / "client-captures" / "claude-code-01.json"
    if not path.exists():
        pytest.skip("needs the captures")
    request = AnthropicMessages(lambda: NOW).decode_request(recorded_body(json.loads(path.read_text())), {})
    body, notes = encode(request)
    assert [item["role"] for item in body["input"]] == ["user", "developer"]
    # One of the twelve is deferred, and the conversation has not found it yet.
    assert len(body["tools"]) == 11
    assert body["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert notes == {"context_management", "user", "tools"}

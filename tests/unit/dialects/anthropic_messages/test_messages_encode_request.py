"""What a request of another dialect becomes: one row for each row of the mapping."""

from __future__ import annotations

import base64
from typing import Any

import jsonschema_rs
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
from openclaw_oauthrouter.canonical.fitting import JSON_ONLY
from openclaw_oauthrouter.canonical.request import (
    ChatRequest,
    EncodedRequest,
    Message,
    Reasoning,
    ResponseFormat,
    Tool,
    ToolChoice,
    WebSearchOptions,
)
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.anthropic_messages.request_encoder import EMPTY_TURN
from openclaw_oauthrouter.errors import InvalidRequestError
from tests.support.fitted import encoded_for

HI = Message("user", (TextPart("hi"),))
WEATHER = Tool("weather", "Look it up", {"type": "object", "properties": {"city": {"type": "string"}}})
CALL = Message("assistant", (ToolCallPart("c1", "weather", '{"city":"Rome"}'),))
RESULT = Message("user", (ToolCallResponsePart("c1", (TextPart("dry"),)),))


def encode(*messages: Message, model: str = "claude-haiku-4-5", **fields: Any) -> EncodedRequest:
    request = ChatRequest("openai_chat_completions", "auto", messages or (HI,), **fields)
    return encoded_for(AnthropicMessages(lambda: 0.0), request, ModelInfo("anthropic", model))


def body(*messages: Message, marks: bool = False, **fields: Any) -> dict[str, Any]:
    """The body; without the cache marks, which have tests of their own."""
    found = encode(*messages, **fields).body
    if not marks:
        for block in (*found.get("tools", ()), *(block for message in found["messages"] for block in message["content"])):
            block.pop("cache_control", None)
    return found


def blocks(*parts: Part) -> list[dict[str, Any]]:
    return list(body(Message("user", parts))["messages"][0]["content"])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"max_tokens": 64_000}),
        ({"max_output_tokens": 50}, {"max_tokens": 50}),
        ({"max_output_tokens": 999_999}, {"max_tokens": 64_000}),
        ({"temperature": 1.6}, {"temperature": 1}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"top_k": 7}, {"top_k": 7}),
        ({"stop": ("A", " \n", "B")}, {"stop_sequences": ["A", "B"]}),
        ({"stop": (" ",)}, {"stop_sequences": None}),
        ({"stream": True}, {"stream": True}),
        ({"service_tier": "auto"}, {"service_tier": None}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"service_tier": "flex"}, {"service_tier": "standard_only"}),
        ({"service_tier": "priority"}, {"service_tier": "auto"}),
        ({"service_tier": "scale"}, {"service_tier": None}),
        ({"user": "sess-1"}, {"metadata": None}),
        ({"body": {"safety_identifier": "u-7"}, "user": "u-7"}, {"metadata": {"user_id": "u-7"}}),
        ({"native": {"metadata": {"run": "7"}, "seed": 4}}, {"metadata": None, "seed": None}),
        ({"reasoning": Reasoning("none")}, {"thinking": None}),
        ({"reasoning": Reasoning("minimal")}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ({"reasoning": Reasoning(budget_tokens=3000)}, {"thinking": {"type": "enabled", "budget_tokens": 3000}}),
        ({"reasoning": Reasoning()}, {"thinking": None}),
    ],
)
def test_settings(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    found = body(**fields)
    assert {name: found.get(name) for name in expected} == expected


def test_newer_models_get_effort() -> None:
    found = body(model="claude-opus-5-5", reasoning=Reasoning("minimal", summary="auto"))
    assert found["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert found["output_config"] == {"effort": "low"}
    assert found["max_tokens"] == 128_000


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"native": {"n": 2}}, "n"),
        ({"native": {"modalities": ["text", "audio"]}}, "modalities"),
        ({"native": {"web_search_options": {}}}, "web_search_options"),
        ({"max_output_tokens": 0}, "max_tokens"),
    ],
)
def test_messages_encode_request_what_cannot_be_said_is_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        encode(**fields)
    assert caught.value.param == param


def test_messages_encode_request_everything_dropped_is_noted() -> None:
    notes = encode(native={"seed": 4, "store": True}, logprobs=True, verbosity="low", service_tier="scale").notes
    assert sorted(note.subject for note in notes) == ["logprobs", "seed", "service_tier", "verbosity"]


# ------------------------------------------------------------------ system


def test_system_messages_go_to_the_front_and_are_cached() -> None:
    found = body(Message("system", (TextPart("Be terse."),)), HI, Message("system", (TextPart("Be kind."),)))
    assert found["system"] == [
        {"type": "text", "text": "Be terse."},
        {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
    ]
    assert found["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


def test_system_messages_stay_in_place_where_the_model_honours_them() -> None:
    found = body(HI, Message("system", (TextPart("Be kind."),)), model="claude-opus-5-5")
    assert found["messages"][1] == {"role": "system", "content": [{"type": "text", "text": "Be kind."}]}
    assert "system" not in found


def test_messages_encode_request_only_system_messages() -> None:
    with pytest.raises(InvalidRequestError, match="not a system message"):
        encode(Message("system", (TextPart("x"),)))


def test_messages_encode_request_clients_cache_marks_are_kept_and_limited_to_the_last_four() -> None:
    marked = [TextPart(str(number), cache=CacheMark("1h" if number == 4 else "5m")) for number in range(5)]
    found = body(Message("system", (marked[0],)), Message("user", tuple(marked[1:])), marks=True)
    assert "cache_control" not in found["system"][0]
    assert [block["cache_control"] for block in found["messages"][0]["content"]] == [
        *[{"type": "ephemeral"}] * 3,
        {"type": "ephemeral", "ttl": "1h"},
    ]


# ------------------------------------------------------------------ parts


def test_order_of_images_and_text_is_kept() -> None:
    image = BlobPart("image", "image/png", "aGk=")
    assert blocks(TextPart("a"), image, TextPart("b")) == [
        {"type": "text", "text": "a"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"type": "text", "text": "b"},
    ]


def test_documents() -> None:
    text = base64.b64encode("Grüße".encode()).decode()
    assert blocks(BlobPart("document", "application/pdf", "cGRm", "a.pdf"), BlobPart("document", "text/markdown", text)) == [
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "cGRm"}, "title": "a.pdf"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"}},
    ]


def test_addresses() -> None:
    assert blocks(UriPart("image", "https://x.example/a.jpg", detail="low")) == [
        {"type": "image", "source": {"type": "url", "url": "https://x.example/a.jpg"}}
    ]


@pytest.mark.parametrize(
    "part",
    [
        BlobPart("image", "image/tiff", "aGk="),
        BlobPart("audio", "audio/wav", "aGk="),
        BlobPart("document", "application/zip", "aGk="),
        BlobPart("document", "text/plain", "%%%"),
        UriPart("image", "ftp://x.example/a.jpg"),
        FilePart("document", "file-1"),
    ],
)
def test_media_that_is_not_taken(part: Part) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        blocks(part)
    assert caught.value.param == "messages"


def test_messages_encode_request_assistants_turn_thinks_speaks_and_calls_in_this_order() -> None:
    seal = Opaque("signature", "sig", "anthropic")
    turn = Message(
        "assistant", (ToolCallPart("c1", "weather", "{}"), TextPart("wait"), ReasoningPart("hm", seal), RefusalPart("no"))
    )
    assert body(HI, turn, RESULT)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "wait"},
        {"type": "text", "text": "no"},
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {}},
    ]


def test_reasoning_goes_back_to_its_maker_only() -> None:
    parts = (
        ReasoningPart("a", Opaque("signature", "mine")),
        ReasoningPart("b", Opaque("signature", "theirs")),
        ReasoningPart("", Opaque("redacted", "dark")),
        ReasoningPart("c", Opaque("encrypted", "openai")),
        ReasoningPart("d"),
        TextPart("x"),
    )
    encoded = encode(HI, Message("assistant", parts), HI, foreign_opaque=frozenset({"theirs"}))
    assert encoded.body["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "a", "signature": "mine"},
        {"type": "redacted_thinking", "data": "dark"},
        {"type": "text", "text": "x"},
    ]
    assert [note.subject for note in encoded.notes] == ["thinking", *["reasoning"] * 3]


def test_models_that_bind_thinking_get_that_of_the_running_tool_loop_only() -> None:
    def thought(data: str) -> tuple[Part, ...]:
        return (ReasoningPart("", Opaque("signature", data)), *CALL.parts)

    second = Message("assistant", (ReasoningPart("", Opaque("signature", "new")), ToolCallPart("c2", "weather", "{}")))
    answer = Message("user", (ToolCallResponsePart("c2", (TextPart("wet"),)),))
    history = (HI, Message("assistant", thought("old")), RESULT, Message("assistant", (TextPart("dry"),)), HI, second, answer)
    for model, expected in (("claude-opus-5-5", ["new"]), ("claude-opus-4-6", ["old", "new"])):
        content = [block for message in body(*history, model=model)["messages"] for block in message["content"]]
        assert [block["signature"] for block in content if block["type"] == "thinking"] == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ("  ", {}),
        ('{"a": ', {}),
        ("[1]", {"_raw": "[1]"}),
        ('"x"', {"_raw": '"x"'}),
    ],
)
def test_arguments_become_an_object(arguments: str, expected: dict[str, Any]) -> None:
    call = Message("assistant", (ToolCallPart("c1", "weather", arguments),))
    assert body(HI, call, RESULT)["messages"][1]["content"][0]["input"] == expected


def test_free_text_tools_take_an_object_with_one_property() -> None:
    call = Message("assistant", (ToolCallPart("c1", "patch", "*** Begin", custom=True),))
    found = body(HI, call, RESULT, tools=(Tool("patch", custom=True, format={"type": "grammar"}),))
    assert found["messages"][1]["content"][0]["input"] == {"input": "*** Begin"}
    assert found["tools"][0]["input_schema"]["required"] == ["input"]


def test_tool_results_open_one_user_message() -> None:
    calls = Message("assistant", (*CALL.parts, ToolCallPart("c2", "weather", "{}")))
    image = BlobPart("image", "image/png", "aGk=")
    second = Message("user", (ToolCallResponsePart("c2", (TextPart("see"), image), is_error=True),))
    assert body(HI, calls, RESULT, second, HI)["messages"][2] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "c1", "content": "dry"},
            {
                "type": "tool_result",
                "tool_use_id": "c2",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                ],
                "is_error": True,
            },
            {"type": "text", "text": "hi"},
        ],
    }


def test_messages_encode_request_empty_tool_result_has_no_content() -> None:
    empty = Message("user", (ToolCallResponsePart("c1", (TextPart(""),)),))
    assert body(HI, CALL, empty)["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "c1"}]


def test_empty_turns() -> None:
    found = body(Message("user", (TextPart(""),)), Message("assistant", (TextPart(" "),)), Message("user", (TextPart("b"),)))
    assert found["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": EMPTY_TURN}, {"type": "text", "text": "b"}]}
    ]


def test_blocks_of_other_dialects_are_left_out_of_the_assistants_turn_and_refused_in_the_users() -> None:
    foreign, own = NativePart("openai_responses", "item", {}), NativePart("anthropic_messages", "x", {"type": "x"})
    encoded = encode(HI, Message("assistant", (foreign, own)), Message("assistant", (foreign,)), HI)
    assert encoded.body["messages"][1]["content"] == [{"type": "x"}]
    assert len(encoded.body["messages"]) == 3
    assert {note.subject for note in encoded.notes} == {"item"}
    with pytest.raises(InvalidRequestError, match="'item'"):
        encode(Message("user", (foreign,)))


def test_blocks_of_other_dialects_are_told_where_they_can_be_said() -> None:
    said = NativePart("openai_responses", "tool_search_output", {}, words="The tool 'x' is available now.")
    silent = NativePart("openai_responses", "text", {}, words="")
    assert blocks(said, silent) == [{"type": "text", "text": "The tool 'x' is available now."}]


# ------------------------------------------------------------------ tools


def test_names_and_ids_fit_and_come_back() -> None:
    tools = (Tool("get weather"), Tool("get.weather"), Tool("x" * 200))
    call = Message("assistant", (ToolCallPart("a.b", "get.weather", "{}"), ToolCallPart("a b", "get weather", "{}")))
    encoded = encode(HI, call, tools=tools)
    names = [tool["name"] for tool in encoded.body["tools"]]
    assert names == ["get_weather", "get_weather_2", "x" * 128]
    assert encoded.tool_names == {"get_weather": "get weather", "get_weather_2": "get.weather", "x" * 128: "x" * 200}
    uses, results = (message["content"] for message in encoded.body["messages"][1:3])
    assert [(use["id"], use["name"]) for use in uses] == [("a_b", "get_weather_2"), ("a_b_2", "get_weather")]
    assert [result["tool_use_id"] for result in results] == ["a_b", "a_b_2"]


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), None, {"type": "any"}),
        (ToolChoice("tool", "weather"), None, {"type": "tool", "name": "weather"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), True, {"type": "auto"}),
    ],
)
def test_tool_choice(choice: ToolChoice | None, parallel: bool | None, expected: Any) -> None:
    found = body(tools=(WEATHER,), tool_choice=choice, parallel_tool_calls=parallel)
    assert found.get("tool_choice") == expected
    assert found["tools"][0]["name"] == "weather"


def test_tool_choice_without_tools_is_nothing() -> None:
    assert "tool_choice" not in body(tool_choice=ToolChoice("auto"))


def test_allowed_tools_are_the_only_ones_sent() -> None:
    found = body(tools=(WEATHER, Tool("clock")), tool_choice=ToolChoice("required", allowed=("clock",)))
    assert [tool["name"] for tool in found["tools"]] == ["clock"]
    assert found["tool_choice"] == {"type": "any"}


def test_messages_encode_request_tool_without_description_or_parameters() -> None:
    assert body(tools=(Tool("ping"),))["tools"] == [{"name": "ping", "input_schema": {"type": "object", "properties": {}}}]


def test_messages_encode_request_root_of_a_schema_is_an_object() -> None:
    assert body(tools=(Tool("f", parameters={"properties": {}}),))["tools"][0]["input_schema"] == {
        "properties": {},
        "type": "object",
    }


def test_strict_only_where_the_schema_allows() -> None:
    closed = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    bounded = {**closed, "properties": {"a": {"type": "string", "pattern": "x"}}}
    encoded = encode(tools=(Tool("a", parameters=closed, strict=True), Tool("b", parameters=bounded, strict=True)))
    assert [tool.get("strict") for tool in encoded.body["tools"]] == [True, None]
    assert [note.subject for note in encoded.notes] == ["strict of 'b'"]


def test_messages_encode_request_no_more_strict_tools_than_a_request_may_hold() -> None:
    closed = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    open_ = {**closed, "required": []}
    many = body(tools=tuple(Tool(f"t{number}", parameters=closed, strict=True) for number in range(22)))["tools"]
    assert sum(bool(tool.get("strict")) for tool in many) == 20
    optional = body(
        tools=tuple(
            Tool(f"t{number}", parameters={**open_, "properties": {str(n): {"type": "string"} for n in range(10)}}, strict=True)
            for number in range(4)
        )
    )["tools"]
    assert [bool(tool.get("strict")) for tool in optional] == [True, True, False, False]


def test_hosted_tools() -> None:
    search = Tool(
        "web_search",
        native=("openai_responses", {"type": "web_search"}),
        search=WebSearchOptions(allowed_domains=("a.example",), user_location={"city": "Rome"}),
    )
    shell = Tool("local_shell", native=("openai_responses", {"type": "local_shell"}))
    own = Tool("bash", native=("anthropic_messages", {"type": "bash_20250124", "name": "bash"}))
    encoded = encode(tools=(search, shell, own))
    for tool in encoded.body["tools"]:
        tool.pop("cache_control", None)
    assert encoded.body["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["a.example"],
            "user_location": {"type": "approximate", "city": "Rome"},
        },
        {"type": "bash_20250124", "name": "bash"},
    ]
    assert [note.subject for note in encoded.notes] == ["tool 'local_shell'"]
    blocked = Tool("s", native=("openai_responses", {}), search=WebSearchOptions(blocked_domains=("b.example",), max_uses=2))
    assert body(tools=(blocked,))["tools"] == [
        {"type": "web_search_20250305", "name": "web_search", "blocked_domains": ["b.example"], "max_uses": 2}
    ]
    assert [tool["name"] for tool in body(tools=(search, Tool("web_search")))["tools"]] == ["web_search"]


# ------------------------------------------------------------------ answers in a given shape


def test_messages_encode_request_schema_is_fitted() -> None:
    schema = {
        "$schema": "x",
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "description": "how many"},
            "u": {"oneOf": [{"type": "null"}, {"type": "object"}]},
        },
        "$defs": {
            "e": {"type": "array", "items": {"type": "string", "format": "email", "maxLength": 9}, "minItems": 1, "maxItems": 3}
        },
    }
    found = body(response_format=ResponseFormat("json_schema", schema, name="x", strict=True))["output_config"]["format"]
    assert found == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {
                "n": {"type": "integer", "description": "how many\n\n{minimum: 1}"},
                "u": {"anyOf": [{"type": "null"}, {"type": "object", "additionalProperties": False}]},
            },
            "$defs": {
                "e": {
                    "type": "array",
                    "items": {"type": "string", "format": "email", "description": "{maxLength: 9}"},
                    "minItems": 1,
                    "description": "{maxItems: 3}",
                }
            },
            "additionalProperties": False,
        },
    }


def test_schemas_with_several_types_or_none() -> None:
    schema = {"type": ["object", "null"], "properties": {"any": True}}
    found = body(response_format=ResponseFormat("json_schema", schema))["output_config"]["format"]["schema"]
    assert found == {**schema, "additionalProperties": False}


def test_messages_encode_request_what_fields_without_a_name_may_hold_is_told() -> None:
    count = {"type": "object", "additionalProperties": {"type": "integer"}}
    schema = {"type": "object", "properties": {"count": count, "any": {"type": "object", "additionalProperties": True}}}
    found = body(response_format=ResponseFormat("json_schema", schema))["output_config"]["format"]["schema"]["properties"]
    told = '{additionalProperties: {"type":"integer"}}'
    assert found["count"] == {"type": "object", "additionalProperties": False, "description": told}
    assert found["any"] == {"type": "object", "additionalProperties": False}


@pytest.mark.parametrize("odd", [True, 5, "x", [[]], [{"type": []}], {"a": 1}])
@pytest.mark.parametrize("field", ["type", "properties", "required", "format", "items", "anyOf", "minItems", "description"])
def test_messages_encode_request_schema_of_odd_shape_becomes_one(field: str, odd: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", field: odd}}, field: odd}
    found = body(tools=(Tool("f", parameters=schema, strict=True),), response_format=ResponseFormat("json_schema", schema))
    for written in (found["tools"][0]["input_schema"], found["output_config"]["format"]["schema"]):
        assert jsonschema_rs.meta.is_valid(written)
    assert found["tools"][0]["input_schema"]["type"] == "object"
    assert found["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("modalities", "refused"), [(["text"], False), (True, False), ([[]], False), (["audio"], True), ("audio", True)]
)
def test_messages_encode_request_answer_in_audio_is_refused(modalities: Any, refused: bool) -> None:
    if refused:
        with pytest.raises(InvalidRequestError, match="audio"):
            body(native={"modalities": modalities})
    else:
        assert body(native={"modalities": modalities})["messages"]


def test_messages_encode_request_any_json_object_is_asked_for_in_words() -> None:
    assert body(response_format=ResponseFormat("json_object"))["system"][-1]["text"] == JSON_ONLY
    assert "output_config" not in body(response_format=ResponseFormat("text"))

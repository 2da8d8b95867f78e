"""Kinds of request that break at one vendor or the other, on all lanes: every client dialect to every provider dialect, the same included.

A body is decoded, fitted and encoded as a call does it; what is looked at is what every vendor needs, read from the wire by one small
reader for each dialect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import EncodedRequest
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.errors import InvalidRequestError
from tests.support.fitted import encoded_for

Json = dict[str, Any]
CHAT, MESSAGES, RESPONSES = "openai_chat_completions", "anthropic_messages", "openai_responses"
DIALECTS: Json = {
    CHAT: ChatCompletions(lambda: 0.0),
    MESSAGES: AnthropicMessages(lambda: 0.0),
    RESPONSES: OpenAIResponses(lambda: 0.0, lambda: "0" * 32),
}
PAIRS = [pytest.param(client, provider, id=f"{client}-{provider}") for client in DIALECTS for provider in DIALECTS]
MODELS = {
    CHAT: ModelInfo("openai", "gpt-5.4"),
    MESSAGES: ModelInfo("anthropic", "claude-opus-4-6"),
    RESPONSES: ModelInfo("openai-codex", "gpt-5.4"),
}
TEXT = {"type": "string"}


def ask(client: str, tools: list[Json] = [], **fields: Any) -> Json:  # noqa: B006
    """A request that says hi, its tools in the client's dialect."""
    wire: list[Json] = []
    for tool in tools:
        strict = {"strict": tool["strict"]} if "strict" in tool else {}
        if client == MESSAGES:
            wire.append({"name": tool["name"], "input_schema": tool["schema"] or {}, **strict})
        elif client == RESPONSES:
            wire.append({"type": "function", "name": tool["name"], "parameters": tool["schema"], **strict})
        else:
            wire.append({"type": "function", "function": {"name": tool["name"], "parameters": tool["schema"], **strict}})
    body: Json = {"model": "auto", **({"tools": wire} if wire else {})}
    body |= (
        {"input": [{"role": "user", "content": "hi"}]}
        if client == RESPONSES
        else {"messages": [{"role": "user", "content": "hi"}]}
    )
    return body | ({"max_tokens": 4000} if client == MESSAGES else {}) | fields


def send(client: str, provider: str, body: Json, info: ModelInfo | None = None) -> EncodedRequest:
    request = DIALECTS[client].decode_request(body, {})
    encoded = encoded_for(DIALECTS[provider], request, info or MODELS[provider])
    json.dumps(encoded.body)
    return encoded


def tools_of(provider: str, body: Json) -> Iterator[Json]:
    for tool in body.get("tools", ()):
        held = tool.get("function", tool) if provider == CHAT else tool
        yield {"name": held.get("name"), "schema": held.get("input_schema", held.get("parameters")), "strict": held.get("strict")}


ROOTS: dict[str, Json | None] = {
    "no properties": {"type": "object"},
    "no type": {"properties": {"q": TEXT}},
    "type null": {"type": None, "properties": {"q": TEXT}},
    "properties null": {"type": "object", "properties": None},
    "anyOf": {"anyOf": [{"type": "object", "properties": {"q": TEXT}}, {"type": "object", "properties": {"r": TEXT}}]},
    "oneOf beside properties": {"type": "object", "properties": {"q": TEXT}, "oneOf": [{"required": ["q"]}, {"required": []}]},
    "allOf": {"allOf": [{"properties": {"q": TEXT}}, {"$ref": "#/$defs/r"}], "$defs": {"r": {"properties": {"r": TEXT}}}},
    "reference": {"$ref": "#/$defs/r", "$defs": {"r": {"type": "object", "properties": {"q": TEXT}}}},
}


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_kinds_on_every_lane_tools_schema_has_a_root_that_every_vendor_takes(client: str, provider: str, root: str) -> None:
    sent = send(client, provider, ask(client, [{"name": "f", "schema": ROOTS[root]}])).body
    (tool,) = tools_of(provider, sent)
    assert tool["schema"]["type"] == "object"
    assert isinstance(tool["schema"]["properties"], dict)
    assert not {"anyOf", "oneOf", "allOf", "$ref", "not"} & tool["schema"].keys()


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_kinds_on_every_lane_optional_property_is_never_sent_as_strict(client: str, provider: str) -> None:
    schema = {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"], "additionalProperties": False}
    (tool,) = tools_of(provider, send(client, provider, ask(client, [{"name": "f", "schema": schema, "strict": True}])).body)
    # Anthropic's constrained decoding takes optional properties.
    assert tool["strict"] is not True or provider == MESSAGES
    closed = {**schema, "required": ["a", "b"]}
    (tool,) = tools_of(provider, send(client, provider, ask(client, [{"name": "f", "schema": closed, "strict": True}])).body)
    assert tool["strict"] is True


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_kinds_on_every_lane_answers_schema_is_strict_only_where_it_can_be(client: str, provider: str) -> None:
    schema = {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a"], "additionalProperties": False}
    fields: dict[str, Json] = {
        MESSAGES: {"output_config": {"format": {"type": "json_schema", "schema": schema}}},
        CHAT: {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}},
        RESPONSES: {"text": {"format": {"type": "json_schema", "name": "x", "schema": schema, "strict": True}}},
    }
    sent = send(client, provider, ask(client, **fields[client])).body
    written = json.dumps(sent)
    assert '"b"' in written, "the schema is lost"
    assert '"strict": true' not in written


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_sampling_goes_only_to_models_that_take_it(client: str, provider: str) -> None:
    refusing = {
        CHAT: ModelInfo("openai", "o4-mini"),
        MESSAGES: ModelInfo("anthropic", "claude-opus-5"),
        RESPONSES: MODELS[RESPONSES],
    }
    sent = send(client, provider, ask(client, temperature=0.2, top_p=0.5), refusing[provider]).body
    assert "temperature" not in sent
    assert "top_p" not in sent
    taking = {
        CHAT: ModelInfo("openai", "gpt-4o"),
        MESSAGES: ModelInfo("anthropic", "claude-haiku-4-5"),
        RESPONSES: ModelInfo("openai", "gpt-4o"),
    }
    assert send(client, provider, ask(client, temperature=0.2), taking[provider]).body["temperature"] == 0.2


@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
@pytest.mark.parametrize("client", DIALECTS)
def test_kinds_on_every_lane_long_user_is_shortened(client: str, provider: str) -> None:
    long = "u" * 150
    fields = {"metadata": {"user_id": long}} if client == MESSAGES else {"user": long, "safety_identifier": long}
    sent = send(client, provider, ask(client, **fields), ModelInfo("openai", "gpt-5.4")).body
    assert len(sent.get("user") or "") <= 64
    assert len(sent.get("safety_identifier") or "") <= 64


@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
@pytest.mark.parametrize("client", DIALECTS)
def test_kinds_on_every_lane_no_effort_goes_to_models_that_do_not_reason(client: str, provider: str) -> None:
    asked: dict[str, Json] = {
        MESSAGES: {"thinking": {"type": "disabled"}},
        CHAT: {"reasoning_effort": "high"},
        RESPONSES: {"reasoning": {"effort": "high"}},
    }
    sent = send(client, provider, ask(client, **asked[client]), ModelInfo("openai", "gpt-4o")).body
    assert "reasoning_effort" not in sent
    assert not sent.get("reasoning")


def dump(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False)


FOUND = {
    "model": "auto",
    "max_tokens": 400,
    "tools": [
        {"name": "Find", "input_schema": {"type": "object", "properties": {}}},
        {"name": "Plan", "input_schema": {"type": "object", "properties": {}}, "defer_loading": True},
        {"name": "Hidden", "input_schema": {"type": "object", "properties": {}}, "defer_loading": True},
        {"name": "Gone", "input_schema": {"type": "object", "properties": {}}},
    ],
    "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Find", "input": {}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "tool_reference", "tool_name": "Plan"}]}
            ],
        },
        {"role": "system", "content": [{"type": "tool_removal", "tool": {"type": "tool_reference", "name": "Gone"}}]},
    ],
}


@pytest.mark.parametrize("provider", DIALECTS)
def test_tools_that_come_and_go_are_told_and_offered(provider: str) -> None:
    info = ModelInfo("anthropic", "claude-haiku-4-5") if provider == MESSAGES else MODELS[provider]
    sent = send(MESSAGES, provider, FOUND, info).body
    assert [tool["name"] for tool in tools_of(provider, sent)] == ["Find", "Plan"]
    assert "The tool 'Plan' is available now." in dump(sent)
    assert "The tool 'Gone' is no longer available." in dump(sent)
    for word in ("defer_loading", "tool_reference", "tool_removal"):
        assert word not in dump(sent)


@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-opus-4-6", "claude-sonnet-5", "claude-haiku-5-5"])
def test_tools_that_come_and_go_are_told_to_models_that_take_no_system_message(model: str) -> None:
    sent = send(MESSAGES, MESSAGES, FOUND, ModelInfo("anthropic", model)).body
    assert [tool["name"] for tool in sent["tools"]] == ["Find", "Plan"]
    assert all(message["role"] != "system" for message in sent["messages"])
    for word in ("defer_loading", "tool_reference", "tool_removal"):
        assert word not in dump(sent)
    unchanged = {**FOUND, "messages": FOUND["messages"][:3]}  # type: ignore[index]
    assert send(MESSAGES, MESSAGES, unchanged, ModelInfo("anthropic", model)).body == {**unchanged, "model": model}


def test_tools_that_come_and_go_stay_what_they_are_where_the_model_knows_them() -> None:
    sent = send(MESSAGES, MESSAGES, FOUND, ModelInfo("anthropic", "claude-opus-5"))
    assert sent.body == {**FOUND, "model": "claude-opus-5"}
    assert sent.notes == ()


def test_deferred_tools_are_offered_where_only_the_first_provider_could_find_them() -> None:
    search = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
    body = {**FOUND, "tools": [search, *FOUND["tools"]], "messages": [{"role": "user", "content": "hi"}]}  # type: ignore[misc]
    sent = send(MESSAGES, CHAT, body).body
    assert [tool["name"] for tool in tools_of(CHAT, sent)] == ["Find", "Plan", "Hidden", "Gone"]


@pytest.mark.parametrize("provider", DIALECTS)
def test_words_of_search_results_and_server_tools_arrive(provider: str) -> None:
    hit = {
        "type": "search_result",
        "source": "https://a.example",
        "title": "Gate",
        "content": [{"type": "text", "text": "opens at six"}],
    }
    body = {
        "model": "auto",
        "max_tokens": 400,
        "messages": [
            {"role": "user", "content": [hit, {"type": "text", "text": "and?"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tides"}},
                    {
                        "type": "web_search_tool_result",
                        "tool_use_id": "srvtoolu_1",
                        "content": [
                            {"type": "web_search_result", "url": "https://t.example", "title": "Tides", "encrypted_content": "E"}
                        ],
                    },
                    {"type": "text", "text": "At six."},
                ],
            },
            {"role": "user", "content": "go on"},
        ],
    }
    sent = dump(send(MESSAGES, provider, body).body)
    assert all(words in sent for words in ("opens at six", "tides", "https://t.example", "At six.", "go on"))
    assert ("encrypted_content" in sent) == (provider == MESSAGES) or provider == RESPONSES


FOREIGN: dict[str, Json] = {
    "chat image": {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
    "responses image": {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
    "messages image": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
    "chat text": {"type": "text", "text": "aGk="},
    "responses text": {"type": "input_text", "text": "aGk="},
}


@pytest.mark.parametrize("shape", FOREIGN)
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_content_in_another_dialects_shape_arrives(client: str, provider: str, shape: str) -> None:
    content = [{"type": "input_text" if client == RESPONSES else "text", "text": "see"}, FOREIGN[shape]]
    body = ask(client)
    (body.get("messages") or body["input"])[0]["content"] = content
    sent = dump(send(client, provider, body).body)
    assert "see" in sent
    assert "aGk=" in sent


@pytest.mark.parametrize(("client", "provider"), [pair for pair in PAIRS if pair.values[0] != pair.values[1]])
def test_content_of_an_unknown_type_is_refused_with_its_name(client: str, provider: str) -> None:
    body = ask(client)
    (body.get("messages") or body["input"])[0]["content"] = [{"type": "hologram", "data": "x"}]
    with pytest.raises(InvalidRequestError, match="hologram"):
        send(client, provider, body)


@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
def test_kinds_on_every_lane_billing_block_goes_to_anthropic_alone(provider: str) -> None:
    billing = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330.a1b; cch=1;"}
    body = ask(MESSAGES, system=[billing, {"type": "text", "text": "Be."}])
    assert "billing" not in dump(send(MESSAGES, provider, body).body)
    assert send(MESSAGES, MESSAGES, body).body["system"] == body["system"]


@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
def test_kinds_on_every_lane_vendors_tools_that_the_client_runs_become_functions(provider: str) -> None:
    tools = [{"type": "bash_20250124", "name": "bash"}, {"type": "memory_20250818", "name": "memory"}]
    body = ask(MESSAGES, tools=[])
    body["tools"] = tools
    sent = send(MESSAGES, provider, body).body
    assert [tool["name"] for tool in tools_of(provider, sent)] == ["bash", "memory"]
    assert all(tool["schema"]["properties"]["command"] for tool in tools_of(provider, sent))


@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
def test_kinds_on_every_lane_failed_tool_is_noted_where_that_cannot_be_said(provider: str) -> None:
    body = ask(MESSAGES)
    body["messages"] += [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "no such file", "is_error": True}]},
    ]
    encoded = send(MESSAGES, provider, body)
    assert any(note.subject.endswith("is_error") for note in encoded.notes)
    assert "no such file" in dump(encoded.body)


@pytest.mark.parametrize("provider", [CHAT, RESPONSES, MESSAGES])
def test_kinds_on_every_lane_thread_is_refused_where_it_cannot_be_kept(provider: str) -> None:
    body = ask(MESSAGES, thread={"type": "continue", "previous_message_id": "msg_1"})
    with pytest.raises(InvalidRequestError) as caught:
        send(MESSAGES, provider, body)
    envelope = AnthropicMessages(lambda: 0.0).encode_error(caught.value, "r")
    assert envelope["error"]["details"] == {"error_code": "thread_unsupported_request"}
    own = {**body, "model": "anthropic/claude-opus-4-6"}
    assert send(MESSAGES, MESSAGES, own).body["thread"] == body["thread"]


THOUGHT: dict[str, Json] = {
    MESSAGES: {
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "tool_use", "id": "c", "name": "f", "input": {}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "ok"}]},
        ],
    },
    CHAT: {
        "messages": [
            {"role": "user", "content": "q"},
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "ok"},
        ]
    },
    RESPONSES: {
        "input": [
            {"role": "user", "content": "q"},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "ok"},
        ]
    },
}


@pytest.mark.parametrize("client", THOUGHT)
@pytest.mark.parametrize("model", ["deepseek-chat", "claude-opus-4-6"])
def test_thinking_that_nobody_sealed_goes_back_where_it_is_wanted(client: str, model: str) -> None:
    info = ModelInfo("anthropic" if model.startswith("claude") else "elsewhere", model)
    sent = send(client, MESSAGES, {"model": "auto", **THOUGHT[client]}, info).body
    kinds = [block["type"] for block in sent["messages"][1]["content"]]
    # DeepSeek refuses a tool loop without it, Anthropic any thinking that it did not sign.
    assert kinds == (["tool_use"] if model.startswith("claude") else ["thinking", "tool_use"])

"""A Chat client's own body at a Chat provider, and other clients' requests: written anew where the model's facts say so, else as it came."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import CacheMark, TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, WebSearchOptions
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions

DIALECT = ChatCompletions(lambda: 0.0)
HI = {"role": "user", "content": "hi", "name": "me"}


def at(model: str, request: ChatRequest, **facts: Any) -> dict[str, Any]:
    provider, _, id_ = model.partition("/")
    info = with_accepts(replace(ModelInfo(provider, id_), **facts), DIALECT.name)
    fitted, _ = fit(request, info, DIALECT.name)
    return dict(DIALECT.encode_request(fitted, info).body)


def relayed(model: str, asked: str | None = None, **body: Any) -> dict[str, Any]:
    messages = body.pop("messages", [HI])
    sent = at(model, DIALECT.decode_request({"model": asked or model, "messages": messages, **body}, {}))
    if messages == [HI]:
        assert sent.pop("messages") == messages
    del sent["model"]
    return sent


@pytest.mark.parametrize(
    ("model", "body", "expected"),
    [
        ("local/m-1", {"temperature": 5, "top_k": 3, "user": "u" * 200, "x": 1}, {"temperature": 5, "top_k": 3, "user": "u" * 200, "x": 1}),
        ("openai/gpt-4o", {"temperature": 0.2, "stop": ["a"], "max_tokens": 9}, {"temperature": 0.2, "stop": ["a"], "max_tokens": 9}),
        ("openai/gpt-4o", {"reasoning_effort": "high", "verbosity": "low"}, {}),
        ("openai/gpt-5-mini", {"temperature": 0.2, "top_p": 0.1, "stop": "a", "presence_penalty": 1, "logit_bias": {"1": 2}}, {}),
        ("openai/gpt-5-mini", {"logprobs": True, "top_logprobs": 3}, {}),
        ("openai/gpt-5-mini", {"max_tokens": 9}, {"max_completion_tokens": 9}),
        ("openai/gpt-5-mini", {"reasoning_effort": "xhigh"}, {"reasoning_effort": "high"}),
        ("openai/o4-mini", {"reasoning": {"effort": "minimal"}}, {"reasoning_effort": "low"}),
        ("deepseek/deepseek-chat", {"max_completion_tokens": 9, "verbosity": "low"}, {"max_tokens": 9}),
    ],
)  # fmt: skip
def test_relayed_field_is_fitted_to_the_model(model: str, body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert relayed(model, **body) == expected


@pytest.mark.parametrize("field", ["user", "safety_identifier"])
def test_name_of_the_end_user_is_cut_under_the_field_it_came_in(field: str) -> None:
    sent = relayed("openai/gpt-4o", **{field: "u" * 65})
    assert list(sent) == [field]
    assert len(sent[field]) <= 64


@pytest.mark.parametrize(
    ("model", "role"),
    [
        ("openai/gpt-5-mini", "developer"),
        ("deepseek/deepseek-chat", "system"),
        ("local/llama-4", "system"),
        ("groq/kimi-k3", "system"),
    ],
)
def test_role_developer_goes_to_openai_s_models_only(model: str, role: str) -> None:
    developer = {"role": "developer", "content": "be brief", "name": "d"}
    assert relayed(model, messages=[developer, HI])["messages"] == [{**developer, "role": role}, HI]


@pytest.mark.parametrize(
    ("schema", "mended"),
    [
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {}}}, {"properties": {"a": {}}, "type": "object"}),
        (None, {"type": "object", "properties": {}}),
        ({"type": "object", "properties": {"a": {}}}, None),
    ],
)
def test_relayed_tool_has_a_root_that_is_taken(schema: Any, mended: Any) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}, "x": 1}
    [sent] = relayed("local/m-1", tools=[tool])["tools"]
    assert sent == ({**tool, "function": {"name": "f", "parameters": mended}} if mended else tool)
    assert mended or sent is tool


def test_call_ids_are_as_short_as_the_api_wants_and_still_pair() -> None:
    long = "call_" + "x" * 60
    call = {"id": long, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [
        HI,
        {"role": "assistant", "content": "a", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": long, "content": "b"},
    ]
    first, said, answered = relayed("openai/gpt-4o", messages=history)["messages"]
    assert first is HI
    assert len(said["tool_calls"][0]["id"]) <= 40
    assert answered["tool_call_id"] == said["tool_calls"][0]["id"]
    assert relayed("local/m-1", messages=history)["messages"] == history


@pytest.mark.parametrize(("more", "expected"), [({}, ""), ({"reasoning": "hm"}, "hm"), ({"reasoning_content": "hm"}, "hm")])
def test_tool_loop_of_a_model_that_wants_its_thoughts_back(more: dict[str, Any], expected: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": None, "tool_calls": [call], **more}
    history = [HI, said, {"role": "tool", "tool_call_id": "c", "content": "b"}]
    assert relayed("deepseek/deepseek-reasoner", messages=history)["messages"][1]["reasoning_content"] == expected
    assert relayed("local/m-1", messages=history)["messages"][1] is said


def test_image_becomes_words_where_the_model_sees_none() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    message = {"role": "user", "name": "me", "content": [{"type": "text", "text": "what?"}, image]}
    request = DIALECT.decode_request(
        {"model": "auto", "messages": [message, {"role": "assistant", "content": "a", "x": 1}, HI]}, {}
    )
    seen, said, again = at("local/words-1", request, images=False)["messages"]
    assert seen["name"] == "me"
    assert [part["type"] for part in seen["content"]] == ["text", "text"]
    assert (said, again) == ({"role": "assistant", "content": "a", "x": 1}, HI)


MARKED = (
    Message("system", (TextPart("s", CacheMark("1h")),)),
    Message("user", (TextPart("hi", CacheMark()),)),
    Message("assistant", (ToolCallPart("c", "f", "{}"),)),
    Message("user", (ToolCallResponsePart("c", (TextPart("b"),), cache=CacheMark()),)),
)


def test_cache_marks_go_to_models_that_take_them() -> None:
    request = ChatRequest("anthropic_messages", "auto", MARKED)
    system, user, _, answer = at("openrouter/anthropic/claude-opus-5", request)["messages"]
    assert system["content"] == [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    assert user["content"] == [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]
    assert answer["content"] == [{"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]
    for model in ("openai/gpt-5-mini", "local/m-1", "deepseek/deepseek-chat"):
        assert [message["content"] for message in at(model, request)["messages"]] == ["s", "hi", None, "b"]


def test_mark_on_a_message_or_on_the_request_is_on_its_last_part() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    body = {
        "model": "m",
        "messages": [{"role": "system", "content": "s", **mark}, HI, {"role": "assistant", "content": "a"}, HI],
        **mark,
    }
    parts = [message.parts[-1] for message in DIALECT.decode_request(body, {}).messages]
    assert [getattr(part, "cache", None) for part in parts] == [CacheMark(), None, None, CacheMark()]


def test_search_of_the_web_is_a_tool_for_other_dialects_and_stays_a_field_here() -> None:
    place = {"city": "Bern", "country": "CH"}
    options = {"user_location": {"type": "approximate", "approximate": place}}
    request = DIALECT.decode_request({"model": "m", "messages": [HI], "web_search_options": options}, {})
    [tool] = request.tools
    assert tool.search == WebSearchOptions(user_location=place)
    assert relayed("openai/gpt-4o", web_search_options=options) == {"web_search_options": options}

"""Whatever a conversation holds, the body written for any model keeps the rules the API enforces with a 400."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import (
    BlobPart,
    CacheMark,
    NativePart,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolCallResponsePart,
)
from openclaw_oauthrouter.canonical.model_info import Accepts, ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Reasoning, Tool, ToolChoice
from openclaw_oauthrouter.catalog.accepts import accepts_table, with_accepts
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from tests.support.fitted import encoded_for

DIALECT = AnthropicMessages(lambda: 0.0)
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

marks = st.none() | st.builds(CacheMark, st.sampled_from(["5m", "1h"]))
texts = st.builds(TextPart, st.sampled_from(["", " ", "\n", "x", "words "]), marks)
ids = st.sampled_from(["a", "a.b", "a b", "", "ü" * 70])
names = st.sampled_from(["get weather", "get.weather", "f", "größe", "n" * 200])
calls = st.builds(ToolCallPart, ids, names, st.sampled_from(["", "{}", '{"a":1}', "[1]", "{"]), st.booleans(), marks)
images = st.builds(BlobPart, st.just("image"), st.just("image/png"), st.just("aGk="), cache=marks)
results = st.builds(ToolCallResponsePart, ids, st.lists(texts | images, max_size=2).map(tuple), st.booleans(), cache=marks)
thoughts = st.builds(
    ReasoningPart,
    st.just("hm"),
    st.none() | st.builds(Opaque, st.sampled_from(["signature", "redacted", "encrypted"]), st.just("d")),
)
others = st.builds(RefusalPart, st.sampled_from(["", "no"])) | st.just(NativePart("openai_responses", "item", {}, words=""))
messages = st.one_of(
    st.builds(Message, st.just("system"), st.lists(texts, max_size=2).map(tuple)),
    st.builds(Message, st.just("user"), st.lists(texts | images | results | others, max_size=4).map(tuple)),
    st.builds(Message, st.just("assistant"), st.lists(texts | calls | thoughts | others, max_size=4).map(tuple)),
)
conversations = st.lists(messages, max_size=6).map(lambda found: (*found, Message("user", (TextPart("go on"),)))) | st.lists(
    messages, max_size=6
).map(lambda found: (Message("user", (TextPart("hi"),)), *found))
requests = st.builds(
    ChatRequest,
    st.just("openai_chat_completions"),
    st.just("auto"),
    conversations,
    tools=st.lists(st.builds(Tool, names), max_size=3, unique_by=lambda tool: tool.name).map(tuple),
    tool_choice=st.none() | st.builds(ToolChoice, st.sampled_from(["auto", "none", "required"])),
    max_output_tokens=st.none() | st.sampled_from([1, 1024, 5000, 900_000]),
    temperature=st.none() | st.sampled_from([0.0, 1.7]),
    top_p=st.none() | st.just(0.5),
    top_k=st.none() | st.just(5),
    reasoning=st.none()
    | st.builds(
        Reasoning,
        st.none() | st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
        st.none() | st.sampled_from([100, 2000, 99_000]),
    ),
)
models = st.sampled_from([*accepts_table().claude, "claude-opus-9"])


def rules_of(model: str) -> Accepts:
    accepts = with_accepts(ModelInfo("anthropic", model), DIALECT.name).accepts
    assert accepts is not None
    return accepts


@given(requests, models)
def test_anthropic_requests_conversation_keeps_the_rules(request: ChatRequest, model: str) -> None:
    body: dict[str, Any] = encoded_for(DIALECT, request, ModelInfo("anthropic", model)).body
    rules = rules_of(model)
    assert body["messages"]
    assert body["messages"][-1]["role"] != "assistant" or rules.prefill
    expected: list[str] = []
    seen: set[str] = set()
    for message in body["messages"]:
        kinds = [block["type"] for block in message["content"]]
        assert kinds
        assert message["role"] != "system" or rules.system_messages
        assert any(block["type"] != "text" or block["text"].strip() for block in message["content"])
        answered = [block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"]
        assert sorted(answered) == sorted(expected)
        assert kinds[: len(answered)] == ["tool_result"] * len(answered)
        called = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        assert kinds[len(kinds) - len(called) :] == ["tool_use"] * len(called)
        assert not seen.intersection(called)
        assert all(ID.fullmatch(id_) for id_ in called)
        seen.update(called)
        expected = called
    assert expected == []


@given(requests, models)
def test_settings_keep_the_rules(request: ChatRequest, model: str) -> None:
    body: dict[str, Any] = encoded_for(DIALECT, request, ModelInfo("anthropic", model)).body
    rules = rules_of(model)
    sampling = [name for name in ("temperature", "top_p") if name in body]
    thinking = body.get("thinking", {"type": None})
    assert len(sampling) <= (rules.temperature + rules.top_p if rules.temperature_with_top_p else rules.temperature)
    assert rules.top_k or "top_k" not in body
    assert 0 <= body.get("temperature", 0) <= 1
    assert 1 <= body["max_tokens"] <= (128_000 if rules.known else 900_000)
    allowed = {None, *(["enabled"] if rules.budget else []), *(["adaptive"] if rules.adaptive else []), rules.thinking_off}
    assert thinking["type"] in allowed - {"never"}
    if thinking["type"] == "enabled":
        assert 1024 <= thinking["budget_tokens"] < body["max_tokens"]
    if thinking["type"] in ("enabled", "adaptive"):
        assert not sampling
    effort = body.get("output_config", {}).get("effort")
    assert effort in (None, *(rules.efforts or ()))
    assert thinking["type"] != "disabled" or effort not in ("xhigh", "max")
    if body.get("tool_choice", {}).get("type") == "any":
        assert rules.forced_tool_choice
        assert thinking["type"] != "enabled"
    assert "tool_choice" not in body or body["tools"]


@given(requests, models)
def test_names_and_marks_keep_the_rules(request: ChatRequest, model: str) -> None:
    encoded = encoded_for(DIALECT, request, ModelInfo("anthropic", model))
    body: dict[str, Any] = encoded.body
    wire = [tool["name"] for tool in body.get("tools", ())]
    assert len(set(wire)) == len(wire)
    assert all(NAME.fullmatch(name) for name in wire)
    assert [encoded.tool_names.get(name, name) for name in wire] == [tool.name for tool in request.tools]
    assert str(body).count("'cache_control'") <= 4
    texts = [block["text"] for message in body["messages"] for block in message["content"] if block["type"] == "text"]
    assert "" not in texts
    assert "" not in [block["text"] for block in body.get("system", ())]


@given(requests)
def test_anthropic_requests_same_request_gives_the_same_body(request: ChatRequest) -> None:
    info = ModelInfo("anthropic", "claude-opus-4-6")
    assert encoded_for(DIALECT, request, info) == encoded_for(DIALECT, replace(request), info)

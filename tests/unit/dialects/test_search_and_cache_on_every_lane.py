"""Searches of the web, marks for prompt caches and limits of numbers, as each provider is told of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.fitting import NO_SEARCH
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.gemini_generate_content import GeminiGenerateContent
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.interfaces import Dialect
from tests.support.fitted import encoded_for

Json = dict[str, Any]
CHAT, MESSAGES, RESPONSES, GEMINI = (
    "openai_chat_completions",
    "anthropic_messages",
    "openai_responses",
    "gemini_generate_content",
)
DIALECTS: dict[str, Dialect] = {
    CHAT: ChatCompletions(lambda: 0.0),
    MESSAGES: AnthropicMessages(lambda: 0.0),
    RESPONSES: OpenAIResponses(lambda: 0.0, lambda: "0" * 32),
    GEMINI: GeminiGenerateContent(lambda: 0.0),
}
PLACE = {"type": "approximate", "city": "Oslo", "country": "NO"}
ASKED: dict[str, Json] = {
    MESSAGES: {
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "q"}],
        "tools": [
            {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.example"], "user_location": PLACE},
        ],
        "tool_choice": {"type": "tool", "name": "web_search"},
    },
    RESPONSES: {
        "input": "q",
        "tools": [{"type": "web_search", "filters": {"allowed_domains": ["a.example"]}, "user_location": PLACE}],
        "tool_choice": "required",
    },
}


def sent(client: str, body: Json, dialect: str, provider: str, model: str) -> Json:
    request = DIALECTS[client].decode_request({"model": "auto", **body}, {})
    encoded: Json = encoded_for(DIALECTS[dialect], request, ModelInfo(provider, model)).body
    json.dumps(encoded)
    return encoded


@pytest.mark.parametrize("client", ASKED)
@pytest.mark.parametrize(
    ("dialect", "provider", "model", "field", "expected"),
    [
        (CHAT, "openrouter", "openai/gpt-5.4", "plugins", [{"id": "web", "include_domains": ["a.example"]}]),
        (
            CHAT,
            "openai",
            "gpt-4o-search-preview",
            "web_search_options",
            {"user_location": {"type": "approximate", "approximate": {"city": "Oslo", "country": "NO"}}},
        ),
        (
            RESPONSES,
            "openai",
            "gpt-5.6-sol",
            "tools",
            [{"type": "web_search", "filters": {"allowed_domains": ["a.example"]}, "user_location": PLACE}],
        ),
        (
            MESSAGES,
            "anthropic",
            "claude-opus-4-6",
            "tools",
            [{"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.example"], "user_location": PLACE}],
        ),
        (GEMINI, "gemini", "gemini-3.8-flash", "tools", [{"googleSearch": {}}]),
    ],
)
def test_search_and_cache_on_every_lane_search_of_the_web_is_the_providers_own(
    client: str, dialect: str, provider: str, model: str, field: str, expected: Any
) -> None:
    body = sent(client, ASKED[client], dialect, provider, model)
    found = body[field]
    if dialect == MESSAGES and isinstance(found, list):
        found = [{key: value for key, value in tool.items() if key != "cache_control"} for tool in found]
    assert found == expected
    assert NO_SEARCH not in json.dumps(body)
    if dialect == CHAT:
        assert not {"tools", "tool_choice", "parallel_tool_calls"} & body.keys()


@pytest.mark.parametrize("client", ASKED)
def test_search_and_cache_on_every_lane_where_nothing_can_search_the_model_is_told(client: str) -> None:
    body = sent(client, ASKED[client], CHAT, "own", "llama-4")
    assert body["messages"][0] == {"role": "system", "content": NO_SEARCH}
    assert "tools" not in body
    both = {**ASKED[client], "tool_choice": {"type": "auto"} if client == MESSAGES else "auto"}
    function = (
        {"name": "f", "input_schema": {"type": "object"}}
        if client == MESSAGES
        else {"type": "function", "name": "f", "parameters": {}}
    )
    both["tools"] = [*both["tools"], function]
    # An agent that offers its search with everything else is not told each time.
    assert NO_SEARCH not in json.dumps(sent(client, both, CHAT, "own", "llama-4"))


@pytest.mark.parametrize(
    ("dialect", "provider", "model", "tool"),
    [
        (RESPONSES, "openai-codex", "gpt-5.4", {"type": "web_search"}),
        (RESPONSES, "openai", "gpt-5.6-sol", {"type": "web_search"}),
        (GEMINI, "gemini", "gemini-3.8-flash", {"urlContext": {}}),
    ],
)
@pytest.mark.parametrize("searches", [False, True])
def test_pages_are_read_by_the_providers_own_tool(dialect: str, provider: str, model: str, tool: Json, searches: bool) -> None:
    fetch = {"type": "web_fetch_20250910", "name": "web_fetch"}
    search = [{"type": "web_search_20250305", "name": "web_search"}] if searches else []
    asked = {"max_tokens": 100, "messages": [{"role": "user", "content": "q"}], "tools": [*search, fetch]}
    tools = sent(MESSAGES, asked, dialect, provider, model)["tools"]
    assert tools.count(tool) == 1


MARK = {"type": "ephemeral", "ttl": "1h"}
BREAKPOINT = {"mode": "explicit", "ttl": "12h"}
MARKED: dict[str, Json] = {
    CHAT: {"messages": [{"role": "user", "content": [{"type": "text", "text": "t", "prompt_cache_breakpoint": BREAKPOINT}]}]},
    MESSAGES: {
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "t", "cache_control": MARK}]}],
    },
    RESPONSES: {
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "t", "prompt_cache_breakpoint": BREAKPOINT}]}]
    },
}


@pytest.mark.parametrize("client", MARKED)
@pytest.mark.parametrize(
    ("dialect", "provider", "model", "written"),
    [
        (CHAT, "openai", "gpt-5.6-sol", {"prompt_cache_breakpoint": BREAKPOINT}),
        (CHAT, "openrouter", "anthropic/claude-opus-4.6", {"cache_control": MARK}),
        (CHAT, "openai", "gpt-4o", {}),
        (CHAT, "own", "gpt-5.6-sol", {}),
        (RESPONSES, "openai", "gpt-6.1-sol", {"prompt_cache_breakpoint": BREAKPOINT}),
        (RESPONSES, "openai-codex", "gpt-5.6-sol", {}),
        (MESSAGES, "anthropic", "claude-opus-4-6", {"cache_control": MARK}),
    ],
)
def test_marks_and_breakpoints_become_one_another(client: str, dialect: str, provider: str, model: str, written: Json) -> None:
    if client == dialect:
        pytest.skip("a body of the provider's own dialect passes as it is")
    body = sent(client, MARKED[client], dialect, provider, model)
    content = (body.get("input") or body.get("messages"))[0]["content"]
    part = {} if isinstance(content, str) else content[-1]
    assert {key: value for key, value in part.items() if key not in ("type", "text")} == written


@pytest.mark.parametrize(("client", "dialect"), [(MESSAGES, CHAT), (RESPONSES, CHAT), (CHAT, RESPONSES), (MESSAGES, RESPONSES)])
def test_search_and_cache_on_every_lane_more_tools_than_openai_takes_keep_those_that_are_used(client: str, dialect: str) -> None:
    names = [f"t{number}" for number in range(200)]
    schema = {"type": "object", "properties": {}}
    call: Json
    if client == MESSAGES:
        call = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "t199", "input": {}}]}
        answer = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "ok"}]}
        body: Json = {"max_tokens": 9, "messages": [{"role": "user", "content": "q"}, call, answer]}
        body["tools"] = [{"name": name, "input_schema": schema} for name in names]
    elif client == CHAT:
        function = {"name": "t199", "arguments": "{}"}
        call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]}
        body = {"messages": [{"role": "user", "content": "q"}, call, {"role": "tool", "tool_call_id": "c", "content": "ok"}]}
        body["tools"] = [{"type": "function", "function": {"name": name, "parameters": schema}} for name in names]
    else:
        call = {"type": "function_call", "call_id": "c", "name": "t199", "arguments": "{}"}
        body = {
            "input": [{"role": "user", "content": "q"}, call, {"type": "function_call_output", "call_id": "c", "output": "ok"}]
        }
        body["tools"] = [{"type": "function", "name": name, "parameters": schema} for name in names]
    tools = sent(client, body, dialect, "openai", "gpt-5.6-sol")["tools"]
    found = [tool.get("name") or tool["function"]["name"] for tool in tools]
    assert found == [*names[:127], "t199"]


@pytest.mark.parametrize("provider", ["openai-codex", "openai"])
def test_system_items_become_the_developers_where_they_are_refused(provider: str) -> None:
    items = [{"role": "system", "content": "be"}, {"role": "user", "content": "q"}]
    found = sent(RESPONSES, {"input": items}, RESPONSES, provider, "gpt-5.4")["input"]
    assert found[0]["role"] == ("developer" if provider == "openai-codex" else "system")
    assert found[1] is items[1]


@pytest.mark.parametrize(
    ("dialect", "provider", "model", "field"),
    [
        (MESSAGES, "anthropic", "claude-opus-5", {"speed": "fast"}),
        (MESSAGES, "anthropic", "claude-haiku-4-5", {}),
        (RESPONSES, "openai-codex", "gpt-5.4", {"service_tier": "priority"}),
        (RESPONSES, "openai", "gpt-5.4", {}),
        (CHAT, "own", "llama-4", {}),
    ],
)
def test_fast_mode_goes_to_the_model_it_was_asked_of_or_to_a_plan_that_has_it(
    dialect: str, provider: str, model: str, field: Json
) -> None:
    asked = {"model": "claude-opus-5", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}], "speed": "fast"}
    body = sent(MESSAGES, asked, dialect, provider, model)
    assert {key: body[key] for key in ("speed", "service_tier") if key in body} == field

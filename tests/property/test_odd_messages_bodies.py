"""Whatever a Messages body holds in one place, a translation or a refusal comes of it, never another exception."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, ResponseFormat, Tool
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.interfaces import Dialect
from tests.support.odd_json import mutations

MESSAGES = AnthropicMessages(lambda: 0.0)
MARK = {"type": "ephemeral", "ttl": "1h"}
SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": ["string", "null"], "format": "date", "enum": ["x"], "description": "d"},
        "b": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "c": {"anyOf": [{"type": "object", "additionalProperties": {"type": "integer"}}], "pattern": "x"},
    },
    "$defs": {"d": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
QUESTION = [
    {"type": "text", "text": "x", "cache_control": MARK},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
    {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "AAAA"}},
]
ANSWER = [
    {"type": "thinking", "thinking": "t", "signature": "s"},
    {"type": "redacted_thinking", "data": "d"},
    {"type": "text", "text": "x", "citations": []},
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}, "cache_control": MARK},
]
RESULTS = [
    {
        "type": "tool_result",
        "tool_use_id": "t1",
        "is_error": False,
        "content": [{"type": "text", "text": "x"}, {"type": "image", "source": {"type": "url", "url": "https://a.example"}}],
    },
    {"type": "text", "text": "x"},
]
BODY: dict[str, Any] = {
    "model": "auto",
    "max_tokens": 4000,
    "system": [{"type": "text", "text": "s", "cache_control": MARK}],
    "messages": [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWER, "output_config": {"effort": "low"}},
        {"role": "user", "content": RESULTS},
        {"role": "system", "content": [{"type": "text", "text": "s"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "begun "}]},
    ],
    "tools": [
        {"name": "f", "description": "d", "strict": True, "input_schema": SCHEMA, "cache_control": MARK},
        {"type": "web_search_20250305", "name": "web_search", "user_location": {"city": "Rome"}, "allowed_domains": ["a"]},
    ],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "stop_sequences": ["x"],
    "stream": True,
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 2,
    "thinking": {"type": "enabled", "budget_tokens": 2000, "display": "summarized"},
    "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "metadata": {"user_id": "u"},
    "service_tier": "auto",
    "context_management": {"edits": [{"type": "clear_thinking_20251015"}]},
    "container": "c",
}
# What not every provider takes, which would keep the rest from being written for it.
FOR_SOME: dict[str, Any] = {
    "model": "auto",
    "max_tokens": 4000,
    "messages": [
        {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]},
        {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://a.example"}}]},
        {"role": "user", "content": [{"type": "search_result", "source": "x", "title": "t", "content": []}]},
    ],
}
# What hangs on the kind of thinking, with each kind there is.
THINKING: list[dict[str, Any]] = [
    {
        "model": "auto",
        "max_tokens": 4000,
        "messages": [{"role": "user", "content": "x"}],
        "thinking": kind,
        "output_config": BODY["output_config"],
        "context_management": BODY["context_management"],
    }
    for kind in ({"type": "adaptive"}, {"type": "disabled"}, {"type": "between_tools"}, {"type": "of_tomorrow"}, None)
]
CLAUDE = [ModelInfo("p", name) for name in ("claude-haiku-4-5", "claude-opus-4-7", "claude-opus-5-5")]


def translated(dialect: Dialect, info: ModelInfo, request: ChatRequest, what: str) -> bool:
    """Whether the request could be written for the model; anything but a refusal fails the test."""
    try:
        orjson.dumps(dialect.encode_request(request, info).body)
    except OAuthRouterError:
        return False
    except Exception as error:
        raise AssertionError(f"{what}, for {info.id} at {dialect.name}") from error
    return True


def decoded(body: dict[str, Any], what: str) -> ChatRequest | None:
    try:
        return MESSAGES.decode_request(body, {})
    except OAuthRouterError:
        return None
    except Exception as error:
        raise AssertionError(what) from error


def count_translated(dialect: Dialect, models: list[ModelInfo], bodies: Iterator[tuple[str, Any]]) -> int:
    requests = ((what, decoded(body, what)) for what, body in bodies)
    return sum(translated(dialect, info, request, what) for what, request in requests if request is not None for info in models)


UPSTREAMS = pytest.mark.parametrize(
    ("dialect", "models"),
    [
        (MESSAGES, CLAUDE),
        (ChatCompletions(lambda: 0.0), [ModelInfo("p", "gpt-5.4")]),
        (OpenAIResponses(lambda: 0.0, lambda: "id"), [ModelInfo("p", "gpt-5.4")]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)


@UPSTREAMS
def test_odd_messages_bodies_body_with_one_odd_value(dialect: Dialect, models: list[ModelInfo]) -> None:
    assert count_translated(dialect, models, mutations(BODY)) > 500, "the encoders are hardly reached any more"
    for body in (FOR_SOME, *THINKING):
        count_translated(dialect, models, mutations(body))


@UPSTREAMS
def test_odd_messages_bodies_body_whose_turns_are_anothers(dialect: Dialect, models: list[ModelInfo]) -> None:
    assert count_translated(dialect, models, _other_roles()) > 20, "the encoders are hardly reached any more"


def _other_roles() -> Iterator[tuple[str, Any]]:
    for roles in product(("user", "assistant", "system"), repeat=len(BODY["messages"])):
        messages = [{**message, "role": role} for message, role in zip(BODY["messages"], roles, strict=True)]
        yield f"turns of {roles}", {**BODY, "messages": messages}


ASKED = ChatRequest("openai_chat_completions", "auto", (Message("user", (TextPart("x"),)),))
SEARCH = {
    "type": "web_search",
    "filters": {"allowed_domains": ["a.example"]},
    "user_location": {"type": "approximate", "city": "Rome"},
}
FREE: dict[str, tuple[Any, Callable[[Any], ChatRequest]]] = {
    "parameters": (SCHEMA, lambda odd: replace(ASKED, tools=(Tool("f", parameters=odd, strict=True),))),
    "schema": (SCHEMA, lambda odd: replace(ASKED, response_format=ResponseFormat("json_schema", odd))),
    "hosted": (SEARCH, lambda odd: replace(ASKED, tools=(Tool("web_search", native=("openai_responses", odd)),))),
    "native": (
        {"n": 1, "modalities": ["text"], "web_search_options": None, "metadata": {"run": "7"}, "store": True},
        lambda odd: replace(ASKED, native=odd),
    ),
    "body": ({"safety_identifier": "u"}, lambda odd: replace(ASKED, body=odd)),
}
"""What another dialect's client may fill with JSON of its own, and a request that holds it."""


@pytest.mark.parametrize("name", FREE)
def test_odd_messages_bodies_foreign_request_with_one_odd_value(name: str) -> None:
    plain, requested = FREE[name]
    for what, odd in mutations(plain):
        for info in CLAUDE:
            translated(MESSAGES, info, requested(odd), what)

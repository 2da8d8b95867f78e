"""Content of any shape, in anybody's turn, on every lane: it arrives at the provider, or the request is refused with the place named.

Every value that a client puts into a part bears a mark of its own; what is sent must bear it too, in the bytes of a file or in words. The
exceptions are the assistant's thinking, which belongs to its maker, and what a model cannot see, which it is told of.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.gemini_generate_content import GeminiGenerateContent
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.errors import InvalidRequestError
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
CLIENTS = (CHAT, MESSAGES, RESPONSES)
TARGETS = (
    (CHAT, ModelInfo("openai", "gpt-4o")),
    (CHAT, ModelInfo("own", "some-model")),
    (MESSAGES, ModelInfo("anthropic", "claude-opus-5-5")),
    (MESSAGES, ModelInfo("anthropic", "claude-haiku-4-5")),
    (RESPONSES, ModelInfo("openai-codex", "gpt-5.4")),
    (RESPONSES, ModelInfo("xai", "grok-4")),
    (GEMINI, ModelInfo("gemini", "gemini-3.8-flash")),
    (GEMINI, ModelInfo("gemini", "gemini-2.5-flash")),
)
MARK = re.compile(r"QX\d{4}XQ")

Make = Callable[[Callable[[], str]], Json]


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _pdf(mark: str) -> str:
    return f"data:application/pdf;base64,{_b64(mark)}"


PARTS: dict[str, Make] = {
    "text": lambda new: {"type": "text", "text": new()},
    "Responses text": lambda new: {"type": "input_text", "text": new()},
    "Responses answer": lambda new: {"type": "output_text", "text": new(), "annotations": []},
    "refusal": lambda new: {"type": "refusal", "refusal": new()},
    "Chat image": lambda new: {"type": "image_url", "image_url": {"url": f"https://e.example/{new()}.png"}},
    "Chat image, flat": lambda new: {"type": "image_url", "image_url": f"https://e.example/{new()}.png"},
    "Responses image": lambda new: {"type": "input_image", "image_url": f"https://e.example/{new()}.png"},
    "Messages image": lambda new: {"type": "image", "source": {"type": "url", "url": f"https://e.example/{new()}.png"}},
    "stored image": lambda new: {"type": "image", "source": {"type": "file", "file_id": f"file_{new()}"}},
    "MCP image": lambda new: {"type": "image", "data": _b64(new()), "mimeType": "image/png"},
    "document, address": lambda new: {"type": "document", "source": {"type": "url", "url": f"https://e.example/{new()}.pdf"}},
    "document, words": lambda new: {
        "type": "document",
        "title": new(),
        "context": new(),
        "source": {"type": "text", "media_type": "text/plain", "data": new()},
    },
    "document, blocks": lambda new: {
        "type": "document",
        "title": new(),
        "source": {"type": "content", "content": [{"type": "text", "text": new()}]},
    },
    "document, one block": lambda new: {"type": "document", "source": {"type": "content", "content": new()}},
    "document, image block": lambda new: {
        "type": "document",
        "source": {
            "type": "content",
            "content": [{"type": "image", "source": {"type": "url", "url": f"https://e.example/{new()}.png"}}],
        },
    },
    "document, file": lambda new: {
        "type": "document",
        "title": f"{new()}.pdf",
        "context": new(),
        "source": {"type": "base64", "media_type": "application/pdf", "data": _b64(new())},
    },
    "Chat file": lambda new: {"type": "file", "file": {"filename": f"{new()}.pdf", "file_data": _pdf(new())}},
    "Chat file, stored": lambda new: {"type": "file", "file": {"file_id": f"file-{new()}"}},
    "Responses file": lambda new: {"type": "input_file", "filename": f"{new()}.pdf", "file_data": _pdf(new())},
    "Responses file, address": lambda new: {"type": "input_file", "file_url": f"https://e.example/{new()}.pdf"},
    "Responses file, stored": lambda new: {"type": "input_file", "file_id": f"file-{new()}"},
    "audio": lambda new: {"type": "input_audio", "input_audio": {"data": _b64(new()), "format": "wav"}},
    "video": lambda new: {"type": "video_url", "video_url": {"url": f"https://e.example/{new()}.mp4"}},
    "search result": lambda new: {
        "type": "search_result",
        "source": f"https://e.example/{new()}",
        "title": new(),
        "content": [{"type": "text", "text": new()}],
    },
    "long search result": lambda new: {
        "type": "search_result",
        "source": "https://e.example",
        "title": "t",
        "content": [{"type": "text", "text": "word " * 9000 + new()}],
    },
    "upload": lambda new: {"type": "container_upload", "file_id": f"file_{new()}"},
    "tool reference": lambda new: {"type": "tool_reference", "tool_name": f"t{new()}"},
    "tool call": lambda new: {"type": "tool_use", "id": "tu_1", "name": "f", "input": {"a": new()}},
    "tool answer": lambda new: {
        "type": "tool_result",
        "tool_use_id": "tu_1",
        "content": [
            {"type": "text", "text": new()},
            {"type": "image", "source": {"type": "url", "url": f"https://e.example/{new()}.png"}},
        ],
    },
    "of another library": lambda new: {"type": "tool-call", "toolCallId": "1", "toolName": "f", "args": {"a": new()}},
    "of nobody": lambda new: {"type": "hologram", "data": new()},
    "without a type": lambda new: {"words": new()},
}
ROLES = ("system", "developer", "user", "assistant", "tool")


def _chat(role: str, content: list[Json]) -> Json:
    messages: list[Json] = [{"role": "user", "content": "q"}]
    said: Json = {"role": role, "content": content}
    if role == "tool":
        call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        messages += [{"role": "assistant", "content": None, "tool_calls": [call]}, {**said, "tool_call_id": "c1"}]
    elif role in ("system", "developer"):
        messages.insert(0, said)
    else:
        messages += [said, {"role": "user", "content": "go"}]
    return {"messages": messages}


def _messages(role: str, content: list[Json]) -> Json:
    body: Json = {"max_tokens": 1000, "messages": [{"role": "user", "content": "q"}]}
    if role in ("system", "developer"):
        body["system"] = content
    elif role == "tool":
        call, answer = {"type": "tool_use", "id": "c1", "name": "f", "input": {}}, {"type": "tool_result", "tool_use_id": "c1"}
        body["messages"] += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [{**answer, "content": content}]},
        ]
    else:
        body["messages"] += [{"role": role, "content": content}, {"role": "user", "content": "go"}]
    return body


def _responses(role: str, content: list[Json]) -> Json:
    items: list[Json] = [{"role": "user", "content": "q"}]
    if role == "tool":
        items += [
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": content},
        ]
    elif role in ("system", "developer"):
        items.insert(0, {"role": role, "content": content})
    else:
        items += [{"role": role, "content": content}, {"role": "user", "content": "go"}]
    return {"input": items}


BODIES = {CHAT: _chat, MESSAGES: _messages, RESPONSES: _responses}


def _numbered() -> Iterator[str]:
    return (f"QX{number:04d}XQ" for number in itertools.count())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("shape", PARTS)
def test_content_arrives_or_is_refused(shape: str, client: str, role: str) -> None:
    numbers = _numbered()
    words = {"type": "output_text" if client == RESPONSES and role == "assistant" else "text", "text": next(numbers)}
    body = {**BODIES[client](role, [words, PARTS[shape](lambda: next(numbers))]), "model": "auto"}
    said = set(MARK.findall(json.dumps(body))) | {
        found
        for text in re.findall(r'"(?:data:application/pdf;base64,)?([A-Za-z0-9+/=]{12})"', json.dumps(body))
        for found in _read(text)
    }
    for dialect, info in TARGETS:
        sent, place = _sent(client, body, dialect, info)
        lost = [mark for mark in said if mark not in sent and _b64(mark) not in sent]
        assert place or not lost, f"{info.name} is not told {lost}"


def _sent(client: str, body: Json, dialect: str, info: ModelInfo) -> tuple[str, str | None]:
    """What the provider is sent; or nothing, and the place that the refusal names."""
    try:
        request = DIALECTS[client].decode_request(body, {})
        return orjson.dumps(encoded_for(DIALECTS[dialect], request, info).body).decode(), None
    except InvalidRequestError as refused:
        return "", refused.param


def _read(text: str) -> list[str]:
    try:
        return MARK.findall(base64.b64decode(text, validate=True).decode())
    except ValueError:
        return []


READABLE = [shape for shape in PARTS if shape.startswith(("text", "Chat", "Responses", "Messages")) and "stored" not in shape]


@pytest.mark.parametrize(("dialect", "info"), TARGETS, ids=[f"{info.name}" for _, info in TARGETS])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("shape", READABLE)
def test_nothing_vanishes_what_can_mean_one_thing_only_is_read_in_the_shape_of_any_dialect(
    shape: str, client: str, dialect: str, info: ModelInfo
) -> None:
    if dialect == CHAT and shape == "Responses file, address":
        pytest.skip("Chat Completions has no documents by address")
    numbers = _numbered()
    part = PARTS[shape](lambda: next(numbers))
    body = {**BODIES[client]("user", [part]), "model": "auto"}
    sent = encoded_for(DIALECTS[dialect], DIALECTS[client].decode_request(body, {}), info).body
    kinds = {found["type"] for found in _objects(sent) if isinstance(found.get("type"), str)}
    own = {
        CHAT: {"text", "image_url", "file"},
        MESSAGES: {"text", "image", "document", "url", "base64", "ephemeral"},
        RESPONSES: {"message", "input_text", "input_image", "input_file"},
        GEMINI: set(),
    }
    assert kinds - own[dialect] <= {"adaptive", "enabled"}


def _objects(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for held in value.values():
            yield from _objects(held)
    elif isinstance(value, list):
        for held in value:
            yield from _objects(held)

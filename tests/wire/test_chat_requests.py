"""Recorded requests: what we send to a Chat upstream fits the SDK's own types, whatever dialect it came in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import CompletionCreateParams
from pydantic import TypeAdapter, ValidationError

from openclaw_oauthrouter.canonical.content import FilePart, NativePart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import InvalidRequestError
from tests.support.recordings import recorded_body, recordings

CHAT = ChatCompletions(lambda: 0.0)
ANTHROPIC = AnthropicMessages(lambda: 0.0)
CARD = ModelInfo("openai", "gpt-x")

PARAMS: TypeAdapter[Any] = TypeAdapter(CompletionCreateParams)


def requests(dialect: str) -> list[Any]:
    return [param for suffix in (".request.json", ".exchange.json") for param in recordings(dialect, suffix, has_messages)]


def has_messages(path: Path) -> bool:
    """Whether it asks for an answer, not for a list of models or a count of tokens."""
    return "messages" in body_of(path)


def body_of(path: Path) -> Any:
    recorded = json.loads(path.read_text("utf-8"))
    return recorded_body(recorded.get("request", recorded))


def validate(value: Any) -> None:
    """Fit a body to the SDK's types; pydantic checks an ``Iterable`` only as it is walked."""

    def walk(found: Any) -> None:
        for inner in found.values() if isinstance(found, dict) else () if isinstance(found, str) else found:
            if isinstance(inner, Iterable):
                walk(inner)

    walk(PARAMS.validate_python({**value, "messages": [without_tool_images(message) for message in value["messages"]]}))


def without_tool_images(message: dict[str, Any]) -> dict[str, Any]:
    """The API takes images in tool messages ("either text or image_url"); the SDK's type only knows of text."""
    if message["role"] != "tool" or isinstance(message["content"], str):
        return message
    return {**message, "content": [part for part in message["content"] if part["type"] != "image_url"]}


def has_what_chat_cannot_say(request: ChatRequest) -> bool:
    """Blocks and tools that only run at the provider they were made for."""
    parts = [part for message in request.messages for part in message.parts]
    inner = [part for answer in parts if isinstance(answer, ToolCallResponsePart) for part in answer.content]
    return any(tool.native for tool in request.tools) or any(
        isinstance(part, NativePart | FilePart) or (isinstance(part, UriPart) and part.modality != "image")
        for part in (*parts, *inner)
    )


def test_chat_requests_judge_is_awake() -> None:
    message = {"role": "user", "content": "x"}
    validate({"model": "m", "messages": [message]})
    with pytest.raises(ValidationError):
        validate({"model": "m", "messages": [{"role": "tool", "content": "x"}, message]})
    with pytest.raises(ValidationError):
        validate({"model": "m", "messages": [message], "tools": [{"type": "function", "function": {}}]})


@pytest.mark.parametrize("path", requests("openai-chat"))
def test_chat_request_is_relayed_as_it_is(path: Path) -> None:
    body = body_of(path)
    encoded = CHAT.encode_request(CHAT.decode_request(body, {}), CARD)
    assert encoded.body == {**body, "model": "gpt-x"}
    assert encoded.notes == ()


@pytest.mark.parametrize("path", requests("openai-chat"))
def test_chat_request_through_the_canonical_form_fits_the_sdk(path: Path) -> None:
    encode_as_foreign(CHAT.decode_request(body_of(path), {}))


@pytest.mark.parametrize("path", requests("anthropic-messages"))
def test_anthropic_request_fits_the_sdk(path: Path) -> None:
    encode_as_foreign(ANTHROPIC.decode_request(body_of(path), {}))


def encode_as_foreign(request: ChatRequest) -> None:
    """Encode as if the client spoke another dialect: it fits, or it is refused for something Chat has no word for."""
    try:
        found: EncodedRequest | InvalidRequestError = CHAT.encode_request(replace(request, dialect="another"), CARD)
    except InvalidRequestError as error:
        found = error
    if isinstance(found, InvalidRequestError):
        assert found.param
        assert has_what_chat_cannot_say(request)
    elif request.dialect != CHAT.name or not has_what_chat_cannot_say(request):
        # Extensions of Chat that only some providers know pass as they are, and the SDK does not know them either.
        validate(found.body)

"""Every body we write fits the vendor's own request type, for recorded requests of two dialects and models of every generation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from anthropic.types.beta import MessageCreateParams
from pydantic import TypeAdapter

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.interfaces import Dialect
from tests.support.recordings import recorded_body, recordings

MODELS = ("claude-haiku-4-5", "claude-opus-4-5", "claude-opus-4-6", "claude-opus-4-7", "claude-sonnet-5", "claude-opus-5-5")
ADAPTER: TypeAdapter[Any] = TypeAdapter(MessageCreateParams)
MESSAGES: Dialect = AnthropicMessages(lambda: 0.0)
CLIENTS: dict[str, Dialect] = {"anthropic-messages": MESSAGES, "openai-chat": ChatCompletions(lambda: 0.0)}


def walk(value: object) -> None:
    """Visit everything: the vendor's lists are checked only as they are read."""
    if isinstance(value, Mapping):
        for item in value.values():
            walk(item)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in value:
            walk(item)


RIGHTLY_REFUSED = (
    "at least one message that is not a system message",
    "cannot be given web_search_options",
    "Claude models take no audio",
    "is stored at another provider",
)


def check(client: str, path: Path) -> None:
    recorded = json.loads(path.read_text())
    body = recorded_body(recorded.get("request", recorded))
    try:
        request = CLIENTS[client].decode_request(body, {})
        encoded = [MESSAGES.encode_request(request, ModelInfo("anthropic", model)).body for model in MODELS]
    except InvalidRequestError as error:
        if any(reason in error.message for reason in RIGHTLY_REFUSED):
            return
        raise
    for written in encoded:
        walk(ADAPTER.validate_python(written))
        json.dumps(written)


@pytest.mark.parametrize("path", recordings("openai-chat", ".request.json") + recordings("openai-chat", ".exchange.json"))
def test_requests_of_chat_clients(path: Path) -> None:
    check("openai-chat", path)


@pytest.mark.parametrize(
    "path", recordings("anthropic-messages", ".request.json") + recordings("anthropic-messages", ".exchange.json")
)
def test_requests_of_messages_clients(path: Path) -> None:
    check("anthropic-messages", path)

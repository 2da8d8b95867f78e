"""Recordings of Anthropic's API told to a Responses client, and the other way round; each side's official SDK is the judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from anthropic import Anthropic
from openai import OpenAI

from openclaw_oauthrouter.canonical.content import ReasoningPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseFinished, StreamEvent
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from tests.support.recordings import recordings
from tests.support.replay import ReplayServer
from tests.support.responses import NOW, decode, encode, fold, from_client, unwire

MESSAGES = AnthropicMessages(lambda: NOW)
ASKED = {"model": "auto", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}], "stream": True}


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


def anthropic_events(raw: bytes) -> list[StreamEvent]:
    decoder = MESSAGES.stream_decoder()
    return [*decoder.receive(raw).events, *decoder.finish().events]


def words(answer: ChatResponse) -> str:
    return "".join(part.text for part in answer.parts if isinstance(part, TextPart))


def calls(answer: ChatResponse) -> list[tuple[str, str, object]]:
    return [(part.id, part.name, json.loads(part.arguments)) for part in answer.parts if isinstance(part, ToolCallPart)]


SPLICED = {"vercel__spliced-message-start"}
"""A second answer begins within the first, so that there is no one answer to compare with."""


@pytest.mark.parametrize("path", recordings("anthropic-messages", ".sse"))
def test_anthropic_told_to_the_openai_sdk(path: Path, server: ReplayServer) -> None:
    events = anthropic_events(path.read_bytes())
    raw = encode(events, from_client())
    last = events[-1]
    if isinstance(last, ResponseFailed):
        assert unwire(raw)[-1]["type"] == "response.failed"
        return
    assert isinstance(last, ResponseFinished)
    if path.name.removesuffix(".sse") in SPLICED:
        assert unwire(raw)[-1]["type"] == "response.completed"
        return
    answer = fold(events)
    if last.finish_reason in ("length", "content_filter"):
        # The SDK's accumulator only knows answers that are complete.
        assert unwire(raw)[-1]["type"] == "response.incomplete"
        return
    with (
        server.answering(raw),
        OpenAI(base_url=server.url, api_key="x", max_retries=0) as client,
        client.responses.stream(model="m", input="x") as stream,
    ):
        response = stream.get_final_response()
    assert response.output_text == words(answer)
    named = [(item.call_id, item.name, json.loads(item.arguments)) for item in response.output if item.type == "function_call"]
    assert named == calls(answer)
    sealed = [unseal(item.encrypted_content) for item in response.output if item.type == "reasoning" and item.encrypted_content]
    assert sealed == [part.opaque for part in answer.parts if isinstance(part, ReasoningPart) and part.opaque]
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (answer.usage.input_tokens, answer.usage.output_tokens)


FREE_TEXT = {"vercel__openai-custom-tool.1"}
"""Calls of free-text tools, which no Messages client can have declared."""

TOLD = [stream for stream in recordings("openai-responses", ".sse") if stream.id not in FREE_TEXT]


@pytest.mark.parametrize("path", TOLD)
def test_openai_told_to_the_anthropic_sdk(path: Path, server: ReplayServer) -> None:
    events = decode(path.read_bytes())
    if isinstance(events[-1], ResponseFailed):
        return
    encoder = MESSAGES.stream_encoder(MESSAGES.decode_request(ASKED, {}), "m")
    raw = b"".join(encoder.send(Frame(b"", (event,))) for event in events)
    with (
        server.answering(raw),
        Anthropic(base_url=server.url, api_key="x", max_retries=0) as client,
        client.messages.stream(model="m", max_tokens=10, messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        message = stream.get_final_message()
    answer = fold(events)
    assert "".join(block.text for block in message.content if block.type == "text") == words(answer)
    assert [(block.id, block.name, block.input) for block in message.content if block.type == "tool_use"] == calls(answer)
    assert message.stop_reason == ("tool_use" if calls(answer) else "end_turn")

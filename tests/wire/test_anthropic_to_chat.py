"""Recorded Anthropic streams, translated to Chat: the ``openai`` SDK must read what the ``anthropic`` SDK reads in the original."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic
from anthropic.types.beta import BetaMessage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jiter import from_json
from openai import OpenAI

from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from tests.support.recordings import is_message, recorded_body, recordings
from tests.support.replay import ReplayServer
from tests.wire import through_chat
from tests.wire.chat_sdk import Answer, read_chat_stream
from tests.wire.through_chat import whole

ANTHROPIC = AnthropicMessages(lambda: 1_700_000_000.0)

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "pause_turn": "stop",
    "compaction": "stop",
    None: "stop",
}

SPLICED = "vercel__spliced-message-start"
"""A second message begins inside the first: what either means is anybody's guess, so only the chunking test reads it."""

STREAMS = recordings("anthropic-messages", ".sse")
PATHS = [param.values[0] for param in STREAMS]


translate = partial(through_chat.translate, ANTHROPIC)
decoded = partial(through_chat.decoded, ANTHROPIC)


def first_message(wire: bytes) -> bytes:
    """Some recordings hold several answers one after another; over HTTP each is a response of its own."""
    head, stop, _ = wire.partition(b'{"type":"message_stop"}')
    return head + stop + b"\n\n" if stop else wire


def expected(message: dict[str, Any]) -> dict[str, Any]:
    """What a Chat client should see of an Anthropic message."""
    blocks, usage = message["content"], message["usage"]
    read, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    return {
        "content": "".join(block["text"] for block in blocks if block["type"] == "text"),
        "reasoning": "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        "tool_calls": [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
        "finish_reason": FINISH_REASONS[message["stop_reason"]],
        "usage": (usage["input_tokens"] + read + written, usage["output_tokens"], read, written),
    }


def seen(answer: Answer) -> dict[str, Any]:
    """The same of a Chat answer; arguments as JSON, of which the SDK reads as much as there is when they are cut short."""
    assert answer.usage is not None
    return {
        "content": answer.content,
        "reasoning": answer.reasoning,
        "tool_calls": [
            (id_, name, from_json(arguments.encode(), partial_mode=True)) for id_, name, arguments in answer.tool_calls
        ],
        "finish_reason": answer.finish_reason,
        "usage": answer.usage[:4],
    }


@pytest.mark.parametrize("path", [param for param in STREAMS if param.id != SPLICED])
def test_stream(path: Path, replay: ReplayServer, openai_client: OpenAI, anthropic_client: Anthropic) -> None:
    wire = first_message(path.read_bytes())
    with (
        replay.answering(wire),
        anthropic_client.beta.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        message: BetaMessage = stream.get_final_message()
    answer = read_chat_stream(translate(wire), replay, openai_client)
    assert seen(answer) == expected(message.to_dict())
    assert answer == whole(decoded(wire))


@pytest.mark.parametrize("path", recordings("anthropic-messages", ".exchange.json", is_message))
def test_anthropic_to_chat_whole_answer(path: Path) -> None:
    body = recorded_body(json.loads(path.read_text("utf-8"))["response"])
    answer = whole(list(ANTHROPIC.decode_response(body)))
    assert seen(answer) == expected(body)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), sizes=st.lists(st.integers(1, 400), min_size=1, max_size=8), crlf=st.booleans())
def test_network_pieces_and_line_endings_do_not_matter(path: Path, sizes: list[int], crlf: bool) -> None:
    if not path.name:
        pytest.skip("needs the recordings")
    wire = path.read_bytes()
    assert translate(wire.replace(b"\n", b"\r\n") if crlf else wire, sizes) == translate(wire)

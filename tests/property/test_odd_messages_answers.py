"""Whatever a Messages provider's answer holds in one place, it can be written for every client, or it is the provider's fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseFinished, StreamEvent
from openclaw_oauthrouter.canonical.request import ChatRequest, Tool
from openclaw_oauthrouter.canonical.response import ResponseFold, rename_tool
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.interfaces import Dialect
from tests.support.odd_json import mutations

MESSAGES = AnthropicMessages(lambda: 0.0)
CLIENTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (MESSAGES, ChatCompletions(lambda: 0.0), OpenAIResponses(lambda: 0.0, lambda: "id"))
}
ASKED = {name: ChatRequest(name, "auto", (), tools=(Tool("g", custom=True),), include_usage=True) for name in CLIENTS}
NAMES = {"F": "f"}
USAGE = {
    "input_tokens": 3,
    "output_tokens": 1,
    "service_tier": "standard",
    "cache_creation": {"ephemeral_1h_input_tokens": 1},
    "output_tokens_details": {"thinking_tokens": 1},
}
SOURCE = {"type": "web_search_result_location", "url": "https://a.example", "title": "t"}
REFUSED = {"stop_reason": "refusal", "stop_sequence": "x", "stop_details": {"type": "refusal", "explanation": "e"}}
BLOCKS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    (
        {"type": "thinking", "thinking": "", "signature": ""},
        [{"type": "thinking_delta", "thinking": "t"}, {"type": "signature_delta", "signature": "s"}],
    ),
    (
        {"type": "text", "text": ""},
        [{"type": "text_delta", "text": "x"}, {"type": "citations_delta", "citation": SOURCE}],
    ),
    ({"type": "redacted_thinking", "data": "d"}, []),
    (
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        [{"type": "input_json_delta", "partial_json": "{}"}],
    ),
    ({"type": "tool_use", "id": "t", "name": "F", "input": {}}, [{"type": "input_json_delta", "partial_json": "{}"}]),
]
STREAM: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": USAGE}},
    *(
        event
        for index, (block, deltas) in enumerate(BLOCKS)
        for event in (
            {"type": "content_block_start", "index": index, "content_block": block},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": index},
        )
    ),
    {"type": "message_delta", "delta": REFUSED, "usage": USAGE},
    {"type": "message_stop"},
]
WHOLE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "text", "text": "x", "citations": [SOURCE]},
        {"type": "tool_use", "id": "t", "name": "F", "input": {"a": 1}},
        {"type": "mcp_tool_use", "id": "x", "input": {}},
    ],
    **REFUSED,
    "usage": USAGE,
}


def read_by_all(events: Sequence[StreamEvent], raw: bytes, *, streamed: bool) -> None:
    """Write an answer for every client, streaming and not, as the pipeline would."""
    ends = [event for event in events if isinstance(event, ResponseFinished | ResponseFailed)]
    assert len(ends) == 1
    renamed = tuple(rename_tool(event, NAMES) for event in events)
    for name, dialect in CLIENTS.items():
        dialect.stream_encoder(ASKED[name], "auto").send(Frame(raw, renamed))
    if streamed:
        MESSAGES.relay_encoder(ASKED[MESSAGES.name], NAMES).send(Frame(raw, tuple(events)))
    if isinstance(ends[0], ResponseFinished):
        fold = ResponseFold()
        for event in renamed:
            fold.receive(event)
        for name, dialect in CLIENTS.items():
            orjson.dumps(dialect.encode_response(fold.result(), ASKED[name], "auto"))


@pytest.mark.parametrize("named", [True, False], ids=["events named", "events not named"])
def test_odd_messages_answers_stream_with_one_odd_value(named: bool) -> None:
    for what, odd in mutations(STREAM):
        pairs = [(plain["type"], event) for plain, event in zip(STREAM, odd, strict=False)]
        lines = [(f"event: {name}\n" if named else "", orjson.dumps(event).decode()) for name, event in pairs]
        decoder = MESSAGES.stream_decoder()
        frames = [decoder.receive("".join(f"{name}data: {data}\n\n" for name, data in lines).encode()), decoder.finish()]
        try:
            read_by_all([event for frame in frames for event in frame.events], frames[0].raw + frames[1].raw, streamed=True)
        except Exception as error:
            raise AssertionError(what) from error


def test_odd_messages_answers_whole_answer_with_one_odd_value() -> None:
    read = 0
    for what, odd in mutations(WHOLE):
        try:
            events = MESSAGES.decode_response(odd)
        except UpstreamError:
            continue
        try:
            read_by_all(events, b"", streamed=False)
            orjson.dumps(MESSAGES.relay_response(odd, NAMES))
        except Exception as error:
            raise AssertionError(what) from error
        read += 1
    assert read > 300, "nearly all was refused: the encoders are hardly reached any more"

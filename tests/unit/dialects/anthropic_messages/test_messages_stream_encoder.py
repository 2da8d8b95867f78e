"""The canonical stream as a Messages client sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic import Anthropic

from openclaw_oauthrouter.canonical.content import (
    Citation,
    NativePart,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import UpstreamConnectionError
from tests.support.recordings import is_one_answer, recordings
from tests.support.replay import ReplayServer

Wire = dict[str, Any]
DIALECT = AnthropicMessages(lambda: 0.0)
REQUEST = ChatRequest("anthropic_messages", "auto", ())
END = (UsageReported(Usage(10, 5, 3, 2)), ResponseFinished("stop"))


def encode(*events: StreamEvent) -> list[Wire]:
    encoder = DIALECT.stream_encoder(REQUEST, "openai/gpt-x")
    return parse(b"".join(encoder.send(Frame(b"", (event,))) for event in events))


def parse(data: bytes) -> list[Wire]:
    found = []
    for block in data.decode().split("\n\n")[:-1]:
        name, payload = block.split("\n")
        event = json.loads(payload.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def blocks(*events: StreamEvent) -> list[Wire]:
    """The content-block events of an answer, blocks and deltas only."""
    return [event for event in encode(ResponseStarted("x", "m"), *events, *END) if "index" in event]


def text_block(index: int, *texts: str) -> list[Wire]:
    return [
        {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}} for text in texts),
        {"type": "content_block_stop", "index": index},
    ]


def call_block(index: int, id_: str, *pieces: str) -> list[Wire]:
    empty = {"type": "tool_use", "id": id_, "name": "f", "input": {}}
    return [
        {"type": "content_block_start", "index": index, "content_block": empty},
        *(
            {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": index},
    ]


def test_messages_stream_encoder_answer_from_end_to_end() -> None:
    events = encode(ResponseStarted("chatcmpl-1", "gpt"), PartStarted(0, "text"), PartDelta(0, "Hi"), PartFinished(0), *END)
    usage = {"input_tokens": 5, "output_tokens": 5, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3}
    assert events == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_chatcmpl-1",
                "type": "message",
                "role": "assistant",
                "model": "openai/gpt-x",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": dict.fromkeys(usage, 0),
            },
        },
        *text_block(0, "Hi"),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]


def test_interleaved_parts_wait_their_turn() -> None:
    found = blocks(
        PartStarted(0, "tool_call", id="a", name="f"),
        PartDelta(0, "{"),
        PartStarted(1, "tool_call", id="b", name="f"),
        PartDelta(1, "{}"),
        PartDelta(0, "}"),
        PartFinished(1),
        PartFinished(0),
    )
    assert found == [*call_block(0, "a", "{", "}"), *call_block(1, "b", "{}")]


def test_messages_stream_encoder_first_open_part_is_not_held_back() -> None:
    encoder = DIALECT.stream_encoder(REQUEST, "m")
    encoder.send(Frame(b"", (PartStarted(0, "tool_call", id="a", name="f"), PartStarted(1, "text"), PartDelta(1, "later"))))
    assert b"now" in encoder.send(Frame(b"", (PartDelta(0, "now"),)))
    assert b"later" in encoder.send(Frame(b"", (PartFinished(0),)))


def test_parts_that_say_nothing_leave_no_trace() -> None:
    found = blocks(
        PartStarted(0, "text"),
        PartFinished(0),
        PartStarted(3, "reasoning"),
        PartFinished(3),
        PartStarted(5, "text"),
        PartDelta(5, "a"),
        PartFinished(5),
    )
    assert found == text_block(0, "a")


def test_messages_stream_encoder_tool_call_without_arguments_stands() -> None:
    assert blocks(PartStarted(0, "tool_call", id="a", name="f"), PartFinished(0)) == call_block(0, "a")


def test_parts_left_open_are_closed() -> None:
    assert blocks(PartStarted(0, "text"), PartDelta(0, "a"), PartStarted(1, "text"), PartDelta(1, "b")) == [
        *text_block(0, "a"),
        *text_block(1, "b"),
    ]


@pytest.mark.parametrize("tier", ["of_tomorrow", "", ["priority"], {}])
def test_messages_stream_encoder_service_tier_that_is_not_known_is_not_said(tier: Any) -> None:
    found = encode(ResponseStarted("x", "m"), UsageReported(Usage(1, 1, service_tier=tier)), ResponseFinished("stop"))
    assert "service_tier" not in found[1]["usage"]


@pytest.mark.parametrize("text", ["", "hm"])
def test_reasoning_carries_its_seal(text: str) -> None:
    opaque = Opaque("encrypted", "blob", "openai/acc", "rs_1")
    deltas = [PartDelta(0, text)] if text else []
    found = blocks(PartStarted(0, "reasoning"), *deltas, PartFinished(0, opaque))
    assert found[0]["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}
    assert found[-2]["delta"] == {"type": "signature_delta", "signature": seal(opaque)}
    assert [event["delta"]["thinking"] for event in found[1:-2]] == [text] * bool(text)


def test_citations() -> None:
    found = blocks(
        PartStarted(0, "text"), PartDelta(0, "a"), CitationAdded(0, Citation("https://a.example", "A")), PartFinished(0)
    )
    assert found[2]["delta"]["citation"]["url"] == "https://a.example"


LATE = CitationAdded(1, Citation("https://a.example", "A"))


def test_messages_stream_encoder_source_named_after_its_text_has_closed_is_left_out() -> None:
    text = (PartStarted(1, "text"), PartDelta(1, "a"), PartFinished(1))
    call = (PartStarted(2, "tool_call", id="t", name="f"), PartDelta(2, "{}"))
    assert blocks(*text, LATE, *call, LATE, PartFinished(2), LATE) == [*text_block(0, "a"), *call_block(1, "t", "{}")]


def test_messages_stream_encoder_source_named_after_its_waiting_text_has_closed_is_left_out() -> None:
    call = PartStarted(0, "tool_call", id="t", name="f")
    text = (PartStarted(1, "text"), PartDelta(1, "a"), PartFinished(1))
    assert blocks(call, *text, LATE, PartFinished(0)) == [*call_block(0, "t"), *text_block(1, "a")]


def test_messages_stream_encoder_part_that_waits_closed_behind_an_open_one_is_written_at_the_end() -> None:
    call = PartStarted(0, "tool_call", id="t", name="f")
    text = (PartStarted(1, "text"), PartDelta(1, "a"), PartFinished(1))
    assert blocks(call, *text) == [*call_block(0, "t"), *text_block(1, "a")]


def test_native_blocks_pass_whole_if_they_are_ours() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}}
    ours = PartStarted(0, "native", native=("anthropic_messages", "server_tool_use", block))
    theirs = PartStarted(1, "native", native=("openai_responses", "web_search_call", {}))
    assert blocks(ours, PartFinished(0), theirs, PartFinished(1)) == [
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_stop", "index": 0},
    ]


@pytest.mark.parametrize(
    ("finished", "expected"),
    [
        (ResponseFinished("stop", "END"), {"stop_reason": "stop_sequence", "stop_sequence": "END"}),
        (ResponseFinished("tool_call"), {"stop_reason": "end_turn", "stop_sequence": None}),
        (ResponseFinished("length"), {"stop_reason": "max_tokens", "stop_sequence": None}),
        (ResponseFinished("pause"), {"stop_reason": "pause_turn", "stop_sequence": None}),
        (
            ResponseFinished("content_filter", explanation="No."),
            {
                "stop_reason": "refusal",
                "stop_sequence": None,
                "stop_details": {"type": "refusal", "category": None, "explanation": "No."},
            },
        ),
    ],
)
def test_finish_reasons(finished: ResponseFinished, expected: Wire) -> None:
    assert encode(ResponseStarted("x", "m"), finished)[1]["delta"] == expected


def test_messages_stream_encoder_reason_to_stop_fits_the_content() -> None:
    call = (PartStarted(0, "tool_call", id="t", name="f"), PartFinished(0))
    refusal = (PartStarted(0, "refusal"), PartDelta(0, "No."), PartFinished(0))
    called = encode(ResponseStarted("x", "m"), *call, ResponseFinished("tool_call"))
    refused = encode(ResponseStarted("x", "m"), *refusal, ResponseFinished("stop"))
    assert called[-2]["delta"]["stop_reason"] == "tool_use"
    assert refused[-2]["delta"]["stop_reason"] == "refusal"
    assert refused[-2]["delta"]["stop_details"]["type"] == "refusal"


def test_messages_stream_encoder_failure_is_said_once() -> None:
    encoder = DIALECT.stream_encoder(REQUEST, "m")
    error = UpstreamConnectionError("gone")
    said = [{"type": "error", "error": {"type": "api_error", "message": "gone"}}]
    assert parse(encoder.send(Frame(b"", (ResponseFailed(error),)))) == said
    assert encoder.fail(error) == b""
    assert encoder.send(Frame(b"", END)) == b""
    assert parse(DIALECT.stream_encoder(REQUEST, "m").fail(error)) == said


def test_keep_alive_is_a_ping() -> None:
    assert parse(DIALECT.stream_encoder(REQUEST, "m").keep_alive()) == [{"type": "ping"}]


def test_messages_stream_encoder_whole_answer() -> None:
    opaque = Opaque("encrypted", "blob", "openai/acc")
    answer = ChatResponse(
        "msg_1",
        "gpt",
        (
            ReasoningPart("hm", opaque),
            ReasoningPart(""),
            TextPart("a", citations=(Citation("https://a.example"),)),
            TextPart(""),
            RefusalPart("no"),
            ToolCallPart("t", "f", '{"a":1}'),
            ToolCallPart("u", "f", ""),
            ToolCallPart("v", "f", '{"cut'),
            NativePart("openai_responses", "x", {}),
        ),
        "tool_call",
        Usage(10, 5, 3, 2, 2, 4, "priority"),
    )
    body = DIALECT.encode_response(answer, REQUEST, "openai/gpt-x")
    assert [(block["type"], block.get("input")) for block in body["content"]] == [
        ("thinking", None),
        ("text", None),
        ("text", None),
        ("tool_use", {"a": 1}),
        ("tool_use", {}),
        ("tool_use", {"_raw": '{"cut'}),
    ]
    assert (body["id"], body["model"], body["stop_reason"]) == ("msg_1", "openai/gpt-x", "tool_use")
    assert body["usage"] == {
        "input_tokens": 5,
        "output_tokens": 5,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 2},
        "output_tokens_details": {"thinking_tokens": 4},
        "service_tier": "priority",
    }


# ------------------------------------------------------------------ the vendor's own reader


@pytest.fixture(scope="module")
def server() -> Any:
    with ReplayServer() as running:
        yield running


def read(server: ReplayServer, data: bytes) -> Any:
    with (
        server.answering(data),
        Anthropic(api_key="x", base_url=server.url, max_retries=0) as client,
        client.beta.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as events,
    ):
        return events.get_final_message()


def reencode(events: tuple[StreamEvent, ...]) -> bytes:
    encoder = DIALECT.stream_encoder(REQUEST, "m")
    return b"".join(encoder.send(Frame(b"", (event,))) for event in events)


def is_one_whole_answer(path: Path) -> bool:
    return is_one_answer(path) and "incomplete" not in path.name


@pytest.mark.parametrize("path", recordings("anthropic-messages", ".sse", is_one_whole_answer))
def test_our_own_writing_of_a_recorded_answer_reads_the_same(server: ReplayServer, path: Path) -> None:
    data = path.read_bytes()
    decoder = DIALECT.stream_decoder()
    events = (*decoder.receive(data).events, *decoder.finish().events)
    before, after = read(server, data), read(server, reencode(events))

    def said(message: Any, kind: str, *fields: str) -> list[Any]:
        return [[getattr(block, field) for field in fields] for block in message.content if block.type == kind]

    assert said(after, "text", "text") == [text for text in said(before, "text", "text") if text != [""]]
    assert said(after, "tool_use", "id", "name", "input") == said(before, "tool_use", "id", "name", "input")
    assert said(after, "server_tool_use", "id", "input") == said(before, "server_tool_use", "id", "input")
    assert after.stop_reason == before.stop_reason
    assert after.usage.output_tokens == before.usage.output_tokens


def decoded_chat(path: Path) -> tuple[StreamEvent, ...]:
    decoder = ChatCompletions(lambda: 0.0).stream_decoder()
    return (*decoder.receive(path.read_bytes()).events, *decoder.finish().events)


def comes_to_its_end(path: Path) -> bool:
    return not isinstance(decoded_chat(path)[-1], ResponseFailed)


@pytest.mark.parametrize("path", recordings("openai-chat", ".sse", comes_to_its_end))
def test_chat_answers_can_be_read_by_the_vendors_reader(server: ReplayServer, path: Path) -> None:
    events = decoded_chat(path)
    folded = ResponseFold()
    for event in events:
        folded.receive(event)
    answer, message = folded.result(), read(server, reencode(events))
    texts = [part.text for part in answer.parts if isinstance(part, TextPart | RefusalPart) and part.text]
    assert [block.text for block in message.content if block.type == "text"] == texts
    calls = [part.id for part in answer.parts if isinstance(part, ToolCallPart)]
    assert [block.id for block in message.content if block.type == "tool_use"] == calls
    assert message.usage.output_tokens == answer.usage.output_tokens

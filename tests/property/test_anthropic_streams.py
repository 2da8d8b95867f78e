"""However the network cuts an Anthropic stream, and whatever ends its lines, it means the same; and writing it loses nothing."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import Opaque, ReasoningPart
from openclaw_oauthrouter.canonical.events import (
    Frame,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
)
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages

Wire = dict[str, Any]
DIALECT = AnthropicMessages(lambda: 0.0)
REQUEST = ChatRequest("anthropic_messages", "auto", ())

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
said = st.lists(words, min_size=1, max_size=4)


@st.composite
def blocks(draw: st.DrawFn, index: int) -> list[Wire]:
    kind = draw(st.sampled_from(["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"]))
    opening: Wire = {"type": kind}
    deltas: list[Wire] = []
    if kind == "text":
        opening["text"] = ""
        deltas = [{"type": "text_delta", "text": text} for text in draw(said)]
    elif kind == "thinking":
        opening |= {"thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": text} for text in draw(said)]
        deltas.append({"type": "signature_delta", "signature": "sig"})
    elif kind == "redacted_thinking":
        opening["data"] = "dark"
    else:
        opening |= {"id": f"t{index}", "name": "f", "input": {}}
        arguments = orjson.dumps(draw(st.dictionaries(words, words, max_size=2))).decode()
        middle = draw(st.integers(0, len(arguments)))
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", arguments[:middle], arguments[middle:])]
    return [
        {"type": "content_block_start", "index": index, "content_block": opening},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    message = {"id": "msg_1", "model": "m", "usage": {"input_tokens": draw(st.integers(0, 9)), "cache_read_input_tokens": 3}}
    events: list[Wire] = [{"type": "message_start", "message": message}]
    for index in range(draw(st.integers(0, 4))):
        events += draw(blocks(index))
    reason = draw(st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal", "pause_turn"]))
    events += [
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    ending = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    return b"".join(
        b"event: %b%b" % (event["type"].encode(), ending) + b"data: " + orjson.dumps(event) + ending * 2 for event in events
    )


def decode(*chunks: bytes) -> list[StreamEvent]:
    decoder = DIALECT.stream_decoder()
    return [event for chunk in chunks for event in decoder.receive(chunk).events] + list(decoder.finish().events)


def fold(events: list[StreamEvent]) -> ChatResponse:
    folded = ResponseFold()
    for event in events:
        folded.receive(event)
    return folded.result()


@given(streams(), st.data())
def test_anthropic_streams_any_chunking_gives_the_same_events(data: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=12)))
    chunks = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert decode(*chunks) == decode(data)


@given(streams())
def test_anthropic_streams_relay_changes_no_byte(data: bytes) -> None:
    decoder, encoder = DIALECT.stream_decoder(), DIALECT.relay_encoder(REQUEST, {"another": "tool"})
    assert encoder.send(decoder.receive(data)) + encoder.send(decoder.finish()) == data


@given(streams())
def test_anthropic_streams_what_is_written_reads_the_same(data: bytes) -> None:
    events = decode(data)
    encoder = DIALECT.stream_encoder(REQUEST, "m")
    streamed = fold(decode(*(encoder.send(Frame(b"", (event,))) for event in events)))
    whole = fold(list(DIALECT.decode_response(DIALECT.encode_response(fold(events), REQUEST, "m"))))
    expected = fold(events)
    for found in (streamed, whole):
        assert (found.finish_reason, found.usage, found.id) == (expected.finish_reason, expected.usage, expected.id)
        assert without_seals(found) == [
            part for part in expected.parts if getattr(part, "text", True) or isinstance(part, ReasoningPart)
        ]


def without_seals(answer: ChatResponse) -> list[Any]:
    """The parts, reasoning as it was before it was sealed for the client."""
    return [
        ReasoningPart(part.text, unseal(part.opaque.data) or Opaque("signature", "broken seal"))
        if isinstance(part, ReasoningPart) and part.opaque
        else part
        for part in answer.parts
    ]


def wire_events() -> st.SearchStrategy[Wire]:
    """Well-formed events in any order at all."""
    index = st.integers(0, 2)
    block = st.sampled_from(
        [
            {"type": "text", "text": "x"},
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            {"type": "of_tomorrow"},
        ]
    )
    delta = st.sampled_from(
        [
            {"type": "text_delta", "text": "x"},
            {"type": "thinking_delta", "thinking": "x"},
            {"type": "input_json_delta", "partial_json": "{}"},
            {"type": "hint_delta"},
        ]
    )
    message = st.just({"id": "m", "model": "m", "usage": {}})
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("message_start"), "message": message}),
        st.fixed_dictionaries({"type": st.just("content_block_start"), "index": index, "content_block": block}),
        st.fixed_dictionaries({"type": st.just("content_block_delta"), "index": index, "delta": delta}),
        st.fixed_dictionaries({"type": st.just("content_block_stop"), "index": index}),
        st.just({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
        st.sampled_from([{"type": "message_stop"}, {"type": "ping"}, {"type": "of_tomorrow"}]),
        st.just({"type": "error", "error": {"type": "api_error", "message": "x"}}),
    )


@given(st.lists(wire_events(), max_size=12))
def test_anthropic_streams_any_order_of_events_gives_a_legal_stream(events: list[Wire]) -> None:
    found = decode(b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events))
    assert isinstance(found[-1], ResponseFinished | ResponseFailed)
    assert not any(isinstance(event, ResponseFinished | ResponseFailed) for event in found[:-1])
    starts = [at for at, event in enumerate(found) if isinstance(event, ResponseStarted)]
    assert starts in ([], [0])
    open_parts: set[int] = set()
    seen: set[int] = set()
    for event in found:
        if isinstance(event, PartStarted):
            assert event.index not in seen
            seen.add(event.index)
            open_parts.add(event.index)
        elif isinstance(event, PartDelta | PartFinished):
            assert event.index in open_parts
            open_parts -= {event.index} if isinstance(event, PartFinished) else set()
    assert isinstance(found[-1], ResponseFailed) or not open_parts

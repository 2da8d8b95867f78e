"""Chat streams: any chunking and line ending decode alike; what is encoded is read back as the same answer."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.events import (
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
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold
from openclaw_oauthrouter.canonical.usage import Usage
from tests.wire.through_chat import CHAT as DIALECT
from tests.wire.through_chat import REQUEST

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=4)


@st.composite
def answers(draw: st.DrawFn) -> list[StreamEvent]:
    """Answers as an upstream of another dialect streams them; neighbours differ in kind, for Chat joins what stands together."""
    events: list[StreamEvent] = [ResponseStarted("chatcmpl-1", "m")]
    kinds = draw(st.permutations(["reasoning", "text", "refusal"]))[: draw(st.integers(0, 3))]
    for index, kind in enumerate(kinds):
        events += [PartStarted(index, kind), *(PartDelta(index, word) for word in draw(words)), PartFinished(index)]
    calls = range(3, 3 + draw(st.integers(0, 2)))
    events += [PartStarted(index, "tool_call", id=f"t{index}", name="f") for index in calls]
    fragments = [PartDelta(index, word) for index in calls for word in draw(words)]
    events += draw(st.permutations(fragments))
    events += [PartFinished(index) for index in calls]
    usage = Usage(draw(st.integers(4, 99)), draw(st.integers(4, 99)), draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    return [*events, UsageReported(usage), ResponseFinished("tool_call" if calls else "stop")]


def fold(events: list[StreamEvent]) -> ChatResponse:
    folded = ResponseFold()
    for event in events:
        folded.receive(event)
    return folded.result()


@UNTIMED
@given(answers(), st.data())
def test_chat_streams_encoded_answer_is_read_back_whatever_the_chunking(events: list[StreamEvent], data: st.DataObject) -> None:
    encoder = DIALECT.stream_encoder(REQUEST, "m")
    cut = data.draw(st.integers(0, len(events)))
    wire = encoder.send(Frame(b"", tuple(events[:cut]))) + encoder.keep_alive() + encoder.send(Frame(b"", tuple(events[cut:])))
    if data.draw(st.booleans()):
        wire = wire.replace(b"\n", b"\r\n")
    sizes = cycle(data.draw(st.lists(st.integers(1, 200), min_size=1, max_size=6)))
    decoder = DIALECT.stream_decoder()
    found: list[StreamEvent] = []
    while wire:
        size = next(sizes)
        found.extend(decoder.receive(wire[:size]).events)
        wire = wire[size:]
    found.extend(decoder.finish().events)
    expected, seen = fold(events), fold(found)
    assert (seen.parts, seen.finish_reason, seen.usage) == (expected.parts, expected.finish_reason, expected.usage)


@UNTIMED
@given(answers())
def test_chat_streams_whole_answer_says_what_its_stream_said(events: list[StreamEvent]) -> None:
    encoder = DIALECT.stream_encoder(REQUEST, "m")
    streamed = [orjson.loads(line[6:]) for line in encoder.send(Frame(b"", tuple(events))).split(b"\n\n")[:-2]]
    said: dict[str, Any] = {}
    for chunk in streamed:
        for choice in chunk["choices"]:
            for field in ("content", "refusal", "reasoning_content"):
                said[field] = said.get(field, "") + choice["delta"].get(field, "")
    whole = DIALECT.encode_response(fold(events), REQUEST, "m")
    message = whole["choices"][0]["message"]
    assert {field: message.get(field) or "" for field in said} == said
    assert (streamed[-1]["usage"], streamed[-1]["id"]) == (whole["usage"], whole["id"])
    again = fold(list(DIALECT.decode_response(whole)))
    assert set(again.parts) == set(fold(events).parts)


@UNTIMED
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_garbage_ends_in_a_failure(pieces: list[bytes]) -> None:
    decoder = DIALECT.stream_decoder()
    events = [event for piece in pieces for event in decoder.receive(piece).events] + list(decoder.finish().events)
    assert isinstance(events[-1], ResponseFailed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "choices",
                    "delta",
                    "content",
                    "tool_calls",
                    "function",
                    "name",
                    "index",
                    "usage",
                    "error",
                    "annotations",
                    "detail",
                    "message",
                    "code",
                    "metadata",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@UNTIMED
@given(st.lists(JSON, max_size=5))
def test_chunks_of_any_shape_never_break_the_decoder(chunks: list[Any]) -> None:
    decoder = DIALECT.stream_decoder()
    wire = b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks)
    events = [*decoder.receive(wire).events, *decoder.finish().events]
    assert isinstance(events[-1], ResponseFailed)


@UNTIMED
@given(
    st.integers(400, 599),
    JSON.map(orjson.dumps) | st.binary(max_size=40),
    st.dictionaries(st.just("retry-after"), st.text(max_size=9)),
)
def test_chat_streams_any_refusal_is_understood(status: int, body: bytes, headers: dict[str, str]) -> None:
    error = DIALECT.decode_error(status, headers, body)
    assert error.upstream_status == status
    assert error.message

"""Whatever comes together is written to the client as if each event had come alone, in every dialect that clients speak."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import Citation
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartDeltas,
    PartStarted,
    ResponseStarted,
    StreamEvent,
    each_of,
)
from openclaw_oauthrouter.dialects.anthropic_messages.stream_encoder import MessageEvents, MessagesStreamEncoder, write_event
from openclaw_oauthrouter.dialects.openai_chat_completions.stream_encoder import ChatStreamEncoder
from openclaw_oauthrouter.dialects.openai_responses.stream_encoder import ResponsesStreamEncoder, ResponseWriter, encode
from openclaw_oauthrouter.interfaces import StreamEncoder
from tests.property.test_responses_encoding import answers
from tests.support.responses import NOW, foreign, from_client

Told = StreamEvent | PartDeltas


@st.composite
def streams(draw: st.DrawFn) -> list[list[Told]]:
    """An answer's events in frames, deltas of one part in a row in runs of any length, a source named now and then."""
    events = draw(answers())
    told: list[Told] = []
    for is_delta, group in itertools.groupby(events, key=lambda event: event.index if type(event) is PartDelta else None):
        if is_delta is None:
            told += group
            continue
        texts = [event.text for event in group if type(event) is PartDelta]
        if draw(st.booleans()):
            texts += draw(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=4))
        while texts:
            size = draw(st.integers(1, len(texts)))
            run, texts = texts[:size], texts[size:]
            told.append(PartDelta(is_delta, run[0]) if size == 1 else PartDeltas(is_delta, run, "".join(run)))
        if draw(st.integers(0, 5)) == 0:
            told.append(CitationAdded(is_delta, Citation("https://a.example", "A", 0, 1)))
            told.append(PartDelta(is_delta, "more"))
    frames: list[list[Told]] = [[]]
    for event in told:
        if draw(st.booleans()):
            frames.append([])
        frames[-1].append(event)
    return frames


def _writer() -> ResponseWriter:
    ids = itertools.count(1)
    return ResponseWriter(from_client(), "m", lambda: NOW, lambda: f"{next(ids):04d}")


def _messages_one_by_one(events: list[StreamEvent]) -> bytes:
    machine = MessageEvents("m")
    return b"".join(write_event(wire) for event in events for wire in machine.receive(event))


def _responses_one_by_one(events: list[StreamEvent]) -> bytes:
    writer = _writer()
    return b"".join(encode(writer.receive(event)) for event in events)


def _chat_one_by_one(events: list[StreamEvent]) -> bytes:
    encoder = ChatStreamEncoder(foreign(), "m", lambda: NOW)
    return b"".join(encoder.send(Frame(b"", (event,))) for event in events)


CLIENTS: dict[str, tuple[Callable[[], StreamEncoder], Callable[[list[StreamEvent]], bytes]]] = {
    "messages": (lambda: MessagesStreamEncoder("m"), _messages_one_by_one),
    "responses": (lambda: ResponsesStreamEncoder(_writer()), _responses_one_by_one),
    "chat": (lambda: ChatStreamEncoder(foreign(), "m", lambda: NOW), _chat_one_by_one),
}


@pytest.mark.parametrize("name", CLIENTS)
@given(frames=streams())
def test_send_writes_together_what_it_writes_one_by_one(name: str, frames: list[list[Told]]) -> None:
    make, one_by_one = CLIENTS[name]
    encoder = make()
    together = b"".join(encoder.send(Frame(b"", tuple(told))) for told in frames)
    assert together == one_by_one([each for told in frames for event in told for each in each_of(event)])


def test_responses_keep_alive_within_a_run_takes_a_number_of_its_own() -> None:
    encoder = ResponsesStreamEncoder(_writer())
    frames = _words("a", "b")
    stream = encoder.send(frames[0]) + encoder.send(frames[1]) + encoder.keep_alive() + encoder.send(frames[2])
    numbers = [int(event.rpartition(b'"sequence_number":')[2].rstrip(b"}")) for event in stream.split(b"\n\n") if event]
    assert numbers == list(range(len(numbers)))


def _words(*texts: str) -> list[Frame]:
    opening = Frame(b"", (ResponseStarted("resp_0", "m"), PartStarted(0, "text"), PartDelta(0, "first")))
    return [opening, *(Frame(b"", (PartDelta(0, text),), True) for text in texts)]

"""Deltas that are read by their look say what they would say if each were parsed, in any chunking and however they are written."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.events import PartDeltas, ResponseFailed, StreamEvent
from openclaw_oauthrouter.dialects.anthropic_messages.stream_decoder import MessagesEventMachine
from openclaw_oauthrouter.dialects.openai_chat_completions.stream_decoder import ChatEventMachine
from openclaw_oauthrouter.dialects.openai_responses.stream_decoder import ResponsesMachine
from openclaw_oauthrouter.wire.event_stream import EventMachine, EventStreamDecoder
from openclaw_oauthrouter.wire.sse import ServerSentEvent

TEXTS = st.one_of(
    st.text(min_size=1, max_size=6),
    st.sampled_from([",", '"', '","', "\\", '\\"', "\n\n", "data: ", '"}}', "é", "😀", "\u2028", "[", '"],["', "a\rb", "\x00"]),
)


class Parsed:
    """A machine whose usual deltas nobody knows."""

    def __init__(self, machine: EventMachine) -> None:
        self._machine = machine

    @property
    def done(self) -> bool:
        return self._machine.done

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        return self._machine.receive(event)

    def finish(self) -> Iterable[StreamEvent]:
        return self._machine.finish()


def _messages(texts: list[str]) -> list[dict[str, Any]]:
    half = len(texts) // 2
    kinds = (("thinking", "thinking_delta", "thinking"), ("text", "text_delta", "text"))
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {"id": "m", "model": "x", "usage": {"input_tokens": 1}}}]
    for index, (part, (kind, delta, field)) in enumerate(zip((texts[:half], texts[half:]), kinds, strict=True)):
        events.append({"type": "content_block_start", "index": index, "content_block": {"type": kind, field: ""}})
        events += [{"type": "content_block_delta", "index": index, "delta": {"type": delta, field: text}} for text in part]
        events.append({"type": "content_block_stop", "index": index})
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    events.append({"type": "content_block_start", "index": 2, "content_block": call})
    events += [
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": text}} for text in texts
    ]
    return [*events, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}, _STOP]


_STOP = {"type": "message_stop"}


def _responses(texts: list[str]) -> list[dict[str, Any]]:
    place = {"item_id": "i", "output_index": 1, "content_index": 0}
    thought = {"item_id": "r", "output_index": 0, "summary_index": 0}
    extras = [{"logprobs": [], "obfuscation": "x" * (n % 5)} if n % 2 else {} for n in range(len(texts))]
    return [
        {"type": "response.created", "response": {"id": "resp_1", "model": "x"}},
        *({"type": "response.reasoning_summary_text.delta", "sequence_number": 3, **thought, "delta": text} for text in texts),
        {"type": "response.reasoning_summary_part.done", **thought},
        *(
            {"type": "response.output_text.delta", **place, "delta": text, **extra}
            for text, extra in zip(texts, extras, strict=True)
        ),
        {"type": "response.completed", "response": {"id": "resp_1", "output": [], "usage": None}},
    ]


def _chat(texts: list[str]) -> list[dict[str, Any]]:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "x", "service_tier": "default"}

    def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}], **more}

    call = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": None, "reasoning_content": text}) for text in texts),
        *(chunk({"content": text}, obfuscation="o" * (at % 4)) for at, text in enumerate(texts)),
        chunk({"tool_calls": [call]}),
        *(chunk({"tool_calls": [{"index": 0, "function": {"arguments": text}}]}) for text in texts),
        chunk({}, "stop"),
    ]


STREAMS: dict[str, tuple[Callable[[], EventMachine], Callable[[list[str]], list[dict[str, Any]]]]] = {
    "messages": (MessagesEventMachine, _messages),
    "responses": (lambda: ResponsesMachine(lambda: 0.0), _responses),
    "chat": (ChatEventMachine, _chat),
}


def _bytes(name: str, events: list[dict[str, Any]], *, compact: bool, ascii_only: bool) -> bytes:
    separators = (",", ":") if compact else (", ", ": ")
    out = b""
    for event in events:
        data = json.dumps(event, separators=separators, ensure_ascii=ascii_only).encode()
        head = b"" if name == "chat" else b"event: " + event["type"].encode() + b"\n"
        out += head + b"data: " + data + b"\n\n"
    return out + (b"data: [DONE]\n\n" if name == "chat" else b"")


def _events(machine: EventMachine, stream: bytes, cuts: list[int]) -> tuple[list[StreamEvent], bytes]:
    decoder = EventStreamDecoder(machine)
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    frames = [decoder.receive(stream[start:end]) for start, end in itertools.pairwise(places)]
    frames.append(decoder.finish())
    return [event for frame in frames for event in frame.events], b"".join(frame.raw for frame in frames)


def _said(events: list[StreamEvent]) -> list[Any]:
    return [(type(e.error), e.error.message) if isinstance(e, ResponseFailed) else e for e in events]


@pytest.mark.parametrize("name", STREAMS)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 10_000), max_size=6),
    compact=st.booleans(),
    ascii_only=st.booleans(),
)
def test_run_of_deltas_says_what_each_says(name: str, texts: list[str], cuts: list[int], compact: bool, ascii_only: bool) -> None:
    machine, events = STREAMS[name]
    stream = _bytes(name, events(texts), compact=compact, ascii_only=ascii_only)
    assert _events(machine(), stream, cuts) == _events(Parsed(machine()), stream, [])


@pytest.mark.parametrize("name", STREAMS)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4),
    at=st.integers(0, 10_000),
    what=st.one_of(st.binary(max_size=4), st.sampled_from([b'","', b'"', b"\\", b"\n", b'",["', b"\\ud83d", b": c\n", b"\xff"])),
)
def test_damaged_run_fails_as_its_events_would(name: str, texts: list[str], at: int, what: bytes) -> None:
    machine, events = STREAMS[name]
    stream = _bytes(name, events(texts), compact=True, ascii_only=True)
    at %= len(stream)
    damaged = stream[:at] + what + stream[at:]
    found, raw = _events(machine(), damaged, [])
    expected, expected_raw = _events(Parsed(machine()), damaged, [])
    assert _said(found) == _said(expected)
    assert raw == expected_raw


def _whole_events(stream: bytes, blanks: list[int], reads: list[int]) -> list[bytes]:
    """The stream in reads that end with an event, as fast and slow providers send it; events filled up with blanks."""
    events = [event + b"\n\n" for event in stream.split(b"\n\n") if event]
    events = [event[:-2] + b" " * blank + b"\n\n" for event, blank in zip(events, itertools.cycle(blanks), strict=False)]
    found, sizes = [], itertools.cycle(reads)
    while events:
        size = next(sizes)
        found.append(b"".join(events[:size]))
        events = events[size:]
    return found


@pytest.mark.parametrize("name", STREAMS)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=8),
    blanks=st.lists(st.integers(0, 2), min_size=1, max_size=3),
    reads=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    at=st.integers(0, 10_000),
    what=st.sampled_from([b"", b"", b'","', b'"', b"\\", b"\n", b"\n\n", b"\\ud83d", b"\xff", b"}}", b"\r"]),
)
def test_deltas_that_look_alike_say_what_each_says(
    name: str, texts: list[str], blanks: list[int], reads: list[int], at: int, what: bytes
) -> None:
    machine, events = STREAMS[name]
    stream = _bytes(name, events(texts), compact=True, ascii_only=True)
    at %= len(stream)
    pieces = _whole_events(stream[:at] + what + stream[at:], blanks, reads)
    places = list(itertools.accumulate(map(len, pieces)))
    found, raw = _events(machine(), b"".join(pieces), places[:-1])
    expected, expected_raw = _events(Parsed(machine()), b"".join(pieces), [])
    assert _said(found) == _said(expected)
    assert raw == expected_raw


@pytest.mark.parametrize("name", STREAMS)
def test_run_of_deltas_is_one_object(name: str) -> None:
    machine, events = STREAMS[name]
    texts = ["a", "b\n", "c", "d", "e", "f"]
    stream = _bytes(name, events(texts), compact=True, ascii_only=True)
    frame = EventStreamDecoder(machine()).receive(stream)
    assert [len(event.texts) for event in frame.told if isinstance(event, PartDeltas)]
    assert len(frame.told) < len(frame.events)

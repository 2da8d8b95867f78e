"""The decoder of server-sent events, held against a plain reading of the grammar."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_oauthrouter.wire import sse
from openclaw_oauthrouter.wire.sse import EventTooLarge, ServerSentEvent, ServerSentEventDecoder, encode_event, raw_before

BOM = b"\xef\xbb\xbf"
ENDINGS = ("\n", "\r", "\r\n")

LINES = st.sampled_from(
    [
        "",
        "",
        "data: {}",
        "data:x",
        "data:  two blanks",
        "data: a: b",
        "data: snow ☃\u2028man",
        "event: message_start",
        "event:error",
        ": comment",
        ":",
        "id: 7",
        "retry: 10",
        "data: [DONE]",
        "unknown: x",
    ]
)


def reference(text: str) -> list[ServerSentEvent]:
    """The grammar, line by line: what a browser would dispatch, plus an event that the end of the stream cuts off."""
    events: list[ServerSentEvent] = []
    name, data = "", []
    for line in [*text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), ""]:
        if line == "":
            if data:
                events.append(ServerSentEvent(name, "\n".join(data).encode()))
            name, data = "", []
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                data.append(value)
            elif field == "event":
                name = value
    return events


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(st.tuples(LINES, st.sampled_from(ENDINGS)), max_size=14))
    start = draw(st.sampled_from([b"", BOM]))
    return start + "".join(line + ending for line, ending in lines).encode()


@st.composite
def chunked(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def decode(chunks: list[bytes]) -> tuple[bytes, list[ServerSentEvent]]:
    decoder = ServerSentEventDecoder()
    pieces = [*(decoder.feed(chunk) for chunk in chunks), decoder.finish()]
    return b"".join(raw for raw, _ in pieces), [event for _, events in pieces for event in events]


@given(st.data(), streams())
def test_sse_any_chunking_and_any_line_ending_gives_what_the_grammar_says(data: st.DataObject, stream: bytes) -> None:
    raw, events = decode(data.draw(chunked(stream)))
    assert events == reference(stream.decode())
    assert raw == stream.removeprefix(BOM)


@given(streams())
@example(b"data: x\r\n\r\ndata: y\r\r")
@example(BOM + b"data: x\n\n")
@example(b"data: x\r\n\rdata: y\n\n")
def test_byte_by_byte(stream: bytes) -> None:
    assert decode([stream[at : at + 1] for at in range(len(stream))])[1] == reference(stream.decode())


@given(st.lists(st.tuples(st.sampled_from(["", "a", "response.created"]), st.sampled_from([b"{}", '"☃"'.encode()]))))
def test_sse_what_is_encoded_is_decoded(events: list[tuple[str, bytes]]) -> None:
    stream = b"".join(encode_event(data, name) for name, data in events)
    assert decode([stream])[1] == [ServerSentEvent(name, data) for name, data in events]


@given(streams(), st.integers(0, 8))
def test_sse_bytes_before_an_event_hold_the_events_before_it(stream: bytes, count: int) -> None:
    raw, events = ServerSentEventDecoder().feed(stream + b"\n\n")
    before = raw_before(raw, count)
    assert raw.startswith(before)
    assert decode([before])[1] == events[:count]


def test_sse_event_is_given_out_as_soon_as_its_blank_line_is_here() -> None:
    decoder = ServerSentEventDecoder()
    assert decoder.feed(b"data: 1\n")[1] == []
    assert decoder.feed(b"\ndata: 2")[1] == [ServerSentEvent("", b"1")]
    assert decoder.feed(b"\n\n: ping\n\n")[1] == [ServerSentEvent("", b"2")]
    assert decoder.finish() == (b"", [])


def test_comments_are_passed_on_as_bytes_and_mean_nothing() -> None:
    assert ServerSentEventDecoder().feed(b": ping\n\n") == (b": ping\n\n", [])


def test_sse_event_without_end_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    decoder = ServerSentEventDecoder()
    decoder.feed(b"data: " + b"x" * 90)
    with pytest.raises(EventTooLarge, match="100 bytes"):
        decoder.feed(b"x" * 90)
    assert len(ServerSentEventDecoder().feed(b"data: x\n\n" * 50)[1]) == 50


@pytest.mark.parametrize("blank_line", [b"\n\n", b"\r\n\r\n"])
def test_sse_event_of_many_reads_costs_no_more_than_its_size(blank_line: bytes) -> None:
    end_of_line = blank_line[: len(blank_line) // 2]
    stream = b"event: a" + end_of_line + b"data: " + b"x" * (8 * 1024 * 1024) + blank_line
    decoder = ServerSentEventDecoder()
    began = process_time()
    events = [event for at in range(0, len(stream), 1024) for event in decoder.feed(stream[at : at + 1024])[1]]
    # Some 30 ms; reading all of it again with every read took ten seconds.
    assert process_time() - began < 3
    assert [(event.event, len(event.data)) for event in events] == [("a", 8 * 1024 * 1024)]


@given(streams(), st.integers(0, 60))
def test_sse_only_what_is_not_complete_is_held_back(stream: bytes, cut: int) -> None:
    decoder = ServerSentEventDecoder()
    raw = decoder.feed(stream[:cut])[0] + decoder.feed(stream[cut:])[0]
    stream = stream.removeprefix(BOM)
    assert stream.startswith(raw)
    # A final CR may be half of a CRLF, hence no word on the last byte.
    assert not any(blank in stream[len(raw) : -1] for blank in (b"\n\n", b"\r\r", b"\r\n\r\n"))

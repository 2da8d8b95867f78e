"""However the network cuts a Responses stream, and whichever line ending it has, the events are the same."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.events import PartDelta, PartFinished, ResponseFailed, ResponseFinished, StreamEvent
from tests.support.responses import fold, make_dialect

words = st.text(alphabet=st.sampled_from('ab \n"\\é漢🙂\u2028'), min_size=1, max_size=6)
cuts = st.lists(st.integers(min_value=0, max_value=4000), max_size=12)


def message(at: int, chunks: list[str]) -> list[dict[str, Any]]:
    whole = {"type": "message", "content": [{"type": "output_text", "text": "".join(chunks), "annotations": []}]}
    deltas = [{"type": "response.output_text.delta", "output_index": at, "content_index": 0, "delta": chunk} for chunk in chunks]
    return [*deltas, {"type": "response.output_item.done", "output_index": at, "item": whole}]


def reasoning(at: int, chunks: list[str]) -> list[dict[str, Any]]:
    deltas = [
        {"type": "response.reasoning_summary_text.delta", "output_index": at, "summary_index": 0, "delta": chunk}
        for chunk in chunks
    ]
    item = {"type": "reasoning", "id": f"rs_{at}", "summary": [], "encrypted_content": "e" * at or None}
    return [*deltas, {"type": "response.output_item.done", "output_index": at, "item": item}]


def call(at: int, chunks: list[str]) -> list[dict[str, Any]]:
    item = {"type": "function_call", "id": f"fc_{at}", "call_id": f"c{at}", "name": "f", "arguments": ""}
    deltas = [{"type": "response.function_call_arguments.delta", "output_index": at, "delta": chunk} for chunk in chunks]
    return [{"type": "response.output_item.added", "output_index": at, "item": item}, *deltas]


items = st.lists(st.tuples(st.sampled_from([message, reasoning, call]), st.lists(words, max_size=4)), max_size=4)
ends = st.sampled_from(["completed", "incomplete", "failed", None])


@st.composite
def streams(draw: st.DrawFn) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {"id": "resp_1", "model": "m"}}]
    for at, (make, chunks) in enumerate(draw(items)):
        events += make(at, chunks)
    end = draw(ends)
    if end:
        response = {"id": "resp_1", "status": end, "output": [], "error": {"code": "server_error", "message": "no"}}
        events.append({"type": f"response.{end}", "response": response})
    return events


def as_bytes(events: list[dict[str, Any]], newline: str) -> bytes:
    blocks = (
        f"event: {event['type']}{newline}data: {json.dumps(event, ensure_ascii=False)}{newline}{newline}" for event in events
    )
    return "".join(blocks).encode()


def decode(raw: bytes, at: list[int]) -> tuple[list[str], bytes]:
    """The events, as text since errors have no equality, and the raw bytes of the frames."""
    decoder = make_dialect().stream_decoder()
    borders = [0, *sorted(cut for cut in at if cut < len(raw)), len(raw)]
    frames = [decoder.receive(raw[start:end]) for start, end in pairwise(borders)]
    frames.append(decoder.finish())
    return [_shown(event) for frame in frames for event in frame.events], b"".join(frame.raw for frame in frames)


def _shown(event: StreamEvent) -> str:
    return f"{type(event.error).__name__}: {event.error}" if isinstance(event, ResponseFailed) else repr(event)


@given(streams(), cuts, st.sampled_from(["\n", "\r\n", "\r"]))
@settings(deadline=None)
def test_responses_chunking_any_chunking_and_line_ending(events: list[dict[str, Any]], at: list[int], newline: str) -> None:
    expected, _ = decode(as_bytes(events, "\n"), [])
    raw = as_bytes(events, newline)
    decoded, passed = decode(raw, at)
    assert decoded == expected
    assert raw.startswith(passed)


@given(streams(), st.integers(min_value=0, max_value=4000))
@settings(deadline=None)
def test_responses_chunking_stream_cut_anywhere_ends_exactly_once_and_every_part_closes_or_the_stream_fails(
    events: list[dict[str, Any]], at: int
) -> None:
    decoder = make_dialect().stream_decoder()
    decoded = [*decoder.receive(as_bytes(events, "\n")[:at]).events, *decoder.finish().events]
    ends = [event for event in decoded if isinstance(event, (ResponseFinished, ResponseFailed))]
    assert len(ends) == 1
    assert decoded[-1] is ends[0]
    if isinstance(ends[0], ResponseFinished):
        grown = {event.index for event in decoded if isinstance(event, PartDelta)}
        assert grown <= {event.index for event in decoded if isinstance(event, PartFinished)}


@given(streams())
@settings(deadline=None)
def test_responses_chunking_what_was_streamed_is_what_is_folded(events: list[dict[str, Any]]) -> None:
    if events[-1]["type"] not in ("response.completed", "response.incomplete"):
        return
    decoder = make_dialect().stream_decoder()
    answer = fold([*decoder.receive(as_bytes(events, "\n")).events, *decoder.finish().events])
    sent = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert "".join(part.text for part in answer.parts if hasattr(part, "text") and type(part).__name__ == "TextPart") == sent

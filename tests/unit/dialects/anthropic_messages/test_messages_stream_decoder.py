"""An Anthropic stream, event by event."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from anthropic import Anthropic

from openclaw_oauthrouter.canonical.content import Citation, NativePart, Opaque, Part, ToolCallPart, WebSearch
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold, WholeAnswer
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.anthropic_messages.stream_decoder import TRANSITIONS, MessagesEventMachine
from openclaw_oauthrouter.errors import (
    UpstreamConnectionError,
    UpstreamOverloadedError,
    UpstreamProtocolError,
    UpstreamStatusError,
)
from tests.support.recordings import is_message, is_one_answer, recorded_body, recordings
from tests.support.replay import ReplayServer

Wire = dict[str, Any]
DIALECT = AnthropicMessages(lambda: 0.0)


def start(**usage: Any) -> Wire:
    return {
        "type": "message_start",
        "message": {"id": "msg_1", "model": "claude-haiku-4-5", "usage": usage or {"input_tokens": 11, "output_tokens": 1}},
    }


def opened(index: int, **block: Any) -> Wire:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **fields: Any) -> Wire:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def closed(index: int) -> Wire:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", **fields: Any) -> list[Wire]:
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason, **fields}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]


def stream(*events: Wire) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def decode(*events: Wire) -> list[StreamEvent]:
    return decode_bytes(stream(*events))


def decode_bytes(data: bytes) -> list[StreamEvent]:
    decoder = DIALECT.stream_decoder()
    return [*decoder.receive(data).events, *decoder.finish().events]


def parts(*events: Wire) -> list[StreamEvent]:
    """What stands between the start and the end of an answer."""
    return [
        event
        for event in decode(start(), *events, *end())
        if not isinstance(event, ResponseStarted | UsageReported | ResponseFinished)
    ]


def fold(events: list[StreamEvent]) -> ChatResponse:
    folded = ResponseFold()
    for event in events:
        folded.receive(event)
    return folded.result()


def test_text() -> None:
    hello = [
        delta(0, type="text_delta", text="Hel"),
        delta(0, type="text_delta", text=""),
        delta(0, type="text_delta", text="lo"),
    ]
    assert decode(start(), {"type": "ping"}, opened(0, type="text", text=""), *hello, closed(0), *end()) == [
        ResponseStarted("msg_1", "claude-haiku-4-5"),
        UsageReported(Usage(11, 1)),
        PartStarted(0, "text"),
        PartDelta(0, "Hel"),
        PartDelta(0, "lo"),
        PartFinished(0),
        UsageReported(Usage(11, 7)),
        ResponseFinished("stop"),
    ]


def test_messages_stream_decoder_tool_call_in_pieces() -> None:
    call = opened(0, type="tool_use", id="t1", name="f", input={})
    pieces = [delta(0, type="input_json_delta", partial_json=text) for text in ("", '{"a', '":1}')]
    assert parts(call, *pieces, closed(0)) == [
        PartStarted(0, "tool_call", id="t1", name="f"),
        PartDelta(0, '{"a'),
        PartDelta(0, '":1}'),
        PartFinished(0),
    ]


@pytest.mark.parametrize(("whole", "arguments"), [({}, "{}"), ({"a": 1}, '{"a":1}')])
def test_messages_stream_decoder_tool_call_without_deltas(whole: Wire, arguments: str) -> None:
    call = opened(0, type="tool_use", id="t1", name="f", input=whole)
    assert parts(call, delta(0, type="input_json_delta", partial_json=""), closed(0))[1] == PartDelta(0, arguments)


def test_thinking() -> None:
    signed = [delta(0, type="signature_delta", signature=text) for text in ("draft", "final")]
    thought = [delta(0, type="thinking_delta", thinking=text) for text in ("", "hm")]
    assert parts(opened(0, type="thinking", thinking="", signature=""), *thought, *signed, closed(0)) == [
        PartStarted(0, "reasoning"),
        PartDelta(0, "hm"),
        PartFinished(0, Opaque("signature", "final")),
    ]


def test_redacted_thinking() -> None:
    assert parts(opened(0, type="redacted_thinking", data="d"), closed(0)) == [
        PartStarted(0, "reasoning"),
        PartFinished(0, Opaque("redacted", "d")),
    ]


def test_citations_cover_their_block_in_the_whole_text() -> None:
    source = {"type": "web_search_result_location", "url": "https://a.example", "title": None, "cited_text": "x"}
    page = {"type": "page_location", "cited_text": "x"}
    found = parts(
        opened(0, type="text", text="abc"),
        closed(0),
        opened(1, type="text", text=""),
        delta(1, type="citations_delta", citation=source),
        delta(1, type="citations_delta", citation=page),
        delta(1, type="text_delta", text="de"),
        closed(1),
    )
    assert [event for event in found if isinstance(event, CitationAdded)] == [
        CitationAdded(1, Citation("https://a.example", "", 3, 5))
    ]


def test_server_tools_are_no_tool_calls() -> None:
    use = opened(0, type="server_tool_use", id="s1", name="web_search", input={})
    result = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
    compaction = opened(2, type="compaction", content=None)
    found = parts(
        use,
        delta(0, type="input_json_delta", partial_json='{"q":'),
        delta(0, type="input_json_delta", partial_json="1}"),
        closed(0),
        opened(1, **result),
        closed(1),
        compaction,
        delta(2, type="compaction_delta", content="short"),
        closed(2),
    )
    assert [event.native for event in found if isinstance(event, PartStarted)] == [
        (
            "anthropic_messages",
            "server_tool_use",
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": 1}},
        ),
        ("anthropic_messages", "web_search_tool_result", result),
        ("anthropic_messages", "compaction", {"type": "compaction", "content": "short"}),
    ]


def test_messages_stream_decoder_server_tool_call_cut_short_does_not_cost_the_answer() -> None:
    use = opened(0, type="server_tool_use", id="s1", name="web_search", input={})
    cut = delta(0, type="input_json_delta", partial_json='{"query":"claude sh')
    found = decode(start(), use, cut, closed(0), *end("max_tokens"))
    assert found[2] == PartStarted(
        0,
        "native",
        native=("anthropic_messages", "server_tool_use", use["content_block"] | {"input": {"_raw": '{"query":"claude sh'}}),
        search=WebSearch("s1"),
    )
    assert found[-2:] == [UsageReported(Usage(11, 7)), ResponseFinished("length")]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause"),
        ("compaction", "stop"),
        ("of_tomorrow", "stop"),
        (None, "stop"),
    ],
)
def test_finish_reasons(reason: str | None, expected: str) -> None:
    finished = decode(start(), *end(reason))[-1]
    assert isinstance(finished, ResponseFinished)
    assert finished.finish_reason == expected


def test_messages_stream_decoder_stop_for_a_tool_needs_a_call() -> None:
    called = opened(0, type="tool_use", id="t", name="f", input={})
    assert decode(start(), called, closed(0), *end("tool_use"))[-1] == ResponseFinished("tool_call")
    assert decode(start(), *end("tool_use"))[-1] == ResponseFinished("stop")


def test_messages_stream_decoder_what_comes_with_a_finish_reason() -> None:
    assert decode(start(), *end("stop_sequence", stop_sequence="END"))[-1] == ResponseFinished("stop", "END")
    details = {"type": "refusal", "category": "bio", "explanation": "No."}
    assert decode(start(), *end("refusal", stop_details=details))[-1] == ResponseFinished("content_filter", None, "No.")
    assert decode(start(), *end("refusal", stop_details=None))[-1] == ResponseFinished("content_filter")


@pytest.mark.parametrize("odd", [True, 5, [[]], {"a": 1}])
def test_messages_stream_decoder_what_comes_with_a_finish_reason_and_is_no_string_is_passed_over(odd: Any) -> None:
    finished = decode(start(), *end("refusal", stop_sequence=odd, stop_details={"explanation": odd}))[-1]
    assert finished == ResponseFinished("content_filter")


def test_usage_is_cumulative_and_counts_the_whole_prompt() -> None:
    first = {
        "input_tokens": 4,
        "cache_read_input_tokens": 900,
        "cache_creation_input_tokens": 96,
        "cache_creation": {"ephemeral_1h_input_tokens": 90},
        "output_tokens": 1,
        "service_tier": "standard",
    }
    last = {"output_tokens": 30, "input_tokens": None, "output_tokens_details": {"thinking_tokens": 20}}
    reports = [
        event.usage
        for event in decode(start(**first), {"type": "message_delta", "delta": {}, "usage": last}, {"type": "message_stop"})
        if isinstance(event, UsageReported)
    ]
    assert reports == [
        Usage(1000, 1, 900, 96, 90, 0, "default"),
        Usage(1000, 30, 900, 96, 90, 20, "default"),
    ]


def test_events_and_deltas_of_tomorrow_are_passed_over() -> None:
    new = {"type": "content_block_hint", "index": 0}
    assert parts(new, opened(0, type="text", text=""), delta(0, type="hint_delta", hint=1), new, closed(0)) == [
        PartStarted(0, "text"),
        PartFinished(0),
    ]


def test_messages_stream_decoder_stream_without_its_beginning() -> None:
    assert decode(delta(0, type="text_delta", text="ml"), *end())[:3] == [
        ResponseStarted("", ""),
        PartStarted(0, "text"),
        PartDelta(0, "ml"),
    ]


def test_messages_stream_decoder_name_of_an_event_says_what_it_is_from_the_first_event_on() -> None:
    misnamed = b'event: message_delta\ndata: {"type":"message_stop"}\n\n'
    for data in (misnamed, stream(start()) + misnamed):
        ends = [event for event in decode_bytes(data) if isinstance(event, ResponseFinished | ResponseFailed)]
        assert [type(event) for event in ends] == [ResponseFailed]
    untyped = b'event: content_block_start\ndata: {"index":0,"content_block":{"type":"text","text":"hi"}}\n\n'
    assert decode_bytes(untyped + stream(*end()))[:3] == [ResponseStarted("", ""), PartStarted(0, "text"), PartDelta(0, "hi")]


def test_messages_stream_decoder_block_left_open_is_closed_at_the_end() -> None:
    assert parts(opened(0, type="text", text="a"))[-1] == PartFinished(0)


def test_messages_stream_decoder_second_message_start_only_counts_tokens() -> None:
    again = {"type": "message_start", "message": {"id": "msg_2", "model": "m", "usage": {"input_tokens": 5}}}
    found = decode(start(), again, *end())
    assert sum(isinstance(event, ResponseStarted) for event in found) == 1
    assert found[2] == UsageReported(Usage(5, 1))


def test_messages_stream_decoder_nothing_counts_after_the_end() -> None:
    assert decode(start(), *end(), start(), *end())[-1] == ResponseFinished("stop")
    assert sum(isinstance(event, ResponseFinished) for event in decode(start(), *end(), *end())) == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("overloaded_error", UpstreamOverloadedError),
        ("api_error", UpstreamStatusError),
        ("invalid_request_error", UpstreamStatusError),
    ],
)
def test_messages_stream_decoder_error_event_ends_the_stream(kind: str, expected: type) -> None:
    fault = {"type": "error", "error": {"type": kind, "message": "Not today"}}
    for events in ([fault], [start(), opened(0, type="text", text="a"), fault]):
        last = decode(*events)[-1]
        assert isinstance(last, ResponseFailed)
        assert type(last.error) is expected
        assert last.error.message == "Not today"


@pytest.mark.parametrize("events", [[], [start()], [start(), opened(0, type="text", text="a")], [start(), *end()[:1]]])
def test_messages_stream_decoder_stream_cut_short(events: list[Wire]) -> None:
    last = decode(*events)[-1]
    assert isinstance(last, ResponseFailed)
    assert isinstance(last.error, UpstreamConnectionError)


@pytest.mark.parametrize(
    "data",
    [
        b"event: message_start\ndata: {\n\n",
        b"event: message_start\ndata: {}\n\n",
        b"data: [1]\n\n",
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0}\n\n',
    ],
)
def test_messages_stream_decoder_broken_stream(data: bytes) -> None:
    last = decode_bytes(stream(start()) * (b"block" in data) + data)[-1]
    assert isinstance(last, ResponseFailed)
    assert isinstance(last.error, UpstreamProtocolError)


def test_messages_stream_decoder_every_state_is_left_by_the_table_alone() -> None:
    assert {state for state, _ in TRANSITIONS} == {"IDLE", "OPEN"}
    for (state, event), (following, _) in TRANSITIONS.items():
        assert following == ("DONE" if event in ("message_stop", "error") else "OPEN"), (state, event)
    assert MessagesEventMachine().done is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": None},
        {"id": "m", "model": "m", "content": [{"text": "x"}]},
        {"content": ["x"], "usage": {}},
        {"content": [{"type": "tool_use"}]},
    ],
)
def test_messages_stream_decoder_answer_that_is_no_message(body: Wire) -> None:
    with pytest.raises(UpstreamProtocolError):
        DIALECT.decode_response(body)


BLOCKS: list[Wire] = [
    {"type": "text", "text": "Dry.", "citations": [{"url": "https://a", "title": "A"}, {"url": 5}, {"url": "https://b"}]},
    {"type": "text", "text": ""},
    {"type": "thinking", "thinking": "hm", "signature": "SIG"},
    {"type": "thinking", "thinking": ""},
    {"type": "redacted_thinking", "data": "SEALED"},
    {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": ["ü", 1]}},
    {"type": "tool_use", "id": "t2", "name": "look"},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "rain"}},
    {"type": "of_tomorrow", "words": "x"},
    {"type": "text", "text": "Or wet.", "citations": [{"url": "https://c", "title": "C"}]},
]
ENDS: list[Wire] = [
    {"stop_reason": "end_turn"},
    {"stop_reason": "tool_use", "usage": {"input_tokens": 3, "output_tokens": None, "cache_read_input_tokens": 2}},
    {"stop_reason": "stop_sequence", "stop_sequence": "END", "usage": {"input_tokens": 3, "output_tokens": 4, "speed": "fast"}},
    {"stop_reason": "refusal", "stop_details": {"explanation": "no"}, "usage": {"output_tokens": -1}},
    {"usage": {"output_tokens": 4, "cache_creation": {"ephemeral_1h_input_tokens": 2}, "service_tier": "priority"}},
]


@pytest.mark.parametrize("ending", ENDS)
@pytest.mark.parametrize("blocks", [[], *([block] for block in BLOCKS), BLOCKS, BLOCKS[::-1]], ids=len)
def test_a_whole_message_is_the_stream_that_it_would_have_been(blocks: list[Wire], ending: Wire) -> None:
    machine = MessagesEventMachine()
    message = {"id": "m", "model": "claude", "content": blocks, **ending}
    streamed = [*machine.receive_json("message_start", {"message": message})]
    for index, block in enumerate(blocks):
        streamed += machine.receive_json("content_block_start", {"index": index, "content_block": block})
        streamed += machine.receive_json("content_block_stop", {"index": index})
    streamed += machine.receive_json("message_delta", {"delta": {key: value for key, value in ending.items() if key != "usage"}})
    streamed += machine.receive_json("message_stop", {})
    answer = DIALECT.decode_response(message)
    assert list(answer) == streamed
    assert isinstance(answer, WholeAnswer)
    assert answer.response == fold(streamed)
    assert answer.pieces == len(streamed)
    assert answer.words == [event.text for event in streamed if isinstance(event, PartDelta)]
    assert answer.sealed == any(isinstance(event, PartFinished) and event.opaque is not None for event in streamed)


@pytest.mark.parametrize("odd", [True, 5, [[]], {"a": 1}])
@pytest.mark.parametrize(
    ("block", "field"),
    [
        ({"type": "text"}, {"type": "text_delta", "text": ...}),
        ({"type": "thinking"}, {"type": "thinking_delta", "thinking": ...}),
        ({"type": "thinking"}, {"type": "signature_delta", "signature": ...}),
        ({"type": "tool_use", "id": "t", "name": "f"}, {"type": "input_json_delta", "partial_json": ...}),
        ({"type": "server_tool_use", "id": "t", "name": "f"}, {"type": "input_json_delta", "partial_json": ...}),
        ({"type": "tool_use", "id": "t", "name": ...}, {"type": "input_json_delta", "partial_json": "{}"}),
        ({"type": "tool_use", "id": ..., "name": "f"}, {"type": "input_json_delta", "partial_json": "{}"}),
        ({"type": "redacted_thinking", "data": ...}, {"type": "of_tomorrow"}),
    ],
)
def test_words_of_another_type_are_no_answer(block: Wire, field: Wire, odd: Any) -> None:
    wire = [{key: odd if value is ... else value for key, value in holder.items()} for holder in (block, field)]
    last = decode(start(), opened(0, **wire[0]), delta(0, **wire[1]), closed(0), *end())[-1]
    assert isinstance(last, ResponseFailed)
    assert isinstance(last.error, UpstreamProtocolError)


# ------------------------------------------------------------------ against the vendor's own reader


@pytest.fixture(scope="module")
def server() -> Any:
    with ReplayServer() as running:
        yield running


def vendor_message(server: ReplayServer, data: bytes) -> Wire:
    with server.answering(data):
        client = Anthropic(api_key="x", base_url=server.url, max_retries=0)
        with client.beta.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as events:
            found: Wire = events.get_final_message().to_dict()
        client.close()
    return found


@pytest.mark.parametrize("path", recordings("anthropic-messages", ".sse", is_one_answer))
def test_messages_stream_decoder_stream_means_what_the_vendors_reader_says(server: ReplayServer, path: Path) -> None:
    data = path.read_bytes()
    streamed = fold(decode_bytes(data))
    whole = fold(list(DIALECT.decode_response(vendor_message(server, data))))
    assert replace(streamed, parts=()) == replace(whole, parts=())
    assert [comparable(part) for part in streamed.parts] == [comparable(part) for part in whole.parts]


def comparable(part: Part) -> Any:
    """A part without what the vendor's reader adds: other white space in JSON, fields that are null, ends to cut arguments."""
    if isinstance(part, NativePart):
        return {name: value for name, value in part.value.items() if value is not None}
    if not isinstance(part, ToolCallPart):
        return part
    try:
        return part.id, part.name, json.loads(part.arguments)
    except ValueError:
        assert part.arguments.startswith("{")
        return ANY


@pytest.mark.parametrize("path", recordings("anthropic-messages", ".exchange.json", is_message))
def test_recorded_answers_can_be_read(path: Path) -> None:
    message = recorded_body(json.loads(path.read_text())["response"])
    answer = fold(list(DIALECT.decode_response(message)))
    assert len(answer.parts) == len(message["content"])
    assert answer.usage.output_tokens == message["usage"]["output_tokens"]

"""Streams as the public API and the ChatGPT backend send them. The backend's are synthetic: none are published."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import (
    Citation,
    NativePart,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    WebSearch,
)
from openclaw_oauthrouter.canonical.events import (
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.errors import (
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamContextError,
    UpstreamError,
    UpstreamOverloadedError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamStatusError,
)
from tests.support.responses import decode, fold, make_dialect, wire

CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5", "status": "in_progress", "output": []}}
USAGE = {
    "input_tokens": 21,
    "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 7},
    "output_tokens": 8,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 29,
}
FIRST, SECOND = '{"city":"A"}', '{"city":"B"}'


def ended(*output: dict[str, Any], kind: str = "completed", **fields: Any) -> dict[str, Any]:
    return {
        "type": f"response.{kind}",
        "response": {"id": "resp_1", "status": kind, "output": list(output), "usage": USAGE, **fields},
    }


def added(at: int, **item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": at, "item": item}


def done(at: int, **item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": at, "item": item}


def text(at: int, delta: str, content: int = 0) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "output_index": at, "content_index": content, "delta": delta}


def arguments(at: int, delta: Any) -> dict[str, Any]:
    return {"type": "response.function_call_arguments.delta", "output_index": at, "delta": delta}


def summary(at: int, delta: str, position: int = 0) -> dict[str, Any]:
    return {"type": "response.reasoning_summary_text.delta", "output_index": at, "summary_index": position, "delta": delta}


def call(number: int, name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", "name": name, "arguments": "", **fields}


def message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": list(content)}


def said(words: str, **fields: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": [], **fields}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(
            [added(0, **message()), text(0, "Hi "), text(0, "there"), ended(message(said("Hi there")))],
            id="deltas and a final list",
        ),
        pytest.param([added(0, **message()), text(0, "Hi "), text(0, "there"), ended()], id="deltas and an empty list"),
        pytest.param([text(0, "Hi there"), ended()], id="deltas without an item"),
        pytest.param([added(0, **message()), done(0, **message(said("Hi there"))), ended()], id="only the finished item"),
        pytest.param([text(0, "Hi "), done(0, **message(said("Hi there"))), ended()], id="a delta is missing"),
        pytest.param(
            [{"type": "response.output_text.done", "output_index": 0, "text": "Hi there"}, ended()], id="only the finished text"
        ),
        pytest.param([ended(message(said("Hi there")))], id="only the final list"),
        pytest.param([text(0, "Hi there"), {"type": "response.done", "response": {"status": "completed"}}], id="response.done"),
        pytest.param(
            [{"type": "codex.rate_limits", "rate_limits": {}}, {"type": "response.novelty"}, text(0, "Hi there"), ended()],
            id="events nobody knows",
        ),
        pytest.param(
            [text(0, "Hi there"), {"type": "response.steer.added", "output_index": "odd"}, ended()], id="an odd unknown event"
        ),
    ],
)
def test_words_arrive_once_however_they_are_sent(events: list[dict[str, Any]]) -> None:
    decoded = decode(wire(CREATED, *events))
    assert decoded[0] == ResponseStarted("resp_1", "gpt-5")
    answer = fold(decoded)
    assert answer.parts == (TextPart("Hi there"),)
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(
            [
                added(0, **call(1, "f")),
                arguments(0, '{"city":'),
                arguments(0, '"A"}'),
                added(1, **call(2, "g")),
                arguments(1, SECOND),
                ended(),
            ],
            id="one after the other",
        ),
        pytest.param(
            [
                added(0, **call(1, "f")),
                added(1, **call(2, "g")),
                arguments(1, '{"city"'),
                arguments(0, '{"city":'),
                arguments(1, ':"B"}'),
                arguments(0, '"A"}'),
                ended(),
            ],
            id="interleaved",
        ),
        pytest.param(
            [
                added(0, **call(1, "f")),
                added(1, **call(2, "g")),
                {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": FIRST},
                {"type": "response.function_call_arguments.done", "output_index": 1, "arguments": SECOND},
                ended(),
            ],
            id="only the finished arguments",
        ),
        pytest.param(
            [done(0, **call(1, "f", arguments=FIRST)), done(1, **call(2, "g", arguments=SECOND)), ended()],
            id="only finished items",
        ),
        pytest.param([ended(call(1, "f", arguments=FIRST), call(2, "g", arguments=SECOND))], id="only the final list"),
        pytest.param(
            [
                added(0, **call(1, "f")),
                arguments(0, {"partial_json": '{"city":'}),
                arguments(0, {"delta": '"A"}'}),
                added(1, **call(2, "g")),
                arguments(1, {"arguments": SECOND}),
                ended(),
            ],
            id="deltas that are objects",
        ),
        pytest.param(
            [
                added(0, type="function_call"),
                arguments(0, "lost"),
                done(0, **call(1, "f", arguments=FIRST)),
                done(1, **call(2, "g", arguments=SECOND)),
                ended(),
            ],
            id="a name that comes late",
        ),
        pytest.param(
            [
                added(0, **call(1, "f")),
                {"type": "response.function_call_arguments.delta", "item_id": "rotated", "delta": FIRST},
                added(1, **call(2, "g")),
                {"type": "response.function_call_arguments.delta", "item_id": "rotated", "delta": SECOND},
                ended(),
            ],
            id="deltas that do not say whose",
        ),
    ],
)
def test_parallel_calls_keep_their_own_arguments(events: list[dict[str, Any]]) -> None:
    answer = fold(decode(wire(CREATED, *events)))
    assert answer.parts == (ToolCallPart("call_1", "f", FIRST), ToolCallPart("call_2", "g", SECOND))
    assert answer.finish_reason == "tool_call"


def test_stream_decoder_call_without_an_id_of_its_own_takes_the_item_s() -> None:
    (part,) = fold(decode(wire(CREATED, added(0, type="function_call", id="fc_9", name="f"), arguments(0, "{}"), ended()))).parts
    assert part == ToolCallPart("fc_9", "f", "{}")


def test_stream_decoder_call_without_arguments_has_empty_ones() -> None:
    (part,) = fold(decode(wire(CREATED, added(0, **call(1, "f")), done(0, **call(1, "f")), ended()))).parts
    assert part == ToolCallPart("call_1", "f", "{}")


def test_stream_decoder_custom_call_takes_free_text() -> None:
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sql", "input": ""}
    delta = {"type": "response.custom_tool_call_input.delta", "output_index": 0, "delta": "SELECT "}
    events = [added(0, **item), delta, done(0, **{**item, "input": "SELECT 1"}), ended()]
    answer = fold(decode(wire(CREATED, *events)))
    assert answer.parts == (ToolCallPart("call_1", "sql", "SELECT 1", custom=True),)
    assert answer.finish_reason == "tool_call"


def test_reasoning_then_words() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA"}
    pieces = [{"type": "summary_text", "text": "first"}, {"type": "summary_text", "text": "second"}]
    events = [
        added(0, type="reasoning", id="rs_0", summary=[]),
        summary(0, "fir"),
        summary(0, "st"),
        summary(0, "sec", 1),
        done(0, **reasoning, summary=pieces),
        text(1, "so"),
        ended(),
    ]
    answer = fold(decode(wire(CREATED, *events)))
    assert answer.parts == (ReasoningPart("first\n\nsecond", Opaque("encrypted", "gAAA", item_id="rs_1")), TextPart("so"))


def test_reasoning_in_full_text_and_reasoning_that_shows_nothing() -> None:
    shown = {"type": "response.reasoning_text.delta", "output_index": 0, "content_index": 0, "delta": "hm"}
    hidden = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "e"}
    silent = {"type": "reasoning", "id": "rs_3", "summary": []}
    answer = fold(decode(wire(CREATED, shown, done(1, **hidden), done(2, **silent), ended())))
    assert answer.parts == (ReasoningPart("hm"), ReasoningPart("", Opaque("encrypted", "e", item_id="rs_2")))


def test_stream_decoder_final_list_shorter_than_the_stream_repeats_nothing() -> None:
    assert fold(decode(wire(CREATED, summary(0, "hm"), text(1, "Hi"), ended(message(said("Hi")))))).parts == (
        ReasoningPart("hm"),
        TextPart("Hi"),
    )


def test_stream_decoder_refusal() -> None:
    events = [
        {"type": "response.refusal.delta", "output_index": 0, "content_index": 0, "delta": "I can"},
        ended(message({"type": "refusal", "refusal": "I cannot"})),
    ]
    assert fold(decode(wire(CREATED, *events))).parts == (RefusalPart("I cannot"),)


def test_several_texts_in_one_message() -> None:
    assert fold(decode(wire(CREATED, text(0, "a"), text(0, "b", 1), ended()))).parts == (TextPart("a"), TextPart("b"))


ANNOTATION = {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2}


@pytest.mark.parametrize("streamed", [True, False])
def test_sources_count_from_the_beginning_of_the_whole_answer(streamed: bool) -> None:
    event = {"type": "response.output_text.annotation.added", "output_index": 1, "content_index": 0, "annotation": ANNOTATION}
    whole = message(said("see", annotations=[{"type": "file_citation"}, ANNOTATION]))
    events = [text(0, "1234"), text(1, "see"), *([event] if streamed else []), done(1, **whole), ended()]
    parts = fold(decode(wire(CREATED, *events))).parts
    assert parts == (TextPart("1234"), TextPart("see", citations=(Citation("https://x", "X", 4, 6),)))


def test_items_without_a_word_for_them_are_kept_whole() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    events = [
        added(0, **{**item, "status": "in_progress"}),
        done(0, **item),
        text(1, "found"),
        ended(item, message(said("found"))),
    ]
    assert fold(decode(wire(CREATED, *events))).parts == (
        NativePart("openai_responses", "web_search_call", item, search=WebSearch("ws_1")),
        TextPart("found"),
    )


def test_usage() -> None:
    reports = [
        event.usage
        for event in decode(wire(CREATED, text(0, "x"), ended(service_tier="flex")))
        if isinstance(event, UsageReported)
    ]
    assert reports == [Usage(21, 8, 5, 7, 0, 3, "flex")]


@pytest.mark.parametrize(
    ("end", "finish"),
    [
        (ended(), "stop"),
        (ended(kind="incomplete", incomplete_details={"reason": "max_output_tokens"}), "length"),
        (ended(kind="incomplete", incomplete_details={"reason": "content_filter"}), "content_filter"),
        (ended(kind="incomplete", incomplete_details={"reason": "max_messages"}), "length"),
        ({"type": "response.done", "response": {"status": "incomplete", "incomplete_details": None}}, "length"),
        ({"type": "response.incomplete", "response": {}}, "length"),
    ],
)
def test_stream_decoder_how_it_ended(end: dict[str, Any], finish: str) -> None:
    assert decode(wire(CREATED, text(0, "cut"), end))[-1] == ResponseFinished(finish)  # type: ignore[arg-type]


def _failed(code: str, message: str = "no") -> dict[str, Any]:
    return {"type": "response.failed", "response": {"status": "failed", "error": {"code": code, "message": message}}}


@pytest.mark.parametrize(
    ("end", "kind", "code", "status"),
    [
        (_failed("server_error"), UpstreamStatusError, "server_error", 500),
        (_failed("invalid_prompt"), UpstreamStatusError, "invalid_prompt", 400),
        (_failed("rate_limit_exceeded"), UpstreamRateLimitError, "rate_limit_exceeded", 429),
        (_failed("insufficient_quota"), UpstreamBillingError, "insufficient_quota", 429),
        (_failed("context_length_exceeded"), UpstreamContextError, "context_length_exceeded", 400),
        (_failed("server_is_overloaded"), UpstreamOverloadedError, "server_is_overloaded", 503),
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "no", "param": None},
            UpstreamRateLimitError,
            "rate_limit_exceeded",
            429,
        ),
        (
            {"type": "error", "error": {"type": "insufficient_quota", "message": "no"}},
            UpstreamBillingError,
            "insufficient_quota",
            429,
        ),
        ({"type": "response.failed", "response": {"status": "failed", "error": None}}, UpstreamStatusError, None, 502),
        ({"type": "response.cancelled", "response": {"status": "cancelled"}}, UpstreamStatusError, None, 502),
        ({"type": "response.done", "response": {"status": "failed"}}, UpstreamStatusError, None, 502),
    ],
)
def test_failures(end: dict[str, Any], kind: type[UpstreamError], code: str | None, status: int) -> None:
    *before, last = decode(wire(CREATED, text(0, "par"), end, text(0, "late")))
    assert [type(event).__name__ for event in before] == ["ResponseStarted", "PartStarted", "PartDelta"]
    assert isinstance(last, ResponseFailed)
    assert type(last.error) is kind
    assert (last.error.code, last.error.status_code) == (code, status)


def test_stream_decoder_what_a_failed_answer_cost_is_known() -> None:
    events = decode(wire(CREATED, ended(kind="failed", error={"code": "server_error", "message": "no"})))
    assert [type(event) for event in events] == [ResponseStarted, UsageReported, ResponseFailed]


def test_stream_decoder_terminator_of_another_protocol_is_passed_over() -> None:
    raw = wire(CREATED, text(0, "Hi")) + b"data: [DONE]\n\n" + wire(ended())
    assert fold(decode(raw)).parts == (TextPart("Hi"),)


def test_stream_decoder_line_that_only_holds_an_error() -> None:
    (event,) = decode(b'data: {"error":{"message":"no","code":"server_error"}}\n\n')
    assert isinstance(event, ResponseFailed)
    assert event.error.message == "no"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (wire(CREATED, text(0, "par")), UpstreamConnectionError),
        (wire(CREATED) + b"data: {broken\n\n", UpstreamProtocolError),
        (wire(CREATED) + b"data: []\n\n", UpstreamProtocolError),
        (wire(CREATED, {"type": "response.completed"}), UpstreamProtocolError),
        (wire(CREATED, done(0, **message({"type": "output_text", "text": [[]]}))), UpstreamProtocolError),
        (wire(CREATED, done(0, **message({"type": "refusal", "refusal": True}))), UpstreamProtocolError),
        (wire(CREATED, done(0, type="reasoning", content=[{"type": "reasoning_text", "text": [[]]}])), UpstreamProtocolError),
        (wire(CREATED, done(0, type="reasoning", encrypted_content={"a": 1})), UpstreamProtocolError),
        (wire(CREATED, done(0, **call(0, "f", call_id=[[]]))), UpstreamProtocolError),
        (wire(CREATED, added(0, type="function_call", call_id="c", name=[[]])), UpstreamProtocolError),
        (b"", UpstreamConnectionError),
    ],
)
def test_stream_decoder_stream_that_breaks_says_so(raw: bytes, kind: type[UpstreamError]) -> None:
    last = decode(raw)[-1]
    assert isinstance(last, ResponseFailed)
    assert type(last.error) is kind


def test_stream_decoder_what_only_describes_the_answer_may_be_of_any_type() -> None:
    source = {"type": "url_citation", "url": "https://x", "title": 5, "start_index": "x", "end_index": None}
    output = [message(said("Hi", annotations=[source])), {"type": "reasoning", "id": 5, "encrypted_content": "e"}]
    end = {**ended(*output), "response": {**ended(*output)["response"], "id": True, "model": [1], "service_tier": []}}
    folded = fold(decode(wire(end)))
    assert folded.parts == (TextPart("Hi", citations=(Citation("https://x"),)), ReasoningPart("", Opaque("encrypted", "e")))
    assert (folded.id, folded.model, folded.usage.service_tier) == ("True", "[1]", None)


def test_stream_decoder_every_part_that_opens_closes_before_the_end() -> None:
    events = decode(wire(CREATED, summary(0, "a"), text(1, "b"), added(2, **call(1, "f")), ended()))
    opened = [event.index for event in events if isinstance(event, PartStarted)]
    assert opened == sorted(event.index for event in events if isinstance(event, PartFinished)) == [0, 1, 2]


def _whole(**fields: Any) -> list[StreamEvent]:
    return list(make_dialect().decode_response({"id": "resp_1", "model": "gpt-5", "object": "response", **fields}))


def test_stream_decoder_whole_answer_is_the_stream_it_would_have_been() -> None:
    output = [
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
        message(said("Hi")),
        call(1, "f", arguments=FIRST),
    ]
    assert _whole(status="completed", output=output, usage=USAGE) == decode(wire(CREATED, ended(*output)))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"status": "failed", "output": [], "error": {"code": "server_error", "message": "no"}}, UpstreamStatusError),
        ({"error": {"code": "rate_limit_exceeded", "message": "no"}}, UpstreamRateLimitError),
        ({"status": "queued", "output": []}, UpstreamStatusError),
        ({}, UpstreamProtocolError),
        ({"output": [5]}, UpstreamProtocolError),
        ({"output": [{"type": "message", "content": [{"type": "output_text", "text": 5}]}]}, UpstreamProtocolError),
    ],
)
def test_stream_decoder_whole_answer_that_is_none(fields: dict[str, Any], kind: type[UpstreamError]) -> None:
    with pytest.raises(kind):
        _whole(**fields)


def test_calls_under_one_id_are_told_apart() -> None:
    calls = [
        {"type": "function_call", "id": f"fc_{at}", "call_id": "same", "name": "f", "arguments": f"[{at}]"} for at in range(3)
    ]
    streamed = [event for at, call in enumerate(calls) for event in (added(at, **{**call, "arguments": ""}), done(at, **call))]
    for events in ([*streamed, ended(*calls)], [ended(*calls)], [*streamed, ended()]):
        parts = [part for part in fold(decode(wire(CREATED, *events))).parts if isinstance(part, ToolCallPart)]
        assert [(part.id, part.arguments) for part in parts] == [("same", "[0]"), ("same_2", "[1]"), ("same_3", "[2]")]


@pytest.mark.parametrize(("end_turn", "reason"), [(False, "pause"), (True, "stop"), (None, "stop")])
def test_turn_that_goes_on_is_a_pause(end_turn: bool | None, reason: str) -> None:
    final = ended(message(said("I will look.")))
    final["response"]["end_turn"] = end_turn
    assert fold(decode(wire(CREATED, text(0, "I will look."), final))).finish_reason == reason


def test_sources_of_a_search_are_its_hits() -> None:
    action = {"type": "search", "queries": ["tides"], "sources": [{"type": "url", "url": "https://e.org/a"}, {"type": "api"}]}
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action}
    (part,) = fold(decode(wire(CREATED, done(0, **item), ended()))).parts
    assert isinstance(part, NativePart)
    assert part.search == WebSearch("ws_1", "tides", (Citation("https://e.org/a"),))

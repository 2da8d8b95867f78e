"""Answers of other dialects' upstreams, as Responses streams and bodies; the official SDK reads them back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from openclaw_oauthrouter.canonical.content import Citation, Opaque
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
from openclaw_oauthrouter.canonical.opaque import unseal
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.errors import (
    UpstreamBillingError,
    UpstreamContextError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
)
from tests.support.replay import ReplayServer
from tests.support.responses import encode, fold, from_client, make_dialect, unwire

EVENT = TypeAdapter(ResponseStreamEvent)
BROKEN = UpstreamOverloadedError("busy")
START = ResponseStarted("msg_01", "claude")
SIGNED = Opaque("signature", "sig", "anthropic/a")


def text(index: int, *chunks: str, kind: Any = "text") -> list[StreamEvent]:
    return [PartStarted(index, kind), *(PartDelta(index, chunk) for chunk in chunks), PartFinished(index)]


def call(index: int, id: str, name: str, *chunks: str, custom: bool = False) -> list[StreamEvent]:
    return [
        PartStarted(index, "tool_call", id, name, custom),
        *(PartDelta(index, chunk) for chunk in chunks),
        PartFinished(index),
    ]


def thought(index: int, *chunks: str, opaque: Opaque | None = SIGNED) -> list[StreamEvent]:
    return [PartStarted(index, "reasoning"), *(PartDelta(index, chunk) for chunk in chunks), PartFinished(index, opaque)]


def answer(*parts: list[StreamEvent], finish: Any = "stop", **fields: Any) -> list[StreamEvent]:
    return [
        START,
        *(event for part in parts for event in part),
        UsageReported(Usage(10, 5, 4, 3, 0, 2)),
        ResponseFinished(finish, **fields),
    ]


def types(raw: bytes) -> list[str]:
    return [event["type"].removeprefix("response.") for event in unwire(raw)]


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as running:
        yield running


def read_back(server: ReplayServer, raw: bytes) -> Response:
    """What the SDK makes of a stream, every event judged by its own type."""
    for event in unwire(raw):
        EVENT.validate_python(event)
    with (
        server.answering(raw),
        OpenAI(base_url=server.url, api_key="x", max_retries=0) as client,
        client.responses.stream(model="m", input="x") as stream,
    ):
        return stream.get_final_response()


def items(response: Response) -> list[dict[str, Any]]:
    return [item.model_dump(exclude_none=True, exclude={"id", "status", "parsed_arguments"}) for item in response.output]


def test_events_come_in_the_api_s_own_order() -> None:
    raw = encode(answer(thought(0, "hm"), text(1, "a", "b"), call(2, "c1", "f", "{}"), finish="tool_call"), from_client())
    assert types(raw) == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in unwire(raw)] == list(range(20))
    assert b"[DONE]" not in raw


def test_words_calls_and_reasoning_read_back(server: ReplayServer) -> None:
    parts = [thought(0, "hm"), text(1, "Let me ", "see."), call(2, "toolu_1", "weather", '{"city":', '"Oslo"}')]
    response = read_back(server, encode(answer(*parts, finish="tool_call"), from_client()))
    reasoning, message, function_call = items(response)
    assert unseal(reasoning.pop("encrypted_content")) == SIGNED
    assert reasoning == {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    assert message["content"][0]["text"] == response.output_text == "Let me see."
    assert function_call == {"type": "function_call", "call_id": "toolu_1", "name": "weather", "arguments": '{"city":"Oslo"}'}
    assert (response.model, response.status, response.created_at) == ("p/model", "completed", 1_700_000_000)
    assert response.usage is not None
    assert response.usage.model_dump(exclude_none=True) == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 15,
    }


def test_interleaved_parts_are_put_in_order(server: ReplayServer) -> None:
    mixed: list[StreamEvent] = [
        START,
        PartStarted(0, "text"),
        PartDelta(0, "both"),
        PartStarted(1, "tool_call", "c1", "f"),
        PartStarted(2, "tool_call", "c2", "g"),
        PartDelta(2, '{"b"'),
        PartDelta(1, '{"a"'),
        PartDelta(0, "!"),
        PartFinished(0),
        PartDelta(2, ":2}"),
        PartFinished(2),
        PartDelta(1, ":1}"),
        PartFinished(1),
        ResponseFinished("tool_call"),
    ]
    raw = encode(mixed, from_client())
    open_items: set[int] = set()
    for event in unwire(raw):
        if event["type"] == "response.output_item.added":
            open_items.add(event["output_index"])
            assert len(open_items) == 1
        elif event["type"] == "response.output_item.done":
            open_items.remove(event["output_index"])
    response = read_back(server, raw)
    assert response.output_text == "both!"
    assert [(item["name"], item["arguments"]) for item in items(response)[1:]] == [("f", '{"a":1}'), ("g", '{"b":2}')]


def test_neighbouring_texts_are_one_message(server: ReplayServer) -> None:
    response = read_back(server, encode(answer(text(0, "a"), text(1, "b"), text(2, "c")), from_client()))
    assert [len(item["content"]) for item in items(response)] == [3]
    assert response.output_text == "abc"


def test_stream_encoder_text_without_words_leaves_no_trace() -> None:
    assert types(encode(answer(text(0), call(1, "c", "f", "{}")), from_client())).count("output_item.added") == 1


def test_sources_count_from_the_beginning_of_their_own_text(server: ReplayServer) -> None:
    cited: list[StreamEvent] = [
        PartStarted(1, "text"),
        PartDelta(1, "see"),
        CitationAdded(1, Citation("https://x", "X", 4, 6)),
        PartFinished(1),
    ]
    response = read_back(server, encode(answer(text(0, "1234"), cited), from_client()))
    assert items(response)[0]["content"][1]["annotations"] == [
        {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2}
    ]


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_call", "completed", None),
        ("pause", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_stream_encoder_how_it_ended(finish: str, status: str, reason: str | None) -> None:
    last = unwire(encode(answer(text(0, "x"), finish=finish), from_client()))[-1]
    EVENT.validate_python(last)
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    assert last["response"]["incomplete_details"] == (reason and {"reason": reason})
    assert last["response"]["output"][0]["content"][0]["text"] == "x"


@pytest.mark.parametrize(
    ("parts", "refusals"),
    [([text(0, "x")], ["against the rules"]), ([text(0, "I cannot", kind="refusal")], ["I cannot"]), ([], ["against the rules"])],
)
def test_stream_encoder_refusal_is_said_once(parts: list[list[StreamEvent]], refusals: list[str]) -> None:
    raw = encode(answer(*parts, finish="content_filter", explanation="against the rules"), from_client())
    output = unwire(raw)[-1]["response"]["output"]
    assert [part["refusal"] for item in output for part in item["content"] if part["type"] == "refusal"] == refusals


def test_stream_encoder_call_without_arguments_has_empty_ones() -> None:
    output = unwire(encode(answer(call(0, "c", "f")), from_client()))[-1]["response"]["output"]
    assert output[0]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("parts", "finish", "statuses"),
    [
        ([call(0, "c", "f", "{}")], "tool_call", ["completed"]),
        ([call(0, "c", "f", '{"a":')], "length", ["incomplete"]),
        ([call(0, "c", "f", "{}"), call(1, "d", "f", '{"a":')], "length", ["completed", "incomplete"]),
        ([call(0, "c", "f", "{}"), text(1, "and")], "length", ["completed", "completed"]),
        ([call(0, "c", "f", '{"a":')[:-1]], "length", ["incomplete"]),
    ],
)
def test_stream_encoder_call_that_was_cut_by_length_is_not_complete(
    parts: list[list[StreamEvent]], finish: str, statuses: list[str]
) -> None:
    events = unwire(encode(answer(*parts, finish=finish), from_client()))
    for event in events:
        EVENT.validate_python(event)
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert [item["status"] for item in done] == statuses
    assert events[-1]["response"]["output"] == done


CUSTOM = from_client(tools=[{"type": "custom", "name": "patch"}])
SPAWN = {"type": "function", "name": "spawn", "parameters": {"type": "object"}, "strict": False}
GROUPED = from_client(tools=[{"type": "namespace", "name": "agents", "description": "d", "tools": [SPAWN]}])


@pytest.mark.parametrize(
    ("request_", "part", "item"),
    [
        (
            CUSTOM,
            call(0, "c", "patch", "*** ", "Begin", custom=True),
            {"type": "custom_tool_call", "name": "patch", "input": "*** Begin"},
        ),
        (
            CUSTOM,
            call(0, "c", "patch", '{"input":', '"*** Begin"}'),
            {"type": "custom_tool_call", "name": "patch", "input": "*** Begin"},
        ),
        (CUSTOM, call(0, "c", "patch", "not JSON"), {"type": "custom_tool_call", "name": "patch", "input": "not JSON"}),
        (CUSTOM, call(0, "c", "patch", '{"other": 1}'), {"type": "custom_tool_call", "name": "patch", "input": '{"other": 1}'}),
        (
            GROUPED,
            call(0, "c", "agents__spawn", "{}"),
            {"type": "function_call", "namespace": "agents", "name": "spawn", "arguments": "{}"},
        ),
    ],
)
def test_calls_return_in_the_shape_the_client_declared(
    server: ReplayServer, request_: ChatRequest, part: list[StreamEvent], item: dict[str, Any]
) -> None:
    response = read_back(server, encode(answer(part), request_))
    assert items(response) == [{"call_id": "c", **item}]


@pytest.mark.parametrize(
    ("opaque", "encrypted"),
    [(Opaque("encrypted", "gAAA"), "gAAA"), (None, None)],
)
def test_unmarked_content_of_this_dialect_is_not_sealed(opaque: Opaque | None, encrypted: str | None) -> None:
    item = unwire(encode(answer(thought(0, "hm", opaque=opaque)), from_client()))[-1]["response"]["output"][0]
    assert item.get("encrypted_content") == encrypted


def test_sealed_reasoning_comes_back_with_its_maker() -> None:
    item = unwire(encode(answer(thought(0, opaque=SIGNED)), from_client()))[-1]["response"]["output"][0]
    (message,) = from_client(input=[item]).messages
    assert message.parts[0].opaque == SIGNED  # type: ignore[union-attr]


def test_blocks_of_other_dialects_are_left_out_and_our_own_kept() -> None:
    other = [PartStarted(0, "native", native=("anthropic_messages", "server_tool_use", {})), PartFinished(0)]
    own = [
        PartStarted(1, "native", native=("openai_responses", "web_search_call", {"type": "web_search_call", "id": "ws"})),
        PartFinished(1),
    ]
    output = unwire(encode(answer(other, own, text(2, "x")), from_client()))[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["web_search_call", "message"]


def test_stream_encoder_response_repeats_the_request() -> None:
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}]
    response = unwire(encode(answer(), from_client(tools=tools, temperature=0.5, instructions="be brief", tool_choice="none")))[
        -1
    ]["response"]
    Response.model_validate(response)
    assert (response["tools"], response["temperature"], response["instructions"], response["tool_choice"]) == (
        tools,
        0.5,
        "be brief",
        "none",
    )


@pytest.mark.parametrize(("id", "kept"), [("resp_up", True), ("msg_01", False), ("", False)])
def test_stream_encoder_id_of_this_dialect_is_kept(id: str, kept: bool) -> None:
    events = unwire(encode([ResponseStarted(id, "m"), ResponseFinished("stop")], from_client()))
    ids = {event["response"]["id"] for event in events}
    assert len(ids) == 1
    assert (ids == {id}) is kept
    assert ids.pop().startswith("resp_")


def test_keep_alives_repeat_what_the_client_knows(server: ReplayServer) -> None:
    encoder = make_dialect().stream_encoder(from_client(), "p/model")
    assert encoder.keep_alive() == b": keep-alive\n\n"
    raw = encoder.send(Frame(b"", (START, PartStarted(0, "text"), PartDelta(0, "Hi"))))
    raw += encoder.keep_alive()
    raw += encoder.send(Frame(b"", (PartFinished(0), ResponseFinished("stop"))))
    assert encoder.keep_alive() == b": keep-alive\n\n"
    assert types(raw)[5] == "in_progress"
    assert [event["sequence_number"] for event in unwire(raw)] == list(range(len(unwire(raw))))
    assert read_back(server, b": keep-alive\n\n" + raw).output_text == "Hi"


@pytest.mark.parametrize("by_event", [True, False])
def test_stream_encoder_failure_ends_the_stream_once(by_event: bool) -> None:
    encoder = make_dialect().stream_encoder(from_client(), "p/model")
    raw = encoder.send(Frame(b"", (START, PartStarted(0, "text"), PartDelta(0, "par"))))
    raw += encoder.send(Frame(b"", (ResponseFailed(BROKEN),))) if by_event else encoder.fail(BROKEN)
    assert encoder.fail(BROKEN) == encoder.send(Frame(b"", (PartDelta(0, "late"), ResponseFinished("stop")))) == b""
    last = unwire(raw)[-1]
    EVENT.validate_python(last)
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {"code": "server_error", "message": "busy"}


def test_stream_encoder_failure_before_anything_else_is_still_a_stream() -> None:
    assert types(make_dialect().stream_encoder(from_client(), "m").fail(BROKEN)) == ["created", "in_progress", "failed"]


@pytest.mark.parametrize(
    "events",
    [
        answer(thought(0, "hm"), text(1, "a"), text(2, "b"), call(3, "c1", "f", "{}"), finish="tool_call"),
        answer(text(0, "no", kind="refusal"), finish="content_filter"),
        answer([PartStarted(0, "native", native=("openai_responses", "x_call", {"type": "x_call"})), PartFinished(0)]),
        answer(text(0, "cut"), finish="length"),
        answer([PartStarted(0, "text"), PartDelta(0, "s"), CitationAdded(0, Citation("u", "t", 0, 1)), PartFinished(0)]),
    ],
)
def test_stream_encoder_whole_answer_is_what_its_stream_ends_with(events: list[StreamEvent]) -> None:
    whole = make_dialect().encode_response(fold(events), from_client(), "p/model")
    assert whole == unwire(encode(events, from_client()))[-1]["response"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpstreamOverloadedError("x"), "server_error"),
        (UpstreamRateLimitError("x", code="usage_limit_reached"), "rate_limit_exceeded"),
        (UpstreamBillingError("x"), "insufficient_quota"),
        (UpstreamContextError("x"), "context_length_exceeded"),
        (UpstreamModelError("x"), "invalid_prompt"),
    ],
)
def test_failures_have_codes_that_clients_know(error: UpstreamError, code: str) -> None:
    assert unwire(make_dialect().stream_encoder(from_client(), "m").fail(error))[-1]["response"]["error"]["code"] == code

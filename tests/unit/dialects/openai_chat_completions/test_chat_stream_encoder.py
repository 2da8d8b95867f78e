"""What a Chat Completions client sees of a stream."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import Citation, Opaque
from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    FinishReason,
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
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import UpstreamConnectionError
from openclaw_oauthrouter.interfaces import StreamEncoder

DIALECT = ChatCompletions(lambda: 1_700_000_000.25)
STARTED = ResponseStarted("msg_1", "claude")


def encoder(**fields: Any) -> StreamEncoder:
    body = {"model": "auto", "messages": [{"role": "user", "content": "x"}], "stream": True, **fields}
    return DIALECT.stream_encoder(DIALECT.decode_request(body, {}), "a/claude")


def frame(*events: StreamEvent) -> Frame:
    return Frame(b"", events)


def chunks(data: bytes) -> list[Any]:
    lines = data.removesuffix(b"\n\n").split(b"\n\n") if data else []
    assert all(line.startswith(b"data: ") for line in lines)
    return [line[6:].decode() if line == b"data: [DONE]" else orjson.loads(line[6:]) for line in lines]


def deltas(data: bytes) -> list[Any]:
    return [chunk["choices"][0]["delta"] for chunk in chunks(data) if chunk != "[DONE]" and chunk.get("choices")]


def test_text_stream_whole() -> None:
    events = (
        STARTED,
        PartStarted(0, "text"),
        PartDelta(0, 'He"l'),
        PartDelta(0, "\u2028ö"),
        PartFinished(0),
        ResponseFinished("stop"),
    )
    base = {"id": "chatcmpl-msg_1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "a/claude"}
    assert chunks(encoder().send(frame(*events))) == [
        {**base, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {"content": 'He"l'}, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {"content": "\u2028ö"}, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        "[DONE]",
    ]


def test_usage_has_a_chunk_of_its_own_when_asked_for() -> None:
    usage = Usage(input_tokens=11, output_tokens=12, cache_read_input_tokens=4, reasoning_output_tokens=2)
    events = (STARTED, UsageReported(Usage(1, 1)), UsageReported(usage), ResponseFinished("stop"))
    *rest, last, done = chunks(encoder(stream_options={"include_usage": True}).send(frame(*events)))
    assert all(chunk["usage"] is None for chunk in rest)
    assert (last["choices"], done) == ([], "[DONE]")
    assert last["usage"] == {
        "prompt_tokens": 11,
        "completion_tokens": 12,
        "total_tokens": 23,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    assert not any("usage" in chunk for chunk in chunks(encoder().send(frame(*events)))[:-1])


def test_tool_calls_get_dense_indexes_and_no_arguments_become_an_empty_object() -> None:
    events = (
        STARTED,
        PartStarted(3, "tool_call", id="t1", name="f"),
        PartStarted(7, "tool_call", id="t2", name="g"),
        PartDelta(3, '{"a":'),
        PartDelta(3, "1}"),
        PartFinished(3),
        PartFinished(7),
        ResponseFinished("tool_call"),
    )
    data = encoder().send(frame(*events))
    assert deltas(data)[1:] == [
        {"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "id": "t2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]
    assert chunks(data)[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_reasoning_streams_and_its_seal_follows() -> None:
    opaque = Opaque("signature", "sig", "anthropic/me")
    events = (STARTED, PartStarted(0, "reasoning"), PartDelta(0, "be"), PartDelta(0, "cause"), PartFinished(0, opaque))
    redacted = (PartStarted(1, "reasoning"), PartFinished(1, Opaque("redacted", "data", "anthropic/me")))
    _, first, second, block, hidden = deltas(encoder().send(frame(*events, *redacted)))
    assert (first, second) == ({"reasoning_content": "be"}, {"reasoning_content": "cause"})
    [thinking] = block["thinking_blocks"]
    assert (thinking["index"], thinking["type"], thinking["thinking"]) == (0, "thinking", "because")
    assert unseal(thinking["signature"]) == opaque
    assert (hidden["thinking_blocks"][0]["index"], hidden["thinking_blocks"][0]["type"]) == (1, "redacted_thinking")


def test_native_parts_are_silent_and_citations_come_before_the_end() -> None:
    events = (
        STARTED,
        PartStarted(0, "native", native=("anthropic_messages", "server_tool_use", {})),
        PartDelta(0, "{}"),
        PartFinished(0),
        PartStarted(1, "text"),
        PartDelta(1, "Found."),
        CitationAdded(1, Citation("https://e", "E", 0, 6)),
        PartFinished(1),
        ResponseFinished("stop"),
    )
    assert deltas(encoder().send(frame(*events)))[1:] == [
        {"content": "Found."},
        {"annotations": [
            {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 6, "url": "https://e", "title": "E"}}
        ]},
        {},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("pause", "stop"),
    ],
)
def test_finish_reason(reason: FinishReason, word: str) -> None:
    assert chunks(encoder().send(frame(STARTED, ResponseFinished(reason))))[1]["choices"][0]["finish_reason"] == word


def test_explanation_is_a_refusal_unless_the_model_gave_one() -> None:
    finished = ResponseFinished("content_filter", explanation="why")
    assert {"refusal": "why"} in deltas(encoder().send(frame(STARTED, finished)))
    said = (STARTED, PartStarted(0, "refusal"), PartDelta(0, "no"), PartFinished(0), finished)
    assert deltas(encoder().send(frame(*said)))[1:] == [{"refusal": "no"}, {}]


def test_custom_tool_wrapped_upstream_is_unwrapped() -> None:
    tools = [{"type": "custom", "custom": {"name": "patch"}}]
    call = (
        PartStarted(0, "tool_call", id="t", name="patch"),
        PartDelta(0, '{"inp'),
        PartDelta(0, 'ut":"a\\nb"}'),
        PartFinished(0),
    )
    assert deltas(encoder(tools=tools).send(frame(STARTED, *call)))[1:] == [
        {"tool_calls": [{"index": 0, "id": "t", "type": "custom", "custom": {"name": "patch", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "a\nb"}}]},
    ]
    plain = (PartStarted(0, "tool_call", id="t", name="patch", custom=True), PartDelta(0, "a"), PartFinished(0))
    assert deltas(encoder(tools=tools).send(frame(STARTED, *plain)))[2] == {
        "tool_calls": [{"index": 0, "custom": {"input": "a"}}]
    }


def test_deprecated_functions_are_answered_in_kind() -> None:
    call = (PartStarted(0, "tool_call", id="t", name="f"), PartDelta(0, "{}"), PartFinished(0))
    second = (PartStarted(1, "tool_call", id="u", name="g"), PartDelta(1, "{}"), PartFinished(1))
    data = encoder(functions=[{"name": "f"}]).send(frame(STARTED, *call, *second, ResponseFinished("tool_call")))
    assert deltas(data)[1:] == [{"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": "{}"}}, {}]
    assert chunks(data)[-2]["choices"][0]["finish_reason"] == "function_call"


def test_failure_ends_the_stream_without_finish_or_done() -> None:
    stream = encoder()
    stream.send(frame(STARTED))
    failed = stream.send(frame(ResponseFailed(UpstreamConnectionError("gone"))))
    assert chunks(failed) == [
        {"error": {"message": "gone", "type": "server_error", "param": None, "code": "upstream_connection"}}
    ]
    assert stream.fail(UpstreamConnectionError("again")) == b""
    assert stream.send(frame(ResponseFinished("stop"))) == b""


def test_keep_alive_is_an_empty_delta_with_the_streams_id() -> None:
    stream = encoder()
    [early] = chunks(stream.keep_alive())
    [opening] = chunks(stream.send(frame(STARTED)))
    [between] = chunks(stream.keep_alive())
    assert early["choices"] == between["choices"] == [{"index": 0, "delta": {}, "finish_reason": None}]
    assert early["id"] == opening["id"] == between["id"]
    assert opening["choices"][0]["delta"] == {"role": "assistant", "content": ""}


def test_chat_stream_encoder_nothing_for_nothing() -> None:
    assert encoder().send(frame()) == b""

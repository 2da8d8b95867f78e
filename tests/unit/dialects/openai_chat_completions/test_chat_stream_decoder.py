"""Chat streams as providers really send them, and how they end."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import Citation, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.events import CitationAdded, FinishReason, ResponseFailed, StreamEvent
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import (
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamStatusError,
)

DONE = b"data: [DONE]\n\n"


def data(**fields: Any) -> bytes:
    return b"data: " + orjson.dumps({"id": "c1", "model": "m", **fields}) + b"\n\n"


def delta(finish_reason: str | None = None, **fields: Any) -> bytes:
    return data(choices=[{"index": 0, "delta": fields, "finish_reason": finish_reason}])


def call(arguments: str, **fields: Any) -> dict[str, Any]:
    name = {"name": fields.pop("name")} if "name" in fields else {}
    return {**fields, "function": {**name, "arguments": arguments}}


def events(*pieces: bytes) -> list[StreamEvent]:
    decoder = ChatCompletions(lambda: 0.0).stream_decoder()
    return [event for piece in pieces for event in decoder.receive(piece).events] + list(decoder.finish().events)


def fold(*pieces: bytes) -> ChatResponse:
    folded = ResponseFold()
    for event in events(*pieces):
        folded.receive(event)
    return folded.result()


def failure(*pieces: bytes) -> UpstreamError:
    last = events(*pieces)[-1]
    assert isinstance(last, ResponseFailed)
    return last.error


TEXT = delta(role="assistant", content="a")
CITED = {"type": "url_citation", "url_citation": {"url": "u", "title": "t", "start_index": 1, "end_index": 2}}


@pytest.mark.parametrize(
    ("pieces", "parts"),
    [
        pytest.param([TEXT, delta(role="assistant", content="b"), DONE], [TextPart("ab")], id="role-repeated"),
        pytest.param([data(choices=[], id="", model=""), TEXT, DONE], [TextPart("a")], id="azure-first-chunk"),
        pytest.param([b": PROCESSING\n\n", TEXT, DONE], [TextPart("a")], id="comment"),
        pytest.param(
            [delta(reasoning_content="r"), delta(content=None, reasoning_content="s"), TEXT, DONE],
            [ReasoningPart("rs"), TextPart("a")],
            id="reasoning_content",
        ),
        pytest.param([delta(reasoning="r", reasoning_content="r"), DONE], [ReasoningPart("r")], id="reasoning-said-twice"),
        pytest.param([delta(reasoning="r", content="a"), DONE], [ReasoningPart("r"), TextPart("a")], id="reasoning-and-text"),
        pytest.param(
            [delta(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "r"}]}, {"type": "text", "text": "a"}]), DONE],
            [ReasoningPart("r"), TextPart("a")],
            id="content-list",
        ),
        pytest.param(
            [delta(content=[{"type": "thinking", "thinking": []}, {"type": "image"}, {"type": "text", "text": 3}]), TEXT, DONE],
            [TextPart("a")],
            id="content-list-without-words",
        ),
        pytest.param([TEXT, b"data:\n\n", delta(content="b"), DONE], [TextPart("ab")], id="empty-data"),
        pytest.param([delta(refusal="no"), DONE], [RefusalPart("no")], id="refusal"),
        pytest.param(
            [delta(tool_calls=[call("{}", id="x", name="f")]), delta("tool_calls", tool_calls=[call(" ", name=None)]), DONE],
            [ToolCallPart("x", "f", "{} ")],
            id="call-without-index",
        ),
        pytest.param(
            [
                delta(tool_calls=[call("1", index=0, id="x", name="f")]),
                delta(tool_calls=[call("2", index=1, id="y", name="g")]),
                delta(tool_calls=[call("3", index=0)]),
                DONE,
            ],
            [ToolCallPart("x", "f", "13"), ToolCallPart("y", "g", "2")],
            id="calls-interleaved",
        ),
        pytest.param(
            [delta(tool_calls=[call("1", index=0, id="x", name="f")]), delta(tool_calls=[call("2", index=0, id="y", name="g")]), DONE],
            [ToolCallPart("x", "f", "1"), ToolCallPart("y", "g", "2")],
            id="every-call-has-index-0",
        ),
        pytest.param(
            [delta(tool_calls=[call("1", index=0, id="x")]), delta(tool_calls=[call("2", index=0, name="f")]), DONE],
            [ToolCallPart("x", "f", "12")],
            id="name-comes-late",
        ),
        pytest.param(
            [delta(tool_calls=[{"index": 0, "id": "x", "type": "custom", "custom": {"name": "c", "input": "free"}}]), DONE],
            [ToolCallPart("x", "c", "free", custom=True)],
            id="custom-call",
        ),
        pytest.param(
            [delta(function_call={"name": "f", "arguments": ""}), delta(function_call={"arguments": "{}"}), DONE],
            [ToolCallPart("call_c1_0", "f", "{}")],
            id="deprecated-function-call",
        ),
        pytest.param(
            [TEXT, delta(annotations=[{"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}]), DONE],
            [TextPart("a", citations=(Citation("u", "t"),))],
            id="annotations",
        ),
        pytest.param(
            [delta(annotations=[CITED]), delta(reasoning="r"), TEXT, delta(content="b"), DONE],
            [ReasoningPart("r"), TextPart("ab", citations=(Citation("u", "t", 1, 2),))],
            id="annotations-before-the-text",
        ),
        pytest.param(
            [delta(content="a", tool_calls=[call("{}", index=0, id="x", name="f")], annotations=[CITED]), DONE],
            [TextPart("a", citations=(Citation("u", "t", 1, 2),)), ToolCallPart("x", "f", "{}")],
            id="annotations-beside-a-call",
        ),
        pytest.param(
            [TEXT, delta(annotations=[{"url_citation": {"url": "u", "title": ["t"], "start_index": "x", "end_index": -1}}]), DONE],
            [TextPart("a", citations=(Citation("u"),))],
            id="annotations-of-odd-types",
        ),
        pytest.param(
            [delta(tool_calls=[{**call("{}", index=0, id="x", name="f"), "custom": None}]), DONE],
            [ToolCallPart("x", "f", "{}")],
            id="call-beside-null-custom",
        ),
        pytest.param(
            [data(choices=[{"index": 1, "delta": {"content": "other"}}, {"index": 0, "delta": {"content": "a"}}]), DONE],
            [TextPart("a")],
            id="second-choice-ignored",
        ),
    ],
)  # fmt: skip
def test_parts(pieces: list[bytes], parts: list[Part]) -> None:
    assert list(fold(*pieces).parts) == parts


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        pytest.param([TEXT, delta("stop"), DONE], "stop", id="stop"),
        pytest.param([TEXT, delta("length")], "length", id="no-done"),
        pytest.param([TEXT, delta("tool_calls"), delta("tool_calls"), DONE], "stop", id="calls-announced-and-none-made"),
        pytest.param([TEXT, delta("length"), delta("length"), DONE], "length", id="said-twice"),
        pytest.param([delta("content_filter"), DONE], "content_filter", id="nothing-said"),
        pytest.param([TEXT, DONE], "stop", id="none-text"),
        pytest.param([delta(tool_calls=[call("{}", index=0, id="x", name="f")]), DONE], "tool_call", id="none-call"),
        pytest.param(
            [delta(tool_calls=[call("{}", index=0, id="x", name="f")]), delta("stop"), DONE], "tool_call", id="demanded-call"
        ),
        pytest.param([delta(tool_calls=[call("{", index=0, id="x", name="f")]), delta("length"), DONE], "length", id="cut-call"),
        pytest.param([TEXT, delta("model_length"), DONE], "length", id="mistral-full-window"),
        pytest.param([TEXT, delta("eos"), DONE], "stop", id="unknown-word"),
        pytest.param([TEXT, delta("stop"), b"data: [DONE]"], "stop", id="no-last-blank-line"),
    ],
)
def test_finish_reason(pieces: list[bytes], reason: FinishReason) -> None:
    assert fold(*pieces).finish_reason == reason


USAGE = {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14}


@pytest.mark.parametrize(
    ("pieces", "usage"),
    [
        pytest.param([TEXT, delta("stop"), data(choices=[], usage=USAGE), DONE], Usage(10, 4), id="own-chunk"),
        pytest.param([data(choices=[{"index": 0, "delta": {"content": "a"}}], usage=USAGE), DONE], Usage(10, 4), id="with-choices"),
        pytest.param([TEXT, data(choices=[], x_groq={"usage": USAGE}), DONE], Usage(10, 4), id="groq"),
        pytest.param([data(choices=[{"index": 0, "delta": {"content": "a"}, "usage": USAGE}]), DONE], Usage(10, 4), id="in-choice"),
        pytest.param(
            [TEXT, data(choices=[], service_tier="flex", usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2}}), DONE],
            Usage(10, 4, cache_read_input_tokens=3, cache_creation_input_tokens=2, service_tier="flex"),
            id="cache-and-tier",
        ),
        pytest.param([TEXT, data(choices=[], usage={**USAGE, "prompt_cache_hit_tokens": 3}), DONE], Usage(10, 4, 3), id="deepseek-cache"),
        pytest.param(
            [TEXT, data(choices=[], usage={**USAGE, "total_tokens": 20, "completion_tokens_details": {"reasoning_tokens": 6}}), DONE],
            Usage(10, 10, reasoning_output_tokens=6),
            id="reasoning-counted-beside",
        ),
        pytest.param([TEXT, data(choices=[], usage={"prompt_tokens": None}), DONE], Usage(), id="nulls"),
    ],
)  # fmt: skip
def test_usage(pieces: list[bytes], usage: Usage) -> None:
    assert fold(*pieces).usage == usage


@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        pytest.param([TEXT], UpstreamConnectionError, id="cut-short"),
        pytest.param([], UpstreamConnectionError, id="nothing-at-all"),
        pytest.param([DONE], UpstreamProtocolError, id="done-without-answer"),
        pytest.param([TEXT, b"data: {oops\n\n"], UpstreamProtocolError, id="broken-json"),
        pytest.param([TEXT, b"data: [1]\n\n"], UpstreamProtocolError, id="not-an-object"),
        pytest.param([TEXT, data(choices=["x"])], UpstreamProtocolError, id="choice-is-not-an-object"),
        pytest.param([TEXT, delta(refusal=True)], UpstreamProtocolError, id="refusal-is-not-a-string"),
        pytest.param([delta(tool_calls=[call("{}", index=0, name=[[]])])], UpstreamProtocolError, id="name-is-not-a-string"),
        pytest.param(
            [delta(tool_calls=[call("{}", index=0)]), delta("tool_calls"), DONE], UpstreamProtocolError, id="nameless-call"
        ),
        pytest.param(
            [delta(tool_calls=[call("{}", index=0)]), delta("tool_calls")], UpstreamConnectionError, id="nameless-no-done"
        ),
        pytest.param([TEXT, data(error={"message": "m", "code": "insufficient_quota"})], UpstreamBillingError, id="quota"),
        pytest.param(
            [TEXT, data(error={"message": "m", "code": 429}, choices=[{}])], UpstreamRateLimitError, id="status-as-code"
        ),
        pytest.param(
            [TEXT, data(choices=[{"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "m", "code": 429}}])],
            UpstreamRateLimitError,
            id="finish-reason-error",
        ),
        pytest.param([TEXT, b'event: error\ndata: {"message":"m"}\n\n'], UpstreamStatusError, id="error-event"),
        pytest.param([TEXT, b'data: {"error":"text"}\n\n'], UpstreamStatusError, id="error-is-text"),
    ],
)
def test_failure(pieces: list[bytes], kind: type[UpstreamError]) -> None:
    assert type(failure(*pieces)) is kind


def test_chat_stream_decoder_nothing_counts_after_the_end() -> None:
    assert fold(TEXT, delta("stop"), DONE, delta(content="late")).parts == (TextPart("a"),)


def test_chat_stream_decoder_failing_event_is_not_relayed() -> None:
    decoder = ChatCompletions(lambda: 0.0).stream_decoder()
    frame = decoder.receive(TEXT + data(error={"message": "m"}))
    assert frame.raw == TEXT


def test_chat_stream_decoder_source_named_after_its_text_has_closed_is_no_event_of_a_closed_part() -> None:
    pieces = (TEXT, delta(tool_calls=[call("{}", index=0, id="x", name="f")]), delta("tool_calls", annotations=[CITED]), DONE)
    assert not [event for event in events(*pieces) if isinstance(event, CitationAdded)]
    assert fold(*pieces, delta(content="late")).parts == (TextPart("a"), ToolCallPart("x", "f", "{}"))


def test_chat_stream_decoder_service_tier_that_is_no_word_is_none() -> None:
    assert fold(TEXT, data(choices=[], service_tier=[[]], usage=USAGE), DONE).usage == Usage(10, 4)

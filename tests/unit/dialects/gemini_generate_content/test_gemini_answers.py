"""Gemini's answers and refusals as canonical events and errors, whole and streamed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from openclaw_oauthrouter import errors
from openclaw_oauthrouter.canonical.content import Citation, NativePart, Opaque, Part, ReasoningPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.events import ResponseFailed, StreamEvent
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.gemini_generate_content import GeminiGenerateContent

DIALECT = GeminiGenerateContent(lambda: 1_700_000_000.0)
SIGNATURE = Opaque("thought_signature", "SIG")
USAGE = {
    "promptTokenCount": 20,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 7,
    "cachedContentTokenCount": 8,
    "toolUsePromptTokenCount": 3,
    "totalTokenCount": 35,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 14}, {"modality": "AUDIO", "tokenCount": 6}],
}


def chunk(*parts: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    candidate = {"index": 0, "content": {"role": "model", "parts": list(parts)}, **more}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-3.8-flash"}


def events(*chunks: dict[str, Any]) -> list[StreamEvent]:
    decoder = DIALECT.stream_decoder()
    raw = b"".join(b"data: " + orjson.dumps(chunk) + b"\r\n\r\n" for chunk in chunks)
    return [*decoder.receive(raw).events, *decoder.finish().events]


def fold(found: Any) -> ChatResponse:
    folded = ResponseFold()
    for event in found:
        folded.receive(event)
    return folded.result()


def whole(*parts: dict[str, Any], reason: str = "STOP", **more: Any) -> ChatResponse:
    return fold(DIALECT.decode_response(chunk(*parts, reason=reason, **more)))


CALL = {"functionCall": {"name": "f", "args": {"a": 1}}}


@pytest.mark.parametrize(
    ("chunks", "parts"),
    [
        pytest.param([chunk({"text": "a"}), chunk({"text": "b"})], [TextPart("ab")], id="text"),
        pytest.param([chunk({"text": "h", "thought": True}), chunk({"text": "m", "thought": True}), chunk({"text": "a"})], [ReasoningPart("hm"), TextPart("a")], id="thoughts"),
        pytest.param([chunk({"text": "hm", "thought": True, "thoughtSignature": "SIG"})], [ReasoningPart("hm", SIGNATURE)], id="signed-thought"),
        pytest.param([chunk({"text": "a", "thoughtSignature": "SIG"}), chunk({"text": "b"})], [TextPart("a", opaque=SIGNATURE), TextPart("b")], id="signed-text"),
        pytest.param([chunk({"text": "a"}), chunk({"text": "", "thoughtSignature": "SIG"})], [TextPart("a", opaque=Opaque("thought_signature", "SIG", item_id="after"))], id="signature-behind-text"),
        pytest.param([chunk({"text": ""}), chunk({"text": "a"})], [TextPart("a")], id="empty-text"),
        pytest.param([chunk({**CALL, "thoughtSignature": "SIG"}, CALL)], [ToolCallPart("call_r1_1", "f", '{"a":1}', opaque=SIGNATURE), ToolCallPart("call_r1_2", "f", '{"a":1}')], id="parallel-calls"),
        pytest.param([chunk({"functionCall": {"id": "x", "name": "f"}}), chunk({"functionCall": {"id": "x", "name": "g"}})], [ToolCallPart("x", "f", "{}"), ToolCallPart("x_2", "g", "{}")], id="one-id-twice"),
        pytest.param([chunk({"executableCode": {"language": "PYTHON", "code": "1"}})], [NativePart(DIALECT.name, "executableCode", {"executableCode": {"language": "PYTHON", "code": "1"}})], id="code"),
    ],
)  # fmt: skip
def test_parts(chunks: list[dict[str, Any]], parts: list[Part]) -> None:
    assert list(fold(events(*chunks, chunk(reason="STOP"))).parts) == parts


@pytest.mark.parametrize(
    ("reason", "parts", "finish"),
    [
        ("STOP", [{"text": "a"}], "stop"),
        ("STOP", [CALL], "tool_call"),
        ("MAX_TOKENS", [CALL], "length"),
        ("SAFETY", [{"text": "a"}], "content_filter"),
        ("RECITATION", [], "content_filter"),
        ("OTHER", [{"text": "a"}], "stop"),
    ],
)
def test_finish_reason(reason: str, parts: list[dict[str, Any]], finish: str) -> None:
    response = whole(*parts, reason=reason)
    assert response.finish_reason == finish
    assert (response.explanation is not None) == (finish == "content_filter")


def test_blocked_prompt_is_a_refusal_with_its_reason() -> None:
    for found in (
        events({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}),
        DIALECT.decode_response({"promptFeedback": {"blockReason": "SAFETY"}}),
    ):
        response = fold(found)
        assert (response.finish_reason, response.parts) == ("content_filter", ())
        assert response.explanation == "the provider blocked the prompt: SAFETY"


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"])
def test_answer_that_is_none_is_a_failure(reason: str) -> None:
    with pytest.raises(errors.UpstreamProtocolError, match=reason):
        whole(reason=reason)
    last = events(chunk({"text": "a"}), chunk(reason=reason))[-1]
    assert isinstance(last, ResponseFailed)


def test_stream_cut_short_is_a_failure() -> None:
    last = events(chunk({"text": "a"}))[-1]
    assert isinstance(last, ResponseFailed)
    assert isinstance(last.error, errors.UpstreamConnectionError)


def test_usage_counts_thoughts_and_what_tools_brought() -> None:
    found = fold(events(chunk({"text": "a"}), {**chunk(reason="STOP"), "usageMetadata": USAGE}))
    assert found.usage == Usage(
        input_tokens=23, output_tokens=12, cache_read_input_tokens=8, reasoning_output_tokens=7, input_audio_tokens=6
    )


def test_sources_become_citations_with_offsets_in_characters() -> None:
    grounding = {
        "webSearchQueries": ["q"],
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"web": {"uri": "https://b"}}, {"web": {}}],
        "groundingSupports": [{"segment": {"startIndex": 3, "endIndex": 8}, "groundingChunkIndices": [0, 7]}],
    }
    found = fold(
        events(
            chunk({"text": "äöü"}),
            chunk({"text": "xyz"}),
            {**chunk(reason="STOP", groundingMetadata=grounding), "usageMetadata": USAGE},
        )
    )
    text, search = found.parts
    assert isinstance(search, NativePart)
    assert search.search is not None
    assert (search.search.query, [hit.url for hit in search.search.hits or ()]) == ("q", ["https://a", "https://b"])
    assert isinstance(text, TextPart)
    assert text.citations == (Citation("https://a", "A", 1, 5), Citation("https://b"))
    assert found.usage.web_search_requests == 1


def test_pages_that_were_read_become_citations() -> None:
    pages = [
        {"retrievedUrl": "https://a", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"},
        {"retrievedUrl": "https://b", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_ERROR"},
    ]
    [text] = whole({"text": "a"}, urlContextMetadata={"urlMetadata": pages}).parts
    assert text == TextPart("a", citations=(Citation("https://a"),))


@pytest.mark.parametrize(
    ("status", "body", "kind", "retry_after"),
    [
        (400, {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [{"@type": "x/ErrorInfo", "reason": "API_KEY_INVALID"}]}}, errors.UpstreamAuthenticationError, None),
        (429, {"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "x/RetryInfo", "retryDelay": "13.5s"}]}}, errors.UpstreamRateLimitError, 13.5),
        (503, {"error": {"code": 503, "message": "The model is overloaded. Please try again later.", "status": "UNAVAILABLE"}}, errors.UpstreamOverloadedError, None),
        (404, [{"error": {"code": 404, "message": "models/gemini-9 is not found for API version v1beta", "status": "NOT_FOUND"}}], errors.UpstreamModelError, None),
        (400, {"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "status": "INVALID_ARGUMENT"}}, errors.UpstreamContextError, None),
    ],
)  # fmt: skip
def test_refusal(status: int, body: Any, kind: type[errors.UpstreamError], retry_after: float | None) -> None:
    error = DIALECT.decode_error(status, {}, orjson.dumps(body))
    assert type(error) is kind
    assert retry_after is None or error.retry_after == retry_after


def test_refusal_that_is_no_json_is_read_too() -> None:
    assert DIALECT.decode_error(502, {}, b"<html><title>Bad Gateway</title></html>").upstream_status == 502
    assert DIALECT.decode_error(500, {}, b"").upstream_status == 500


def test_refusal_within_a_stream_is_its_end() -> None:
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    for last in (events(error)[-1], events(chunk({"text": "a"}), error)[-1]):
        assert isinstance(last, ResponseFailed)
        assert isinstance(last.error, errors.UpstreamOverloadedError)
    with pytest.raises(errors.UpstreamOverloadedError):
        DIALECT.decode_response(error)


@pytest.mark.parametrize(
    "broken",
    [
        {"candidates": 3},
        {"candidates": [{"content": {"parts": [{"functionCall": {}}]}}]},
        {"candidates": [{"content": {"parts": [{"text": 1}]}}]},
    ],
)
def test_broken_answer_is_the_provider_s_fault(broken: dict[str, Any]) -> None:
    with pytest.raises(errors.UpstreamProtocolError):
        DIALECT.decode_response(broken)
    assert isinstance(events(broken)[-1], ResponseFailed)

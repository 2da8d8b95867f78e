"""Every recorded Responses stream, judged by the official SDK: read by us as it reads it, and written by us so that it reads the same."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, OpenAI
from openai.types.responses import Response

from openclaw_oauthrouter.canonical.content import ReasoningPart, TextPart, ToolCallPart
from openclaw_oauthrouter.canonical.events import ResponseFailed
from openclaw_oauthrouter.canonical.response import ChatResponse
from openclaw_oauthrouter.errors import UpstreamBillingError, UpstreamStatusError
from tests.support.recordings import recorded_body, recordings
from tests.support.replay import JSON, ReplayServer
from tests.support.responses import decode, encode, fold, from_client, make_dialect

_END = re.compile(rb"event: response\.(?:completed|incomplete|failed)\r?\n.*?\n\r?\n", re.DOTALL)

SDK_REFUSES = {
    "vercel__github-copilot-id-rotation.1": "ids change between the events of one answer, which the SDK's accumulator forbids",
    "vercel__openai-client-tool-search.1": "an item's id changes between its own event and the final list",
}
"""Streams the oracle cannot read; ours must still make sense of them."""

CONTRADICTORY = {
    "vercel__openai-shell-container.1": "the recording's deltas spell another text than its final list",
}
"""Streams that say two different things; we believe the deltas, the SDK the final list."""

FAILING = {"vercel__openai-error.1"}


class Oracle:
    """The official SDK, reading what it is given over a loopback connection."""

    def __init__(self, server: ReplayServer, openai: OpenAI) -> None:
        self._server = server
        self._openai = openai

    def read_stream(self, raw: bytes) -> Response:
        with (
            self._server.answering(raw),
            self._openai.responses.stream(model="m", input="x") as stream,
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)
            return stream.get_final_response()

    def read_whole(self, body: dict[str, Any]) -> Response:
        with self._server.answering(json.dumps(body).encode(), JSON):
            return self._openai.responses.create(model="m", input="x")


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with ReplayServer() as server, OpenAI(base_url=server.url, api_key="x", max_retries=0) as openai:
        yield Oracle(server, openai)


def name_of(path: Path) -> str:
    return path.name.removesuffix(".sse")


def first_answer(path: Path) -> bytes:
    """Some recordings hold several answers one after the other."""
    raw = path.read_bytes()
    end = _END.search(raw)
    return raw[: end.end()] if end else raw


def by_sdk(response: Response) -> dict[str, Any]:
    reasoning = [
        "\n\n".join(piece.text for piece in [*item.summary, *(item.content or [])])
        for item in response.output
        if item.type == "reasoning"
    ]
    calls = [
        (item.call_id, item.name, item.arguments if item.type == "function_call" else item.input)
        for item in response.output
        if item.type in ("function_call", "custom_tool_call")
    ]
    usage = response.usage
    return {
        "text": response.output_text,
        "calls": calls,
        "reasoning": [text for text in reasoning if text],
        "usage": usage and (usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens),
    }


def by_us(answer: ChatResponse) -> dict[str, Any]:
    usage = answer.usage
    return {
        "text": "".join(part.text for part in answer.parts if isinstance(part, TextPart)),
        "calls": [(part.id, part.name, part.arguments) for part in answer.parts if isinstance(part, ToolCallPart)],
        "reasoning": [part.text for part in answer.parts if isinstance(part, ReasoningPart) and part.text],
        "usage": (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens),
    }


STREAMS = recordings("openai-responses", ".sse")


@pytest.mark.parametrize("path", STREAMS)
def test_we_read_what_the_sdk_reads(path: Path, oracle: Oracle) -> None:
    name, raw = name_of(path), first_answer(path)
    if name in FAILING:
        last = decode(raw)[-1]
        assert isinstance(last, ResponseFailed)
        assert isinstance(last.error, UpstreamBillingError)
        with pytest.raises(APIError):
            oracle.read_stream(raw)
        return
    ours = by_us(fold(decode(raw)))
    assert ours["text"] or ours["calls"] or ours["reasoning"] or "search" in name or "shell" in name
    if name in SDK_REFUSES:
        with pytest.raises(RuntimeError, match="identity changed"):
            oracle.read_stream(raw)
        return
    theirs = by_sdk(oracle.read_stream(raw))
    if name in CONTRADICTORY:
        assert ours.pop("text") != theirs.pop("text")
    assert ours == theirs


@pytest.mark.parametrize("path", [stream for stream in STREAMS if stream.id not in FAILING])
def test_responses_recordings_sdk_reads_what_we_write(path: Path, oracle: Oracle) -> None:
    events = decode(first_answer(path))
    streamed = oracle.read_stream(encode(events, from_client()))
    whole = oracle.read_whole(make_dialect().encode_response(fold(events), from_client(), "m"))
    assert by_sdk(streamed) == by_sdk(whole) == by_us(fold(events))


@pytest.mark.parametrize("path", recordings("openai-responses", ".exchange.json"))
def test_responses_recordings_whole_answers(path: Path, oracle: Oracle) -> None:
    exchange = json.loads(path.read_text())
    if exchange["status"] != 200:
        error = make_dialect().decode_error(exchange["status"], {}, json.dumps(exchange["response"]).encode())
        assert error.upstream_status == exchange["status"]
        assert recorded_body(exchange["response"])["error"]["message"] == error.message
        return
    body = recorded_body(exchange["response"])
    if body["status"] in ("queued", "in_progress"):
        with pytest.raises(UpstreamStatusError, match=body["status"]):
            make_dialect().decode_response(body)
        return
    answer = fold(make_dialect().decode_response(body))
    assert by_us(answer) == by_sdk(oracle.read_whole(body))

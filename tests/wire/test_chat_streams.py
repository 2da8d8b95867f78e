"""Recorded Chat streams of many providers: decoded and encoded again they must say to the SDK what the original says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI

from openclaw_oauthrouter.errors import UpstreamError
from tests.support.recordings import recorded_body, recordings
from tests.support.replay import ReplayServer
from tests.wire import through_chat
from tests.wire.chat_sdk import Answer, read_chat_completion, read_chat_stream
from tests.wire.through_chat import CHAT, REQUEST, whole

STREAMS = recordings("openai-chat", ".sse")
PATHS = [param.values[0] for param in STREAMS]


translate = partial(through_chat.translate, CHAT)
decoded = partial(through_chat.decoded, CHAT)


def _said_by_the_call(original: Answer) -> Answer:
    """The provider gives no finish reason at all; that there is a call says what it was."""
    return replace(original, finish_reason="tool_calls")


def _reasoning_within(original: Answer) -> Answer:
    """xAI counts reasoning beside the answer; the rest of the world, and we, count it within."""
    assert original.usage
    prompt, completion, cached, written, reasoning = original.usage
    return replace(original, usage=(prompt, completion + reasoning, cached, written, reasoning))


MENDED: dict[str, Callable[[Answer], Answer]] = {
    "llm__test_tools_streaming_variant_b-0": _said_by_the_call,
    "vercel__xai-text-2": _reasoning_within,
    "vercel__xai-tool-call": _reasoning_within,
}
"""Recordings whose answer reads differently after us, and what differs."""

UNREADABLE: dict[str, Answer] = {
    # ``content`` is a list of blocks.
    "vercel__mistral-reasoning": Answer(
        content="2 + 2 = 4",
        reasoning="The user is asking for 2+2. This is basic arithmetic. 2+2=4.",
        refusal="",
        tool_calls=(),
        finish_reason="stop",
        usage=(10, 46, 0, 0, 0),
    ),
    # A tool call without index.
    "vercel__mistral-tool-call": Answer(
        content="",
        reasoning="",
        refusal="",
        tool_calls=(("gSIMJiOkT", "weather", '{"location": "San Francisco"}'),),
        finish_reason="tool_calls",
        usage=(124, 22, 0, 0, 0),
    ),
}
"""Recordings the SDK cannot accumulate as they are, and what it makes of them after us."""


def original_answer(path: Path, wire: bytes, replay: ReplayServer, client: OpenAI) -> Answer:
    """What the SDK makes of a recording, put right where that needs an explanation.

    :raises openai.APIError: the provider reports an error in the stream
    """
    if path.stem in UNREADABLE:
        return UNREADABLE[path.stem]
    answer = read_chat_stream(wire, replay, client)
    mend = MENDED.get(path.stem)
    return mend(answer) if mend else answer


@pytest.mark.parametrize("path", STREAMS)
def test_stream(path: Path, replay: ReplayServer, openai_client: OpenAI) -> None:
    wire = path.read_bytes()
    try:
        original = original_answer(path, wire, replay, openai_client)
    except openai.APIError as error:
        with pytest.raises(openai.APIError, match=re.escape(error.message)):
            read_chat_stream(translate(wire), replay, openai_client)
        return
    answer = read_chat_stream(translate(wire), replay, openai_client)
    assert answer == original
    assert answer == whole(decoded(wire))


@pytest.mark.parametrize("path", STREAMS)
def test_relay_changes_no_byte(path: Path) -> None:
    wire = path.read_bytes()
    decoder, relay = CHAT.stream_decoder(), CHAT.relay_encoder(REQUEST, {"no such tool": "x"})
    pieces = [wire[at : at + 97] for at in range(0, len(wire), 97)]
    out = b"".join(relay.send(frame) for frame in (*map(decoder.receive, pieces), decoder.finish()))
    kept, _, error = out.partition(b'data: {"error":{')
    assert wire.startswith(kept)
    assert kept == wire or error


@pytest.mark.parametrize("path", recordings("openai-chat", ".exchange.json"))
def test_chat_streams_whole_answer(path: Path) -> None:
    body = recorded_body(json.loads(path.read_text("utf-8"))["response"])
    if body.get("error"):
        with pytest.raises(UpstreamError):
            CHAT.decode_response(body)
        return
    answer, original = whole(list(CHAT.decode_response(body))), read_chat_completion(body)
    assert answer == replace(original, finish_reason=original.finish_reason or "stop")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), sizes=st.lists(st.integers(1, 400), min_size=1, max_size=8), crlf=st.booleans())
def test_network_pieces_and_line_endings_do_not_matter(path: Path, sizes: list[int], crlf: bool) -> None:
    if not path.name:
        pytest.skip("needs the recordings")
    wire = path.read_bytes()
    assert translate(wire.replace(b"\n", b"\r\n") if crlf else wire, sizes) == translate(wire)

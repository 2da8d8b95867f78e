"""A whole answer says to a Chat client what the stream of it says, for any answer."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import (
    Citation,
    NativePart,
    Opaque,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)
from openclaw_oauthrouter.canonical.events import Frame
from openclaw_oauthrouter.canonical.request import ChatRequest, Reasoning, Tool
from openclaw_oauthrouter.canonical.response import ChatResponse, unfold
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions

DIALECT = ChatCompletions(lambda: 0.0)
REQUEST = ChatRequest(
    DIALECT.name, "m", (), include_usage=True, reasoning=Reasoning(effort="low"), tools=(Tool("patch", custom=True),)
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
sealed = st.none() | st.builds(Opaque, st.sampled_from(["signature", "redacted", "thought_signature"]), words.filter(bool), words)
citations = st.lists(st.builds(Citation, words, words), max_size=2).map(tuple)
calls = st.builds(
    ToolCallPart,
    st.uuids().map(str),
    st.sampled_from(["f", "patch"]),
    st.sampled_from(['{"a":1}', "{}", '{"input":"x"}', ""]),
    opaque=sealed,
)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, words, citations=citations, opaque=sealed),
    st.builds(ReasoningPart, words, sealed),
    st.builds(RefusalPart, words),
    st.builds(NativePart, st.just("x"), st.just("y"), st.just({})),
    calls,
)
responses = st.builds(
    ChatResponse,
    id=words,
    model=words,
    parts=st.lists(parts, max_size=6).map(tuple),
    finish_reason=st.sampled_from(["stop", "length", "tool_call", "content_filter", "pause"]),
    usage=st.builds(Usage, st.integers(0, 99), st.integers(0, 99)),
    explanation=st.none() | words,
)


@given(responses)
@example(ChatResponse('"', 'a"', (TextPart("0"),), "stop", Usage()))
def test_chat_whole_and_stream_whole_answer_is_the_stream_joined(response: ChatResponse) -> None:
    whole = DIALECT.encode_response(response, REQUEST, "m")
    raw = DIALECT.stream_encoder(REQUEST, "m").send(Frame(b"", tuple(unfold(response))))
    chunks = [orjson.loads(line[6:]) for line in raw.split(b"\n\n") if line.startswith(b"data: {")]
    [last] = {choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]} - {None}
    message: dict[str, Any] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            _join(message, choice["delta"])
    for entry in (*message.get("tool_calls", ()), *message.get("thinking_blocks", ())):
        del entry["index"]
    said = whole["choices"][0]
    assert said["finish_reason"] == last
    assert {key: value for key, value in said["message"].items() if value} == {
        key: value for key, value in message.items() if value
    }
    assert whole["usage"] == chunks[-1]["usage"]


def _join(held: dict[str, Any], delta: dict[str, Any]) -> None:
    """As a client's SDK does."""
    for key, value in delta.items():
        before = held.get(key)
        if isinstance(value, str) and isinstance(before, str):
            held[key] = before + value
        elif isinstance(value, dict) and isinstance(before, dict):
            _join(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            for entry in value:
                if entry["index"] < len(before):
                    _join(before[entry["index"]], {name: more for name, more in entry.items() if name != "index"})
                else:
                    before.append(entry)
        else:
            held[key] = value

"""Whatever a body, stream or answer of OpenAI's dialects holds in one place, a translation or an error of ours comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.content import Citation
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
)
from openclaw_oauthrouter.canonical.request import ChatRequest, Tool
from openclaw_oauthrouter.canonical.response import ResponseFold, rename_tool
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.errors import OAuthRouterError, UpstreamError
from openclaw_oauthrouter.interfaces import Dialect
from tests.support.odd_json import mutations

Json = dict[str, Any]

CHAT = ChatCompletions(lambda: 0.0)
RESPONSES = OpenAIResponses(lambda: 0.0, lambda: "id")
MESSAGES = AnthropicMessages(lambda: 0.0)
DIALECTS: tuple[Dialect, ...] = (CHAT, RESPONSES, MESSAGES)
CARDS = {
    CHAT.name: [ModelInfo("p", "gpt-5.4")],
    RESPONSES.name: [ModelInfo("p", "gpt-5.4")],
    MESSAGES.name: [ModelInfo("p", "claude-haiku-4-5"), ModelInfo("p", "claude-opus-4-7")],
}
NAMES = {"f": "the client's own f"}

PIXEL = "data:image/png;base64,AAAA"
PAPER = "data:application/pdf;base64,AAAA"
MARK = {"type": "ephemeral", "ttl": "1h"}
SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": ["string", "null"], "format": "date", "enum": ["x"]},
        "b": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "c": {"anyOf": [{"type": "string"}], "$defs": {"d": {"type": "string"}}},
    },
    "required": ["a"],
    "additionalProperties": False,
}
SEARCH = {"type": "web_search", "filters": {"allowed_domains": ["a"]}, "user_location": {"type": "approximate", "city": "Rome"}}

ASK: Json = {"role": "user", "content": "go"}
BLOCKS = [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "redacted_thinking", "data": "d"}]
CHAT_BODY: Json = {
    "model": "auto",
    "messages": [
        {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": MARK}], "thinking_blocks": BLOCKS},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                {"type": "image_url", "image_url": {"url": PIXEL, "detail": "auto"}},
                {"type": "file", "file": {"file_data": PAPER, "filename": "f"}},
            ],
        },
        {
            "role": "assistant",
            "content": "hi",
            "refusal": "no",
            "reasoning_content": "r",
            "thinking_blocks": BLOCKS,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "cache_control": MARK},
                {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
            ],
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": PIXEL}}],
        },
        {"role": "tool", "tool_call_id": "c2", "content": "x", "cache_control": MARK},
        ASK,
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "strict": True, "parameters": SCHEMA},
            "cache_control": MARK,
        },
        {"type": "custom", "custom": {"name": "g", "description": "d", "format": {"type": "text"}}},
        SEARCH,
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]},
    },
    "parallel_tool_calls": True,
    "max_completion_tokens": 4000,
    "max_tokens": 4000,
    "temperature": 1,
    "top_p": 1,
    "top_k": 3,
    "stop": ["a"],
    "stream": True,
    "stream_options": {"include_usage": True},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "description": "d", "strict": True, "schema": SCHEMA},
    },
    "reasoning_effort": "high",
    "verbosity": "low",
    "user": "u",
    "safety_identifier": "s",
    "service_tier": "auto",
    "prompt_cache_key": "k",
    "logprobs": True,
    "n": 1,
    "modalities": ["text"],
    "metadata": {"user_id": "u"},
    "store": True,
}
# Other ways of saying it, and what not every provider takes, which would keep the rest from being written for it.
CHAT_BODIES: list[Json] = [
    CHAT_BODY,
    {
        "model": "auto",
        "messages": [
            ASK,
            {"role": "assistant", "content": None, "function_call": {"name": "h", "arguments": "{}"}},
            {"role": "function", "name": "h", "content": "x"},
        ],
        "functions": [{"name": "h", "description": "d", "parameters": {"type": "object"}}],
        "function_call": {"name": "h"},
        "reasoning": {"effort": "low", "max_tokens": 2000, "enabled": True},
    },
    {
        "model": "auto",
        "messages": [ASK],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    },
    {"model": "auto", "messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
    {"model": "auto", "messages": [{"role": "user", "content": [{"type": "video_url", "video_url": {"url": "x"}}]}]},
    {
        "model": "auto",
        "messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"format": "wav", "data": "AAAA"}}]}],
    },
]

RESPONSES_BODY: Json = {
    "model": "auto",
    "instructions": "i",
    "input": [
        {"type": "message", "role": "developer", "content": "d"},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "x"},
                {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
                {"type": "input_file", "filename": "f", "file_data": PAPER},
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "t"}],
            "content": [{"type": "reasoning_text", "text": "t"}],
            "encrypted_content": "e",
        },
        {
            "type": "message",
            "id": "m",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "x", "annotations": []}, {"type": "refusal", "refusal": "no"}],
        },
        {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": "{}", "namespace": "ns"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
        {"type": "web_search_call", "id": "w", "status": "completed"},
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "x"}]},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "x"},
        {"role": "user", "content": "go"},
    ],
    "tools": [
        {"type": "function", "name": "f", "description": "d", "parameters": SCHEMA, "strict": True},
        {"type": "custom", "name": "g", "description": "d", "format": {"type": "text"}},
        {
            "type": "namespace",
            "name": "ns",
            "tools": [{"type": "function", "name": "f", "parameters": {}, "description": "d"}],
        },
        SEARCH,
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "f", "namespace": "ns"}],
    },
    "parallel_tool_calls": True,
    "max_output_tokens": 4000,
    "temperature": 1,
    "top_p": 1,
    "stream": True,
    "text": {
        "format": {"type": "json_schema", "name": "n", "description": "d", "strict": True, "schema": SCHEMA},
        "verbosity": "low",
    },
    "reasoning": {"effort": "low", "summary": "auto", "generate_summary": "auto"},
    "user": "u",
    "service_tier": "auto",
    "prompt_cache_key": "k",
    "include": ["message.output_text.logprobs"],
    "store": False,
    "metadata": {},
    "truncation": "auto",
}
RESPONSES_BODIES: list[Json] = [
    RESPONSES_BODY,
    {"model": "auto", "input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
    {"model": "auto", "input": [{"role": "user", "content": [{"type": "input_file", "file_url": "https://a.example"}]}]},
    {
        "model": "auto",
        "input": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"format": "wav", "data": "AAAA"}}]}],
    },
]


@pytest.mark.parametrize("target", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize(("source", "bodies"), [(CHAT, CHAT_BODIES), (RESPONSES, RESPONSES_BODIES)], ids=["chat", "responses"])
def test_odd_openai_json_clients_body_with_one_odd_value(source: Dialect, bodies: list[Json], target: Dialect) -> None:
    written = sum(_translated(source, target, body, what) for full in bodies for what, body in mutations(full))
    assert written > 500, "the encoders are hardly reached any more"


def _translated(source: Dialect, target: Dialect, body: Any, what: str) -> bool:
    try:
        request = source.decode_request(body, {})
        for info in CARDS[target.name]:
            orjson.dumps(target.encode_request(request, info).body)
    except OAuthRouterError:
        return False
    except Exception as error:
        raise AssertionError(f"{what}, for {target.name}") from error
    return True


def _delta(**delta: Any) -> Json:
    return {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta}]}


CITED = {"type": "url_citation", "url_citation": {"url": "http://x", "title": "t", "start_index": 0, "end_index": 2}}
CHAT_USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 3,
    "total_tokens": 8,
    "prompt_tokens_details": {"cached_tokens": 1},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
CHAT_STREAM: list[Json] = [
    _delta(role="assistant", content="", reasoning_content="r"),
    _delta(content="hello", reasoning="r"),
    _delta(
        content=[{"type": "text", "text": "a"}, {"type": "thinking", "thinking": [{"type": "text", "text": "q"}]}],
        refusal="no",
        annotations=[CITED],
    ),
    _delta(tool_calls=[{"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": "{"}}]),
    _delta(
        tool_calls=[
            {"index": 0, "function": {"arguments": "}"}},
            {"index": 1, "id": "t2", "type": "custom", "custom": {"name": "g", "input": "z"}},
        ]
    ),
    {
        "id": "c1",
        "choices": [{"index": 0, "delta": {"function_call": {"name": "h", "arguments": "{}"}}, "finish_reason": "tool_calls"}],
        "x_groq": {"usage": {"prompt_tokens": 1}},
    },
    {"id": "c1", "choices": [], "service_tier": "default", "usage": CHAT_USAGE},
]
CHAT_ANSWER: Json = {
    "id": "c",
    "model": "m",
    "service_tier": "default",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "content": "hi",
                "reasoning_content": "r",
                "refusal": "no",
                "annotations": [CITED],
                "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
        },
        {"index": 1, "message": {"content": "ho", "tool_calls": [{"id": "b", "custom": {"name": "f", "input": "x"}}]}},
    ],
    "usage": CHAT_USAGE,
}

SOURCE = {"type": "url_citation", "url": "http://x", "title": "t", "start_index": 0, "end_index": 1}
THOUGHT = {
    "type": "reasoning",
    "id": "rs",
    "summary": [{"type": "summary_text", "text": "r"}],
    "content": [{"type": "reasoning_text", "text": "q"}],
    "encrypted_content": "e",
}
SAID = {
    "type": "message",
    "id": "m",
    "content": [
        {"type": "output_text", "text": "hello", "annotations": [SOURCE, {**SOURCE, "url": "http://y"}]},
        {"type": "refusal", "refusal": "no"},
    ],
}
CALL = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": "{}"}
CUSTOM_CALL = {"type": "custom_tool_call", "id": "ct", "call_id": "c2", "name": "g", "input": "z"}
HOSTED_CALL = {"type": "web_search_call", "id": "w", "name": "f"}
RESPONSES_USAGE = {
    "input_tokens": 1,
    "output_tokens": 1,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens_details": {"reasoning_tokens": 1},
}
WHOLE = {"id": "resp_1", "model": "m", "status": "completed", "service_tier": "default", "usage": RESPONSES_USAGE}
RESPONSES_ANSWER: Json = {
    **WHOLE,
    "output": [THOUGHT, SAID, CALL, CUSTOM_CALL, HOSTED_CALL],
    "incomplete_details": {"reason": "x"},
    "error": None,
}
RESPONSES_STREAM: list[Json] = [
    {"type": f"response.{kind}", **fields}
    for kind, fields in (
        ("created", {"response": {"id": "resp_1", "model": "m", "output": []}}),
        ("output_item.added", {"output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": []}}),
        ("reasoning_summary_text.delta", {"output_index": 0, "summary_index": 0, "delta": "r"}),
        ("output_item.done", {"output_index": 0, "item": THOUGHT}),
        ("output_item.added", {"output_index": 1, "item": {"type": "message", "id": "m", "content": []}}),
        ("output_text.delta", {"output_index": 1, "content_index": 0, "delta": "he"}),
        ("output_text.annotation.added", {"output_index": 1, "content_index": 0, "annotation": SOURCE}),
        ("output_item.done", {"output_index": 1, "item": SAID}),
        ("output_item.added", {"output_index": 2, "item": {**CALL, "arguments": ""}}),
        ("function_call_arguments.delta", {"output_index": 2, "delta": "{"}),
        ("function_call_arguments.done", {"output_index": 2, "arguments": "{}"}),
        ("output_item.done", {"output_index": 2, "item": CALL}),
        ("output_item.done", {"output_index": 3, "item": CUSTOM_CALL}),
        ("output_item.done", {"output_index": 4, "item": HOSTED_CALL}),
        ("completed", {"response": {**WHOLE, "output": []}}),
    )
]
ERRORS: list[Json] = [
    {"error": {"message": "m", "type": "t", "code": "c", "param": "p", "status": 429, "metadata": {"raw": "r"}}},
    {"type": "error", "error": {"message": "m", "resets_in_seconds": 5, "resets_at": 5}},
    {"type": "response.failed", "response": {"id": "r", "error": {"code": "c", "message": "m"}}},
]

CLIENTS = {
    dialect.name: ChatRequest(
        dialect.name,
        "auto",
        (),
        tools=(Tool("g", custom=True),),
        body={"tools": [{"type": "namespace", "name": "n", "tools": [{"name": "a"}]}]},
        include_usage=True,
    )
    for dialect in DIALECTS
}


@pytest.mark.parametrize(
    ("source", "events"),
    [
        (CHAT, CHAT_STREAM),
        (RESPONSES, RESPONSES_STREAM),
        *((dialect, [error]) for dialect in (CHAT, RESPONSES) for error in ERRORS),
    ],
    ids=["chat", "responses", *(f"{name}-error-{kind}" for name in ("chat", "responses") for kind in range(len(ERRORS)))],
)
def test_odd_openai_json_upstreams_stream_with_one_odd_value(source: Dialect, events: list[Json]) -> None:
    for what, stream in mutations(events):
        try:
            frames = _read(source, stream)
            _written_for_all(frames)
            relay = source.relay_encoder(CLIENTS[source.name], NAMES)
            for frame in frames:
                relay.send(frame)
        except Exception as error:
            raise AssertionError(what) from error


@pytest.mark.parametrize(("source", "answer"), [(CHAT, CHAT_ANSWER), (RESPONSES, RESPONSES_ANSWER)], ids=["chat", "responses"])
def test_odd_openai_json_upstreams_answer_with_one_odd_value(source: Dialect, answer: Json) -> None:
    for what, body in mutations(answer):
        try:
            try:
                events = tuple(source.decode_response(body))
            except UpstreamError:
                continue
            _written_for_all([Frame(b"", events)])
            orjson.dumps(source.relay_response(body, NAMES))
        except Exception as error:
            raise AssertionError(what) from error


@pytest.mark.parametrize("dialect", [CHAT, RESPONSES], ids=["chat", "responses"])
@pytest.mark.parametrize("refusal", ERRORS)
def test_odd_openai_json_refusal_with_one_odd_value(dialect: Dialect, refusal: Json) -> None:
    for what, body in mutations(refusal):
        try:
            error = dialect.decode_error(400, {}, orjson.dumps(body))
            for other in DIALECTS:
                orjson.dumps(other.encode_error(error, "id"))
        except Exception as found:
            raise AssertionError(what) from found


def _read(source: Dialect, events: Iterable[Any]) -> list[Frame]:
    decoder = source.stream_decoder()
    raw = b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events)
    return [decoder.receive(raw + b"data: [DONE]\n\n"), decoder.finish()]


def _written_for_all(frames: Sequence[Frame]) -> None:
    """Every client's encoder takes the events, one at a time and as a whole answer."""
    events = [event for frame in frames for event in frame.events]
    ends = [event for event in events if isinstance(event, (ResponseFinished, ResponseFailed))]
    assert ends == events[-1:]
    assert not list(_oddities(events))
    for dialect in DIALECTS:
        encoder = dialect.stream_encoder(CLIENTS[dialect.name], "auto")
        for frame in frames:
            encoder.send(frame)
    if isinstance(ends[0], ResponseFinished):
        fold = ResponseFold()
        for event in events:
            fold.receive(rename_tool(event, NAMES))
        for dialect in DIALECTS:
            orjson.dumps(dialect.encode_response(fold.result(), CLIENTS[dialect.name], "auto"))


def _oddities(events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
    """Events that are not of the types they say they are."""
    open_parts = set()
    for event in events:
        match event:
            case PartStarted(index, kind, id_, name):
                open_parts.add(index)
                sound = kind != "tool_call" or (isinstance(id_, str) and isinstance(name, str))
            case PartDelta(index, text):
                sound = index in open_parts and isinstance(text, str)
            case CitationAdded(index, Citation(url, title, start, end)):
                sound = index in open_parts and isinstance(url + title, str) and isinstance(start + end, int)
            case PartFinished(index, opaque):
                sound = index in open_parts and (opaque is None or isinstance(opaque.data, str))
                open_parts.discard(index)
            case ResponseStarted(id_, model):
                sound = isinstance(id_ + model, str)
            case _:
                sound = True
        if not sound:
            yield event

"""The transparent lane of streams: bytes in, the same bytes out."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.errors import UpstreamConnectionError
from openclaw_oauthrouter.interfaces import StreamEncoder

DIALECT = ChatCompletions(lambda: 1_700_000_000.0)
OPENING = b'data: {"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant"}}]}\r\n\r\n'
CALL = b'data: {"id":"c1","choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"Read"}}]}}],"x":[1]}\n\n'
ODD = b": note\n\nevent: new.kind\ndata: {\ndata:  }\n\n"


def relay(**names: str) -> StreamEncoder:
    request = DIALECT.decode_request({"model": "auto", "messages": [{"role": "user", "content": "x"}]}, {})
    return DIALECT.relay_encoder(request, names)


def test_bytes_pass_untouched() -> None:
    raw = OPENING + ODD + CALL
    assert relay().send(Frame(raw)) == raw
    assert relay(Write="write").send(Frame(raw)) == raw


def test_chat_relay_only_the_event_with_the_tool_is_rewritten() -> None:
    out = relay(Read="read_file").send(Frame(OPENING + ODD + CALL))
    *before, renamed = out.removesuffix(b"\n\n").split(b"\n\n")
    assert b'"Read"' not in out
    chunk = orjson.loads(renamed.removeprefix(b"data: "))
    assert chunk["choices"][0]["delta"]["tool_calls"][0] == {"index": 0, "id": "t", "function": {"name": "read_file"}}
    assert chunk["x"] == [1]
    assert [orjson.loads(part.partition(b"data: ")[2]) for part in before] == [
        {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant"}}]},
        {},
    ]


def test_chat_relay_last_event_without_its_blank_line_is_rewritten_too() -> None:
    out = relay(Read="read_file").send(Frame(OPENING + CALL.rstrip(b"\n")))
    assert out == relay(Read="read_file").send(Frame(OPENING + CALL))
    assert b'"read_file"' in out


def test_answers_beside_the_first_may_hold_anything() -> None:
    call = {"function": {"name": "Read"}}
    others = [
        None,
        5,
        {"message": "x"},
        {"message": {"tool_calls": [5, {"function": "x"}, {"custom": {"name": []}}], "function_call": 1}},
    ]
    body = {"choices": [{"message": {"tool_calls": [call]}}, *others]}
    relayed = DIALECT.relay_response(body, {"Read": "read_file"})
    assert relayed["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "read_file"
    assert relayed["choices"][1:] == others


def test_chat_relay_text_that_names_the_tool_is_left_alone() -> None:
    text = b'data: {"choices":[{"index":0,"delta":{"content":"Read this"}}]}\n\n'
    out = relay(Read="read_file").send(Frame(text))
    assert orjson.loads(out[6:]) == orjson.loads(text[6:])


def test_keep_alive_takes_the_streams_id_once_it_is_known() -> None:
    stream = relay()
    early = orjson.loads(stream.keep_alive()[6:])
    decoder = DIALECT.stream_decoder()
    stream.send(decoder.receive(OPENING))
    later = orjson.loads(stream.keep_alive()[6:])
    assert early["choices"] == later["choices"] == [{"index": 0, "delta": {}, "finish_reason": None}]
    assert (later["id"], later["model"], early["model"]) == ("c1", "m", "auto")


def test_failure_follows_what_was_whole() -> None:
    stream = relay()
    out = stream.send(Frame(OPENING, (ResponseFailed(UpstreamConnectionError("gone")),)))
    assert out.startswith(OPENING)
    assert orjson.loads(out.removeprefix(OPENING)[6:])["error"]["message"] == "gone"
    assert stream.fail(UpstreamConnectionError("gone")) == b""


def test_relayed_answer_has_calls_that_can_be_told_apart() -> None:
    function = {"name": "f", "arguments": "{}"}
    calls = [{"id": id_, "type": "function", "function": function} for id_ in ("a", "a", "", "")]
    body = {
        "id": "c",
        "choices": [{"index": 0, "message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}],
    }
    relayed = ChatCompletions(lambda: 0.0).relay_response(body, {})
    ids = [call["id"] for call in relayed["choices"][0]["message"]["tool_calls"]]
    assert ids[0] == "a"
    assert len(set(ids)) == 4
    assert all(ids)


def test_relayed_answer_that_announces_calls_and_makes_none_has_an_ordinary_end() -> None:
    body = {"id": "c", "choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "tool_calls"}, 3]}
    assert ChatCompletions(lambda: 0.0).relay_response(body, {})["choices"][0]["finish_reason"] == "stop"


def _stream(*deltas: dict[str, Any], finish: str = "tool_calls") -> list[bytes]:
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [{"id": "c", "model": "u", "choices": [choice]} for choice in choices]
    return [*(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]


def _relayed(pieces: list[bytes], *, at_once: bool) -> bytes:
    dialect = ChatCompletions(lambda: 0.0)
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "tools": tools}
    encoder = dialect.relay_encoder(dialect.decode_request(body, {}), {})
    decoder = dialect.stream_decoder()
    return b"".join(encoder.send(decoder.receive(piece)) for piece in ([b"".join(pieces)] if at_once else pieces))


def _call(index: int, id_: str, arguments: str) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "id": id_, "type": "function", "function": {"name": "f", "arguments": arguments}}]}


@pytest.mark.parametrize("at_once", [False, True])
def test_relayed_stream_that_numbers_its_calls_alike_is_told_apart(at_once: bool) -> None:
    raw = _relayed(_stream({"content": "I look."}, _call(0, "a", '{"n":1}'), _call(0, "a", '{"n":2}')), at_once=at_once)
    joined: dict[int, dict[str, str]] = {}
    words = ""
    for line in raw.split(b"\n\n"):
        for choice in orjson.loads(line[6:])["choices"] if line.startswith(b"data: {") else ():
            words += choice["delta"].get("content") or ""
            for entry in choice["delta"].get("tool_calls", ()):
                made = joined.setdefault(entry["index"], {"id": entry.get("id", ""), "arguments": ""})
                made["arguments"] += entry["function"]["arguments"]
    assert words == "I look."
    assert [made["arguments"] for made in joined.values()] == ['{"n":1}', '{"n":2}']
    assert len({made["id"] for made in joined.values()}) == 2
    assert raw.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("at_once", [False, True])
def test_relayed_stream_with_good_numbers_is_forwarded_byte_by_byte(at_once: bool) -> None:
    pieces = _stream({"content": "I look."}, _call(0, "a", '{"n":1}'), _call(1, "b", '{"n":2}'))
    assert _relayed(pieces, at_once=at_once) == b"".join(pieces)


@pytest.mark.parametrize("at_once", [False, True])
def test_relayed_stream_that_announces_calls_and_makes_none_has_an_ordinary_end(at_once: bool) -> None:
    raw = _relayed(_stream({"content": "a"}), at_once=at_once)
    assert b'"finish_reason":"stop"' in raw
    assert b'"finish_reason":"tool_calls"' not in raw
    assert raw.endswith(b"data: [DONE]\n\n")

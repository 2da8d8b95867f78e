"""The transparent lane: what passes untouched, and the little that does not."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, cast

import pytest

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseFinished, ResponseStarted
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.errors import UpstreamConnectionError
from tests.support.responses import CARD, from_client, make_dialect, unwire, wire

CREATED = {
    "type": "response.created",
    "sequence_number": 0,
    "response": {"id": "r1", "model": "m", "status": "in_progress", "output": []},
}
DELTA = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "hi", "sequence_number": 4}
BROKEN = UpstreamConnectionError("gone")


def test_relay_request_passes_but_for_the_model() -> None:
    body = {
        "model": "auto",
        "input": [
            {"type": "hologram", "x": 1},
            {"role": "user", "content": "hi"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "own"},
        ],
        "tools": [{"type": "namespace", "name": "n", "tools": []}],
        "client_metadata": {"a": "b"},
        "stream": True,
    }
    before = copy.deepcopy(body)
    encoded = make_dialect().encode_request(make_dialect().decode_request(body, {}), CARD)
    assert encoded.body == {**before, "model": "gpt-5.6-sol"}
    assert body == before
    assert encoded.notes == ()


def test_relay_string_stays_a_string() -> None:
    assert make_dialect().encode_request(from_client(), CARD).body == {"model": "gpt-5.6-sol", "input": "hi"}


@pytest.mark.parametrize(
    ("encrypted", "kept"),
    [
        ("own", {"encrypted_content": "own", "id": "rs_0"}),
        ("elsewhere", None),
        (seal(Opaque("signature", "s", "anthropic/a")), None),
        (seal(Opaque("encrypted", "own", "codex/a", "rs_7")), {"encrypted_content": "own", "id": "rs_7"}),
        (seal(Opaque("encrypted", "elsewhere", "openai/a", "rs_7")), None),
    ],
)
def test_reasoning_goes_to_its_maker_only(encrypted: str, kept: dict[str, str] | None) -> None:
    items = [
        {"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": encrypted},
        {"role": "user", "content": "hi"},
    ]
    request = replace(from_client(input=items), foreign_opaque=frozenset({"elsewhere"}))
    encoded = make_dialect().encode_request(request, CARD)
    expected = [] if kept is None else [{"type": "reasoning", "summary": [], **kept}]
    assert encoded.body["input"] == [*expected, items[1]]
    assert bool(encoded.notes) == (kept is None)


@pytest.mark.parametrize(("store", "kept"), [(False, False), (True, True), (None, True)])
def test_reasoning_without_a_seal_stays_only_where_it_can_be_looked_up(store: bool | None, kept: bool) -> None:
    items = [{"type": "reasoning", "id": "rs_0", "summary": []}, {"role": "user", "content": "hi"}]
    encoded = make_dialect().encode_request(from_client(input=items, store=store), CARD)
    assert encoded.body["input"] == (items if kept else items[1:])
    assert bool(encoded.notes) is not kept


def test_frames_pass_as_they_are() -> None:
    encoder = make_dialect().relay_encoder(from_client(), {})
    raw = b': odd\r\n\r\nevent: x\r\ndata: {"type": "x"}\r\n\r\n'
    assert encoder.send(Frame(raw)) == raw


def test_relay_failure_continues_the_upstream_s_numbers_and_identity() -> None:
    encoder = make_dialect().relay_encoder(from_client(), {})
    sent = encoder.send(Frame(wire(CREATED), (ResponseStarted("r1", "m"),)))
    sent += encoder.send(Frame(wire(DELTA), (ResponseFailed(BROKEN),)))
    assert encoder.fail(BROKEN) == b""
    *_, last = unwire(sent)
    assert (last["type"], last["sequence_number"], last["response"]["id"]) == ("response.failed", 5, "r1")
    assert last["response"]["error"] == {"code": "server_error", "message": "gone"}


def test_relay_failure_before_the_first_event_is_a_stream_of_its_own() -> None:
    events = unwire(make_dialect().relay_encoder(from_client(), {}).fail(BROKEN))
    assert [(event["type"], event["sequence_number"]) for event in events] == [("response.created", 0), ("response.failed", 1)]


def test_keep_alives() -> None:
    encoder = make_dialect().relay_encoder(from_client(), {})
    assert encoder.keep_alive() == b": keep-alive\n\n"
    encoder.send(Frame(wire(CREATED, DELTA), (ResponseStarted("r1", "m"),)))
    (event,) = unwire(encoder.keep_alive())
    assert (event["type"], event["sequence_number"], event["response"]["id"]) == ("response.in_progress", 4, "r1")
    encoder.fail(BROKEN)
    assert encoder.keep_alive() == b": keep-alive\n\n"


def test_tools_are_renamed_wherever_an_answer_names_them() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "short", "arguments": "{}"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": call}
    completed = {"type": "response.completed", "response": {"id": "r", "output": [call, {"type": "message", "content": []}]}}
    encoder = make_dialect().relay_encoder(from_client(), {"short": "a.longer/name"})
    events = unwire(encoder.send(Frame(wire(done, completed))))
    assert events[0]["item"]["name"] == events[1]["response"]["output"][0]["name"] == "a.longer/name"
    body = {"id": "r", "output": [call]}
    assert make_dialect().relay_response(body, {"short": "n"})["output"][0]["name"] == "n"
    assert make_dialect().relay_response(body, {}) is body
    odd = {"id": "r", "output": [{"type": "new", "name": []}, 5]}
    assert make_dialect().relay_response(odd, {"short": "n"}) == odd


def test_relay_what_happens_after_the_end_is_no_failure() -> None:
    encoder = make_dialect().relay_encoder(from_client(), {})
    encoder.send(Frame(wire(CREATED), (ResponseStarted("r1", "m"), ResponseFinished("stop"))))
    assert encoder.send(Frame(b"data: [DONE]\n\n")) == b"data: [DONE]\n\n"
    assert encoder.fail(BROKEN) == b""


@pytest.mark.parametrize(
    ("raw", "renamed"),
    [
        (b'data: {"item":{"name":"short"}}', b'data: {"item":{"name":"long"}}\n\n'),
        (b"event: x\ndata: {broken\ndata: twice\n\n", b"event: x\ndata: {broken\ndata: twice\n\n"),
        (b"data: [1]\n\n", b"data: [1]\n\n"),
        (b'data: {"item":null,"response":{"output":null}}\n\n', b'data: {"item":null,"response":{"output":[]}}\n\n'),
    ],
)
def test_renaming_survives_odd_frames(raw: bytes, renamed: bytes) -> None:
    assert make_dialect().relay_encoder(from_client(), {"short": "long"}).send(Frame(raw)) == renamed


LONG = "9" * 80


def sent_input(*items: dict[str, Any]) -> list[dict[str, Any]]:
    dialect = make_dialect()
    body = {"model": "gpt-5.6-sol", "store": False, "input": list(items)}
    return cast("list[dict[str, Any]]", dialect.encode_request(dialect.decode_request(body, {}), CARD).body["input"])


@pytest.mark.parametrize(
    ("item", "sent"),
    [
        ({"type": "message", "role": "user", "content": "hi", "id": "msg_1"}, None),
        ({"role": "user", "content": [{"type": "input_text", "text": "hi"}]}, None),
        ({"type": "hologram", "id": "x" * 64, "arguments": {"a": 1}}, None),
        (
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed"},
            None,
        ),
        ({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "s"}, None),
        (
            {"type": "message", "role": "user", "content": "hi", "id": f"msg_{LONG}"},
            {"type": "message", "role": "user", "content": "hi"},
        ),
        (
            {"type": "message", "role": "user", "content": "hi", "id": "item-7"},
            {"type": "message", "role": "user", "content": "hi"},
        ),
        ({"type": "hologram", "id": LONG}, {"type": "hologram"}),
        (
            {"type": "function_call", "id": "toolu_1", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        ),
        (
            {
                "type": "reasoning",
                "id": "thought",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "hm"}],
                "encrypted_content": "s",
            },
            {"type": "reasoning", "summary": [], "encrypted_content": "s"},
        ),
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "input_text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}],
            },
        ),
        (
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "output_text", "text": "a", "annotations": []}, {"type": "text", "text": "b"}],
            },
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
            },
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_image", "image_url": "https://e.org/a.png", "detail": "auto"}],
            },
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "output_text", "text": "a"}]},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]},
        ),
    ],
)
def test_item_made_for_somebody_else_is_mended_and_no_other(item: dict[str, Any], sent: dict[str, Any] | None) -> None:
    assert sent_input(item) == [item if sent is None else sent]


def test_long_call_ids_are_shortened_alike_on_both_sides() -> None:
    call, answer = sent_input(
        {"type": "function_call", "call_id": f"call_{LONG}", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": f"call_{LONG}", "output": "a"},
    )
    assert call["call_id"] == answer["call_id"]
    assert len(call["call_id"]) <= 64


def done(position: int, **item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": position, "item": item, "sequence_number": position + 1}


ITEMS: tuple[dict[str, Any], ...] = (
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "phase": "final_answer",
        "content": [{"type": "output_text", "text": "hi"}],
    },
    {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "namespace": "mcp__d", "arguments": "{}", "odd": 1},
)


@pytest.mark.parametrize("end", ["completed", "incomplete", "done"])
def test_empty_final_list_is_filled_from_the_items_seen(end: str) -> None:
    encoder = make_dialect().relay_encoder(from_client(), {})
    final = {
        "type": f"response.{end}",
        "response": {"id": "r1", "status": "completed", "output": [], "extra": 1},
        "sequence_number": 9,
    }
    stream = encoder.send(Frame(wire(CREATED, *(done(at, **item) for at, item in enumerate(ITEMS[:2])))))
    stream += encoder.send(Frame(wire(done(2, **ITEMS[2]), final), (ResponseFinished("stop"),)))
    last = unwire(stream)[-1]
    assert last == {**final, "response": {**final["response"], "output": list(ITEMS)}}
    assert make_dialect().whole_answer(stream) == last["response"]


def test_final_list_that_is_there_passes_byte_by_byte() -> None:
    final = {"type": "response.completed", "response": {"id": "r1", "output": [ITEMS[0]]}}
    raw = wire(CREATED, done(0, **ITEMS[0]), done(1, **ITEMS[1]), final).replace(b'":', b'" : ')
    assert make_dialect().relay_encoder(from_client(), {}).send(Frame(raw)) == raw

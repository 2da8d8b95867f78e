"""The transparent lane: nothing changes but what has to."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed
from openclaw_oauthrouter.canonical.opaque import seal
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.errors import UpstreamConnectionError
from tests.support.fitted import encoded_for
from tests.support.recordings import SHARED, recorded_body, recordings

Wire = dict[str, Any]
DIALECT = AnthropicMessages(lambda: 0.0)
REQUEST = ChatRequest("anthropic_messages", "auto", ())
CAPTURE = SHARED / "client-captures" / "claude-code-01.json"


def relay(body: Wire, model: str, foreign: frozenset[str] = frozenset()) -> EncodedRequest:
    before = copy.deepcopy(body)
    request = DIALECT.decode_request(body, {})
    request = ChatRequest(**{name: getattr(request, name) for name in request.__slots__} | {"foreign_opaque": foreign})
    encoded = encoded_for(DIALECT, request, ModelInfo("anthropic", model))
    assert body == before, "the client's body was changed"
    return encoded


@pytest.mark.parametrize("path", recordings("anthropic-messages", ".request.json"))
def test_messages_relay_body_for_the_model_that_serves_it_passes_untouched(path: Path) -> None:
    recorded = json.loads(path.read_text())
    body = recorded_body(recorded.get("request", recorded))
    encoded = relay(body, body["model"])
    assert encoded.body == body
    assert encoded.notes == ()


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ("anthropic/claude-haiku-4.5", "claude-haiku-4-5"),
        ("claude-haiku-4-5", "claude-haiku-4-5"),
        ("claude-of-tomorrow", "claude-of-tomorrow"),
    ],
)
def test_messages_relay_only_the_models_name_changes(asked: str, model: str) -> None:
    body = {"model": asked, "max_tokens": 60_000, "messages": [{"role": "assistant", "content": "x"}], "of_tomorrow": 1}
    encoded = relay(body, model)
    assert encoded.body == {**body, "model": model}
    assert encoded.body["messages"] is body["messages"]
    assert encoded.notes == ()


def test_messages_relay_what_the_model_is_known_to_refuse_is_mended_though_the_client_named_it() -> None:
    body = {"model": "claude-haiku-4-5", "max_tokens": 200_000, "messages": [{"role": "assistant", "content": "x "}], "new": 1}
    encoded = relay(body, "claude-haiku-4-5")
    mended = [{"role": "assistant", "content": [{"type": "text", "text": "x"}]}]
    assert encoded.body == {**body, "max_tokens": 64_000, "messages": mended}
    assert [note.subject for note in encoded.notes] == ["max_tokens", "messages"]
    unknown = {**body, "model": "claude-of-tomorrow"}
    assert relay(unknown, "claude-of-tomorrow").body == unknown


@pytest.mark.skipif(not CAPTURE.exists(), reason="needs client-captures")
def test_claude_codes_body_becomes_legal_for_an_older_model() -> None:
    body = json.loads(CAPTURE.read_text())["body"]
    assert relay(body, "claude-opus-5-5").body == body
    found = relay(body, "claude-haiku-4-5").body
    assert found["model"] == "claude-haiku-4-5"
    assert found["max_tokens"] == 64_000
    assert found["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert "output_config" not in found
    assert [message["role"] for message in found["messages"]] == ["user", "user"]
    assert all("output_config" not in message for message in found["messages"])
    assert found["messages"][1]["content"][0]["text"].startswith("<system>\n# Environment")
    assert found["context_management"] == body["context_management"]
    assert (found["system"], found["metadata"]) == (body["system"], body["metadata"])
    assert found["tools"] == [tool for tool in body["tools"] if not tool.get("defer_loading")]


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "mine"}
CONVERSATION: Wire = {
    "model": "claude-opus-5",
    "max_tokens": 9,
    "messages": [
        {"role": "user", "content": "a"},
        {
            "role": "assistant",
            "content": [
                THOUGHT,
                {"type": "thinking", "thinking": "hm", "signature": "theirs"},
                {"type": "thinking", "thinking": "hm", "signature": seal(Opaque("encrypted", "blob", "openai"))},
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "redacted_thinking", "data": "theirs too"},
                {"type": "thinking", "thinking": "back", "signature": seal(Opaque("signature", "home", "anthropic"))},
                {"type": "text", "text": "b"},
            ],
        },
        {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "theirs too"}]},
        {"role": "user", "content": "c"},
    ],
}


def test_foreign_thinking_is_left_out() -> None:
    encoded = relay(CONVERSATION, "claude-opus-5", frozenset({"theirs", "theirs too"}))
    assert encoded.body["messages"][1]["content"] == [
        THOUGHT,
        {"type": "thinking", "thinking": "back", "signature": "home"},
        {"type": "text", "text": "b"},
    ]
    assert [message["role"] for message in encoded.body["messages"]] == ["user", "assistant", "user"]
    assert str(encoded.notes[0]) == "dropped thinking: 3 blocks were sealed for another model or provider"


def test_messages_relay_model_that_binds_thinking_gets_none_of_earlier_turns_of_another_model() -> None:
    assert relay(CONVERSATION, "claude-opus-5-5").body["messages"][1]["content"] == [{"type": "text", "text": "b"}]


# ------------------------------------------------------------------ answers

TOOL_START = b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"ReadFile","input":{}}}\n\n'
PING = b'event: ping\r\ndata: {"type": "ping"}\r\n\r\n'


def one_answer(data: bytes) -> bytes:
    """Some recordings hold several answers, one after the other; nothing that follows the first is passed on."""
    first, mark, rest = data.partition(b'data: {"type":"message_stop"')
    return first + mark + rest.partition(b"\n\nevent: message_start")[0] + b"\n\n" if b"message_start" in rest else data


@pytest.mark.parametrize("names", [{}, {"ReadFile": "read_file"}])
@pytest.mark.parametrize("path", recordings("anthropic-messages", ".sse"))
def test_messages_relay_stream_passes_as_the_bytes_it_came_in(path: Path, names: dict[str, str]) -> None:
    data = one_answer(path.read_bytes())
    decoder, encoder = DIALECT.stream_decoder(), DIALECT.relay_encoder(REQUEST, names)
    sent = b"".join(encoder.send(decoder.receive(data[at : at + 100])) for at in range(0, len(data), 100))
    assert sent + encoder.send(decoder.finish()) == data


def test_messages_relay_only_events_that_name_a_renamed_tool_are_written_anew() -> None:
    encoder = DIALECT.relay_encoder(REQUEST, {"ReadFile": "read_file"})
    other = TOOL_START.replace(b"ReadFile", b"Bash")
    raw = PING + TOOL_START + other + TOOL_START.replace(b"\n", b"\r\n")
    expected = PING + TOOL_START.replace(b"ReadFile", b"read_file") + other + TOOL_START.replace(b"ReadFile", b"read_file")
    assert encoder.send(Frame(raw)) == expected


@pytest.mark.parametrize(
    "data",
    [
        b'["tool_use"]',
        b'{"content_block":["tool_use"]}',
        b'{"content_block":{"type":"tool_use","name":["ReadFile"]}}',
    ],
)
def test_events_of_another_shape_pass_as_they_are(data: bytes) -> None:
    raw = b"event: of_tomorrow\ndata: " + data + b"\n\n"
    assert DIALECT.relay_encoder(REQUEST, {"ReadFile": "read_file"}).send(Frame(raw)) == raw


def test_messages_relay_failure_follows_what_was_passed_on() -> None:
    encoder = DIALECT.relay_encoder(REQUEST, {})
    error = UpstreamConnectionError("gone")
    sent = encoder.send(Frame(PING.rstrip(), (ResponseFailed(error),)))
    assert sent.startswith(PING.rstrip() + b"\n\nevent: error")
    assert sent.endswith(b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"gone"}}\n\n')
    whole = DIALECT.relay_encoder(REQUEST, {}).send(Frame(PING, (ResponseFailed(error),)))
    assert whole.startswith(PING + b"event: error")
    assert encoder.fail(error) == b""
    assert encoder.keep_alive() == b'event: ping\ndata: {"type":"ping"}\n\n'


def test_messages_relay_whole_answer() -> None:
    body = {
        "id": "m",
        "content": [{"type": "tool_use", "id": "t", "name": "ReadFile", "input": {}}, {"type": "text", "text": "ReadFile"}],
        "new": 1,
    }
    assert DIALECT.relay_response(body, {}) is body
    renamed = DIALECT.relay_response(body, {"ReadFile": "read_file"})
    assert [block.get("name") for block in renamed["content"]] == ["read_file", None]
    assert {**renamed, "content": body["content"]} == body


@pytest.mark.parametrize("name", [None, True, ["ReadFile"], {}])
def test_messages_relay_name_of_another_type_is_nobodys_name(name: object) -> None:
    body = {"id": "m", "content": [{"type": "tool_use", "id": "t", "name": name, "input": {}}]}
    assert DIALECT.relay_response(body, {"ReadFile": "read_file"}) == body

"""An upstream that cuts, stalls, lies: the client gets a proper end or error in its dialect, never a hang, never a clean-looking truncation."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.hookspecs import hookimpl
from tests.proxy.conftest import HASTE
from tests.support.anthropic_streams import END, ERROR, MESSAGE, START, TEXT_START, TEXT_STOP, WHOLE_STREAM, text
from tests.support.upstream import CUT, STALL, Piece, Play

GARBAGE = b"event: content_block_delta\ndata: {not json\n\n"
HALF_CHARACTER = text("caf\u00e9").replace(b"\xc3\xa9", b"\xc3")

BROKEN: dict[str, list[Piece]] = {
    "cut after the first words": [START, TEXT_START, text("Hel"), CUT],
    "cut inside an event": [START, TEXT_START, text("Hel"), text("lo")[:20], CUT],
    "cut inside a character": [START, TEXT_START, text("Hel"), text("\u00e9")[:-10], CUT],
    "ends cleanly without its end": [START, TEXT_START, text("Hel"), TEXT_STOP],
    "stalls": [START, TEXT_START, text("Hel"), STALL],
    "garbage": [START, TEXT_START, text("Hel"), GARBAGE, END],
    "half a UTF-8 character": [START, TEXT_START, text("Hel"), HALF_CHARACTER, TEXT_STOP, END],
    "begins in the middle": [text("Hel")],
    "error event in a 200": [START, TEXT_START, text("Hel"), ERROR],
}
BROKEN_BEFORE_CONTENT: dict[str, list[Piece]] = {
    "cut before content": [START, CUT],
    "stall before content": [START, STALL],
    "error before content": [ERROR],
    "garbage first": [b"data: {\n\n"],
    "empty": [],
    "not a stream": [b"<html>gateway</html>"],
}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]},
    "/v1/messages": {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
    "/v1/responses": {"model": "claude-haiku-4-5", "input": "hi"},
}


def events_of(body: str) -> list[dict[str, Any]]:
    """All JSON data lines."""
    lines = (line[6:] for line in body.splitlines() if line.startswith("data: "))
    return [json.loads(line) for line in lines if line != "[DONE]"]


def says_error(path: str, body: str) -> bool:
    """Whether a stream ends with its dialect's error."""
    last = events_of(body)[-1]
    if path.endswith("completions"):
        return "error" in last and "[DONE]" not in body and '"finish_reason":"stop"' not in body
    if path.endswith("messages"):
        return last["type"] == "error" and "message_stop" not in body
    return last["type"] in ("response.failed", "error") and "response.completed" not in body


UNHURRIED = {**HASTE, "timeouts": {**HASTE["timeouts"], "first_byte": 10.0}}
"""The answer begins at once, but a busy machine may take its time."""


@pytest.fixture
def upstream_settings() -> dict[str, Any]:
    """Upstreams that keep the gateway waiting are what is played here."""
    return HASTE


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("name", BROKEN)
async def test_breaking_in_the_middle_is_told_in_the_stream(
    name: str, path: str, gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(Play(BROKEN[name]))
    handle = await gateway(upstream, upstream=UNHURRIED)
    answer = await (await client(handle)).post(path, json={**BODIES[path], "stream": True})
    assert answer.status_code == 200
    assert "Hel" in answer.text
    assert says_error(path, answer.text), answer.text[-400:]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("name", BROKEN | BROKEN_BEFORE_CONTENT)
async def test_streams_that_break_whole_answer_is_whole_or_an_error(
    name: str, path: str, gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(Play((BROKEN | BROKEN_BEFORE_CONTENT)[name]))
    handle = await gateway(upstream)
    answer = await (await client(handle)).post(path, json=BODIES[path])
    assert answer.status_code in (502, 503, 504), answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("name", BROKEN_BEFORE_CONTENT)
async def test_breaking_before_content_is_a_proper_http_error(
    name: str, path: str, gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(Play(BROKEN_BEFORE_CONTENT[name]))
    handle = await gateway(upstream)
    answer = await (await client(handle)).post(path, json={**BODIES[path], "stream": True})
    assert answer.status_code in (502, 503, 504), answer.text
    assert answer.headers["content-type"] == "application/json"


async def test_streams_that_break_silent_upstream_gets_no_more_than_its_time(gateway: Any, scripted: Any, client: Any) -> None:
    handle = await gateway(await scripted(Play(status=0, pieces=[STALL])))
    answer = await (await client(handle)).post("/v1/chat/completions", json=BODIES["/v1/chat/completions"])
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "upstream_timeout"


async def test_streams_that_break_waiting_client_is_kept_alive_in_its_dialect(gateway: Any, scripted: Any, client: Any) -> None:
    pieces: list[Piece] = [START, 0.35, *WHOLE_STREAM[1:]]
    handle = await gateway(await scripted(Play(pieces)), server={"keep_alive_seconds": 0.1})
    answer = await (await client(handle)).post("/v1/chat/completions", json={**BODIES["/v1/chat/completions"], "stream": True})
    empty = [
        e
        for e in events_of(answer.text)
        if e["choices"] and e["choices"][0]["delta"] == {} and not e["choices"][0]["finish_reason"]
    ]
    assert len(empty) >= 2, "OpenClaw counts chunks, not comments"
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in events_of(answer.text) if e["choices"]) == "Hello"


async def test_streams_that_break_failure_after_a_keep_alive_is_told_in_the_stream(
    gateway: Any, scripted: Any, client: Any
) -> None:
    handle = await gateway(await scripted(Play([START, STALL])), server={"keep_alive_seconds": 0.1})
    for path, body in BODIES.items():
        answer = await (await client(handle)).post(path, json={**body, "stream": True})
        assert answer.status_code == 200
        assert says_error(path, answer.text), answer.text


async def test_streams_that_break_same_words_whole_and_streamed(gateway: Any, scripted: Any, client: Any) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE), Play(WHOLE_STREAM)))
    http = await client(handle)
    whole = (await http.post("/v1/chat/completions", json=BODIES["/v1/chat/completions"])).json()
    streamed = events_of((await http.post("/v1/chat/completions", json={**BODIES["/v1/chat/completions"], "stream": True})).text)
    assert whole["choices"][0]["message"]["content"] == "Hello"
    assert "".join(e["choices"][0]["delta"].get("content") or "" for e in streamed if e["choices"]) == "Hello"


class Faulty:
    """A plugin with a bug, in one of two places."""

    def __init__(self, where: str) -> None:
        self._where = where

    @hookimpl
    def oauthrouter_select_route(self, request: Any) -> None:
        if self._where == "route":
            raise ZeroDivisionError(request.model)

    @hookimpl
    def oauthrouter_register_dialects(self) -> list[Any]:
        class Broken(AnthropicMessages):
            def decode_response(self, body: Any) -> Any:
                raise ZeroDivisionError

        return [Broken(time.time)] if self._where == "answer" else []


@pytest.mark.parametrize("where", ["route", "answer"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", BODIES)
async def test_streams_that_break_fault_of_our_own_is_an_error_in_the_clients_dialect(
    path: str, stream: bool, where: str, gateway: Any, scripted: Any, client: Any
) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)), plugins=[Faulty(where)])
    http = await client(handle)
    answer = await http.post(path, json={**BODIES[path], "stream": stream})
    assert answer.status_code == 500, answer.text
    assert answer.json()["error"]["message"] == "the gateway failed; its log says why"
    (event,) = (await http.get("/debug/routing-trace")).json()["events"]
    assert event["status"] == 500

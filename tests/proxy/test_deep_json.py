"""JSON nested more deeply than it can be written again is an error with a name, whoever sent it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.answers import Answer, play
from tests.support.conversations import CHAT, MESSAGES, Call
from tests.support.upstream import Play

DEEP = "[" * 600 + "]" * 600
ARGUMENTS = '{"a": ' + DEEP + "}"
HELLO: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_deep_json_client_is_told(path: str, gateway: Any, scripted: Any, client: Any) -> None:
    http = await client(await gateway(await scripted(play(MESSAGES, Answer("fine"), stream=False))))
    body = json.dumps({**HELLO, "input": "hi"})[:-1] + f', "metadata": {{"x": {DEEP}}}}}'
    answer = await http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert "nested too deeply" in answer.text


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("status", [200, 400])
async def test_deep_json_provider_is_at_fault(status: int, path: str, gateway: Any, scripted: Any, client: Any) -> None:
    said = json.dumps({"type": "message", "role": "assistant", "content": [], "usage": {}})[:-1] + f', "more": {DEEP}}}'
    http = await client(await gateway(await scripted(Play([said.encode()], status, content_type="application/json"))))
    answer = await http.post(path, json=HELLO)
    assert answer.status_code in (400, 502), answer.text
    assert "the gateway failed" not in answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_deep_json_call_s_arguments_that_deep_are_kept_as_text(
    stream: bool, gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(play(CHAT, Answer(calls=(Call("call_1", "dig", ARGUMENTS),), finish="tool_call"), stream=stream))
    house = {"house": {"api_base": f"{upstream.url}/v1", "models": ["m"]}}
    http = await client(await gateway(providers=house))
    answer = await http.post("/v1/messages", json={**HELLO, "model": "house/m", "stream": stream})
    assert answer.status_code == 200, answer.text
    assert "dig" in answer.text
    assert '"error"' not in answer.text


async def test_deep_json_conversation_with_such_a_call_goes_on(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(play(MESSAGES, Answer("fine"), stream=False))
    http = await client(await gateway(upstream))
    call = {"id": "call_1", "type": "function", "function": {"name": "dig", "arguments": ARGUMENTS}}
    turns = [
        {"role": "user", "content": "dig"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "dug"},
    ]
    answer = await http.post("/v1/chat/completions", json={**HELLO, "messages": turns})
    assert answer.status_code == 200, answer.text
    assert upstream.seen[0].body["messages"][1]["content"][0]["input"] == {}

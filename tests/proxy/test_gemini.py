"""Gemini behind the gateway: clients of all three dialects, whole and streamed, in a tool loop whose seals come back byte for byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest

from openclaw_oauthrouter.proxy.start import ProxyHandle
from tests.proxy.conftest import Gateway
from tests.support.upstream import Play, ScriptedUpstream

MODEL = "gemini/gemini-3.8-flash"
SIGNATURE = "QUJD/+=="
USAGE = {"promptTokenCount": 20, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 32}
PARTS = [
    {"text": "I think.", "thought": True},
    {"text": "Let me look."},
    {"functionCall": {"name": "read", "args": {"path": "a"}, "id": "fc1"}, "thoughtSignature": SIGNATURE},
    {"functionCall": {"name": "read", "args": {"path": "b"}, "id": "fc2"}},
]
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
HEADERS = {"authorization": "Bearer local-test-token"}


def answer(*parts: dict[str, Any], stream: bool) -> Play:
    chunks = [
        {"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}], "responseId": "r", "modelVersion": "g"}
        for part in parts
    ]
    chunks[-1]["candidates"][0]["finishReason"] = "STOP"  # type: ignore[index]
    chunks[-1]["usageMetadata"] = USAGE
    if stream:
        return Play([b"".join(b"data: " + orjson.dumps(chunk) + b"\r\n\r\n" for chunk in chunks)])
    chunks[-1]["candidates"][0]["content"]["parts"] = list(parts)  # type: ignore[index]
    return Play.json(chunks[-1])


async def chat(client: httpx.AsyncClient, history: list[Any], stream: bool) -> list[Any]:
    tools = [{"type": "function", "function": {"name": "read", "parameters": SCHEMA}}]
    body = {"model": MODEL, "messages": history, "tools": tools, "reasoning_effort": "low", "stream": stream}
    found = await client.post("/v1/chat/completions", json=body)
    assert found.status_code == 200, found.text
    message = joined(found) if stream else found.json()["choices"][0]["message"]
    calls = message.get("tool_calls") or []
    assert [entry["function"]["name"] for entry in calls] == ["read", "read"]
    return [
        {**message, "content": message["content"] or ""},
        *({"role": "tool", "tool_call_id": entry["id"], "content": "ok"} for entry in calls),
    ]


def joined(found: httpx.Response) -> dict[str, Any]:
    message: dict[str, Any] = {}
    for line in found.text.splitlines():
        if line.startswith("data: {"):
            for choice in orjson.loads(line[6:])["choices"]:
                _join(message, choice["delta"])
    for key in ("tool_calls", "thinking_blocks"):
        for entry in message.get(key, ()):
            del entry["index"]
    return message


def _join(held: dict[str, Any], delta: dict[str, Any]) -> None:
    for key, value in delta.items():
        if isinstance(value, str) and key not in ("role", "id", "type") and isinstance(held.get(key), str):
            held[key] += value
        elif isinstance(value, dict) and isinstance(held.get(key), dict):
            _join(held[key], value)
        elif isinstance(value, list) and isinstance(held.get(key), list):
            for entry in value:
                if entry["index"] < len(held[key]):
                    _join(held[key][entry["index"]], entry)
                else:
                    held[key].append(entry)
        else:
            held[key] = value


async def messages(client: httpx.AsyncClient, history: list[Any], stream: bool) -> list[Any]:
    tools = [{"name": "read", "input_schema": SCHEMA}]
    body = {"model": MODEL, "max_tokens": 4000, "messages": history, "tools": tools, "stream": stream}
    found = await client.post("/v1/messages", json={**body, "thinking": {"type": "enabled", "budget_tokens": 2000}})
    assert found.status_code == 200, found.text
    blocks = blocks_of(found) if stream else found.json()["content"]
    calls = [block for block in blocks if block["type"] == "tool_use"]
    assert [block["input"] for block in calls] == [{"path": "a"}, {"path": "b"}]
    results = [{"type": "tool_result", "tool_use_id": block["id"], "content": "ok"} for block in calls]
    return [{"role": "assistant", "content": blocks}, {"role": "user", "content": results}]


def blocks_of(found: httpx.Response) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for line in found.text.splitlines():
        event = orjson.loads(line[6:]) if line.startswith("data: ") else {}
        if event.get("type") == "content_block_start":
            blocks.append(dict(event["content_block"]))
        elif event.get("type") == "content_block_delta":
            delta = event["delta"]
            field = {
                "text_delta": "text",
                "thinking_delta": "thinking",
                "signature_delta": "signature",
                "input_json_delta": "partial_json",
            }[delta["type"]]
            blocks[event["index"]][field] = blocks[event["index"]].get(field, "") + delta[field]
    for block in blocks:
        if "partial_json" in block:
            block["input"] = orjson.loads(block.pop("partial_json"))
    return blocks


async def responses(client: httpx.AsyncClient, history: list[Any], stream: bool) -> list[Any]:
    tools = [{"type": "function", "name": "read", "parameters": SCHEMA}]
    body = {"model": MODEL, "input": history, "tools": tools, "stream": stream, "store": False, "reasoning": {"effort": "low"}}
    found = await client.post("/v1/responses", json={**body, "include": ["reasoning.encrypted_content"]})
    assert found.status_code == 200, found.text
    items = items_of(found) if stream else found.json()["output"]
    calls = [item for item in items if item["type"] == "function_call"]
    assert [orjson.loads(item["arguments"]) for item in calls] == [{"path": "a"}, {"path": "b"}]
    return [*items, *({"type": "function_call_output", "call_id": item["call_id"], "output": "ok"} for item in calls)]


def items_of(found: httpx.Response) -> list[dict[str, Any]]:
    events = (orjson.loads(line[6:]) for line in found.text.splitlines() if line.startswith("data: {"))
    return [event["item"] for event in events if event["type"] == "response.output_item.done"]


CLIENTS: dict[str, Callable[[httpx.AsyncClient, list[Any], bool], Awaitable[list[Any]]]] = {
    "chat": chat,
    "messages": messages,
    "responses": responses,
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("dialect", CLIENTS)
async def test_seal_of_a_call_comes_back_on_the_call(
    dialect: str,
    stream: bool,
    gateway: Gateway,
    scripted: Callable[..., Awaitable[ScriptedUpstream]],
    client: Callable[[ProxyHandle], Awaitable[httpx.AsyncClient]],
) -> None:
    upstream = await scripted(answer(*PARTS, stream=stream))
    handle = await gateway(providers={"gemini": {"api_base": upstream.url, "api_key": "gemini-key"}})
    asking = await client(handle)
    history: list[Any] = [{"role": "user", "content": "hi"}]
    history += await CLIENTS[dialect](asking, history, stream)
    await CLIENTS[dialect](asking, history, stream)

    first, second = upstream.seen
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    assert first.path == f"/v1beta/models/gemini-3.8-flash:{method}"
    assert first.headers["x-goog-api-key"] == "gemini-key"
    said = next(content for content in second.body["contents"] if content["role"] == "model")
    calls = [part for part in said["parts"] if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in calls] == [SIGNATURE, None]
    assert [part["functionCall"]["args"] for part in calls] == [{"path": "a"}, {"path": "b"}]
    answers = second.body["contents"][-1]["parts"]
    assert [part["functionResponse"]["response"] for part in answers] == [{"output": "ok"}, {"output": "ok"}]


async def test_refusal_of_gemini_is_said_in_the_client_s_words(
    gateway: Gateway,
    scripted: Callable[..., Awaitable[ScriptedUpstream]],
    client: Callable[[ProxyHandle], Awaitable[httpx.AsyncClient]],
) -> None:
    error = {"error": {"code": 429, "message": "Resource has been exhausted.", "status": "RESOURCE_EXHAUSTED"}}
    upstream = await scripted(Play.json(error, 429))
    asking = await client(await gateway(providers={"gemini": {"api_base": upstream.url, "api_key": "gemini-key"}}))
    found = await asking.post("/v1/chat/completions", json={"model": MODEL, "messages": [{"role": "user", "content": "hi"}]})
    assert found.status_code == 429
    assert "exhausted" in found.json()["error"]["message"]

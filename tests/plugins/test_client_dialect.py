"""A plugin of one file gives clients of another vendor's API paths, a token header and an answer in their own words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from openclaw_oauthrouter.proxy.start import start_proxy
from tests.plugins import gemini_clients
from tests.support.upstream import Play, ScriptedUpstream

TOKEN = "local-test-token"
PATH = "/v1beta/models/openai/gpt-5.4-mini"
BODY = {
    "systemInstruction": {"parts": [{"text": "be brief"}]},
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    "generationConfig": {"maxOutputTokens": 50},
}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
}
CHUNKS = [
    {"id": "c1", "choices": [{"index": 0, "delta": {"content": "hel"}}]},
    {"id": "c1", "choices": [{"index": 0, "delta": {"content": "lo"}, "finish_reason": "stop"}]},
    {"id": "c1", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}},
    "[DONE]",
]


def sse() -> Play:
    lines = (chunk if isinstance(chunk, str) else orjson.dumps(chunk).decode() for chunk in CHUNKS)
    return Play(["".join(f"data: {line}\n\n" for line in lines).encode()])


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


async def begin(stack: AsyncExitStack, home: Path, play: Play) -> tuple[httpx.AsyncClient, ScriptedUpstream]:
    upstream = await stack.enter_async_context(ScriptedUpstream(play))
    handle = await stack.enter_async_context(
        await start_proxy(
            port=0,
            home=home,
            auth_token=TOKEN,
            providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}},
            credentials={"order": ["config"]},
            plugins=[gemini_clients],
        )
    )
    client = httpx.AsyncClient(base_url=handle.base_url, timeout=10, trust_env=False)
    return await stack.enter_async_context(client), upstream


async def test_client_dialect_answers_whole_with_the_path_s_model(stack: AsyncExitStack, tmp_path: Path) -> None:
    client, upstream = await begin(stack, tmp_path, Play.json(ANSWER))
    answer = await client.post(f"{PATH}:generateContent", json=BODY, headers={"x-goog-api-key": TOKEN})
    assert answer.status_code == 200, answer.text
    [candidate] = answer.json()["candidates"]
    assert (candidate["content"]["parts"], candidate["finishReason"]) == ([{"text": "hello"}], "STOP")
    assert answer.json()["usageMetadata"] == {"promptTokenCount": 7, "candidatesTokenCount": 2}
    [seen] = upstream.seen
    assert seen.body["model"] == "gpt-5.4-mini"
    assert seen.body["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
    assert "x-goog-api-key" not in seen.headers


async def test_client_dialect_streams_where_the_path_says_so(stack: AsyncExitStack, tmp_path: Path) -> None:
    client, _ = await begin(stack, tmp_path, sse())
    answer = await client.post(f"{PATH}:streamGenerateContent?alt=sse", json=BODY, headers={"x-goog-api-key": TOKEN})
    assert answer.headers["content-type"].startswith("text/event-stream")
    events: list[Any] = [orjson.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    parts = [event["candidates"][0]["content"]["parts"][0]["text"] for event in events]
    assert "".join(parts) == "hello"
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        ({}, BODY, 401, "local token"),
        ({"x-goog-api-key": "somebody else's"}, BODY, 401, "local token"),
        ({"x-goog-api-key": TOKEN}, {"contents": [{"role": "user", "parts": [{"text": 3}]}]}, 400, "contents.0.parts.0.text"),
    ],
)
async def test_client_dialect_refuses_in_its_own_words(
    stack: AsyncExitStack, tmp_path: Path, headers: dict[str, str], body: dict[str, Any], status: int, words: str
) -> None:
    client, upstream = await begin(stack, tmp_path, Play.json(ANSWER))
    answer = await client.post(f"{PATH}:generateContent", json=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)
    assert words in answer.json()["error"]["message"]
    assert not upstream.seen


async def test_client_dialect_is_described_in_openapi(stack: AsyncExitStack, tmp_path: Path) -> None:
    client, _ = await begin(stack, tmp_path, Play.json(ANSWER))
    document = (await client.get("/openapi.json", headers={"authorization": f"Bearer {TOKEN}"})).json()
    operation = document["paths"][gemini_clients.WHOLE]["post"]
    assert operation["parameters"][0]["name"] == "model"
    assert document["components"]["securitySchemes"]["x-goog-api-key"]["in"] == "header"

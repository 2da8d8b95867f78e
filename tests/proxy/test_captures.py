"""Requests that real programs sent, replayed as they were sent: answered in their dialect, judged by the user's words alone.

They lie beside the repository (``openclaw-captures``, ``client-captures``); without them these tests skip.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.proxy.demo import demo_upstream
from openclaw_oauthrouter.proxy.start import start_proxy
from tests.support.recordings import SHARED

WORDS = {
    "openclaw-captures/comp-01": "hi, reply OK",
    "openclaw-captures/comp-02": "USE_TOOL please",
    "openclaw-captures/compR-01": "USE_TOOL please",
    "openclaw-captures/gw-01": "hello through the gateway",
    "openclaw-captures/anth-01": "USE_TOOL please",
    "openclaw-captures/resp-02": "USE_TOOL please",
    "client-captures/claude-code-01": "say hi",
    "client-captures/codex-cli-01": "say hi",
}
"""Capture -> what the user had said, all the rest being the program's own."""

TOOL_TURNS = {"comp-02": "comp-03", "compR-01": "compR-02", "anth-01": "anth-02", "resp-02": "resp-03"}
"""A request of OpenClaw's -> the next one, which brings the tool's result."""

HARD = "Prove that the square root of 2 is irrational and derive a general theorem from the proof, step by step."
TIERS = {"hi, reply OK": "SIMPLE", "hello through the gateway": "SIMPLE", "say hi": "SIMPLE", HARD: "REASONING"}

MODELS = ("auto", "anthropic/claude-haiku-4-5", "openai-codex/gpt-5.6-terra")

_ANSWERS = {
    "/v1/chat/completions": ('"object":"chat.completion.chunk"', "data: [DONE]"),
    "/v1/messages": ("event: message_start\n", "event: message_stop\n"),
    "/v1/responses": ("event: response.created\n", "event: response.completed\n"),
}
"""Path -> what stands in the stream's first event and in its last."""

_OF_THE_CONNECTION = {"host", "connection", "content-length", "accept-encoding", "authorization", "x-api-key"}


class Capture:
    """A request as it was sent, save for the token.

    :param words: stand in place of the user's own, if there are any
    """

    def __init__(self, name: str, words: str | None = None) -> None:
        path = SHARED / f"{name}.json"
        if not path.is_file():
            pytest.skip(f"needs {name}.json")
        sent = json.loads(path.read_text(encoding="utf-8"))
        self.path: str = sent["path"].partition("?")[0]
        self.headers = {name.lower(): value for name, value in _pairs(sent["headers"]) if name.lower() not in _OF_THE_CONNECTION}
        text = json.dumps(sent["body"], ensure_ascii=False)
        if words is not None:
            assert WORDS[name] in text
            text = text.replace(WORDS[name], words)
        self.body: dict[str, Any] = {**json.loads(text), "model": "auto"}


def _pairs(headers: Any) -> list[tuple[str, str]]:
    return list(headers.items()) if isinstance(headers, dict) else [(name, value) for name, value in headers]


class Gateway:
    """The real thing in front of the demo."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def answer(self, capture: Capture, model: str = "auto") -> httpx.Response:
        answer = await self._client.post(capture.path, headers=capture.headers, json={**capture.body, "model": model})
        assert answer.status_code == 200, answer.text
        return answer

    async def latest(self) -> dict[str, Any]:
        """What the trace says of the latest request."""
        event: dict[str, Any] = (await self._client.get("/debug/routing-trace", params={"n": 1})).json()["events"][0]
        return event

    async def ask(self, words: str) -> dict[str, Any]:
        """What the trace says of a request that holds nothing but words."""
        body = {"model": "auto", "messages": [{"role": "user", "content": words}]}
        assert (await self._client.post("/v1/chat/completions", json=body)).status_code == 200
        return await self.latest()


@pytest.fixture
async def gateway(tmp_path: Any) -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(demo_upstream())
        handle = await stack.enter_async_context(await start_proxy(port=0, home=tmp_path, auth_token="local", **settings))
        headers = {"authorization": "Bearer local"}
        client = httpx.AsyncClient(base_url=handle.base_url, headers=headers, trust_env=False, timeout=20)
        yield Gateway(await stack.enter_async_context(client))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", WORDS)
async def test_captures_it_is_answered_in_its_own_dialect(name: str, model: str, gateway: Gateway) -> None:
    capture = Capture(name)
    answer = await gateway.answer(capture, model)
    first, last = _ANSWERS[capture.path]
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.rstrip().split("\n\n")
    assert first in events[0]
    assert last in events[-1]
    assert not any(last in event for event in events[:-1])
    event = await gateway.latest()
    assert (event["status"], event["finishReason"]) == (200, "tool_call" if "USE_TOOL" in WORDS[name] else "stop")
    assert event["toolCount"] >= 7


@pytest.mark.parametrize("words", [None, HARD], ids=["as sent", "hard words"])
@pytest.mark.parametrize("name", WORDS)
async def test_captures_only_the_users_words_are_classified(name: str, words: str | None, gateway: Gateway) -> None:
    said = words or WORDS[name]
    alone = await gateway.ask(said)
    capture = Capture(name, words)
    assert len(json.dumps(capture.body)) > 30_000
    answer = await gateway.answer(capture)
    event = await gateway.latest()
    assert event["features"]["text_length"] == len(said)
    assert event["routing"]["score"] == pytest.approx(alone["routing"]["score"])
    assert answer.headers["x-oauthrouter-tier"] == event["tier"] == alone["tier"]
    assert event["tier"] == TIERS.get(said, event["tier"])


@pytest.mark.parametrize("words", [None, HARD], ids=["as sent", "hard words"])
@pytest.mark.parametrize("name", TOOL_TURNS)
async def test_captures_tools_result_keeps_the_tier_of_the_task(name: str, words: str | None, gateway: Gateway) -> None:
    task = Capture(f"openclaw-captures/{name}", words)
    await gateway.answer(task)
    begun = await gateway.latest()
    following = Capture(f"openclaw-captures/{TOOL_TURNS[name]}")
    following.body = json.loads(json.dumps(following.body).replace("USE_TOOL please", words or "USE_TOOL please"))
    answer = await gateway.answer(following)
    event = await gateway.latest()
    assert event["features"]["is_tool_result_turn"]
    assert event["conversation"] == begun["conversation"]
    assert (event["tier"], event["modelIdRouted"]) == (begun["tier"], begun["modelIdRouted"])
    assert words is None or event["tier"] == "REASONING"
    if words is None:
        assert "hello-from-tool" in answer.text.replace('"', "")

"""A plugin may change the body that it is given as it likes: no other request sees it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from openclaw_oauthrouter import hookimpl
from openclaw_oauthrouter.canonical.client_paths import MatchedPath
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.dialects.openai_chat_completions.dialect import ChatCompletions
from openclaw_oauthrouter.providers.openai_compatible import OpenAICompatible
from openclaw_oauthrouter.proxy.start import start_proxy
from tests.support.upstream import Play, ScriptedUpstream

TOKEN = "local-test-token"
TOOLS = [{"type": "function", "function": {"name": "look", "description": "Looks. " * 40, "parameters": {"type": "object"}}}]
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
}


@dataclass(frozen=True, slots=True)
class Editing(OpenAICompatible):
    """Changes all that it is given, in place."""

    mark: str = " [edited]"

    def prepare(self, request: ChatRequest, encoded: EncodedRequest, credential: Credential | None) -> EncodedRequest:
        messages: Any = encoded.body["messages"]
        tools: Any = encoded.body["tools"]
        for message in messages:
            for part in message["content"] if isinstance(message["content"], list) else ():
                part["text"] = part["text"] + self.mark
            if isinstance(message["content"], str):
                message["content"] += self.mark
        for tool in tools:
            (tool.get("function") or tool)["description"] += self.mark
        messages.append({"role": "user", "content": "by the plugin"})
        return encoded


class Emptying(ChatCompletions):
    """Takes messages apart while it reads them."""

    def decode_request(self, body: Any, headers: Mapping[str, str], path: MatchedPath | None = None) -> ChatRequest:
        request = super().decode_request({**body, "messages": [dict(one) for one in body["messages"]]}, headers, path)
        for message in body["messages"]:
            message.clear()
        return request


class Plugin:
    """One of the two."""

    def __init__(self, provider: OpenAICompatible | None = None, dialect: ChatCompletions | None = None) -> None:
        self._provider, self._dialect = provider, dialect

    @hookimpl
    def oauthrouter_register_providers(self) -> list[OpenAICompatible]:
        return [self._provider] if self._provider else []

    @hookimpl
    def oauthrouter_register_dialects(self) -> list[ChatCompletions]:
        return [self._dialect] if self._dialect else []


def conversation(turns: int) -> list[dict[str, Any]]:
    """So long that it is remembered."""
    told = [{"role": ("user", "assistant")[number % 2], "content": f"Turn {number}. " + "word " * 400} for number in range(turns)]
    return [*told, {"role": "user", "content": [{"type": "text", "text": "And now?"}]}]


async def test_provider_s_changes_stay_with_its_request(tmp_path: Path) -> None:
    async with ScriptedUpstream(Play.json(ANSWER)) as upstream:
        editing = Editing("house", f"{upstream.url}/v1", needs_credential=False)
        others = {"plain": {"api_base": f"{upstream.url}/v1", "models": ["m"], "api_key": "k"}}
        handle = await start_proxy(port=0, home=tmp_path, auth_token=TOKEN, providers=others, plugins=[Plugin(editing)])
        async with handle, httpx.AsyncClient(base_url=handle.base_url, timeout=10, trust_env=False) as client:
            for turns, model in ((4, "house/m"), (4, "house/m"), (6, "house/m"), (6, "plain/m")):
                body = {"model": model, "messages": conversation(turns), "tools": TOOLS, "max_tokens": 50}
                said = await client.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {TOKEN}"})
                assert said.status_code == 200, said.text
    told = [seen.body for seen in upstream.seen]
    assert [str(body).count("[edited]") for body in told] == [6, 6, 8, 0]
    assert [body["messages"][-1]["content"] == "by the plugin" for body in told] == [True, True, True, False]
    assert told[3]["messages"] == conversation(6)


async def test_dialect_s_changes_stay_with_its_request(tmp_path: Path) -> None:
    async with ScriptedUpstream(Play.json(ANSWER)) as upstream:
        handle = await start_proxy(
            port=0,
            home=tmp_path,
            auth_token=TOKEN,
            providers={"plain": {"api_base": f"{upstream.url}/v1", "models": ["m"], "api_key": "k"}},
            plugins=[Plugin(dialect=Emptying(time.time))],
        )
        async with handle, httpx.AsyncClient(base_url=handle.base_url, timeout=10, trust_env=False) as client:
            for turns in (4, 4, 6):
                body = {"model": "plain/m", "messages": conversation(turns), "tools": TOOLS}
                said = await client.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {TOKEN}"})
                assert said.status_code == 200, said.text
    assert [len(seen.body["messages"]) for seen in upstream.seen] == [5, 5, 7]

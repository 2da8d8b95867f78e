"""What stands in an answer's ``model``: one rule over all dialects, whole and streamed (docs/http-api.md, "The model in an answer")."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.answers import Answer, play
from tests.support.conversations import CHAT, MESSAGES, RESPONSES

PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages"}
ASKS: dict[str, dict[str, Any]] = {
    CHAT: {"messages": [{"role": "user", "content": "hi"}]},
    RESPONSES: {"input": "hi"},
    MESSAGES: {"max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]},
}
TIERS = ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")
MODELS = {CHAT: "house/m-1", RESPONSES: "house/m-1", MESSAGES: "anthropic/claude-haiku-4-5"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("spoken", PATHS)
@pytest.mark.parametrize("client_dialect", PATHS)
async def test_model_in_answers_model_in_an_answer(
    gateway: Any, scripted: Any, client: Any, client_dialect: str, spoken: str, stream: bool
) -> None:
    upstream = await scripted(play(spoken, Answer("hello"), stream=stream))
    full = MODELS[spoken]
    name, _, bare = full.partition("/")
    provider: dict[str, Any] = {"api_base": f"{upstream.url}/v1", "models": [bare], "api_key": "sk-test"}
    if spoken != MESSAGES:
        provider["dialect"] = spoken
    routing = {"tiers": {tier: {"primary": full} for tier in TIERS}, "aliases": {"mine": full}}
    http = await client(await gateway(providers={name: provider}, routing=routing))
    # The client's own spelling, or the full name where the gateway chose it.
    for asked, named in {full: full, bare: bare, "auto": full, "mine": full}.items():
        body = {**ASKS[client_dialect], "model": asked, "stream": stream}
        answer = await http.post(PATHS[client_dialect], json=body)
        assert answer.status_code == 200, answer.text
        said = set(re.findall(r'"model": ?"([^"]*)"', answer.text))
        vendors_word = set(re.findall(r'"model": ?"([^"]*)"', b"".join(upstream.plays[0].pieces).decode()))
        assert vendors_word
        assert said == (vendors_word if client_dialect == spoken else {named})
        assert answer.headers["x-oauthrouter-model"] == full


async def test_model_in_answers_model_that_stepped_in_is_told_by_its_full_name(gateway: Any, scripted: Any, client: Any) -> None:
    failing, standing_in = (
        await scripted(play(CHAT, Answer("x"), stream=False)),
        await scripted(play(CHAT, Answer("hello"), stream=False)),
    )
    failing.plays[0].status = 529
    providers = {
        name: {"api_base": f"{upstream.url}/v1", "dialect": CHAT, "models": ["m-1"], "api_key": "sk-test"}
        for name, upstream in (("first", failing), ("second", standing_in))
    }
    chain = [{"provider": "second", "model_map": {"first/m-1": "m-1"}}]
    fallback = {"enabled": True, "from_providers": ["first"], "chain": chain}
    http = await client(await gateway(providers=providers, rate_limit_fallback=fallback))
    answer = await http.post(PATHS[MESSAGES], json={**ASKS[MESSAGES], "model": "first/m-1"})
    assert (answer.status_code, answer.json().get("model")) == (200, "second/m-1"), answer.text
    assert answer.headers["x-oauthrouter-model"] == "second/m-1"

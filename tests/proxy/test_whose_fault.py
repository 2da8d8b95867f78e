"""Vendors' refusals through a real gateway: another model answers, the culprit is left alone, and only a bad request ends the walk."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.answers import Answer, play
from tests.support.conversations import CHAT
from tests.support.refusals import CHAT_REFUSALS, MESSAGES_REFUSALS, Said
from tests.support.upstream import Play, ScriptedUpstream

QUICK = {"timeouts": {"connect": 2.0, "first_byte": 3.0, "idle": 1.0}, "retry": {"attempts": 1}}


@pytest.fixture
def pair(gateway: Any, scripted: Any, client: Any) -> Any:
    """A gateway whose ``auto`` asks ``first`` and then a healthy house model."""

    async def begin(said: Said, *, anthropic: bool = False) -> tuple[httpx.AsyncClient, ScriptedUpstream, ScriptedUpstream]:
        first = await scripted(Play([said.body] if said.body else [], said.status, content_type=said.content_type))
        house = await scripted(play(CHAT, Answer("fine words"), stream=False))
        primary = "anthropic/claude-haiku-4-5" if anthropic else "first/m"
        own = {
            "first": {"api_base": f"{first.url}/v1", "models": ["m"], "api_key": "sk-test"},
            "house": {"api_base": f"{house.url}/v1", "models": [{"id": "m", "context_window": 10_000_000}], "api_key": "sk-test"},
        }
        providers = {"house": own["house"]} if anthropic else own
        tiers = {tier: {"primary": primary, "fallback": ["house/m"]} for tier in ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")}
        handle = await gateway(first if anthropic else None, providers=providers, routing={"tiers": tiers}, upstream=QUICK)
        return await client(handle), first, house

    return begin


async def ask(http: httpx.AsyncClient, number: int) -> httpx.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": f"hello, this is number {number}"}], "max_tokens": 20}
    return await http.post("/v1/chat/completions", json=body)


ALL = [(said, False) for said in CHAT_REFUSALS] + [(said, True) for said in MESSAGES_REFUSALS]


@pytest.mark.parametrize(
    ("said", "anthropic"), [each for each in ALL if each[0].blame != "request"], ids=lambda v: getattr(v, "name", "")
)
async def test_refusal_leads_to_the_next_model_and_is_left_alone(said: Said, anthropic: bool, pair: Any) -> None:
    http, first, house = await pair(said, anthropic=anthropic)
    for number in range(4):
        answer = await ask(http, number)
        assert answer.status_code == 200, answer.text
    assert len(house.seen) == 4
    # Whoever is out of order is not asked again at once; what concerns one request only is noticed when it comes back.
    assert len(first.seen) == {"context": 2, "ability": 2, "unsaid": 2}.get(said.blame, 1)


@pytest.mark.parametrize(
    ("said", "anthropic"), [each for each in ALL if each[0].blame == "request"], ids=lambda v: getattr(v, "name", "")
)
async def test_refusal_of_the_request_itself_ends_the_walk(said: Said, anthropic: bool, pair: Any) -> None:
    http, first, house = await pair(said, anthropic=anthropic)
    answer = await ask(http, 1)
    assert answer.status_code == said.status, answer.text
    assert (len(first.seen), len(house.seen)) == (1, 0)


async def test_refusal_that_repeats_for_different_requests_is_left_alone(pair: Any) -> None:
    said = next(each for each in CHAT_REFUSALS if each.name == "filter words")
    http, first, house = await pair(said)
    for _ in range(3):
        assert (await ask(http, 1)).status_code == 400  # the same request again proves nothing
    assert (await ask(http, 2)).status_code == 400
    assert (await ask(http, 3)).status_code == 200
    assert (len(first.seen), len(house.seen)) == (4, 1)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_web_page_is_titled_and_never_quoted(path: str, pair: Any) -> None:
    said = next(each for each in CHAT_REFUSALS if each.name == "cloudflare")
    http, _, _ = await pair(said)
    body = {"input": "hi"} if path == "/v1/responses" else {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    answer = await http.post(path, json={**body, "model": "first/m"})
    assert answer.status_code == 502
    assert "Just a moment..." in answer.text
    assert "secret-looking" not in answer.text
    assert "<" not in answer.text

"""Addresses that lead elsewhere: back to the gateway, to a redirect, to more connections than there may be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.errors import ConfigurationError
from tests.support.answers import Answer, play
from tests.support.conversations import CHAT
from tests.support.upstream import STALL, Play

ASK = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
PATHS = {"/v1/chat/completions": ASK, "/v1/messages": ASK, "/v1/responses": {"input": "hi"}, "/v1/embeddings": {"input": "hi"}}


@pytest.mark.parametrize("path", PATHS)
async def test_provider_that_leads_back_here_is_found_at_the_first_candidate(
    path: str, gateway: Any, client: Any, scripted: Any
) -> None:
    first = await gateway()
    port = first.port
    await first.close()
    own = {"api_base": f"http://127.0.0.1:{port}/v1", "models": ["m"], "api_key": "local-test-token"}
    handle = await gateway(providers={"mirror": own}, port=port)
    http = await client(handle)
    async with asyncio.timeout(5):
        answer = await http.post(path, json={**PATHS[path], "model": "mirror/m"})
    assert answer.status_code in (502, 508)
    assert "its own address" in answer.text
    events = (await http.get("/debug/routing-trace")).json()["events"]
    assert len(events) == 1


async def test_addresses_two_gateways_that_lead_to_each_other_end_where_they_began(gateway: Any, client: Any) -> None:
    probe = await gateway()
    port = probe.port
    await probe.close()

    def provider(of: int) -> dict[str, Any]:
        return {"api_base": f"http://127.0.0.1:{of}/v1", "models": ["m"], "api_key": "local-test-token"}

    other = await gateway(providers={"first": provider(port)}, routing={"aliases": {"m": "first/m"}})
    handle = await gateway(providers={"second": provider(other.port)}, routing={"aliases": {"m": "second/m"}}, port=port)
    async with asyncio.timeout(10):
        answer = await (await client(handle)).post("/v1/chat/completions", json={**ASK, "model": "second/m"})
    assert answer.status_code in (502, 508)
    assert "its own address" in answer.text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/embeddings"])
async def test_redirect_is_named_and_not_followed(status: int, path: str, gateway: Any, client: Any, scripted: Any) -> None:
    elsewhere = await scripted(play(CHAT, Answer("never"), stream=False))
    location = f"{elsewhere.url}/v2/chat?token=secret-of-theirs"
    upstream = await scripted(Play([b"moved"], status, {"location": location}, "text/html"))
    providers = {"house": {"api_base": f"{upstream.url}/v1", "models": ["m"], "api_key": "sk-test"}}
    answer = await (await client(await gateway(providers=providers))).post(path, json={**PATHS[path], "model": "house/m"})
    assert answer.status_code == 502
    assert f"{elsewhere.url}/v2/chat" in answer.text
    assert "api_base" in answer.text
    assert "secret-of-theirs" not in answer.text
    assert elsewhere.seen == []


async def test_addresses_own_limit_of_connections_is_nobody_elses_failure(gateway: Any, client: Any, scripted: Any) -> None:
    busy = await scripted(Play([b": wait\n\n", STALL]))
    free = await scripted(play(CHAT, Answer("fine"), stream=False))
    providers = {
        "busy": {"api_base": f"{busy.url}/v1", "models": ["m"], "api_key": "sk-a"},
        "free": {"api_base": f"{free.url}/v1".replace("127.0.0.1", "localhost"), "models": ["m"], "api_key": "sk-b"},
    }
    tiers = {tier: {"primary": "busy/m", "fallback": ["free/m"]} for tier in ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")}
    http = await client(await gateway(providers=providers, routing={"tiers": tiers}, upstream={"max_connections": 1}))
    held = asyncio.create_task(http.post("/v1/chat/completions", json={**ASK, "model": "busy/m"}))
    await busy.arrived()
    named = await http.post("/v1/chat/completions", json={**ASK, "model": "busy/m"})
    assert (named.status_code, named.json()["error"]["code"], named.headers["retry-after"]) == (503, "gateway_busy", "1")
    assert (await http.get("/debug/provider-health")).json()["cooldowns"] == []
    auto = await http.post("/v1/chat/completions", json={**ASK, "model": "auto"})
    assert auto.status_code == 200, auto.text
    told = (await http.get("/metrics")).text
    assert 'oauthrouter_upstream_connections{host="127.0.0.1"} 1.0' in told
    # Of those that wait, the search for lists of models may be one.
    assert 'oauthrouter_upstream_waiting{host="127.0.0.1"}' in told
    held.cancel()


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("http://127.0.0.1:1/v1?key=sk-secret-value", False),
        ("http://127.0.0.1:1/v1?api_key=sk-secret-value", False),
        ("http://127.0.0.1:1/v1?anything=sk-secret-value", False),
        ("https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21", True),
    ],
)
def test_address_with_a_query_that_may_be_a_key_is_refused(address: str, fine: bool) -> None:
    overrides = {"providers": {"house": {"api_base": address, "models": ["m"]}}}
    if fine:
        load_settings(environ={}, overrides=overrides)
        return
    with pytest.raises(ConfigurationError, match="query parameter") as refused:
        load_settings(environ={}, overrides=overrides)
    assert "secret-value" not in refused.value.message

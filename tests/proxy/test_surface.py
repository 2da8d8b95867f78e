"""What every client meets: authentication, hosts and origins, models, unknown paths, limits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.support.anthropic_streams import MESSAGE
from tests.support.upstream import Play

CHAT = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}
PATHS = ("/v1/models", "/v1/models/auto", "/debug/routing-trace", "/debug/provider-health", "/debug/spend", "/metrics", "/nope")


async def test_health_needs_no_token_and_tells_no_secret(gateway: Any) -> None:
    handle = await gateway()
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as stranger:
        answer = await stranger.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert handle.auth_token not in answer.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "wrong", "x" * 100_000])
async def test_surface_nothing_else_without_the_token(path: str, token: str | None, gateway: Any) -> None:
    handle = await gateway()
    headers = {} if token is None else {"x-api-key": token[:60_000]}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, trust_env=False) as stranger:
        answer = await stranger.get(path)
    assert answer.status_code in (401, 431)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_model_paths_refuse_strangers_in_their_own_words(path: str, gateway: Any) -> None:
    handle = await gateway()
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as stranger:
        answer = await stranger.post(path, json=CHAT)
    assert answer.status_code == 401
    error = answer.json()
    assert (error["type"] == "error") if path == "/v1/messages" else error["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "x-openai-api-key"])
async def test_surface_token_may_come_in_three_headers(header: str, gateway: Any) -> None:
    handle = await gateway()
    value = f"Bearer {handle.auth_token}" if header == "authorization" else handle.auth_token
    async with httpx.AsyncClient(base_url=handle.base_url, headers={header: value}, trust_env=False) as client:
        assert (await client.get("/v1/models")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "localhost:1"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-mode": "cors"}, 200),  # what OpenClaw's own client sends
    ],
)
async def test_hosts_and_origins(headers: dict[str, str], status: int, gateway: Any, scripted: Any, client: Any) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)))
    http = await client(handle)
    assert (await http.get("/v1/models", headers=headers)).status_code == status
    assert (await http.post("/v1/chat/completions", json=CHAT, headers=headers)).status_code == status


async def test_unknown_paths_and_methods_answer_in_the_openai_shape(gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    missing = await http.get("/v1/nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    wrong = await http.get("/v1/chat/completions")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    assert (await http.post("/v1/models")).status_code == 405


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b'"text"', None),
        (b"{}", None),
        (b'{"model": "auto"}', "messages"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "model"),
        (b'{"model": 3, "messages": [{"role": "user", "content": "x"}]}', "model"),
        (b'{"model": "", "messages": [{"role": "user", "content": "x"}]}', "model"),
        (b'{"model": "auto", "messages": [{"role": "nobody", "content": "x"}]}', None),
        (b"[" * 50_000, None),
    ],
)
async def test_bad_bodies_are_400_and_name_the_parameter(raw: bytes, param: str | None, gateway: Any, client: Any) -> None:
    answer = await (await client(await gateway())).post("/v1/chat/completions", content=raw)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"
    if param is not None:
        assert answer.json()["error"]["param"] == param


async def test_surface_unknown_model_is_404_with_close_matches(gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    answer = await http.post("/v1/chat/completions", json={**CHAT, "model": "clade-haiku-4-5"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert "claude-haiku-4-5" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "model",
    [
        "anthropic/claude-haiku-4-5",
        "claude-haiku-4-5",
        "oauthrouter/anthropic/claude-haiku-4.5",
        "oauthrouter/auto",
        "auto-economy",
        "mine",
    ],
)
async def test_surface_ways_to_name_a_model(model: str, gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    handle = await gateway(upstream, routing={"aliases": {"mine": "anthropic/claude-haiku-4-5"}})
    answer = await (await client(handle)).post("/v1/chat/completions", json={**CHAT, "model": model})
    assert answer.status_code == 200
    # Left to choose, the gateway takes the newest of the family.
    assert upstream.seen[0].body["model"] == ("claude-haiku-5-5" if "auto" in model.split("/")[-1] else "claude-haiku-4-5")


async def test_models_in_both_shapes(gateway: Any, scripted: Any, client: Any) -> None:
    http = await client(await gateway(await scripted(Play.json(MESSAGE))))
    openai = (await http.get("/v1/models")).json()
    assert openai["object"] == "list"
    assert {"auto", "auto-economy", "anthropic/claude-haiku-4-5"} <= {model["id"] for model in openai["data"]}
    anthropic = (await http.get("/v1/models", headers={"anthropic-version": "2023-06-01"})).json()
    assert anthropic["data"][0]["type"] == "model"
    assert anthropic["has_more"] is False
    assert (await http.get("/v1/models/anthropic/claude-haiku-4-5")).json()["id"] == "anthropic/claude-haiku-4-5"
    assert (await http.get("/v1/models/nope")).status_code == 404


async def test_surface_no_provider_is_503_with_the_words_of_the_start(gateway: Any, client: Any) -> None:
    handle = await gateway()
    answer = await (await client(handle)).post("/v1/chat/completions", json={**CHAT, "model": "auto"})
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == handle.live.runtime.what_is_missing()
    assert "ANTHROPIC_API_KEY" in answer.json()["error"]["message"]


async def test_surface_body_over_the_limit_is_413_before_it_is_read(gateway: Any) -> None:
    handle = await gateway(server={"max_body_bytes": 2000})
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-api-key: {handle.auth_token}\r\ncontent-length: 999999999\r\n\r\n"
    writer.write(head.encode())
    status = await asyncio.wait_for(reader.readline(), 5)
    assert b"413" in status
    writer.close()


async def test_surface_slow_body_is_408(gateway: Any) -> None:
    handle = await gateway(server={"body_seconds": 0.2})
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-api-key: {handle.auth_token}\r\ncontent-length: 50\r\n\r\n{{"
    )
    writer.write(head.encode())
    assert b"408" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_secrets_and_cookies_stay_here(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    handle = await gateway(upstream)
    sent = {"cookie": "oauthrouter_token=abc", "expect": "", "x-api-key": handle.auth_token, "x-forwarded-for": "1.2.3.4"}
    await (await client(handle)).post("/v1/chat/completions", json=CHAT, headers=sent)
    assert handle.auth_token not in json.dumps(upstream.seen[0].headers)
    assert "cookie" not in upstream.seen[0].headers
    assert upstream.seen[0].headers["x-api-key"] == "sk-ant-api03-test"


async def test_surface_trace_goes_on_at_the_provider(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await (await client(await gateway(upstream))).post("/v1/chat/completions", json=CHAT, headers={"traceparent": parent})
    assert upstream.seen[0].headers["traceparent"] == parent


async def test_answers_explain_themselves_in_headers(gateway: Any, scripted: Any, client: Any) -> None:
    play = Play.json(MESSAGE, **{"request-id": "req_up", "anthropic-ratelimit-requests-remaining": "7"})
    handle = await gateway(await scripted(play))
    answer = await (await client(handle)).post("/v1/chat/completions", json={**CHAT, "model": "auto"})
    assert answer.headers["x-oauthrouter-tier"] == "SIMPLE"
    assert answer.headers["x-oauthrouter-model"] == "anthropic/claude-haiku-5-5"
    assert answer.headers["x-upstream-request-id"] == "req_up"
    assert answer.headers["anthropic-ratelimit-requests-remaining"] == "7"
    quiet = await gateway(await scripted(play), server={"response_headers": False})
    answer = await (await client(quiet)).post("/v1/chat/completions", json=CHAT)
    assert not [name for name in answer.headers if name.startswith("x-oauthrouter")]


async def test_surface_wrong_hints_name_what_exists(gateway: Any, scripted: Any, client: Any) -> None:
    http = await client(await gateway(await scripted(Play.json(MESSAGE))))
    answer = await http.post("/v1/chat/completions", json={**CHAT, "model": "auto"}, headers={"x-oauthrouter-tier": "HUGE"})
    assert answer.status_code == 400
    assert "REASONING" in answer.json()["error"]["message"]
    answer = await http.post("/v1/chat/completions", json={**CHAT, "model": "auto"}, headers={"x-oauthrouter-tier": "reasoning"})
    assert answer.headers["x-oauthrouter-model"] == "anthropic/claude-opus-5-5"


async def test_explain_sends_nothing(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    http = await client(await gateway(upstream))
    explained = (await http.post("/v1/route/explain", json={"prompt": "Prove that sqrt(2) is irrational"})).json()
    assert explained["tier"] == "REASONING"
    assert explained["hops"][0]["model"] == "anthropic/claude-opus-5-5"
    assert (await http.post("/v1/route/explain", json={"nothing": 1})).status_code == 400
    assert upstream.seen == []


async def test_count_tokens_answers_messages_clients(gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    body = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "word " * 400}]}
    counted = (await http.post("/v1/messages/count_tokens", json=body)).json()["input_tokens"]
    assert 300 < counted < 900


async def test_surface_missing_credential_is_not_worth_trying_again_soon(gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    answer = await http.post("/v1/chat/completions", json={"model": "auto", "messages": [{"role": "user", "content": "hi"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_credential")
    assert answer.headers["retry-after"] == "300"


async def test_surface_prompt_no_model_can_hold_is_a_context_overflow_in_every_dialect(gateway: Any, client: Any) -> None:
    mine = {"api_base": "http://127.0.0.1:9", "models": [{"id": "m", "context_window": 1000, "images": False}]}
    http = await client(await gateway(providers={"mine": mine}))
    messages = [{"role": "user", "content": "word " * 4000}]
    for path, body in (
        ("/v1/chat/completions", {"messages": messages}),
        ("/v1/responses", {"input": messages}),
    ):
        answer = await http.post(path, json={"model": "auto", **body})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded"), path
    answer = await http.post("/v1/messages", json={"model": "auto", "max_tokens": 10, "messages": messages})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert answer.json()["error"]["message"].startswith("prompt is too long")


async def test_surface_messages_client_gets_its_own_shape_of_error_on_every_path(gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    for path, status, kind in (("/v1/nothing", 404, "not_found_error"), ("/v1/models/nobody", 404, "not_found_error")):
        answer = await http.get(path, headers={"anthropic-version": "2023-06-01"})
        body = answer.json()
        assert (answer.status_code, body["type"], body["error"]["type"]) == (status, "error", kind)
        assert body["request_id"] == answer.headers["x-request-id"]


async def test_surface_refused_request_is_found_in_the_trace_by_its_id(gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    refused = await http.post("/v1/embeddings", json={"model": "nobody", "input": "a"})
    events = (await http.get("/debug/routing-trace")).json()["events"]
    assert refused.headers["x-request-id"] == events[-1]["requestId"]

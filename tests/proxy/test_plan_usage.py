"""Plans are asked how full their windows are before the first request needs to know, once, and never with a renewed token."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from openclaw_oauthrouter.providers.anthropic.usage import usage_headers as claude_headers
from openclaw_oauthrouter.providers.openai_codex.usage import usage_headers as codex_headers
from openclaw_oauthrouter.upstream import plan_usage
from tests.proxy.test_money import HI, ByMode, chat, messages
from tests.support.upstream import ScriptedUpstream

CODEX_TOKEN = (
    "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDAsImh0dHBzOi8vYXBpLm9wZW5haS5jb20vYXV0aCI6eyJjaGF0Z3B0X2FjY291bnRfaWQiOiJhIn19.eA"
)
SOON = {"model_lists": {"enabled": False}, "plan_usage": {"first_after_seconds": 0}}


def answer(value: Any, status: str = "200 OK") -> bytes:
    body = json.dumps(value).encode()
    return (
        f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n".encode()
        + body
    )


def claude(five_hour: float, seven_day: float = 10.0) -> dict[str, Any]:
    resets_at = datetime.fromtimestamp(time.time() + 9000, UTC).isoformat()
    return {
        "five_hour": {"utilization": five_hour, "resets_at": resets_at},
        "seven_day": {"utilization": seven_day, "resets_at": resets_at},
        "seven_day_opus": None,
        "extra_usage": {"is_enabled": False, "utilization": None},
    }


def codex(five_hour: float) -> dict[str, Any]:
    window = {
        "used_percent": five_hour,
        "limit_window_seconds": 18_000,
        "reset_after_seconds": 9000,
        "reset_at": time.time() + 9000,
    }
    return {
        "plan_type": "plus",
        "rate_limit": {"allowed": True, "primary_window": window, "secondary_window": None},
        "credits": None,
    }


async def windows(http: Any, count: int) -> dict[tuple[str, str], float]:
    async with asyncio.timeout(20):
        while True:
            told = (await http.get("/debug/provider-health")).json()["windows"]
            if len(told) >= count:
                return {(one["provider"], one["window"]): one["used"] for one in told}
            await asyncio.sleep(0.02)


async def asked(upstream: ScriptedUpstream, count: int) -> list[dict[str, str]]:
    async with asyncio.timeout(20):
        while len(upstream.asked_for_usage) < count:
            await asyncio.sleep(0.02)
    return upstream.asked_for_usage


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_usage, "LOOK_SECONDS", 0.05)


@pytest.mark.parametrize(("full", "fresh", "expected"), [(90.0, 3.0, "openai-codex/"), (3.0, 90.0, "anthropic/")])
async def test_plan_usage_first_request_goes_to_the_plan_that_said_it_has_room(
    full: float, fresh: float, expected: str, gateway: Any, stack: Any, client: Any
) -> None:
    anthropic = await stack.enter_async_context(ByMode(*messages({"input_tokens": 9, "output_tokens": 3})))
    chatgpt = await stack.enter_async_context(ByMode(*chat({})))
    anthropic.usage, chatgpt.usage = answer(claude(full)), answer(codex(fresh))
    providers = {
        "anthropic": {"api_base": anthropic.url, "api_key": "sk-ant-oat01-test"},
        "openai-codex": {"api_base": chatgpt.url, "auth_header": f"Bearer {CODEX_TOKEN}"},
    }
    http = await client(await gateway(providers=providers, upstream=SOON))
    told = await windows(http, 3)
    assert told == {
        ("anthropic", "5h"): full / 100,
        ("anthropic", "7d"): 0.1,
        ("openai-codex", "codex 300 min"): fresh / 100,
    }
    explained = await http.post(
        "/v1/route/explain", json={"prompt": "Design a queue that survives restarts; compare two layouts"}
    )
    assert explained.json()["model"].startswith(expected)
    assert anthropic.asked_for_usage[0]["authorization"] == "Bearer sk-ant-oat01-test"
    assert "oauth" in anthropic.asked_for_usage[0]["anthropic-beta"]
    assert chatgpt.asked_for_usage[0]["authorization"] == f"Bearer {CODEX_TOKEN}"
    assert not anthropic.seen
    assert not chatgpt.seen


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("said", [answer({"error": "no"}, "403 Forbidden"), answer([1]), answer({}), b"HTTP/1.1 200 OK\r\n\r\n{"])
async def test_plan_usage_plan_that_does_not_say_is_asked_once_and_answers_all_the_same(
    said: bytes, gateway: Any, stack: Any, client: Any
) -> None:
    upstream = await stack.enter_async_context(ByMode(*messages({"input_tokens": 9, "output_tokens": 3})))
    upstream.usage = said
    providers = {"anthropic": {"api_base": upstream.url, "api_key": "sk-ant-oat01-test"}}
    http = await client(await gateway(providers=providers, upstream=SOON))
    await asked(upstream, 1)
    reply = await http.post("/v1/messages", json={**HI, "model": "anthropic/claude-haiku-5-5", "max_tokens": 50})
    assert reply.status_code == 200
    await asyncio.sleep(0.3)
    assert len(upstream.asked_for_usage) == 1


@pytest.mark.usefixtures("impatient")
async def test_plan_usage_plan_is_asked_again_only_after_requests_of_its_own(gateway: Any, stack: Any, client: Any) -> None:
    whole, streamed = messages({"input_tokens": 9, "output_tokens": 3})
    whole.headers["anthropic-ratelimit-unified-5h-utilization"] = "0.5"
    whole.headers["anthropic-ratelimit-unified-5h-reset"] = f"{time.time() + 9000:.0f}"
    upstream = await stack.enter_async_context(ByMode(whole, streamed))
    upstream.usage = answer(claude(20))
    providers = {"anthropic": {"api_base": upstream.url, "api_key": "sk-ant-oat01-test"}}
    settings = {**SOON, "plan_usage": {"first_after_seconds": 0, "stale_minutes": 0.001}}
    http = await client(await gateway(providers=providers, upstream=settings))
    await asked(upstream, 1)
    await asyncio.sleep(0.5)
    assert len(upstream.asked_for_usage) == 1
    await http.post("/v1/messages", json={**HI, "model": "anthropic/claude-haiku-5-5", "max_tokens": 50})
    await asked(upstream, 2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "off", [{"api_key": "sk-ant-api03-key"}, {"api_key": "sk-ant-oat01-test", "usage": False}], ids=["a key", "off"]
)
async def test_keys_are_not_asked_and_neither_is_anybody_when_switched_off(
    off: dict[str, Any], gateway: Any, stack: Any, client: Any
) -> None:
    upstream = await stack.enter_async_context(ByMode(*messages({"input_tokens": 9, "output_tokens": 3})))
    usage = {"first_after_seconds": 0, "enabled": off.pop("usage", True)}
    handle = await gateway(providers={"anthropic": {"api_base": upstream.url, **off}}, upstream={**SOON, "plan_usage": usage})
    http = await client(handle)
    assert (await http.get("/health")).status_code == 200
    await asyncio.sleep(0.3)
    assert upstream.asked_for_usage == []


@pytest.mark.parametrize("read", [claude_headers, codex_headers])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"<html>", b'{"five_hour": {"utilization": "x", "resets_at": 7}}', b'{"rate_limit": 3}']
)
def test_plan_usage_no_answer_does_harm(read: Any, body: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert read(body) == {}

"""The gateway asks providers for their lists of models: in the background, from any kind of server, and never to anybody's harm."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.catalog.listings import ListingError
from openclaw_oauthrouter.providers.openai_compatible import OpenAICompatible
from openclaw_oauthrouter.proxy.start import ProxyHandle
from openclaw_oauthrouter.upstream.kept_lists import load_lists
from openclaw_oauthrouter.upstream.model_lists import fetch_models

AT_ONCE = {"model_lists": {"first_after_seconds": 0}}


def answer(body: Any, status: int = 200, kind: str = "application/json") -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\ncontent-length: {len(raw)}\r\nconnection: close\r\n\r\n"
    return head.encode() + raw


def openai(*names: str, **fields: Any) -> bytes:
    return answer({"object": "list", "data": [{"id": name, "object": "model", **fields} for name in names]})


async def asked(handle: ProxyHandle, provider: str) -> Any:
    """Wait until a provider's answer is kept, and say what is."""
    async with asyncio.timeout(8):
        while (kept := load_lists(handle.live.runtime.settings.home).by_provider.get(provider)) is None:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    return kept


async def listed(client: Any, handle: ProxyHandle) -> dict[str, Any]:
    http = await client(handle)
    return {row["id"]: row for row in (await http.get("/v1/models")).json()["data"]}


async def test_model_lists_endpoint_given_by_its_address_lists_its_models(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted()
    upstream.models = answer(
        {"object": "list", "data": [{"id": "meta-llama/Llama-4", "max_model_len": 131072}, {"id": "bge-m3"}]}
    )
    handle = await gateway(providers={"mine": {"api_base": f"{upstream.url}/v1"}}, upstream=AT_ONCE)
    await asked(handle, "mine")
    models = await listed(client, handle)
    assert models["mine/meta-llama/Llama-4"]["context_window"] == 131072
    assert "mine/bge-m3" not in models
    assert not upstream.seen


async def test_model_lists_new_model_of_a_known_family_takes_its_familys_place(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted()
    upstream.models = openai("gpt-9-sol", "gpt-6-luna", "tts-9")
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}}, upstream=AT_ONCE)
    await asked(handle, "openai")
    router = handle.live.runtime.pipeline.router
    assert {name for chain in router.choosing.chains.values() for name in chain} == {"openai/gpt-9-sol", "openai/gpt-6-luna"}
    newest = router.choosing.model_info("openai/gpt-9-sol")
    assert newest is not None
    assert newest.tool_protocols == ("openai_responses",)
    models = await listed(client, handle)
    assert "openai/gpt-6.2-sol" not in models
    assert "openai/tts-9" not in models


async def test_model_lists_vendors_own_date_of_retirement_counts(gateway: Any, scripted: Any) -> None:
    upstream = await scripted()
    upstream.models = openai("gpt-6.2-sol", "gpt-6-luna", "gpt-6.1-terra", shutdown_date="2026-01-01")
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}}, upstream=AT_ONCE)
    await asked(handle, "openai")
    router = handle.live.runtime.pipeline.router
    info = router.choosing.model_info("openai/gpt-6.2-sol")
    assert info is not None
    assert str(info.retires) == "2026-01-01"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (answer(b"<!doctype html><h1>Sign in</h1>", kind="text/html"), "web page"),
        (openai(), "empty"),
        (answer({"error": "no"}, 401), "401"),
        (answer(b"[" + b" " * (10 << 20) + b"]"), "MB"),
        (answer({"data": [{"id": 7}, {"id": None}]}), "no id"),
        (answer({"data": {"id": "m"}}), "no list"),
        (answer("m"), "no list"),
        (answer(b'{"data": [{"id": "m"'), "not JSON"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n{", "cannot be reached"),
    ],
    ids=["html", "empty", "401", "10 MB", "lies", "a mapping", "a text", "half", "cut"],
)
async def test_model_lists_bad_list_changes_nothing_and_is_said(
    raw: bytes, problem: str, gateway: Any, scripted: Any, tmp_path: Path
) -> None:
    upstream = await scripted()
    settings = {"providers": {"mine": {"api_base": upstream.url}}, "upstream": AT_ONCE}
    upstream.models = openai("good-1")
    first = await gateway(**settings)
    await asked(first, "mine")
    upstream.models = raw
    await first.discovery.refresh()
    kept = load_lists(tmp_path / "state").by_provider["mine"]
    assert [model.id for model in kept.models] == ["good-1"]
    assert kept.problem is not None
    assert re.search(problem, kept.problem), kept.problem
    again = await gateway(**settings)
    assert again.live.runtime.pipeline.router.choosing.model_info("mine/good-1") is not None


class Slow(httpx.AsyncBaseTransport):
    """Begins an answer, and never ends it."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async def drip() -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.001)

        return httpx.Response(200, content=drip())


async def test_fetch_models_gives_a_slow_server_up() -> None:
    with pytest.raises(ListingError, match=r"did not answer within 0\.05 s"):
        await fetch_models(Slow(), OpenAICompatible("mine", "http://127.0.0.1:9/v1"), None, 0.05)


async def test_model_lists_server_that_is_off_stays_off(gateway: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    handle = await gateway(providers={"mine": {"api_base": address}}, upstream=AT_ONCE)
    kept = await asked(handle, "mine")
    assert "cannot be reached" in kept.problem
    asked_at = kept.asked
    await handle.discovery.refresh(only_due=True)
    assert load_lists(handle.live.runtime.settings.home).by_provider["mine"].asked == asked_at


async def test_model_lists_list_of_another_address_counts_for_nothing(gateway: Any, scripted: Any) -> None:
    one, other = await scripted(), await scripted()
    one.models, other.models = openai("one"), openai("other")
    handle = await gateway(providers={"mine": {"api_base": one.url}}, upstream=AT_ONCE)
    await asked(handle, "mine")
    moved = await gateway(providers={"mine": {"api_base": other.url}}, upstream={"model_lists": {"enabled": False}})
    assert [info.id for info in moved.live.runtime.pipeline.upstream.providers["mine"].models()] == []


async def test_model_lists_demo_and_those_who_do_not_want_it_ask_nobody(gateway: Any, scripted: Any) -> None:
    upstream = await scripted()
    await gateway(upstream, upstream={"model_lists": {"enabled": False, "first_after_seconds": 0}})
    await gateway(upstream, demo=True, upstream=AT_ONCE)
    await asyncio.sleep(0.2)
    assert not upstream.asked_for_models

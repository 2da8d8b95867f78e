"""With any one credential alone every tier answers, with tools and without, streamed and whole, from a vendor that refuses what it refuses."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.catalog.models import shipped_models
from openclaw_oauthrouter.catalog.presets import Preset, presets
from openclaw_oauthrouter.changes.credentials import NO_KEY, keep
from openclaw_oauthrouter.credentials.sources.store import StoreFile
from tests.support.conversations import CHAT, MESSAGES, PATHS, RESPONSES, Conversation, say
from tests.support.readings import read
from tests.support.strict_vendors import ANTHROPIC, CHATGPT, DEEPSEEK, GEMINI_COMPATIBLE, OPENAI, StrictVendor, Vendor

SINGLE: dict[str, tuple[str, Vendor, str]] = {
    "OPENAI_API_KEY": ("openai", OPENAI, ""),
    "DEEPSEEK_API_KEY": ("deepseek", DEEPSEEK, ""),
    "ChatGPT sign-in": ("openai-chatgpt", CHATGPT, ""),
    "Anthropic key": ("anthropic", ANTHROPIC, ""),
    "Gemini's OpenAI-compatible address": ("my-gemini", GEMINI_COMPATIBLE, "/v1beta/openai"),
}
EVERY_FIELD = frozenset().union(*Vendor((), {}).fields.values(), DEEPSEEK.fields[CHAT], ["anthropic_version", "service_tier"])
UNLISTED = {"upstream": {"model_lists": {"enabled": False}}}


@pytest.mark.parametrize("client_dialect", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("credential", SINGLE)
async def test_single_credentials_every_tier_answers(
    credential: str, client_dialect: str, stack: AsyncExitStack, gateway: Any, client: Any
) -> None:
    name, kind, path = SINGLE[credential]
    vendor = await stack.enter_async_context(StrictVendor(kind))
    handle = await gateway(
        providers={
            name: {"api_base": vendor.url + path, "api_key": "sk-test", **({"models": sorted(kind.models)} if path else {})}
        },
        **UNLISTED,
    )
    http = await client(handle)
    for tier in Tier:
        for tools in ((), ("get_weather",)):
            for stream in (False, True):
                body = say(client_dialect, Conversation(tools=tools, thinks=bool(tools)), "auto", stream=stream)
                answer = await http.post(PATHS[client_dialect], json=body, headers={"x-oauthrouter-tier": tier.value})
                said = read(client_dialect, answer)
                assert said.error is None, (tier, tools, stream, answer.text, vendor.refused)
                assert bool(said.calls) == bool(tools)
    assert vendor.refused == []


async def test_tiers_of_one_openai_key_rise_in_ability_and_do_not_fall_in_price(gateway: Any) -> None:
    handle = await gateway(providers={"openai": {"api_key": "sk-test"}}, **UNLISTED)
    router = handle.live.runtime.pipeline.router
    infos = [router.choosing.model_info(router.choosing.chains[tier][0]) for tier in Tier]
    abilities = [info.ability for info in infos]
    prices = [router.prices.price(info).output for info in infos]
    assert abilities == sorted(abilities)
    assert prices == sorted(prices)
    assert abilities[0] < abilities[1] < abilities[2]


async def test_single_credentials_model_that_is_gone_is_passed_over_and_said(
    stack: AsyncExitStack, gateway: Any, client: Any
) -> None:
    left = Vendor({"deepseek-v4-flash"}, {PATHS[CHAT]: CHAT}, gone=(400, "Model Not Exist"), fields=DEEPSEEK.fields)
    vendor = await stack.enter_async_context(StrictVendor(left, lists_models=False))
    handle = await gateway(providers={"deepseek": {"api_base": vendor.url, "api_key": "sk-test"}}, **UNLISTED)
    http = await client(handle)
    answer = await http.post(PATHS[CHAT], json=say(CHAT, Conversation(), "auto", stream=False))
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-oauthrouter-model"] == "deepseek/deepseek-v4-flash"
    [event] = (await http.get("/debug/routing-trace?n=1")).json()["events"]
    assert "Model Not Exist" in str(event["attempts"])


async def test_single_credentials_list_takes_models_that_are_gone_out_of_the_tiers(
    stack: AsyncExitStack, gateway: Any, client: Any
) -> None:
    vendor = await stack.enter_async_context(StrictVendor(CHATGPT))
    handle = await gateway(providers={"openai-chatgpt": {"api_base": vendor.url, "api_key": "sk-test"}})
    await handle.discovery.refresh()
    again = await gateway(providers={"openai-chatgpt": {"api_base": vendor.url, "api_key": "sk-test"}}, **UNLISTED)
    chains = again.live.runtime.pipeline.router.choosing.chains
    assert {name for tier in Tier for name in chains[tier]} == {
        "openai-chatgpt/gpt-6-luna",
        "openai-chatgpt/gpt-6.1-terra",
        "openai-chatgpt/gpt-6.2-sol",
    }
    listed = (await (await client(again)).get("/v1/models")).json()["data"]
    assert {row["id"] for row in listed if "/" in row["id"]} == {name for tier in Tier for name in chains[tier]}


BY_NAME = [preset for preset in presets().values() if preset.kind in ("openai-compatible", "anthropic") and preset.api_base]
UNKNOWN_BEFORE = ("openai/gpt-oss-20b", "openai/gpt-oss-120b")
"""Models of a vendor that ships without rows."""


@pytest.mark.parametrize("preset", BY_NAME, ids=lambda preset: preset.name)
async def test_single_credentials_key_added_by_name_is_all_a_preset_needs(
    preset: Preset, stack: AsyncExitStack, gateway: Any, client: Any, tmp_path: Path
) -> None:
    models = {info.id for info in shipped_models() if info.provider == (preset.models_of or preset.name)} or set(UNKNOWN_BEFORE)
    root = urlsplit(preset.api_base or "").path or "/v1"
    path = f"{root.removesuffix('/v1')}/v1/messages" if preset.kind == "anthropic" else root + PATHS[CHAT].removeprefix("/v1")
    spoken = {path: MESSAGES if preset.kind == "anthropic" else CHAT, root + "/responses": RESPONSES}
    fields = {CHAT: EVERY_FIELD, MESSAGES: EVERY_FIELD, RESPONSES: EVERY_FIELD}
    vendor = await stack.enter_async_context(StrictVendor(Vendor(models, spoken, fields=fields)))
    keep(StoreFile(tmp_path / "state"), preset.name, NO_KEY if preset.local else "sk-test-of-this-vendor")
    handle = await gateway(
        providers={preset.name: {"api_base": f"{vendor.url}{urlsplit(preset.api_base or '').path}"}},
        credentials={"order": ["store"]},
        upstream={"model_lists": {"first_after_seconds": 0}},
    )
    async with asyncio.timeout(30):
        while handle.live.runtime.pipeline.router.choosing.silent_providers() or not vendor.asked_for_models:
            await asyncio.sleep(0.01)
    http = await client(handle)
    assert (await http.get("/health")).json()["ready"] is True
    for tier in Tier:
        body = say(CHAT, Conversation(tools=("get_weather",)), "auto", stream=tier is Tier.MEDIUM)
        answer = await http.post(PATHS[CHAT], json=body, headers={"x-oauthrouter-tier": tier.value})
        assert read(CHAT, answer).calls, (tier, answer.text, vendor.refused)
        assert answer.headers["x-oauthrouter-model"].startswith(f"{preset.name}/")
    # A local server is asked for its better lists first, which this one has not got.
    assert [words for words in vendor.refused if not (preset.local and "/api/" in words)] == []
    sent = vendor.seen[-1].headers
    key = sent.get(preset.key_header or "") or sent.get("x-api-key") or sent.get("authorization", "")
    assert preset.local or "sk-test-of-this-vendor" in key

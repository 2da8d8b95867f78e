"""A gateway as the pages start one: from the TOML and the plugins they show, in front of the demo upstream."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.proxy.demo import demo_upstream
from openclaw_oauthrouter.proxy.start import start_proxy

TOKEN = "local-test-token"

Open = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def gateway(stack: AsyncExitStack, tmp_path: Path) -> Open:
    """Starts a gateway and gives a client that holds its token.

    ``gateway(plugin, …, toml="…", **settings)``: providers are those of the demo and those of the TOML.
    """

    async def begin(*plugins: object, toml: str = "", **more: Any) -> httpx.AsyncClient:
        demo = await stack.enter_async_context(demo_upstream())
        settings = tomllib.loads(toml) | more
        providers = demo["providers"] | settings.pop("providers", {})
        named = {"port": 0, "home": tmp_path / "state", "auth_token": TOKEN, "credentials": demo["credentials"], **settings}
        handle = await stack.enter_async_context(await start_proxy(providers=providers, plugins=plugins, **named))
        headers = {"authorization": f"Bearer {handle.auth_token}"}
        return await stack.enter_async_context(
            httpx.AsyncClient(base_url=handle.base_url, headers=headers, timeout=10, trust_env=False)
        )

    return begin

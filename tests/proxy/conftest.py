"""A real gateway on a real socket, in front of scripted upstreams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.support.upstream import Play, ScriptedUpstream

HASTE: dict[str, Any] = {"timeouts": {"connect": 2.0, "first_byte": 1.0, "idle": 0.4}, "retry": {"attempts": 1}}
PATIENT: dict[str, Any] = {"timeouts": {"connect": 10.0, "first_byte": 10.0, "idle": 5.0}, "retry": {"attempts": 1}}
"""Time limits short enough to wait for; PATIENT ones say nothing of how busy the machine is."""

Gateway = Callable[..., Awaitable[ProxyHandle]]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def upstream_settings() -> dict[str, Any]:
    """The gateway's, where a test has no others; what plays upstreams that keep it waiting is in HASTE."""
    return PATIENT


@pytest.fixture
def gateway(stack: AsyncExitStack, tmp_path: Path, upstream_settings: dict[str, Any]) -> Gateway:
    """Starts a gateway whose Anthropic is the scripted upstream."""

    async def begin(scripted: ScriptedUpstream | None = None, /, **settings: Any) -> ProxyHandle:
        providers: dict[str, Any] = settings.pop("providers", {})
        if scripted is not None:
            providers.setdefault("anthropic", {"api_base": scripted.url, "api_key": "sk-ant-api03-test"})
        named = {
            "port": 0,
            "home": tmp_path / "state",
            "auth_token": "local-test-token",
            "providers": providers,
            "credentials": {"order": ["config"]},
            "upstream": upstream_settings,
            **settings,
        }
        return await stack.enter_async_context(await start_proxy(**named))

    return begin


@pytest.fixture
def scripted(stack: AsyncExitStack) -> Callable[..., Awaitable[ScriptedUpstream]]:
    async def begin(*plays: Play) -> ScriptedUpstream:
        return await stack.enter_async_context(ScriptedUpstream(*plays))

    return begin


@pytest.fixture
async def client(stack: AsyncExitStack) -> Callable[[ProxyHandle], Awaitable[httpx.AsyncClient]]:
    async def begin(handle: ProxyHandle) -> httpx.AsyncClient:
        headers = {"authorization": f"Bearer {handle.auth_token}"}
        return await stack.enter_async_context(
            httpx.AsyncClient(base_url=handle.base_url, headers=headers, timeout=10, trust_env=False)
        )

    return begin

"""When a plan is asked how full its windows are: by what was told, what was called, and what came of asking."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.config.providers import AnthropicOAuthSettings, ProviderSettings
from openclaw_oauthrouter.config.upstream import PlanUsageSettings
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.providers.anthropic import Anthropic
from openclaw_oauthrouter.upstream.discovery import Upstreams
from openclaw_oauthrouter.upstream.plan_usage import PlanUsage

SAYS = b'{"five_hour": {"utilization": 50, "resets_at": 1763850000}}'
HEADERS = {"anthropic-ratelimit-unified-5h-utilization": "0.5", "anthropic-ratelimit-unified-5h-reset": "9000"}


class Way(httpx.AsyncBaseTransport):
    """The way to a provider, which answers by itself."""

    def __init__(self, status: int = 200, body: bytes = SAYS) -> None:
        self.status, self.body = status, body
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.headers["authorization"].removeprefix("Bearer sk-ant-oat01-"))
        return httpx.Response(self.status, content=_in_parts(self.body))


async def _in_parts(body: bytes) -> AsyncIterator[bytes]:
    yield body


class World:
    """One plan with some accounts, a clock, and what is known."""

    def __init__(self, way: Way, accounts: Sequence[str] = ("a",), turn: int = 0) -> None:
        self.way, self.now = way, 1_763_800_000.0
        self.health = HealthRegistry(lambda: self.now)
        held = [Credential(name, "anthropic", "token", Secret(f"sk-ant-oat01-{name}"), "store") for name in accounts]
        provider = Anthropic("anthropic", ProviderSettings(), AnthropicOAuthSettings(), ())
        upstreams = Upstreams({"anthropic": provider}, None, way, lambda _: True)  # type: ignore[arg-type]
        self.usage = PlanUsage(
            PlanUsageSettings(), lambda: self.now, lambda: upstreams, lambda _: held, lambda: self.health, turn
        )

    async def after(self, minutes: float, *, call: str = "", **told: Any) -> int:
        """How often the plan was asked in some minutes, with a look every minute and a call at their beginning."""
        before = len(self.way.asked)
        if call:
            self.health.calling("anthropic", "model", call)
        if told:
            self.health.observe_headers("anthropic", call, told["headers"], "model")
        for _ in range(round(minutes)):
            await self.usage.refresh()
            self.now += 60
        return len(self.way.asked) - before


async def test_plan_usage_idle_plan_is_asked_once() -> None:
    world = World(Way(), ("a", "b"))
    assert await world.after(120) == 2
    assert sorted(world.way.asked) == ["a", "b"]


@pytest.mark.parametrize("says", [SAYS, b"{}"], ids=["says", "says nothing"])
async def test_plan_usage_plan_whose_answers_do_not_tell_is_asked_again_once_it_is_used(says: bytes) -> None:
    world = World(Way(body=says), ("a", "b"))
    await world.after(20)
    world.way.asked.clear()
    assert await world.after(60, call="a") == 1
    assert world.way.asked == ["a"]
    assert await world.after(600) == 0


async def test_plan_usage_plan_whose_answers_tell_is_left_alone_until_that_is_stale() -> None:
    world = World(Way())
    await world.after(20)
    assert await world.after(14, call="a", headers=HEADERS) == 0
    assert await world.after(2) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_plan_usage_plan_that_does_not_say_is_asked_after_pauses_that_double(status: int) -> None:
    world = World(Way(status))
    asked = [await world.after(15, call="a") for _ in range(4 * 10)]
    assert sum(asked) == 5  # at once, then after 30, 60, 120 and 240 minutes
    world.way.status = 200
    assert sum([await world.after(15, call="a") for _ in range(4 * 12)]) > 10


async def test_plan_usage_workers_let_the_first_ask() -> None:
    first, second = World(Way()), World(Way(), turn=1)
    await first.after(1)
    reading = next(iter(first.health.windows.items()))
    second.health.windows.merge(*reading)
    assert await second.after(14) == 0

"""Gateways that share a Redis learn from one another's failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from openclaw_oauthrouter.errors import UpstreamConnectionError
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.shared_state.health import SharedHealth
from openclaw_oauthrouter.tasks import end_tasks

REFUSED = UpstreamConnectionError("refused", code="upstream_unreachable")
USED_UP = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "90s"}


class Gateway:
    """A book with a clock of its own, and its line to the others."""

    def __init__(self, client, key: str) -> None:
        self.now = 1_763_800_000.0
        self.registry = HealthRegistry(lambda: self.now)
        self.shared = SharedHealth(self.registry, client, key=key, seconds=0.01)

    @property
    def blocked(self) -> bool:
        return self.registry.blocked("anthropic", "m", "k") is not None


@pytest.fixture
async def gateways(redis_url: str) -> AsyncIterator[tuple[Gateway, Gateway]]:
    from redis import asyncio as redis

    key = uuid4().hex
    pair = (Gateway(redis.from_url(redis_url), key), Gateway(redis.from_url(redis_url), key))
    yield pair
    for gateway in pair:
        await gateway.shared.close()


async def test_shared_health_failure_and_its_end_travel(gateways: tuple[Gateway, Gateway]) -> None:
    one, other = gateways
    one.registry.failed("anthropic", "m", "k", REFUSED)
    one.registry.observe_headers("openai", "k", USED_UP, model="gpt-5.5")
    await one.shared.exchange()
    assert not other.blocked
    await other.shared.exchange()
    assert other.blocked
    assert other.registry.blocked("openai", "gpt-5.5", "k")

    other.now += 1
    other.registry.succeeded("anthropic", "m", "k")
    await other.shared.exchange()
    assert one.blocked
    await one.shared.exchange()
    assert not one.blocked


async def test_damaged_news_is_passed_over(gateways: tuple[Gateway, Gateway]) -> None:
    one, other = gateways
    await one.shared._client.hset(one.shared._key, "rubbish", "{")
    one.registry.failed("anthropic", "m", "k", REFUSED)
    await one.shared.exchange()
    await other.shared.exchange()
    assert other.blocked


async def test_shared_health_it_goes_on_by_itself(gateways: tuple[Gateway, Gateway]) -> None:
    tasks = [asyncio.create_task(gateway.shared.sync()) for gateway in gateways]
    gateways[0].registry.failed("anthropic", "m", "k", REFUSED)
    async with asyncio.timeout(10):
        while not gateways[1].blocked:
            await asyncio.sleep(0.01)
    await end_tasks(tasks)


async def test_shared_health_without_the_server_each_goes_by_what_it_sees(caplog: pytest.LogCaptureFixture) -> None:
    shared = SharedHealth.connect(HealthRegistry(lambda: 0.0), "redis://127.0.0.1:1/0")
    shared._seconds = 0.01
    task = asyncio.create_task(shared.sync())
    async with asyncio.timeout(10):
        while "cannot be shared" not in caplog.text:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert caplog.text.count("cannot be shared") == 1
    await end_tasks([task])
    await shared.close()

"""Shares a health book with other gateways through Redis (extra ``redis``): what one of them learns, all know within seconds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, NoReturn

import orjson

from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.health.state import HealthState, absorb, decode, encode, state_of
from openclaw_oauthrouter.wire.redis_client import connect_redis

_KEY = "{oauthrouter}:health"
_KEEP_SECONDS = 8 * 86_400
_GATHER_SECONDS = 0.05
"""A busy gateway learns something with each answer; it is told in so many exchanges a second at most."""

_log = logging.getLogger(__name__)


class SharedHealth:
    """Exchanges news with a Redis hash, one field for each thing that can be out of order; the newest word on each wins.

    :param client: a ``redis.asyncio`` client
    :param seconds: between two exchanges; what is learnt here is told at once
    """

    def __init__(self, registry: HealthRegistry, client: Any, *, key: str = _KEY, seconds: float = 0.5) -> None:
        self._registry = registry
        self._client = client
        self._key = key
        self._seconds = seconds
        self._news = asyncio.Event()
        registry.on_change(self._news.set)

    @classmethod
    def connect(cls, registry: HealthRegistry, url: str) -> SharedHealth:
        """Use the server that ``state_url`` names.

        :raises ConfigurationError: see ``connect_redis``
        """
        return cls(registry, connect_redis(url))

    async def sync(self) -> NoReturn:
        """Exchange news for ever; run it as a task and cancel it. Without the server each gateway goes by what it sees itself."""
        from redis.exceptions import RedisError

        reachable = True
        while True:
            try:
                await self.exchange()
                reachable = True
            except (RedisError, OSError) as error:
                if reachable:
                    _log.warning("health cannot be shared: %s", error)
                reachable = False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._news.wait()
            self._news.clear()
            await asyncio.sleep(_GATHER_SECONDS)

    async def exchange(self) -> None:
        """Learn what others know, then tell what they do not."""
        theirs: dict[bytes, bytes] = await self._client.hgetall(self._key)
        for value in theirs.values():
            state = decode(value)
            if state is not None:
                absorb(self._registry, state)
        news = {field: value for field, value in _fields(self._registry) if theirs.get(field) != value}
        if news:
            await self._client.hset(self._key, mapping=news)
            await self._client.expire(self._key, _KEEP_SECONDS)

    async def close(self) -> None:
        """Let go of the server."""
        await self._client.aclose()


def _fields(registry: HealthRegistry) -> list[tuple[bytes, bytes]]:
    state = state_of(registry)
    fields = []
    for subject, cooling in state.cooldowns:
        fields.append((orjson.dumps(["cooldown", *subject]), encode(HealthState(cooldowns=[(subject, cooling)]))))
    for holder, reading in state.windows:
        fields.append((orjson.dumps(["window", *holder, reading.name]), encode(HealthState(windows=[(holder, reading)]))))
    return fields

"""The ledger in Redis, shared by gateways on several machines (extra ``redis``).

A process of another machine cannot be asked whether it lives, so each keeps a lease alive while it holds anything; when the lease
ends, its holds do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import asdict
from typing import Any, Self

import orjson

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.errors import ConfigurationError, LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger.entries import Hold, Row, Shortfall
from openclaw_oauthrouter.policy.ledger.redis_scripts import RESERVE, SETTLE
from openclaw_oauthrouter.policy.periods import window

try:
    from redis import asyncio as redis
    from redis.exceptions import RedisError
except ImportError as missing:
    raise ConfigurationError(
        "stateUrl names a Redis server, but the extra is not installed: pip install 'openclaw-oauthrouter[redis]'"
    ) from missing

_PREFIX = "{oauthrouter}:spend:"
"""The braces keep all keys in one slot of a Redis cluster, which the scripts need."""

_KEEP_SECONDS = 400 * 86_400


class RedisLedger:
    """``Ledger`` over one Redis server.

    :param client: answers with text, not bytes
    :param owner: unique to this process
    :param lease_seconds: how long holds outlive a process that died
    """

    immediate = False

    def __init__(self, client: redis.Redis, owner: str, *, prefix: str = _PREFIX, lease_seconds: float = 30.0) -> None:
        self._client = client
        self._owner = owner
        self._prefix = prefix
        self._held = f"{prefix}held"
        self._lease_ms = int(lease_seconds * 1000)
        self._reserve = client.register_script(RESERVE)
        self._settle = client.register_script(SETTLE)
        self._holding: set[str] = set()
        self._heart: asyncio.Task[None] | None = None

    @classmethod
    def connect(cls, url: str, owner: str, *, prefix: str = _PREFIX, lease_seconds: float = 30.0) -> Self:
        """Use the server at ``redis://…``; nothing is sent before the first call.

        :raises ConfigurationError: the URL is not one
        """
        try:
            client = redis.from_url(url, decode_responses=True, socket_connect_timeout=5.0, socket_timeout=5.0)
        except ValueError as error:
            raise ConfigurationError(f"stateUrl is not a Redis URL: {error}") from error
        return cls(client, owner, prefix=prefix, lease_seconds=lease_seconds)

    async def reserve(self, hold: Hold, limits: Sequence[Limit], now: float) -> Shortfall | None:
        """See ``Ledger``."""
        held = {
            "owner": self._owner,
            "expires_at": hold.expires_at,
            "day": hold.day,
            "model": hold.model,
            "client": hold.client,
            **asdict(hold.amounts),
        }
        asked = [{**asdict(limit), "window": window(limit.period, hold.day)} for limit in limits]
        args: list[Any] = [self._prefix, hold.id, orjson.dumps(held), orjson.dumps(asked), now, self._lease_ms]
        short = await _reached(self._reserve(keys=[self._held], args=args))
        if short is not None:
            index, used, aside = short
            return Shortfall(limits[index - 1], used, aside)
        self._holding.add(hold.id)
        if self._heart is None:
            self._heart = asyncio.create_task(self._keep_lease())
        return None

    async def settle(self, hold: Hold, used: Amounts) -> None:
        """See ``Ledger``."""
        self._holding.discard(hold.id)
        values = (hold.windows, hold.scopes, asdict(used))
        args: list[Any] = [self._prefix, hold.id, *(orjson.dumps(value) for value in values), _KEEP_SECONDS]
        await _reached(self._settle(keys=[self._held], args=args))

    async def release(self, hold: Hold) -> None:
        """See ``Ledger``."""
        self._holding.discard(hold.id)
        await _reached(self._client.hdel(self._held, hold.id))

    async def rows(self, windows: Collection[str]) -> Sequence[Row]:
        """See ``Ledger``."""
        rows = []
        for name in sorted(windows):
            rows += _rows(name, await _reached(self._client.hgetall(f"{self._prefix}used:{name}")))
        return rows

    async def close(self) -> None:
        """See ``Ledger``."""
        if self._heart is not None:
            self._heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heart
        await self._client.aclose()

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            if self._holding:
                # A server that is away for a moment is asked again on the next beat.
                with contextlib.suppress(LedgerUnavailableError):
                    await _reached(self._client.set(f"{self._prefix}alive:{self._owner}", "1", px=self._lease_ms))


def _rows(name: str, fields: dict[str, str]) -> list[Row]:
    scopes: dict[str, dict[str, int]] = {}
    for field, value in fields.items():
        scope, _, quantity = field.rpartition("|")
        scopes.setdefault(scope, {})[quantity] = int(value)
    return [Row(name, scope, Amounts(**scopes[scope])) for scope in sorted(scopes)]


async def _reached(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except (RedisError, OSError) as error:
        raise LedgerUnavailableError(f"the spend ledger in Redis cannot be reached: {error}") from error

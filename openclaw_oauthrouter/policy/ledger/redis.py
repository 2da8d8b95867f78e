"""The ledger's store in Redis, shared by gateways on several machines (extra ``redis``).

A process of another machine cannot be asked whether it lives, so each keeps a lease alive while it holds anything; when the lease
ends, its reservations give way to whoever needs the room. A process that was only held up, by a busy machine or a pause, puts what it
still holds back with its next beat. Clocks of machines differ: a reservation's time counts on the clock of the process that made it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Self

import orjson

from openclaw_oauthrouter.canonical.spending import Amounts
from openclaw_oauthrouter.errors import ConfigurationError, LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger.entries import (
    Account,
    Claim,
    LedgerLostError,
    Outcome,
    Reservation,
    Row,
    Standing,
    Writes,
)
from openclaw_oauthrouter.policy.ledger.redis_scripts import FOLD, RESERVE, WRITE
from openclaw_oauthrouter.tasks import end_tasks
from openclaw_oauthrouter.wire.redis_client import connect_redis

try:
    from redis import asyncio as redis
    from redis.exceptions import RedisError
except ImportError as missing:
    raise ConfigurationError(
        "stateUrl names a Redis server, but the extra is not installed: pip install 'openclaw-oauthrouter[redis]'"
    ) from missing

_PREFIX = "{oauthrouter}:spend2:"
"""The braces keep all keys in one slot of a Redis cluster, which the scripts need."""

_KEEP_SECONDS = 400 * 86_400
_KNOWN_SECONDS = 40 * 86_400
_LATE_SECONDS = 7200.0
"""Nothing is booked to a moment longer ago than this: no call takes so long."""

_FOLD_SECONDS = 62 * 86_400
"""After which hours become days."""

_FOLDED_AT_ONCE = 2000
"""Moments that one start folds: Redis serves nobody else meanwhile."""

_READ_AT_ONCE = 200
"""Moments whose rows are read in one way there and back."""

_TRUST_SECONDS = 60.0
"""How long a sum over longer ago is trusted; another process may have written back what a lost server had held."""

_STEP_SECONDS = 600.0
"""How often what has become longer ago is added to that sum."""

_LOST = "what the spend ledger in Redis had counted is gone"


class RedisStore:
    """``Store`` over one Redis server.

    :param client: answers with text, not bytes
    :param writer: unique to this process: names its rows and its lease
    :param lease_seconds: how long reservations outlive a process that died
    """

    immediate = False

    def __init__(
        self,
        client: redis.Redis,
        writer: str,
        *,
        prefix: str = _PREFIX,
        lease_seconds: float = 30.0,
        late_seconds: float = _LATE_SECONDS,
    ) -> None:
        self._client = client
        self._writer = writer
        self._prefix = prefix
        self._held = f"{prefix}held"
        self._lease_ms = int(lease_seconds * 1000)
        self._late_seconds = late_seconds
        self._reserve = client.register_script(RESERVE)
        self._write = client.register_script(WRITE)
        self._fold = client.register_script(FOLD)
        self._holding: dict[str, tuple[float, bytes]] = {}
        """By id: until when, on the loop's clock, and what was written."""
        self._asking: set[str] = set()
        """Ids of which Redis has not said yet whether they are held."""
        self._heart: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._others: list[tuple[str, int, list[int]]] | None = None
        self._sums: dict[tuple[object, ...], tuple[float, float, int]] = {}

    @classmethod
    def connect(cls, url: str, writer: str, *, prefix: str = _PREFIX, lease_seconds: float = 30.0) -> Self:
        """Use the server that ``state_url`` names; nothing is sent before the first call.

        :raises ConfigurationError: see ``connect_redis``
        """
        return cls(connect_redis(url, text=True), writer, prefix=prefix, lease_seconds=lease_seconds)

    async def reserve(self, reservation: Reservation, claims: Sequence[Claim], now: float) -> Outcome:
        """See ``Store``."""
        await self._begin()
        held = {
            "owner": self._writer,
            "expires_at": reservation.expires_at,
            "account": list(reservation.account),
            "amounts": _columns(reservation.amounts),
        }
        asked = await asyncio.gather(*(self._asked(claim, now) for claim in claims))
        args: list[Any] = [
            self._prefix, reservation.id, orjson.dumps(held), orjson.dumps(asked), now, self._lease_ms, _KEEP_SECONDS
        ]  # fmt: skip
        before = self._holding.get(reservation.id)
        self._asking.add(reservation.id)
        self._holding[reservation.id] = (_loop_time() + reservation.expires_at - now, args[2])
        if self._heart is None:
            self._heart = asyncio.create_task(self._keep_lease())
        answer = await _reached(lambda: self._reserve(keys=[self._held], args=args))
        if answer[0] == "lost":
            raise LedgerLostError(_LOST)
        if answer[0] == "void":
            raise LedgerUnavailableError("the reservation was given up before it was made")
        short, *numbers = answer
        standings = tuple(Standing(claim, *numbers[2 * at : 2 * at + 2]) for at, claim in enumerate(claims))
        self._asking.discard(reservation.id)
        if short and before is None:
            self._holding.pop(reservation.id, None)
        elif short and before is not None:
            self._holding[reservation.id] = before  # a top-up that is refused leaves what there was
        return Outcome(standings, standings[short - 1] if short else None)

    async def write(self, totals: Writes, drops: Collection[str], unknown: Collection[str], now: float) -> None:
        """See ``Store``."""
        await self._begin()
        for gone in (*drops, *unknown):
            self._holding.pop(gone, None)
            self._asking.discard(gone)
        await self._send(self._stated(totals), drops, unknown, anew=False)

    async def rows(self, start: float, end: float) -> Sequence[Row]:
        """See ``Store``."""
        sums: dict[Account, Amounts] = {}
        for field, _, totals in await self._stored(start, end):
            account = _account(field)
            sums[account] = sums.get(account, Amounts()) + Amounts(*totals)
        return [Row(account, used) for account, used in sums.items()]

    async def restore(self, totals: Writes, now: float) -> None:
        """See ``Store``."""
        self._sums.clear()
        await self._send([*(self._others or ()), *self._stated(totals)], (), (), anew=True)

    async def examine(self, now: float) -> None:
        """See ``Store``."""
        if self._others is not None and not await _reached(lambda: self._client.exists(f"{self._prefix}about")):
            raise LedgerLostError(_LOST)

    async def close(self) -> None:
        """See ``Store``."""
        if self._heart is not None:
            await end_tasks([self._heart])
        await self._client.aclose()

    def abandon(self) -> None:
        """See ``Store``: nothing is connected before the first call."""

    async def _begin(self) -> None:
        """Once: learn what there is, so that it can be written back, and say that there is a ledger now.

        In as few ways there and back as can be: a server on another continent is far away.
        """
        if self._others is None:
            async with self._beginning:
                if not self._has_begun():
                    await self._learn()

    def _has_begun(self) -> bool:
        return self._others is not None

    async def _learn(self) -> None:
        asked: Any = self._client.pipeline(transaction=False)
        asked.zrange(f"{self._prefix}moments", 0, -1)
        asked.set(f"{self._prefix}about", "2", nx=True)
        # A script that could not be left there is sent along when it is wanted.
        loads = (self._client.script_load(script) for script in (RESERVE, WRITE))
        (found, _), *_ = await _reached(lambda: _all_first(asked.execute(), *loads))
        moments = [int(moment) for moment in found]
        latest = moments[-1] if moments else 0
        if moments and moments[0] < latest - _FOLD_SECONDS:
            old: list[Any] = [self._prefix, latest - _FOLD_SECONDS, _FOLDED_AT_ONCE, _KEEP_SECONDS]
            await _reached(lambda: self._fold(keys=[f"{self._prefix}moments"], args=old))
        self._others = await self._stored_at([moment for moment in moments if moment >= latest - _KNOWN_SECONDS])

    async def _stored(self, start: float, end: float) -> list[tuple[str, int, list[int]]]:
        """Rows by field, moment and totals, of every process."""
        moments = await _reached(lambda: self._client.zrangebyscore(f"{self._prefix}moments", start, f"({end}"))
        return await self._stored_at([int(moment) for moment in moments])

    async def _stored_at(self, moments: Sequence[int]) -> list[tuple[str, int, list[int]]]:
        found: list[tuple[str, int, list[int]]] = []
        for at in range(0, len(moments), _READ_AT_ONCE):
            some = moments[at : at + _READ_AT_ONCE]
            asked: Any = self._client.pipeline(transaction=False)
            for moment in some:
                asked.hgetall(f"{self._prefix}rows:{moment}")
            for moment, rows in zip(some, await _reached(asked.execute), strict=True):
                found += [(field, moment, orjson.loads(totals)) for field, totals in rows.items()]
        return found

    async def _asked(self, claim: Claim, now: float) -> dict[str, object]:
        kind, name = claim.scope
        recent = max(claim.start, (now - self._late_seconds) // _STEP_SECONDS * _STEP_SECONDS)
        used = await self._long_ago(claim, recent, now) if recent > claim.start else 0
        return {
            "kind": kind,
            "name": name,
            "quantity": claim.limit.quantity,
            "most": claim.limit.most,
            "start": claim.start,
            "end": claim.end,
            "recent": recent,
            "used": used,
        }

    async def _long_ago(self, claim: Claim, recent: float, now: float) -> int:
        """What was used in a claim's time before ``recent``: it does not change any more, so the sum is kept and added to."""
        key = (claim.start, claim.end, claim.limit.quantity, claim.limit.scope)
        until, at, used = self._sums.get(key, (claim.start, now, 0))
        if not at <= now < at + _TRUST_SECONDS or until > recent:
            until, at, used = claim.start, now, 0
        if until < recent:
            rows = await self.rows(until, recent)
            used += sum(int(getattr(row.used, claim.limit.quantity)) for row in rows if row.account.within(claim))
        if len(self._sums) > 1000:
            self._sums.clear()
        self._sums[key] = (recent, at, used)
        return used

    def _stated(self, totals: Writes) -> list[tuple[str, int, list[int]]]:
        return [(orjson.dumps([*account, self._writer]).decode(), account.moment, _columns(used)) for account, used in totals]

    async def _send(
        self, rows: Sequence[tuple[str, int, list[int]]], drops: Collection[str], unknown: Collection[str], *, anew: bool
    ) -> None:
        args: list[Any] = [
            self._prefix, orjson.dumps(rows), orjson.dumps(list(drops)), _KEEP_SECONDS, "anew" if anew else "",
            orjson.dumps(list(unknown)),
        ]  # fmt: skip
        if await _reached(lambda: self._write(keys=[self._held], args=args)) == "lost":
            raise LedgerLostError(_LOST)

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._lease_ms / 3000)
            if self._holding:
                # A server that is away for a moment is asked again on the next beat.
                with contextlib.suppress(LedgerUnavailableError):
                    await self._beat()

    async def _beat(self) -> None:
        """Say that this process lives, give up what took too long, and put back what others took to be left behind."""
        await _reached(lambda: self._client.set(f"{self._prefix}alive:{self._writer}", "1", px=self._lease_ms))
        now = _loop_time()
        expired = [id_ for id_, (until, _) in self._holding.items() if until <= now]
        for id_ in expired:
            del self._holding[id_]
            self._asking.discard(id_)
        if expired:
            await _reached(lambda: self._client.hdel(self._held, *expired))
        ids = [id_ for id_ in self._holding if id_ not in self._asking]
        there = await _reached(lambda: self._client.hmget(self._held, ids)) if ids else []
        # Not what was settled or given up while Redis was asked.
        missing: dict[Any, Any] = {
            id_: self._holding[id_][1] for id_, known in zip(ids, there, strict=True) if known is None and id_ in self._holding
        }
        if missing:
            await _reached(lambda: self._client.hset(self._held, mapping=missing))
            settled = [id_ for id_ in missing if id_ not in self._holding]
            if settled:
                await _reached(lambda: self._client.hdel(self._held, *settled))


async def _all_first(wanted: Awaitable[Any], *others: Awaitable[Any]) -> list[Any]:
    """All at once; only the first one's failure counts."""
    first, *rest = await asyncio.gather(wanted, *others, return_exceptions=True)
    if isinstance(first, BaseException):
        raise first
    return [first, *rest]


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _account(field: str) -> Account:
    return Account(*orjson.loads(field)[:-1])


def _columns(amounts: Amounts) -> list[int]:
    return [amounts.requests, amounts.input_tokens, amounts.output_tokens, amounts.microdollars, amounts.unpriced]


async def _reached(ask: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await ask()
    except (RedisError, OSError) as error:
        raise LedgerUnavailableError(f"the spend ledger in Redis cannot be reached: {error}") from error

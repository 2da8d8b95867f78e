"""A Redis that is far away, or full: budgets stay exact, nobody hangs, who needs no budget does not feel it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from openclaw_oauthrouter.canonical.spending import Limit
from openclaw_oauthrouter.errors import LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.redis import RedisStore
from openclaw_oauthrouter.proxy.start import ProxyHandle
from openclaw_oauthrouter.wire.redis_client import connect_redis
from tests.support.answers import Answer, play
from tests.support.conversations import CHAT
from tests.support.upstream import ScriptedUpstream

from .conftest import house_gateway
from .places import NOON, hold, reserve, settle, used

SECONDS_THERE_AND_BACK = 0.1
MONTH = Limit("month", "requests", 10_000)


class FarAway:
    """Stands before a Redis: every byte takes its time, and every way there and back is counted."""

    def __init__(self, url: str, seconds: float) -> None:
        self._target = urlsplit(url).port
        self._one_way = seconds / 2
        self.ways = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        try:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        finally:
            server.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        turn = {"asks": True}
        try:
            await asyncio.gather(self._pipe(reader, back, turn, True), self._pipe(there, writer, turn, False))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            back.close()
            writer.close()

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, turn: dict[str, bool], asks: bool) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                at, piece = await waiting.get()
                await asyncio.sleep(max(0.0, at - loop.time()))
                if not piece:
                    sink.close()
                    return
                sink.write(piece)

        arriving = asyncio.create_task(arrive())
        while piece := await source.read(1 << 16):
            if asks and turn["asks"]:
                self.ways += 1
            turn["asks"] = not asks
            waiting.put_nowait((loop.time() + self._one_way, piece))
        waiting.put_nowait((loop.time(), b""))
        await arriving


def _ledger(url: str, prefix: str) -> Ledger:
    return Ledger(RedisStore.connect(url, uuid4().hex, prefix=prefix), lambda: NOON)


async def test_first_reservation_reads_a_long_history_in_few_ways(redis_url: str) -> None:
    """A way for each hour of a month would be minutes on another continent."""
    prefix = f"{{{uuid4().hex}}}:"
    before = _ledger(redis_url, prefix)
    for hours in range(1, 300):
        asked = hold(at=NOON - hours * 3600)
        await reserve(before, asked, [])
        await settle(before, asked)
    await before.close()
    far = FarAway(redis_url, 0.0)
    async with far.open() as url:
        ledger = _ledger(url, prefix)
        assert await reserve(ledger, hold(), [MONTH]) is None
        first = far.ways
        assert await reserve(ledger, hold(), [MONTH]) is None
        assert (await used(ledger)).requests > 0
        await ledger.close()
    # A connection each for the scripts, what there is, its rows, the sum's moments, their rows, the reservation.
    assert first <= 12
    assert far.ways - first <= 4


async def test_budget_of_two_gateways_is_exact_far_away(redis_url: str) -> None:
    prefix = f"{{{uuid4().hex}}}:"
    async with FarAway(redis_url, SECONDS_THERE_AND_BACK).open() as url:
        pair = [_ledger(url, prefix) for _ in range(2)]
        limits = [Limit("day", "requests", 5)]
        async with asyncio.timeout(30):
            found = await asyncio.gather(*(reserve(pair[at % 2], hold(), limits) for at in range(12)))
        assert sum(outcome is None for outcome in found) == 5
        for ledger in pair:
            await ledger.close()


async def _answers(handle: ProxyHandle, number: int) -> tuple[Counter[int], float]:
    """Statuses, and the longest that one took."""
    statuses: Counter[int] = Counter()
    longest = 0.0
    body = {"model": "house/m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    async with httpx.AsyncClient(base_url=handle.base_url, timeout=30, trust_env=False) as http:
        for _ in range(number):
            began = time.monotonic()
            headers = {"authorization": f"Bearer {handle.auth_token}"}
            statuses[(await http.post("/v1/chat/completions", json=body, headers=headers)).status_code] += 1
            longest = max(longest, time.monotonic() - began)
    return statuses, longest


async def test_gateways_far_from_their_redis_overspend_nothing_and_answer_all(redis_url: str, tmp_path: Path) -> None:
    """Two that share a budget of three, and one without any."""
    # The suite's server is shared, the gateways' keys are fixed: another database is theirs alone.
    emptied = connect_redis(redis_url.replace("/0", "/7"))
    await emptied.flushdb()
    await emptied.aclose()
    async with (
        FarAway(redis_url, SECONDS_THERE_AND_BACK).open() as url,
        ScriptedUpstream(play(CHAT, Answer("fine"), stream=False)) as upstream,
    ):
        gateways = [
            await house_gateway(upstream, url.replace("/0", "/7"), tmp_path / str(at), 3 if at < 2 else None) for at in range(3)
        ]
        (one, _), (other, _), (free, _) = await asyncio.gather(*(_answers(handle, 4) for handle in gateways))
        for handle in gateways:
            await handle.close()
    assert free == {200: 4}
    assert one + other == Counter({200: (one + other)[200], 429: 8 - (one + other)[200]})
    assert len(upstream.seen) - 4 == (one + other)[200] <= 3


async def test_redis_that_is_full_refuses_budgets_and_heals(redis_url: str) -> None:
    prefix = f"{{{uuid4().hex}}}:"
    ledger = _ledger(redis_url, prefix)
    first = hold()
    limits = [Limit("day", "requests", 2)]
    assert await reserve(ledger, first, limits) is None
    admin = connect_redis(redis_url)
    try:
        await admin.config_set("maxmemory", 1)
        with pytest.raises(LedgerUnavailableError):
            await reserve(ledger, hold(), limits)
        await settle(ledger, first)  # kept here until there is room
    finally:
        await admin.config_set("maxmemory", 0)
        await admin.aclose()
    async with asyncio.timeout(20):
        while (await used(ledger)).requests < 1:
            await asyncio.sleep(0.05)
    assert await reserve(ledger, hold(), limits) is None
    assert await reserve(ledger, hold(), limits) is not None
    await ledger.close()

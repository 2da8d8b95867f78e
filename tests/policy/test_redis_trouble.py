"""Redis hangs, restarts, is emptied: no budget stays blocked, nothing settled is lost, one closed connection fails nobody."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.spending import Amounts, Limit
from openclaw_oauthrouter.errors import LedgerUnavailableError
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.redis import RedisStore
from tests.support.tools import tool

from .conftest import _await_port
from .places import NOON, hold, reserve, settle, used


class Server:
    """A Redis of the test's own, which it may stop."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder = folder
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [
            tool("redis-server"),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _await_port(self.port)
        return process

    def restart(self) -> None:
        self.stop()
        self.process = self._start()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(10)

    def ledger(self, name: str) -> Ledger:
        from redis import asyncio as redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as RedisConnectionError

        client = redis.from_url(
            f"redis://127.0.0.1:{self.port}/0",
            decode_responses=True,
            socket_timeout=0.3,
            socket_connect_timeout=0.3,
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        return Ledger(RedisStore(client, name), lambda: NOON, retry_seconds=0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


async def test_redis_trouble_server_that_hung_leaves_no_reservation_behind(server: Server) -> None:
    one, other = server.ledger("one"), server.ledger("other")
    limit = Limit("day", "requests", 10)
    assert await reserve(one, hold(), [limit]) is None
    server.process.send_signal(signal.SIGSTOP)
    failed = await asyncio.gather(*(reserve(one, hold(), [limit]) for _ in range(9)), return_exceptions=True)
    assert all(isinstance(error, LedgerUnavailableError) for error in failed)
    server.process.send_signal(signal.SIGCONT)
    async with asyncio.timeout(10):
        while (short := await reserve(other, hold(9), [limit])) is not None:
            assert short[1:] != (10, 0)
            await asyncio.sleep(0.05)
    for ledger in (one, other):
        await ledger.close()


async def test_redis_trouble_what_was_settled_while_it_hung_is_booked_once(server: Server) -> None:
    ledger = server.ledger("one")
    await settle(ledger, hold(), Amounts(1, 1, 1, 1))
    server.process.send_signal(signal.SIGSTOP)
    for _ in range(3):
        await settle(ledger, hold(), Amounts(1, 1, 1, 1))
    server.process.send_signal(signal.SIGCONT)
    async with asyncio.timeout(10):
        while True:
            try:
                if (await used(ledger)).requests == 4:
                    break
            except LedgerUnavailableError:
                pass
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    assert await used(ledger) == Amounts(4, 4, 4, 4)
    await ledger.close()


async def test_redis_trouble_connection_that_redis_closed_fails_nobody_and_its_loss_is_made_good(server: Server) -> None:
    ledger = server.ledger("one")
    limit = Limit("day", "requests", 10)
    for _ in range(3):
        asked = hold()
        assert await reserve(ledger, asked, [limit]) is None
        await settle(ledger, asked, Amounts(1))
    server.restart()
    short = await reserve(ledger, hold(8), [limit])
    assert short == (limit, 3, 0), "the restarted server knew nothing, this process does"
    await ledger.close()

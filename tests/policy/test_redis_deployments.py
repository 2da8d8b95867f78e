"""Redis as it is deployed: with TLS, users, sentinels and in a cluster; ledger, cooldowns and conversations all get there."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from openclaw_oauthrouter.canonical.spending import DAY, Limit
from openclaw_oauthrouter.errors import ConfigurationError, LedgerUnavailableError, UpstreamConnectionError
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.policy.ledger.redis import RedisStore
from openclaw_oauthrouter.proxy.start import ProxyHandle
from openclaw_oauthrouter.shared_state.health import SharedHealth
from openclaw_oauthrouter.tasks import end_tasks
from openclaw_oauthrouter.wire.redis_client import connect_redis
from tests.support.answers import Answer, play
from tests.support.authority import Authority
from tests.support.conversations import CHAT
from tests.support.tools import tool
from tests.support.upstream import ScriptedUpstream

from .conftest import house_gateway
from .places import NOON, hold, reserve, settle, used

pytestmark = pytest.mark.timeout(90)

Start = Callable[..., int]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a Redis with arguments; gives its port."""
    program, running = tool("redis-server"), []

    def begin(*arguments: str, port: int = 0, plain: bool = True) -> int:
        port = port or _free_port()
        folder = tmp_path / str(port)
        folder.mkdir(exist_ok=True)
        where = ["--port", str(port)] if plain else []
        command = [
            program,
            *[a for a in arguments if a.endswith(".conf")],
            *where,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
        ]
        command += [a for a in arguments if not a.endswith(".conf")]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        _await(lambda: socket.create_connection(("127.0.0.1", port), timeout=1).close())
        begin.processes[port] = running[-1]  # type: ignore[attr-defined]
        return port

    begin.processes = {}  # type: ignore[attr-defined]
    yield begin
    for process in running:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(ready: Callable[[], object]) -> None:
    for _ in range(200):
        try:
            if ready() is not False:
                return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail("redis-server did not get ready")


def _cli(port: int, *words: str) -> str:
    return subprocess.run([tool("redis-cli"), "-p", str(port), *words], check=True, capture_output=True, text=True).stdout


async def _counts(url: str) -> None:
    """A budget of two is one for two gateways at this address."""
    prefix = f"{{{uuid4().hex}}}:"
    one, other = (Ledger(RedisStore.connect(url, uuid4().hex, prefix=prefix), lambda: NOON) for _ in range(2))
    limits = [_limit(2)]
    first, second, third = hold(), hold(), hold()
    assert await reserve(one, first, limits) is None
    assert await reserve(other, second, limits) is None
    assert await reserve(other, third, limits) is not None
    await settle(one, first)
    await settle(other, second)
    assert (await used(other)).requests == 2
    await one.close()
    await other.close()


def _limit(requests: int) -> Limit:
    return Limit(DAY, "requests", requests)


async def _shares(url: str) -> None:
    """A cooldown that one gateway has learnt is soon known to another."""
    key = f"{{{uuid4().hex}}}:health"
    books = [HealthRegistry(time.time) for _ in range(2)]
    lines = [SharedHealth(book, connect_redis(url), key=key) for book in books]
    tasks = [asyncio.create_task(line.sync()) for line in lines]
    await asyncio.sleep(0.3)
    books[0].failed("anthropic", "m", "k", UpstreamConnectionError("refused", code="upstream_unreachable"))
    async with asyncio.timeout(20):
        while books[1].blocked("anthropic", "m", "k") is None:
            await asyncio.sleep(0.01)
    await end_tasks(tasks)
    for line in lines:
        await line.close()


async def test_plain_redis_counts_and_shares(start: Start) -> None:
    url = f"redis://127.0.0.1:{start()}/0"
    await _counts(url)
    await _shares(url)


async def test_redis_with_a_user_of_its_own(start: Start) -> None:
    port = start()
    _cli(port, "ACL", "SETUSER", "gateway", "on", ">s3cret/word", "~{*", "+@all", "-@dangerous", "+hgetall")
    _cli(port, "ACL", "SETUSER", "default", "off")
    url = f"redis://gateway:s3cret%2Fword@127.0.0.1:{port}/0"
    await _counts(url)
    await _shares(url)
    wrong = Ledger(RedisStore.connect(url.replace("s3cret", "wrong"), "w"), lambda: NOON)
    with pytest.raises(LedgerUnavailableError) as refused:
        await reserve(wrong, hold(), [_limit(1)])
    assert "wrong" not in refused.value.message
    await wrong.close()


async def test_redis_behind_tls(start: Start, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    port = _free_port()
    key = next(tmp_path.glob("*key.pem"))
    certificate = [
        "--tls-cert-file",
        str(authority.ca_file),
        "--tls-key-file",
        str(key),
        "--tls-ca-cert-file",
        str(authority.ca_file),
    ]
    try:
        start("--tls-port", str(port), "--port", "0", *certificate, "--tls-auth-clients", "no", port=port, plain=False)
    except pytest.fail.Exception:
        pytest.skip("this redis-server was built without TLS")
    url = f"rediss://localhost:{port}/0?ssl_ca_certs={authority.ca_file}"
    await _counts(url)
    await _shares(url)


async def test_redis_cluster(start: Start) -> None:
    # Left alone, the port of its bus is ten thousand above its own, which may be none.
    bus = str(_free_port())
    port = start("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1", "--cluster-port", bus)
    _cli(port, "CLUSTER", "ADDSLOTS", *map(str, range(16_384)))
    _await(lambda: "cluster_state:ok" in _cli(port, "CLUSTER", "INFO"))
    url = f"redis+cluster://127.0.0.1:{port}"
    await _counts(url)
    await _shares(url)


def _watched(start: Start, tmp_path: Path) -> tuple[int, str]:
    """A Redis with a replica and a sentinel: the main one's port, and the address to give a gateway."""
    main = start()
    replica = start("--replicaof", "127.0.0.1", str(main))
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"sentinel monitor mymaster 127.0.0.1 {main} 1\nsentinel down-after-milliseconds mymaster 500\n"
        "sentinel failover-timeout mymaster 3000\nsentinel resolve-hostnames no\n"
    )
    watcher = start(str(conf), "--sentinel")
    _await(lambda: "link:up" in _cli(replica, "INFO", "replication").replace("_status", "").replace("master_", ""))
    _await(lambda: str(replica) in _cli(watcher, "SENTINEL", "REPLICAS", "mymaster"))
    return main, f"redis+sentinel://127.0.0.1:{watcher}/mymaster/0"


async def test_redis_whose_sentinels_promote_a_replica(start: Start, tmp_path: Path) -> None:
    main, url = _watched(start, tmp_path)
    await _counts(url)
    ledger = Ledger(RedisStore.connect(url, "writer", prefix="{failover}:"), lambda: NOON)
    first = hold()
    assert await reserve(ledger, first, [_limit(3)]) is None
    await settle(ledger, first)
    await asyncio.sleep(0.3)
    start.processes[main].kill()  # type: ignore[attr-defined]
    later = 0.0
    async with asyncio.timeout(40):
        while True:  # nothing hangs and nothing is let through uncounted meanwhile
            began = time.monotonic()
            try:
                asked = hold()
                assert await reserve(ledger, asked, [_limit(3)]) is None
                break
            except LedgerUnavailableError:
                later = max(later, time.monotonic() - began)
                await asyncio.sleep(0.2)
    assert later < 12.0
    await settle(ledger, asked)
    assert (await used(ledger)).requests == 2
    await ledger.close()


async def test_redis_fails_over_in_mid_traffic_of_two_gateways(start: Start, tmp_path: Path) -> None:
    """Two that share a budget of sixty, and one without any: nothing hangs, nothing is overspent, the third feels nothing."""
    main, url = _watched(start, tmp_path)
    async with ScriptedUpstream(play(CHAT, Answer("fine"), stream=False)) as upstream:
        gateways = [await house_gateway(upstream, url, tmp_path / str(at), 60 if at < 2 else None) for at in range(3)]
        stop = asyncio.Event()
        seen: list[Counter[int]] = [Counter() for _ in gateways]
        asking = [
            asyncio.create_task(_ask_until(stop, handle, statuses)) for handle, statuses in zip(gateways, seen, strict=True)
        ]
        async with asyncio.timeout(20):
            while min(statuses[200] for statuses in seen) < 5:
                await asyncio.sleep(0.02)
        start.processes[main].kill()  # type: ignore[attr-defined]
        # Those with a budget are refused until the replica is the main one, and then until the budget is used up.
        async with asyncio.timeout(60):
            while not all(statuses[429] for statuses in seen[:2]):
                await asyncio.sleep(0.05)
        stop.set()
        longest = max(await asyncio.gather(*asking))
        for handle in gateways:
            await handle.close()
    first, second, free = seen
    assert free.keys() == {200}
    assert (first | second).keys() <= {200, 429, 503}
    assert first[200] + second[200] <= 60
    assert first[200] + second[200] + free[200] == len(upstream.seen)
    assert longest < 20


async def _ask_until(stop: asyncio.Event, handle: ProxyHandle, statuses: Counter[int]) -> float:
    """Requests one after the other; the longest that one took."""
    longest = 0.0
    headers = {"authorization": f"Bearer {handle.auth_token}"}
    body = {"model": "house/m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, timeout=30, trust_env=False) as http:
        while not stop.is_set():
            began = time.monotonic()
            statuses[(await http.post("/v1/chat/completions", json=body)).status_code] += 1
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.05)
    return longest


async def test_redis_that_hangs_holds_up_nobody_who_needs_no_budget(start: Start) -> None:
    port = start()
    book = HealthRegistry(time.time)
    line = SharedHealth(book, connect_redis(f"redis://127.0.0.1:{port}/0", seconds=0.3))
    task = asyncio.create_task(line.sync())
    await asyncio.sleep(0.2)
    start.processes[port].send_signal(signal.SIGSTOP)  # type: ignore[attr-defined]
    began = time.monotonic()
    for _ in range(50):
        book.failed("anthropic", "m", "k", UpstreamConnectionError("gone"))
        assert book.blocked("anthropic", "m", "k") is not None
        await asyncio.sleep(0)
    assert time.monotonic() - began < 1.0
    start.processes[port].send_signal(signal.SIGCONT)  # type: ignore[attr-defined]
    await end_tasks([task])
    await line.close()


async def test_redis_that_was_flushed_is_told_again(start: Start) -> None:
    port = start()
    url = f"redis://127.0.0.1:{port}/0"
    book = HealthRegistry(time.time)
    line = SharedHealth(book, connect_redis(url))
    book.failed("anthropic", "m", "k", UpstreamConnectionError("refused", code="upstream_unreachable"))
    await line.exchange()
    _cli(port, "FLUSHALL")
    await line.exchange()
    other = HealthRegistry(time.time)
    second = SharedHealth(other, connect_redis(url))
    await second.exchange()
    assert other.blocked("anthropic", "m", "k") is not None
    await line.close()
    await second.close()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "redis+sentinel://127.0.0.1:1", "redis+cluster://", "rediss+raft://h", "redis+sentinel://,/x"]
)
def test_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not a Redis address"):
        connect_redis(url)

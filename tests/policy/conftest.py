"""A ledger of each kind; a Redis server of the suite's own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from openclaw_oauthrouter.policy.ledger.ledger import Ledger
from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.support.tools import tool
from tests.support.upstream import ScriptedUpstream

from .places import open_ledger


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = tool("redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    arguments = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    try:
        _await_port(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "ledger.sqlite3")
    return f"{request.getfixturevalue('redis_url')}#{{{uuid4().hex}}}:"


@pytest.fixture
async def ledger(place: str) -> AsyncIterator[Ledger]:
    ledger = open_ledger(place)
    yield ledger
    await ledger.close()


def _await_port(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("redis-server did not start")


async def house_gateway(upstream: ScriptedUpstream, url: str, home: Path, budget: int | None) -> ProxyHandle:
    """A gateway whose one provider is the scripted one, with a budget of so many requests a day."""
    return await start_proxy(
        port=0,
        home=home,
        auth_token="local-test-token",
        state_url=url,
        providers={"house": {"api_base": f"{upstream.url}/v1", "models": ["m"], "api_key": "sk-test"}},
        credentials={"order": ["config"]},
        upstream={"trust_env": False},
        spend_controls={"daily_request_budget": budget} if budget else {},
    )

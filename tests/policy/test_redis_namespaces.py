"""Two processes on machines of their own, as network namespaces, and a Redis on a third: cables are pulled while both spend."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.tools import tool

from .conftest import _await_port
from .places import open_ledger, used

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

ROOT = Path(__file__).parents[2]
REQUESTS = 6000


def ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True, timeout=20)


@pytest.fixture
def machines() -> Iterator[dict[str, str]]:
    """Namespaces with a cable each to this one: the address here that a process in it reaches."""
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    mark = uuid4().hex[:6]
    found: dict[str, str] = {}
    try:
        for number in (1, 2):
            name, here, there = f"oar{mark}{number}", f"oh{mark}{number}", f"ot{mark}{number}"
            try:
                ip("netns", "add", name)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"no network namespace can be made: {error.stderr!r}")
            found[name] = f"198.18.{number}.1"
            ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
            ip("addr", "add", f"198.18.{number}.1/30", "dev", here)
            ip("link", "set", here, "up")
            ip("-n", name, "addr", "add", f"198.18.{number}.2/30", "dev", there)
            ip("-n", name, "link", "set", there, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield found
    finally:
        for name in found:
            ip("netns", "del", name, check=False)


def cable(machine: str) -> str:
    """The end of a machine's cable that lies here."""
    return machine.replace("oar", "oh")


@pytest.fixture
def port(machines: dict[str, str], tmp_path: Path) -> Iterator[int]:
    port = 20_000 + os.getpid() % 10_000
    addresses = ["127.0.0.1", *machines.values()]
    arguments = ["--port", str(port), "--bind", *addresses, "--protected-mode", "no", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([tool("redis-server"), *arguments], stdout=subprocess.DEVNULL)
    try:
        _await_port(port)
        yield port
    finally:
        server.terminate()
        server.wait(10)


async def test_cables_that_are_pulled_overspend_nothing_and_hang_nobody(machines: dict[str, str], port: int) -> None:
    prefix = "#{" + uuid4().hex + "}:"
    spending = {
        name: subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-m", "tests.policy.worker", "compete",
             f"redis://{address}:{port}/0{prefix}", "8", str(REQUESTS), "1000000000", name],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )
        for name, address in machines.items()
    }  # fmt: skip
    ledger = open_ledger(f"redis://127.0.0.1:{port}/0{prefix}")
    pulled = 0
    try:
        deadline = time.monotonic() + 30
        while (await used(ledger)).requests < REQUESTS // 20:  # both may be at it
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for name in machines:
            if spending[name].poll() is None:
                ip("link", "set", cable(name), "down")
                time.sleep(1.5)
                ip("link", "set", cable(name), "up")
                pulled += 1
        booked = [json.loads(process.communicate(timeout=100)[0])[0] for process in spending.values()]
    finally:
        for process in spending.values():
            process.kill()
            process.wait(10)
    assert pulled
    assert all(process.returncode == 0 for process in spending.values())
    total = (await used(ledger)).requests
    await ledger.close()
    assert sum(booked) == total <= REQUESTS, "what was booked, and no more than may be"
    assert total > REQUESTS - 20, "what a lost answer had set aside is given back"

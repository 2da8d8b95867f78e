"""Budgets hold when processes compete for them, and when one is killed in the middle."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from openclaw_oauthrouter.canonical.spending import Limit

from .places import hold, open_ledger, reserve, used

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("OAUTHROUTER_KILL_ROUNDS", "8"))


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.policy.worker", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("requests", "tokens"), [(300, 10**9), (10**9, 5_000)], ids=["requests", "tokens"])
async def test_several_processes_two_hundred_clients_in_four_processes_cannot_overspend(
    place: str, requests: int, tokens: int
) -> None:
    await open_ledger(place).close()
    workers = [start("compete", place, 50, requests, tokens, seed) for seed in range(4)]
    printed = [worker.communicate(timeout=150)[0] for worker in workers]
    booked = [json.loads(text) for text in printed]

    ledger = open_ledger(place)
    total = await used(ledger)
    await ledger.close()
    assert total.requests == sum(requests for requests, _ in booked)
    assert total.input_tokens == sum(tokens for _, tokens in booked)
    assert total.requests <= requests
    assert total.input_tokens <= tokens
    # Nor is anything withheld: what is left is less than a request that was refused.
    assert total.requests == requests or tokens - total.input_tokens < 40


@pytest.mark.timeout(60 + 3 * KILLS)
async def test_several_processes_killed_process_leaks_nothing_and_loses_nothing_settled(place: str) -> None:
    ledger = open_ledger(place)
    chance = random.Random(7)
    acknowledged = 0
    for _ in range(KILLS):
        most = (await used(ledger)).requests + 1000
        worker = start("spend", place, most)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "booked\n"
        await asyncio.sleep(chance.random() * 0.02)
        worker.kill()
        acknowledged += 1 + worker.stdout.read().count("booked\n")
        worker.wait()
        worker.stdout.close()

        total = await used(ledger)
        assert total.requests >= acknowledged
        everything_left = hold(most - total.requests)
        assert await reserves(ledger, everything_left, most), "holds of the killed process still count"
        await ledger.release(everything_left.id)
        acknowledged = total.requests
    await ledger.close()


async def reserves(ledger, asked, most: int) -> bool:
    """A lease runs out by itself, so Redis is asked for a while."""
    for _ in range(100):
        if await reserve(ledger, asked, [Limit("day", "requests", most)]) is None:
            return True
        await asyncio.sleep(0.05)
    return False

"""A gateway keeps nothing of a request beyond its tables, however the request ended: counted in objects, which no allocator blurs."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from openclaw_oauthrouter.proxy.start import ProxyHandle
from tests.faults.arena import AT_ONCE, Case, CaseUpstream, Outcome, Records, _gateway, _worker, all_cases

pytestmark = pytest.mark.timeout(120)

PATIENCE = 40.0
"""Seconds in which connections close and tasks end."""

MOST_RECORDS = 10
"""That the gateway itself keeps for its dashboard."""


def quick_cases() -> list[Case]:
    """Every damage that takes no waiting, a part of its places."""
    cases = [case for case in all_cases(thorough=False) if "stall" not in case.damage and "half" not in case.damage]
    return [case for case in cases if case.damage != "no head"][::16]


async def play(handle: ProxyHandle, cases: Sequence[Case], records: Records) -> None:
    """Play them all, and forget what the test itself has kept."""
    queue = iter(cases)
    outcome = Outcome([])
    await asyncio.gather(*(_worker(handle, queue, outcome) for _ in range(AT_ONCE)))
    assert outcome.wrong == []
    records.kept.clear()
    async with httpx.AsyncClient(
        timeout=PATIENCE, trust_env=False
    ) as http:  # what is counted is told to the library when somebody asks
        await http.get(f"{handle.base_url}/metrics", headers={"authorization": f"Bearer {handle.auth_token}"})


def alive() -> Counter[str]:
    gc.collect()
    return Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())


async def test_gateway_keeps_no_object_of_a_request(tmp_path: Path) -> None:
    """Whoever keeps a thing of each request, or of each that ended in a usual way, has that many more of some type after two rounds."""
    cases, records = quick_cases(), Records()
    few = len(cases) // 2
    async with CaseUpstream(cases_by_number := all_cases(thorough=False)) as upstream:
        assert [cases_by_number[case.number] for case in cases] == cases
        async with await _gateway(upstream, records, tmp_path, telemetry={"ring_size": MOST_RECORDS}) as handle:
            await play(handle, cases, records)
            before = alive()
            for _ in range(2):
                await play(handle, cases, records)
            async with asyncio.timeout(PATIENCE):
                while grown := {name: more for name, more in (alive() - before).items() if more > few}:
                    await asyncio.sleep(0.2)
                    print(grown)  # what it was, where the time runs out

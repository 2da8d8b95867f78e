"""What a request costs, counted rather than timed: function calls by workload stay within 5 % of ``benchmarks/calls.json``."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from benchmarks.inproc import CALLS, calls_of
from benchmarks.workloads import gateway, workloads

STORED = json.loads(CALLS.read_text(encoding="utf-8"))
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.skipif(STORED["python"] != VERSION, reason="another Python makes other calls")
def test_calls_of_a_request_do_not_grow() -> None:
    async def count() -> dict[str, int]:
        async with gateway() as app:
            return {name: await calls_of(app, load) for name, load in workloads().items()}

    counted = asyncio.run(count())
    grown = {name: (STORED["calls"][name], calls) for name, calls in counted.items() if calls > STORED["calls"][name] * 1.05}
    assert not grown, "more calls than stored (stored, counted); if they are worth it: python -m benchmarks.inproc --write"

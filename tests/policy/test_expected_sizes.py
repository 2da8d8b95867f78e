"""Many clients in four processes, each setting aside what is expected: how far the budget holds, and whether it refuses early."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .guard_worker import DECLARED, PRICE, Written
from .places import open_ledger, used
from .test_several_processes import ROOT

CLIENTS = int(os.environ.get("OAUTHROUTER_SPEND_CLIENTS", "48"))
"""The claim is about 200, which takes a busy machine some minutes: set it by hand."""

ANSWER = round(200 * PRICE.input + DECLARED * PRICE.output)
"""One declared answer, in micro-dollars."""


def start(place: str, progress: Path, clients: int, dollars: float, hard: bool, seed: int) -> subprocess.Popen[str]:
    arguments = (place, progress, clients, dollars, "hard" if hard else "soft", seed)
    command = [sys.executable, "-m", "tests.policy.guard_worker", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.timeout(60 + 4 * CLIENTS)
@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
async def test_clients_spend_a_budget_and_no_more(place: str, tmp_path: Path, hard: bool) -> None:
    dollars = CLIENTS / 3
    progress = tmp_path / "written"
    Written.create(progress, processes=4)
    await open_ledger(place).close()
    workers = [start(place, progress, CLIENTS // 4, dollars, hard, seed) for seed in range(4)]
    told = [json.loads(worker.communicate(timeout=50 + 4 * CLIENTS)[0]) for worker in workers]
    print(told)

    ledger = open_ledger(place)
    total = await used(ledger)
    await ledger.close()
    assert total.microdollars == sum(one["spent"] for one in told), "what was booked is what was used"
    assert total.requests == sum(one["answered"] for one in told)
    assert total.microdollars <= dollars * 1e6 + (0 if hard else ANSWER)
    assert total.microdollars >= 0.9 * dollars * 1e6 or hard
    if not hard:
        assert sum(one["early"] for one in told) == 0

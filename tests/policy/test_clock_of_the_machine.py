"""A gateway in a process of its own whose machine's clock is set from outside: over both changes of the clock, a month's end, and back.

The whole process is deceived (libfaketime), not a clock that was handed in; a stopwatch of the system goes on as it does.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from tests.support.tools import tool
from tests.support.upstream import Play, ScriptedUpstream

ZONE = "Europe/Oslo"
TOKEN = "clock-test-token"
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
COST = 1000 * 2.0 + 100 * 10.0
"""Of one answer, in microdollars."""

HI = {"messages": [{"role": "user", "content": "hi"}]}
PERIODS = ("hour", "day", "week", "month")

Step = tuple[str, int, tuple[int, int, int, int]]
"""Local time, whether it is the second of two such times, and how many calls the hour, day, week and month then hold."""

SPRING: list[Step] = [
    ("2026-03-28T23:59", 0, (1, 1, 1, 1)),
    ("2026-03-29T00:01", 0, (1, 1, 2, 2)),
    ("2026-03-29T01:59", 0, (1, 2, 3, 3)),
    ("2026-03-29T03:01", 0, (1, 3, 4, 4)),  # the minute but one after
    ("2026-03-29T23:59", 0, (1, 4, 5, 5)),
    ("2026-03-30T00:01", 0, (1, 1, 1, 6)),  # a Monday
]
AUTUMN: list[Step] = [
    ("2026-10-24T23:59", 0, (1, 1, 1, 1)),
    ("2026-10-25T00:01", 0, (1, 1, 2, 2)),
    ("2026-10-25T02:30", 0, (1, 2, 3, 3)),
    ("2026-10-25T02:30", 1, (1, 3, 4, 4)),  # an hour later
    ("2026-10-25T23:59", 0, (1, 4, 5, 5)),
    ("2026-10-26T00:01", 0, (1, 1, 1, 6)),
]
MONTHS_END: list[Step] = [
    ("2027-02-28T23:50", 0, (1, 1, 1, 1)),
    ("2027-02-28T23:59", 0, (2, 2, 2, 2)),
    ("2027-03-01T00:00:02", 0, (1, 1, 1, 1)),
    ("2027-03-01T00:59", 0, (2, 2, 2, 2)),
    ("2027-03-01T01:00:02", 0, (1, 3, 3, 3)),
]
SET_BACK: list[Step] = [
    ("2026-06-10T00:10", 0, (1, 1, 1, 1)),
    ("2026-06-09T23:50", 0, (1, 1, 2, 2)),  # somebody sets the clock right
    ("2026-06-10T00:10", 0, (2, 2, 3, 3)),
    ("2026-06-12T00:10", 0, (1, 1, 4, 4)),
    ("2026-06-10T00:11", 0, (3, 3, 5, 5)),
]


def moment_of(step: Step) -> float:
    """Unix seconds."""
    when, fold, _ = step
    return datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(ZONE), fold=fold).timestamp()


def faking() -> dict[str, str]:
    """What makes a program believe another time: the variables that ``faketime`` sets."""
    # It fails where a process that was killed, and had the number that this one has now, has left its memory behind.
    for _ in range(5):
        shown = subprocess.run([tool("faketime"), "-m", "now", "env"], capture_output=True, text=True, check=False, timeout=20)
        if shown.returncode == 0:
            break
    return {"LD_PRELOAD": next(line.partition("=")[2] for line in shown.stdout.splitlines() if line.startswith("LD_PRELOAD="))}


class Machine:
    """The clock that the gateway's process sees."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def set(self, moment: float) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{moment - time.time():+.0f}\n")
        new.replace(self._file)

    def environment(self) -> dict[str, str]:
        return {
            **faking(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


@asynccontextmanager
async def serving(home: Path, machine: Machine, upstream: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway."""
    model = {"id": "m", "input_price": 2.0, "output_price": 10.0}
    config = home / "settings.json"
    providers = {"mock": {"api_base": f"{upstream}/v1", "api_key": "sk-x", "models": [model]}}
    config.write_text(
        json.dumps(
            {
                "auth_token": TOKEN,
                "providers": providers,
                "spend_controls": {"timezone": ZONE, "daily_cost_budget": 1.0, "hourly_cost_budget": 1.0},
            }
        )
    )
    own = {"OAUTHROUTER_HOME": str(home), "HOME": str(home), "PATH": os.environ["PATH"]}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openclaw_oauthrouter", "serve", "--port", "0", "--no-input", "--config", str(config)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**machine.environment(), **own},
    )
    assert process.stdout is not None
    try:
        address = None
        async with asyncio.timeout(60):
            while address is None:
                line = (await process.stdout.readline()).decode()
                assert line, "it ended"
                address = re.search(r"listens on (http://[\d.:]+)", line)
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=address[1], headers=headers, trust_env=False, timeout=30) as http:
            yield http
    finally:
        process.kill()
        await process.communicate()
        for left in (f"faketime_shm_{process.pid}", f"sem.faketime_sem_{process.pid}"):
            Path("/dev/shm", left).unlink(missing_ok=True)


async def test_clock_of_the_machine_gateway_counts_by_the_users_days_whatever_its_machines_clock_does(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "clock")
    machine.set(moment_of(SPRING[0]))
    async with ScriptedUpstream(Play.json(ANSWER)) as upstream, serving(tmp_path, machine, upstream.url) as http:
        # One gateway lives through all of it: starting under a false clock is what takes long.
        for step in (*SPRING, *SET_BACK, *AUTUMN, *MONTHS_END):
            when, _, expected = step
            machine.set(moment_of(step))
            answer = await http.post("/v1/chat/completions", json={**HI, "model": "mock/m"})
            assert answer.status_code == 200, answer.text
            periods = (await http.get("/debug/spend")).json()["periods"]
            used = [periods[name]["used"][""] for name in PERIODS]
            assert tuple(one["requests"] for one in used) == expected, step
            assert [one["microdollars"] for one in used] == [COST * count for count in expected], step
            assert periods["day"]["window"] == when[:10]

"""Every fault an upstream can have, at random, through one gateway that is reloaded every ten seconds: ``python -m tests.soak --seconds 600``.

Ends with 1 if a client hung, took a piece for the whole, or something was left over: an upstream call, or objects of any kind that
grow with the number of requests. Clients, upstream and gateway are one process, so the memory it prints is that of all three.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.proxy.reload import Reloader
from openclaw_oauthrouter.proxy.start import start
from tests.faults.arena import LIMIT, TIMEOUTS, Case, CaseUpstream, _play, all_cases

MOST_LEFT = 0.2
"""Live objects that a request may leave on the average; whoever keeps a thing of each request keeps one at least."""

LEAST_SECONDS = 60.0
"""A shorter time says nothing of what is left: tables are still filling."""

RIGHT = ("answer", "error status", "error in the stream")


def _configuration(upstream: str, number: int) -> str:
    """The gateway's file; another alias each time, and every sixth broken."""
    if number % 6 == 5:
        return "[routing\nbroken"
    sections: dict[str, dict[str, Any]] = {
        "server": {"keep_alive_seconds": 0.2},
        "credentials": {"order": ["config"]},
        "upstream": {"trust_env": False},
        "upstream.timeouts": TIMEOUTS,
        "upstream.retry": {"attempts": 1},
        "providers.anthropic": {"api_base": upstream, "api_key": "sk-ant-api03-test"},
        "providers.openai-codex": {"api_base": upstream, "auth_header": "Bearer test"},
        "providers.house": {"api_base": f"{upstream}/v1", "api_key": "sk-test", "models": ["house-model"]},
        "spend_controls": {"daily_request_budget": 10_000_000},
        "routing.aliases": {f"name-{number}": "house/house-model"},
    }
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
        for name, fields in sections.items()
    )


def _resident_mib() -> int:
    status = Path("/proc/self/status").read_text() if Path("/proc/self/status").exists() else ""
    return next((int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmRSS")), 0)


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


@dataclass(frozen=True)
class State:
    """The process at one moment.

    :ivar requests: that were answered until then
    :ivar objects: alive, of those the collector knows
    """

    requests: int
    resident_mib: int
    descriptors: int
    objects: int

    @classmethod
    def now(cls, requests: int) -> State:
        """Take it, garbage aside."""
        gc.collect()
        return cls(requests, _resident_mib(), _descriptors(), len(gc.get_objects()))

    def left_since(self, earlier: State) -> float:
        """Objects for each request between two moments."""
        return (self.objects - earlier.objects) / max(1, self.requests - earlier.requests)


async def soak(seconds: float, at_once: int) -> int:
    """Play for so long; the number of things that were wrong."""
    cases = all_cases(thorough=False)
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        async with CaseUpstream(cases) as upstream:
            file.write_text(_configuration(upstream.url, 0))
            overrides = {"home": Path(folder) / "state", "port": 0, "auth_token": "local-test-token"}
            handle = await start(load_settings(file, environ={}, overrides=overrides).settings)
            reloader = Reloader(handle.live, file, lambda: load_settings(file, environ={}, overrides=overrides), hang_up=False)
            watching = asyncio.create_task(reloader.watch())
            states = [State.now(0)]
            numbers = count(1)

            async def client(seed: int, until: float) -> None:
                chance = random.Random(seed)
                headers = {"authorization": f"Bearer {handle.auth_token}"}
                async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, timeout=LIMIT, trust_env=False) as http:
                    while time.monotonic() < until:
                        case: Case = chance.choice(cases)
                        end = await _play(http, case)
                        ends[end.partition(":")[0]] += 1
                        if end not in RIGHT:
                            wrong.append(f"{case}\n    {end}")

            async def edits(until: float) -> None:
                while time.monotonic() < until:
                    await asyncio.sleep(min(10.0, seconds / 4))
                    file.write_text(_configuration(upstream.url, next(numbers)))

            for share in (1 / 3, 2 / 3):
                until = time.monotonic() + seconds * share
                await asyncio.gather(edits(until), *(client(int(share * 3000) + seed, until) for seed in range(at_once)))
                await asyncio.sleep(2.0)
                states.append(State.now(sum(ends.values())))
            left = len(upstream.playing)
            watching.cancel()
            await handle.close()
    for line in wrong[:20]:
        print(line)
    print(f"soak: {sum(ends.values())} requests in {seconds:g} s: {dict(ends)}")
    memory, files, objects = (
        " -> ".join(str(getattr(state, name)) for state in states) for name in ("resident_mib", "descriptors", "objects")
    )
    print(f"      {ends['hang']} hangs, {ends['loss']} losses, {left} upstream calls left")
    print(f"      at the start, after a third, at the end: memory {memory} MiB, files {files}, objects {objects}")
    kept = states[2].left_since(states[1])
    print(f"      {kept:.3f} objects left by a request")
    return len(wrong) + left + (kept > MOST_LEFT and seconds >= LEAST_SECONDS)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--at-once", type=int, default=32)
    chosen = parser.parse_args()
    os.environ.pop("OAUTHROUTER_HOME", None)
    sys.exit(1 if asyncio.run(soak(chosen.seconds, chosen.at_once)) else 0)


if __name__ == "__main__":
    main()

"""Our own work per request, without sockets: CPU time, function calls and memory, one line a workload.

    python benchmarks/inproc.py [--profile WORKLOAD] [--write] [--page]

Times are of this machine at this moment: compare within one run. Calls are the same everywhere under one Python; the test
``tests/house/test_call_counts.py`` holds them to ``benchmarks/calls.json``, which ``--write`` renews; ``--page`` puts
the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import statistics
import sys
import time
import tracemalloc
from pathlib import Path
from types import FrameType

from benchmarks import page
from benchmarks.workloads import Workload, gateway, play, workloads
from openclaw_oauthrouter.proxy.gateway import Gateway

CALLS = Path(__file__).with_name("calls.json")
_ROUNDS = 5
SECONDS = 2.0
_NOT_OURS = ("benchmarks/workloads.py", "benchmarks/inproc.py")
_LOOP = f"{os.sep}asyncio{os.sep}"
"""The event loop's own calls are not counted: in a gateway that serves it is uvloop, which makes none."""

TRANSLATED = {"same chat": "agent", "same messages": "agent", "same responses": "chat to codex"}
"""Whose work is the same but for the translation."""


WORDS = {
    "small": "small request",
    "auto": "the same with `auto`",
    "stream": "200 streamed tokens, Chat to Messages",
    "stream in tens": "the same, ten in one network read",
    "stream to messages": "200 streamed tokens, Messages to Codex",
    "stream to responses": "200 streamed tokens, Responses to Messages",
    "agent": "agent's request of 95 kB, Chat to Messages",
    "same chat": "the same, Chat to Chat",
    "same messages": "the same, Messages to Messages",
    "chat to codex": "agent's stream, Chat to Codex",
    "same responses": "the same, Responses to Codex",
    "kept responses": "the same, and the answer is kept",
}
"""What each workload is called on the page."""


async def calls_of(app: Gateway, load: Workload) -> int:
    """Function calls of one request, Python's and C's, from its bytes to those of its answer, once everything is warm.

    The fewest of some, as timers fire on a busy machine.
    """
    for _ in range(5):
        assert await play(app, load) == 200
    return min([await _counted(app, load) for _ in range(_ROUNDS)])


async def _counted(app: Gateway, load: Workload) -> int:
    counted = 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal counted
        if event in ("call", "c_call"):
            counted += not frame.f_code.co_filename.endswith(_NOT_OURS) and _LOOP not in frame.f_code.co_filename

    sys.setprofile(count)
    await play(app, load)
    sys.setprofile(None)
    return counted


async def measure(app: Gateway, load: Workload, seconds: float = SECONDS) -> tuple[float, float]:
    """CPU microseconds a request: the least and the median. The least says what the work costs, the median what the machine adds."""
    found = []
    end = time.process_time() + seconds
    while time.process_time() < end:
        began = time.process_time()
        await play(app, load)
        found.append((time.process_time() - began) * 1e6)
    return min(found), statistics.median(found)


async def memory_of(app: Gateway, load: Workload) -> float:
    """KiB that one request takes at its peak."""
    tracemalloc.start()
    try:
        await play(app, load)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        await play(app, load)
        return (tracemalloc.get_traced_memory()[1] - before) / 1024
    finally:
        tracemalloc.stop()


async def _main(profile: str | None, write: bool, onto_page: bool) -> None:
    async with gateway() as app:
        loads = workloads()
        if profile:
            await _profile(app, loads[profile])
            return
        calls: dict[str, int] = {}
        least: dict[str, float] = {}
        rows: list[list[str]] = []
        print(f"{'workload':16} {'CPU us: least':>13} {'median':>7} {'calls':>6} {'KiB':>5}  to its translated lane")
        for name, load in loads.items():
            calls[name] = await calls_of(app, load)
            least[name], usual = await measure(app, load)
            twin = TRANSLATED.get(name)
            ratio = f"{least[name] / least[twin]:.2f} x {twin}" if twin in least else ""
            kib = await memory_of(app, load)
            print(f"{name:16} {least[name]:13.0f} {usual:7.0f} {calls[name]:6d} {kib:5.0f}  {ratio}", flush=True)
            rows.append(
                [WORDS[name], f"{least[name] / 1e3:.2f} ms", f"{calls[name]:,}", f"{kib:.0f} KiB", ratio.partition(" ")[0]]
            )
    if onto_page:
        titles = ["workload", "CPU", "function calls", "memory at the peak", "of the same with translation"]
        page.write("in one process", page.table(titles, rows))
    if write:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        CALLS.write_text(json.dumps({"python": version, "calls": calls}, indent=2) + "\n", encoding="utf-8")


async def _profile(app: Gateway, load: Workload) -> None:
    await calls_of(app, load)
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(300):
        await play(app, load)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=list(workloads()), help="print where one workload's time goes instead")
    parser.add_argument("--write", action="store_true", help="renew calls.json")
    parser.add_argument("--page", action="store_true", help="put the table into docs/performance.md")
    words = parser.parse_args()
    asyncio.run(_main(words.profile, words.write, words.page))


if __name__ == "__main__":
    main()

"""What single features cost: a small request with each of them switched the other way, against the default settings.

    python -m benchmarks.features [--page]

Microseconds of CPU, the least of many requests, the variants in turns within one run; ``--page`` puts them into
docs/performance.md.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

from benchmarks import page
from benchmarks.inproc import measure
from benchmarks.workloads import TIERS, gateway, play, workloads

TURNS, SECONDS = 3, 0.7
_LEAST_SEEN = 3.0
"""Microseconds below which a difference is the machine's."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run a workload.

    :ivar sign: 1 where the settings add the feature, -1 where they take it away
    """

    feature: str
    workload: str = "small"
    sign: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    against: str = "small"


_BUDGETS = [*({"period": period, "cost": 1e6} for period in ("hour", "day", "week", "month")), {"requests": 10**9}]

VARIANTS = (
    Variant("auto: classify, find what can serve, order by cost, remember the conversation", "auto"),
    Variant("of these the learned term", "auto", -1, {"routing": {"tiers": TIERS, "learned_score": False}}, "auto"),
    Variant("of these keeping to a conversation's model", "auto", -1, {"routing": {"tiers": TIERS, "sticky": False}}, "auto"),
    Variant("a line in the trace file", sign=-1, settings={"telemetry": {"trace_file": False}}),
    Variant("/metrics", sign=-1, settings={"telemetry": {"metrics": False}}),
    Variant("x-oauthrouter-* headers", sign=-1, settings={"server": {"response_headers": False}}),
    Variant("a budget in dollars a day, kept in SQLite", settings={"spend_controls": {"daily_cost_budget": 1000.0}}),
    Variant("five budgets", settings={"spend_controls": {"budgets": _BUDGETS}}),
)


async def _least(workload: str, settings: dict[str, Any]) -> float:
    async with gateway(**settings) as app:
        load = workloads()[workload]
        for _ in range(5):
            assert await play(app, load) == 200
        return (await measure(app, load, SECONDS))[0]


async def _main() -> None:
    plain = {name: min([await _least(name, {}) for _ in range(TURNS)]) for name in ("small", "auto")}
    print(f"small request {plain['small']:.0f} us, auto {plain['auto']:.0f} us")
    rows = []
    for variant in VARIANTS:
        least = min([await _least(variant.workload, variant.settings) for _ in range(TURNS)])
        cost = variant.sign * (least - plain[variant.against])
        print(f"{cost:7.0f}  {variant.feature}", flush=True)
        rows.append([variant.feature, f"{cost:.0f}" if cost >= _LEAST_SEEN else "less than can be measured"])
    if "--page" in sys.argv:
        page.write("features", page.table(["feature", "µs"], rows))


if __name__ == "__main__":
    asyncio.run(_main())

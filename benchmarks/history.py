"""How long the dashboard's history takes over many records: makes a trace, indexes it, asks what a first view and a filter ask.

python benchmarks/history.py [RECORDS]
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import orjson

from openclaw_oauthrouter.telemetry.history import TraceHistory
from openclaw_oauthrouter.telemetry.history_sums import Span
from openclaw_oauthrouter.telemetry.search import parse_search

NOW = 1_795_910_400_000
MONTH = 30 * 86_400_000
MODELS = [
    ("SIMPLE", "anthropic/claude-haiku-5-5"),
    ("MEDIUM", "openai-codex/gpt-6.1-terra"),
    ("COMPLEX", "anthropic/claude-sonnet-5-5"),
]
SEARCHES = [
    "",
    "haiku",
    "-haiku status:5xx",
    "tier:complex latency:>2s",
    "cost:>0.05",
    "nothing-like-this",
    "agent:codex failed:true",
]


def write(path: Path, records: int) -> None:
    """A month's requests, in files of 200,000."""
    chance = random.Random(1)
    path.parent.mkdir(parents=True)
    for first in range(0, records, 200_000):
        target = path if first + 200_000 >= records else path.with_name(f"{path.stem}-{first:08}{path.suffix}")
        with target.open("wb") as file:
            for number in range(first, min(first + 200_000, records)):
                tier, model = chance.choice(MODELS)
                failed = chance.random() < 0.03
                event = {
                    "ts": NOW - MONTH + number * MONTH // records,
                    "requestId": f"req_{number:08x}",
                    "path": chance.choice(["/v1/messages", "/v1/responses", "/v1/chat/completions"]),
                    "modelIdRequested": "auto",
                    "modelIdRouted": model,
                    "routingTier": tier,
                    "providerId": model.partition("/")[0],
                    "status": 500 if failed else 200,
                    "errorMessage": "the provider is overloaded" if failed else None,
                    "latencyMs": chance.expovariate(1 / 900),
                    "stream": True,
                    "client": "default",
                    "userAgent": chance.choice(["claude-cli/2.1", "codex_exec/0.171", "openclaw/2026.9.6"]),
                    "conversation": f"c-{number // 40}",
                    "tokens": {"input": 4000, "output": 300, "cacheRead": 3000},
                    "cost": {"actual": chance.random() / 10, "saved": 0.02, "baseline": 0.1},
                    "attempts": [],
                }
                file.write(orjson.dumps({key: value for key, value in event.items() if value is not None}) + b"\n")


def median(ask: object) -> float:
    """Milliseconds, the median of five."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        ask()  # type: ignore[operator]
        times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[2]


def main() -> None:
    """Print one line a figure."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "logs" / "routing-trace.jsonl"
        write(path, records)
        history = TraceHistory(path)
        began = time.perf_counter()
        history.catch_up()
        print(
            f"{records:,} records indexed in {time.perf_counter() - began:.1f} s; index {history.index_path.stat().st_size / 2**20:.0f} MiB"
        )
        history.close()
        history = TraceHistory(path)
        began = time.perf_counter()
        history.catch_up()
        month = Span(NOW - MONTH, NOW + 1)
        history.summary(month)
        history.search([], month, 100)
        print(f"first view (reopened): {(time.perf_counter() - began) * 1000:.0f} ms")
        print(f"summary of a month: {median(lambda: history.summary(month)):.0f} ms")
        for text in SEARCHES:
            conditions = parse_search(text)
            print(f"search {text!r}: {median(lambda conditions=conditions: history.search(conditions, month, 100)):.0f} ms")  # type: ignore[misc]
        print(f"conversations of a month: {median(lambda: history.conversations(month)):.0f} ms")
        print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")


if __name__ == "__main__":
    main()

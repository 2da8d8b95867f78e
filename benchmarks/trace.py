"""What recording one request costs: CPU microseconds by sink, all sinks together, and with live readers."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from openclaw_oauthrouter.canonical.routing import Candidate, Classification, DimensionScore, ModelInfo, RoutingDecision, Tier
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dashboard.feed import PanelFeed
from openclaw_oauthrouter.dashboard.panels import state_panels
from openclaw_oauthrouter.dashboard.plugin import oauthrouter_register_panels
from openclaw_oauthrouter.interfaces import TraceSink
from openclaw_oauthrouter.telemetry.jsonl import TraceFile
from openclaw_oauthrouter.telemetry.metrics import RequestMetrics
from openclaw_oauthrouter.telemetry.recorder import SinkRecorder
from openclaw_oauthrouter.telemetry.ring import TraceRing

ROUNDS = 7
HAIKU = ModelInfo("anthropic", "claude-haiku-4-5")
DIMENSIONS = tuple(
    DimensionScore(f"dimension{n}", n / 14 - 0.5, 0.07, "found this and that" if n % 3 == 0 else None) for n in range(14)
)
DECISION = RoutingDecision(
    HAIKU.name,
    Tier.SIMPLE,
    0.91,
    "rules",
    "score=-0.18 | short question",
    cost_estimate=0.002,
    baseline_cost=0.01,
    savings=0.8,
    score=-0.18,
    baseline_model="anthropic/claude-opus-4-6",
    candidates=tuple(Candidate(HAIKU, Tier.SIMPLE, "SIMPLE primary") for _ in range(4)),
    classification=Classification(Tier.SIMPLE, -0.18, 0.91, "rules", "short question", DIMENSIONS),
)
FEATURES: dict[str, object] = {"text_length": 38, "turn_count": 1, "tool_names": ("read", "write"), "input_tokens": 412}


def finished(number: int) -> RequestRecord:
    """A record as a served request leaves it."""
    url = "https://api.anthropic.com/v1/messages"
    return RequestRecord(
        f"{number:024x}",
        time.time(),
        "/v1/chat/completions",
        "POST",
        client="editor",
        conversation="c-1",
        model_requested="auto",
        model_resolved=HAIKU.name,
        model_answered=HAIKU.name,
        provider="anthropic",
        credential="work",
        upstream_url=url,
        decision=DECISION,
        stream=True,
        attempts=[Attempt("anthropic", "claude-haiku-4-5", "work", url, 200, "ok", None, 1.2)],
        status=200,
        usage=Usage(420, 90, cache_read_input_tokens=100),
        cost=0.0009,
        first_token_seconds=0.4,
        seconds=1.2,
        features=FEATURES,
    )


async def measure(sinks: Sequence[TraceSink], requests: int) -> list[float]:
    """CPU microseconds a request, one figure a round."""
    recorder = SinkRecorder(sinks, clock=time.time)
    figures = []
    for _ in range(ROUNDS):
        records = [finished(number) for number in range(requests)]
        begun = time.process_time()
        for record in records:
            with recorder.request(record):
                pass
        figures.append((time.process_time() - begun) / requests * 1e6)
    recorder.close()
    assert not recorder.failures, recorder.failures
    return figures


async def main(requests: int) -> None:
    """Print one line a combination of sinks."""
    with tempfile.TemporaryDirectory() as folder:

        def file() -> TraceFile:
            return TraceFile(Path(folder) / "trace.jsonl", clock=time.time, rotate_bytes=1 << 25, rotate_days=30)

        def feed() -> PanelFeed:
            return PanelFeed(oauthrouter_register_panels(), state_panels())

        def ring() -> TraceRing:
            return TraceRing(500, epoch="bench")

        combinations: dict[str, Callable[[], list[TraceSink]]] = {
            "no sink": list,
            "ring": lambda: [ring()],
            "trace file": lambda: [file()],
            "metrics": lambda: [RequestMetrics()],
            "panels": lambda: [feed()],
            "all": lambda: [ring(), file(), RequestMetrics(), feed()],
        }
        for name, make in combinations.items():
            figures = await measure(make(), requests)
            print(f"{name:<12} {statistics.median(figures):6.1f} us  [{min(figures):.1f}..{max(figures):.1f}]")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    asyncio.run(main(parser.parse_args().requests))

"""Writes the tables of docs/performance.md from what a side-by-side run has measured.

python -m benchmarks.compare RUN.json [MORE.json ...] --ours NAME [--base original] [--machine "words"] [--write]

A run is JSON: ``{"start": {target: {"cold_s", "cold_cpu", "rss0", "rss1"}}, "res": {workload: {target: [round, ...]}}}``. The targets of a run
take turns, so the rounds of two of them belong together by their number, and a ratio is taken within each round. A round has ``ok`` (good
answers), ``toks`` (tokens), ``wall_s``, ``cpu`` (seconds of user and system time of the whole process tree), ``bad`` and ``unfinished``, and
``lat_us`` and ``ttft_us``: the median, 90th and 99th percentile of the whole answer and of the first token in microseconds. ``direct`` is the
scripted provider without anything between. ``W4`` holds 500 open streams: one round with ``rss_before`` and ``rss_500`` (MiB).
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import page
from benchmarks.page import table

PART = "side by side"

WORKLOADS = {
    "W1c1": ("small request, one at a time", False),
    "W1c32": ("small requests, 32 at a time", False),
    "W2c1": ("200 streamed tokens, one stream", True),
    "W2c32": ("200 streamed tokens, 32 streams", True),
    "W2p": ("50 tokens a second on each of 32 streams", True),
    "W3c1": ("agent's request: 95 kB, 60 messages, 25 tools", False),
    "W3c8": ("the same, 8 at a time", False),
    "W5c1": ("`auto`, classified", False),
}
"""What each is called on the page, and whether it streams: CPU is then told for a token, not for a request."""

Round = Mapping[str, Any]
Run = Mapping[str, Any]


def merged(runs: Iterable[Run]) -> Run:
    """Several runs as one with all their rounds."""
    start: dict[str, list[Mapping[str, float]]] = {}
    res: dict[str, dict[str, list[Round]]] = {}
    for run in runs:
        for name, figures in run["start"].items():
            start.setdefault(name, []).append(figures)
        for workload, targets in run["res"].items():
            for name, rounds in targets.items():
                res.setdefault(workload, {}).setdefault(name, []).extend(rounds)
    return {"start": start, "res": res}


def text(run: Run, ours: str, base: str, machine: str) -> str:
    """The whole measured part of the page."""
    parts = [machine] if machine else []
    parts += [_ratios(run, ours, base), _figures(run, ours, base), _start_and_memory(run, ours)]
    return "\n\n".join(part for part in parts if part)


def _ratios(run: Run, ours: str, base: str) -> str:
    rows = []
    for workload, name, streams, targets in _played(run, ours, base):
        mine, theirs, direct = targets[ours], targets[base], targets.get("direct", ())
        rate = _each(mine, theirs, partial(_rate, streams=streams))
        added = [
            _ratio(_latency(ours_, streams) - _latency(none, streams), _latency(base_, streams) - _latency(none, streams))
            for ours_, base_, none in zip(mine, theirs, direct, strict=False)
        ]
        cpu = _each(mine, theirs, partial(_cpu, streams=streams))
        # A paced stream delivers what the pace says, whoever stands between.
        rows.append([name, _spread(cpu), _spread(added), "" if workload == "W2p" else _spread(rate)])
    return table(["workload", f"CPU, ours / {base}", "added median latency", "requests or tokens a second"], rows)


def _figures(run: Run, ours: str, base: str) -> str:
    rows = []
    for _, name, streams, targets in _played(run, ours, base):
        unit, scale = ("µs a token", 1e6) if streams else ("ms a request", 1e3)
        of = {target: _spread([_cpu(one, streams) * scale for one in targets[target]]) for target in (base, ours)}
        waits = {target: _spread([_latency(one, streams) / 1e3 for one in targets[target]]) for target in (base, ours)}
        bad = sum(one["bad"] + one["unfinished"] for one in targets[ours])
        rows.append([name, f"{of[ours]} {unit}", of[base], f"{waits[ours]} ms", waits[base], str(bad)])
    titles = ["workload", "CPU, ours", f"CPU, {base}", "median until the answer or its first token, ours", base, "failed"]
    return table(titles, rows)


def _start_and_memory(run: Run, ours: str) -> str:
    rows = [
        [
            "ours" if name == ours else name,
            _spread([one["cold_cpu"] for one in figures], 2) + " s",
            _spread([one["cold_s"] for one in figures], 2) + " s",
            _spread([one["rss0"] for one in figures], 0) + " MiB",
            _spread([one["rss1"] for one in figures if one.get("rss1")], 0) + " MiB",
            _spread([one["rss_500"] - one["rss_before"] for one in run["res"].get("W4", {}).get(name, ())], 0) + " MiB",
        ]
        for name, figures in run["start"].items()
        if figures[0].get("cold_cpu") is not None
    ]
    titles = [
        "",
        "CPU until the first answer",
        "time until the first answer",
        "memory (PSS) then",
        "after all workloads",
        "500 silent streams add",
    ]
    return table(titles, rows)


def _played(run: Run, ours: str, base: str) -> Iterable[tuple[str, str, bool, Mapping[str, Sequence[Round]]]]:
    for workload, (name, streams) in WORKLOADS.items():
        targets = run["res"].get(workload, {})
        if ours in targets and base in targets:
            yield workload, name, streams, targets


def _each(mine: Sequence[Round], theirs: Sequence[Round], of: Callable[[Round], float]) -> list[float]:
    """The ratio within each round."""
    return [_ratio(of(ours), of(base)) for ours, base in zip(mine, theirs, strict=False)]


def _ratio(ours: float, base: float) -> float:
    return ours / base if base > 0 else float("nan")


def _cpu(found: Round, streams: bool) -> float:
    """Seconds a token or a request."""
    return float(found["cpu"]) / max(1, found["toks"] if streams else found["ok"])


def _rate(found: Round, streams: bool) -> float:
    return float(found["toks"] if streams else found["ok"]) / found["wall_s"]


def _latency(found: Round, streams: bool) -> float:
    """Microseconds, the median."""
    return float(found["ttft_us" if streams else "lat_us"][0])


def _spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the least and the most where they differ from it."""
    known = [value for value in values if value == value]
    if not known:
        return "—"
    middle, least, most = (f"{value:.{digits}f}" for value in (statistics.median(known), min(known), max(known)))
    return middle if least == most else f"{middle} ({least} to {most})"


def main() -> None:
    """Print the tables, or put them into the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("runs", nargs="+", type=Path, help="what runs have measured, as JSON")
    parser.add_argument("--ours", required=True, help="the target that is this gateway")
    parser.add_argument("--base", default="original", help="the target it is compared with")
    parser.add_argument("--machine", default="", help="a sentence on what it ran on, and when")
    parser.add_argument("--write", action="store_true", help="put it into docs/performance.md")
    said = parser.parse_args()
    run = merged(json.loads(path.read_text(encoding="utf-8")) for path in said.runs)
    measured = text(run, said.ours, said.base, said.machine)
    if said.write:
        page.write(PART, measured)
    else:
        print(measured)


if __name__ == "__main__":
    main()

"""The tables of docs/performance.md come from measurements, by the commands that the page names."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare, inproc, page
from benchmarks.workloads import workloads


def a_round(cpu: float, p50: float, *, ok: int = 100, toks: int = 0, wall: float = 1.0, first: float = 0.0) -> dict[str, Any]:
    return {
        "ok": ok, "toks": toks, "wall_s": wall, "cpu": cpu, "bad": 0, "unfinished": 0,
        "lat_us": [p50, p50, p50], "ttft_us": [first, first, first],
    }  # fmt: skip


RUN = {
    "start": {
        "direct": {},
        "original": {"cold_s": 0.4, "cold_cpu": 0.16, "rss0": 62.0, "rss1": 132.0},
        "mine": {"cold_s": 0.6, "cold_cpu": 0.4, "rss0": 46.0, "rss1": 66.0},
    },
    "res": {
        "W1c1": {
            "direct": [a_round(0, 20), a_round(0, 20), a_round(0, 20)],
            "original": [a_round(0.1, 1020), a_round(0.2, 1020), a_round(0.1, 520)],
            "mine": [a_round(0.05, 520, wall=0.5), a_round(0.08, 1020, wall=0.5), a_round(0.06, 770, wall=0.5)],
        },
        "W2c1": {
            "original": [a_round(0.4, 0, ok=2, toks=400, first=2000)],
            "mine": [a_round(0.1, 0, ok=2, toks=400, first=1000)],
        },
        "W4": {"direct": [{"rss_before": 0, "rss_500": 0}], "mine": [{"rss_before": 46.0, "rss_500": 64.0}]},
    },
}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_compare_takes_ratios_within_a_round_and_tells_their_spread() -> None:
    lines = compare.text(compare.merged([RUN]), "mine", "original", "Here, today.").splitlines()
    assert lines[0] == "Here, today."
    small = next(line for line in lines if line.startswith("| small request"))
    assert cells(small)[1:] == ["0.50 (0.40 to 0.60)", "1.00 (0.50 to 1.50)", "2.00"]
    tokens = next(line for line in lines if line.startswith("| 200 streamed"))
    assert cells(tokens)[1:] == ["0.25", "—", "1.00"]  # nothing was measured without a gateway


def test_compare_tells_absolute_figures_start_and_memory() -> None:
    lines = compare.text(compare.merged([RUN]), "mine", "original", "").splitlines()
    small = [line for line in lines if line.startswith("| small request")][1]
    assert cells(small)[1:] == [
        "0.60 (0.50 to 0.80) ms a request",
        "1.00 (1.00 to 2.00)",
        "0.77 (0.52 to 1.02) ms",
        "1.02 (0.52 to 1.02)",
        "0",
    ]
    ours = next(line for line in lines if line.startswith("| ours"))
    assert cells(ours)[1:] == ["0.40 s", "0.60 s", "46 MiB", "66 MiB", "18 MiB"]
    assert not [line for line in lines if line.startswith("| direct")]


def test_compare_joins_the_rounds_of_several_runs() -> None:
    joined = compare.merged([RUN, RUN])
    assert len(joined["res"]["W1c1"]["mine"]) == 6
    assert "0.50 (0.40 to 0.60)" in compare.text(joined, "mine", "original", "")


def test_compare_writes_only_its_part_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "performance.md"
    before = page.PAGE.read_text(encoding="utf-8")
    copy.write_text(before, encoding="utf-8")
    (tmp_path / "run.json").write_text(json.dumps(RUN))
    monkeypatch.setattr(page, "PAGE", copy)
    monkeypatch.setattr(sys, "argv", ["compare", str(tmp_path / "run.json"), "--ours", "mine", "--write"])
    compare.main()
    after = copy.read_text(encoding="utf-8")
    outside = r"<!-- side by side: begin -->.*<!-- side by side: end -->"
    assert re.sub(outside, "", before, flags=re.DOTALL) == re.sub(outside, "", after, flags=re.DOTALL)
    assert "0.50 (0.40 to 0.60)" in after
    with pytest.raises(ValueError, match="the page has no"):
        page.placed("nothing", "side by side", "x")


def test_page_has_every_measured_part_filled() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    for part in (compare.PART, "in one process", "features"):
        found = re.search(f"<!-- {part}: begin -->(.*?)<!-- {part}: end -->", text, re.DOTALL)
        assert found is not None
        assert "| --- |" in found[1], part
    assert inproc.WORDS.keys() == workloads().keys()

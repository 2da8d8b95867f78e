"""A trace is read record by record, in the order in which the requests came, and what is no record is counted."""

from __future__ import annotations

import gzip
import random
import time
from pathlib import Path

import orjson

from openclaw_oauthrouter.cli import recorded_trace
from openclaw_oauthrouter.cli.recorded_trace import RecordedTrace


def written(path: Path, times: list[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = b"".join(orjson.dumps({"ts": ts, "requestId": str(ts), "path": "/v1/messages"}) + b"\n" for ts in times)
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)


def test_recorded_trace_is_in_the_order_of_the_requests_across_files(tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    times = [now - 100_000 + number for number in range(5_000)]
    # Each record is written when its request ends: up to some hundred others have begun and ended meanwhile.
    ended = sorted(times, key=lambda ts: ts + random.Random(ts).random() * 800)
    written(tmp_path / "logs" / "routing-trace-20261101T000000.jsonl.gz", ended[:2_000])
    written(tmp_path / "logs" / "routing-trace.jsonl", ended[2_000:])
    trace = RecordedTrace(tmp_path / "logs" / "routing-trace.jsonl", 1)
    assert [event["ts"] for event in trace.events()] == times
    assert trace.damage is None


def test_recorded_trace_holds_no_more_than_it_needs(tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    path = tmp_path / "logs" / "routing-trace.jsonl"
    written(path, list(range(now - recorded_trace._OVERTAKING - 10, now)))
    events = RecordedTrace(path, 1).events()
    assert next(events)["ts"] == now - recorded_trace._OVERTAKING - 10
    with path.open("ab") as file:
        file.write(b"{}\n")
    assert sum(1 for _ in events) == recorded_trace._OVERTAKING + 9


def test_recorded_trace_tells_its_span_and_its_damage(tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    path = tmp_path / "logs" / "routing-trace.jsonl"
    written(path, [now - 3 * 86_400_000, now])
    with path.open("ab") as file:
        file.write(b'\xff\n[1]\n\n{"ts": "now"}\n{"ts": 1')
    trace = RecordedTrace(path, 1)
    assert [event["ts"] for event in trace.events()] == [now]
    assert trace.damage == "4 damaged lines of the trace were passed over"
    assert trace.span == f"from the last 1 day of {path}"
    assert list(RecordedTrace(tmp_path / "nowhere.jsonl", 2.5).events()) == []
    assert RecordedTrace(path, 2.5).span.startswith("from the last 2.5 days of ")

"""Packed trace files, and reading any of them in parts: nothing is lost, nothing counted twice."""

from __future__ import annotations

import gzip
import os
import stat
import time
from pathlib import Path

import orjson
import pytest

from openclaw_oauthrouter.cli import report as report_command
from openclaw_oauthrouter.telemetry.history import TraceHistory
from openclaw_oauthrouter.telemetry.history_sums import Span
from openclaw_oauthrouter.telemetry.jsonl import TraceFile
from openclaw_oauthrouter.telemetry.public import public_record
from openclaw_oauthrouter.telemetry.reader import latest_records, read_lines
from openclaw_oauthrouter.telemetry.report import TraceReport, report_of
from openclaw_oauthrouter.telemetry.report_lines import lines_of, parts_of
from openclaw_oauthrouter.telemetry.trace_files import Packer, trace_files, trace_path
from tests.unit.telemetry.records import record

EVER = Span(0, 1 << 60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = trace_path(tmp_path)
    found.parent.mkdir(parents=True)
    return found


def write(file: Path, *ids: str) -> Path:
    moment = int(time.time() * 1000)
    file.write_bytes(b"".join(orjson.dumps({"ts": moment, "requestId": one, "status": 200}) + b"\n" for one in ids))
    return file


def ids(path: Path) -> list[str]:
    return [event["requestId"] for file in trace_files(path) for event in read_lines(file)]


def packed(path: Path) -> None:
    """Pack all that lies there, now."""
    packer = Packer(path, quiet_seconds=0.0)
    deadline = time.monotonic() + 20
    while any(file.suffix != ".gz" for file in trace_files(path) if file != path):
        assert time.monotonic() < deadline
        packer.start()
        time.sleep(0.01)
    packer.stop()


def test_what_was_set_aside_is_packed_and_stays_readable(path: Path) -> None:
    sink = TraceFile(path, clock=time.time, rotate_bytes=5000, rotate_days=30, packer=Packer(path, quiet_seconds=0.0))
    for number in range(12):
        sink.receive(record(request_id=str(number)))
    packed(path)
    sink.close()
    files = trace_files(path)
    assert len(files) > 2
    assert [file.suffix for file in files] == [*[".gz"] * (len(files) - 1), ".jsonl"]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert sorted(ids(path), key=int) == [str(number) for number in range(12)]
    assert not list(path.parent.glob("*.part"))


def test_a_name_that_packing_freed_is_not_used_again(path: Path) -> None:
    sink = TraceFile(path, clock=lambda: 1_795_000_000.0, rotate_bytes=100, rotate_days=30)
    for number in range(6):
        sink.receive(record(request_id=str(number)))
        packed(path)
    assert sorted(ids(path)) == [str(number) for number in range(6)]
    sink.close()


def test_packing_keeps_the_age_by_which_files_are_removed(path: Path) -> None:
    old = write(path.with_name("routing-trace-20200101T000000Z.jsonl"), "a")
    os.utime(old, (1_577_836_800, 1_577_836_800))
    packed(path)
    [file] = trace_files(path)
    assert file.stat().st_mtime == 1_577_836_800
    TraceFile(path, clock=time.time, rotate_bytes=5000, rotate_days=30).receive(record(request_id="b"))
    assert ids(path) == ["b"]


def test_a_file_that_is_still_written_to_is_left_alone(path: Path) -> None:
    write(path.with_name("routing-trace-20261122T000000Z.jsonl"), "a")
    packer = Packer(path, quiet_seconds=3600.0)
    packer.start()
    packer.stop(20)
    assert [file.suffix for file in trace_files(path)] == [".jsonl"]


def test_two_processes_pack_a_file_once(path: Path) -> None:
    file = write(path.with_name("routing-trace-20261122T000000Z.jsonl"), "a")
    part = file.with_name(f"{file.name}.gz.part")
    part.touch()
    Packer(path, quiet_seconds=0.0)._pack_all()
    assert trace_files(path) == [file], "another process is at it"
    os.utime(part, (0, 0))
    Packer(path, quiet_seconds=0.0)._pack_all()
    assert [each.suffix for each in trace_files(path)] == [".gz"], "the other was killed"
    assert ids(path) == ["a"]


def test_a_crash_between_packing_and_removing_counts_nothing_twice(path: Path) -> None:
    file = write(path.with_name("routing-trace-20261122T000000Z.jsonl"), "a", "b")
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    assert ids(path) == ["a", "b"]


def test_a_broken_archive_gives_what_it_holds(path: Path) -> None:
    file = path.with_name("routing-trace-20261122T000000Z.jsonl.gz")
    text = b"".join(orjson.dumps({"ts": 1, "requestId": f"{number}-{os.urandom(20).hex()}"}) + b"\n" for number in range(2000))
    file.write_bytes(gzip.compress(text)[:-5000])
    write(path, "last")
    found = ids(path)
    assert found[-1] == "last"
    assert 100 < len(found) < 2000
    (part,) = parts_of(file, file.stat().st_size)
    assert sum(len(lines) for lines, _, _ in lines_of(part)) >= len(found) - 2
    history = TraceHistory(path)
    history.catch_up()
    assert history.search((), EVER, 1)["matches"] >= 1
    history.close()


def test_a_file_packed_between_looking_and_opening_is_found(path: Path) -> None:
    file = write(path.with_name("routing-trace-20261122T000000Z.jsonl"), "a")
    packed(path)
    assert [event["requestId"] for event in read_lines(file)] == ["a"]


@pytest.mark.parametrize("seen_before", [0, 2, 4])
def test_history_reads_packed_files_once_whatever_it_knew(path: Path, seen_before: int) -> None:
    file = path.with_name("routing-trace-20261122T000000Z.jsonl")
    names = ["a", "b", "c", "d"]
    history = TraceHistory(path)
    if seen_before:
        write(file, *names[:seen_before])
        history.catch_up()
    whole = write(path.with_name("whole"), *names)
    file.write_bytes(whole.read_bytes())
    if seen_before == 4:
        history.catch_up()
    packed(path)
    history.catch_up()
    assert history.catch_up() == 0
    assert [row["id"] for row in history.search((), EVER, 10)["rows"]] == names[::-1]
    found = history.request("d")
    assert found is not None
    assert found["requestId"] == "d"
    history.close()


@pytest.mark.parametrize("most", [1, 50, 64, 100, 1000, 1 << 20])
@pytest.mark.parametrize("ending", [b"\n", b"", b'\n{"ts":'])
def test_parts_of_a_file_are_the_file(path: Path, most: int, ending: bytes) -> None:
    write(path, *(f"{number}" * (number % 7 + 1) for number in range(60)))
    path.write_bytes(path.read_bytes().removesuffix(b"\n") + ending)
    whole, joined = TraceReport(), TraceReport()
    for part in parts_of(path, path.stat().st_size):
        whole.add_part(part, 0.0)
    for part in parts_of(path, path.stat().st_size, most):
        joined.join(report_of(part, 0.0))
    assert joined.as_json() == whole.as_json()
    assert whole.total.requests == 60
    assert whole.damaged == (1 if ending.endswith(b":") else 0)


def test_report_of_several_processes_is_that_of_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path.with_name("routing-trace-20261122T000000Z.jsonl"), "a", "b")
    packed(path)
    write(path, "c")
    alone = report_command.read_report(path, 0.0).as_json()
    monkeypatch.setattr(report_command, "_SHARED_BYTES", 0)
    monkeypatch.setattr(report_command, "_cores", lambda: 2)
    assert report_command.read_report(path, 0.0).as_json() == alone
    assert alone["total"]["requests"] == 3


def test_latest_records_go_on_in_files_set_aside(tmp_path: Path) -> None:
    path = trace_path(tmp_path)
    path.parent.mkdir(parents=True)
    names = [path.with_name(f"{path.stem}-1{path.suffix}"), path.with_name(f"{path.stem}-2{path.suffix}"), path]
    for file, ids in zip(names, ("ab", "cd", "ef"), strict=True):
        file.write_bytes(b"".join(orjson.dumps(public_record(record(request_id=one)), default=str) + b"\n" for one in ids))
    for count, found in ((0, ""), (1, "f"), (3, "def"), (50, "abcdef")):
        assert "".join(event["requestId"] for event in latest_records(path, count)) == found

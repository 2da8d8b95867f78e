"""The trace file: private, bounded, one write a line, readable whatever happened to it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import orjson
import pytest

from openclaw_oauthrouter.telemetry.jsonl import TraceFile
from openclaw_oauthrouter.telemetry.reader import FollowedFile, last_lines, read_lines
from openclaw_oauthrouter.telemetry.trace_files import trace_files, trace_path
from tests.unit.telemetry.records import record

DAY = 86_400.0
NOW = 1_795_000_000.0


class Time:
    """A clock that stands where it is put."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return trace_path(tmp_path / "state")


@pytest.fixture
def time() -> Time:
    return Time()


def opened(path: Path, time: Time, rotate_bytes: int = 1_000_000) -> TraceFile:
    return TraceFile(path, clock=time, rotate_bytes=rotate_bytes, rotate_days=30)


def ids(path: Path) -> list[str]:
    return [event["requestId"] for event in read_lines(path)]


def test_private_file_in_a_private_folder(path: Path, time: Time) -> None:
    opened(path, time).receive(record())
    assert path.name == "routing-trace.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    [line] = path.read_bytes().splitlines()
    assert orjson.loads(line)["modelIdRequested"] == "auto"
    assert b"launch code" not in line


def test_jsonl_file_of_wider_rights_is_narrowed(path: Path, time: Time) -> None:
    path.parent.mkdir(parents=True)
    path.touch(0o644)
    opened(path, time).receive(record())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_jsonl_each_line_is_one_write(path: Path, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: written.append(data) or real_write(fd, data))
    sink = opened(path, time)
    sink.receive(record())
    sink.receive(record())
    assert len(written) == 2
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in written)


def test_rotates_by_size_and_loses_nothing(path: Path, time: Time) -> None:
    sink = opened(path, time, rotate_bytes=5000)
    for number in range(12):
        time.now += 5
        sink.receive(record(request_id=str(number)))
    files = trace_files(path)
    assert len(files) > 2
    assert files[-1] == path
    assert all(file.stat().st_size <= 5000 for file in files)
    assert [one for file in files for one in ids(file)] == [str(number) for number in range(12)]


def test_jsonl_two_rotations_in_one_second_do_not_meet(path: Path, time: Time) -> None:
    sink = opened(path, time, rotate_bytes=100)
    for number in range(3):
        sink.receive(record(request_id=str(number)))
    assert sorted(one for file in trace_files(path) for one in ids(file)) == ["0", "1", "2"]


def test_rotates_by_age_and_removes_what_is_too_old(path: Path, time: Time) -> None:
    opened(path, time).receive(record(request_id="old", started_at=time.now))
    ancient = path.with_name("routing-trace-20200101T000000Z.jsonl")
    ancient.write_text("{}\n")
    os.utime(ancient, (0, 0))
    time.now += 31 * DAY
    opened(path, time).receive(record(request_id="new", started_at=time.now))
    assert ids(path) == ["new"]
    assert not ancient.exists()
    assert len(trace_files(path)) == 2


def test_follows_a_file_that_another_process_set_aside(path: Path, time: Time) -> None:
    sink = opened(path, time)
    sink.receive(record(request_id="a"))
    path.rename(path.with_name("routing-trace-20261122T000000Z.jsonl"))
    time.now += 2
    sink.receive(record(request_id="b"))
    assert ids(path) == ["b"]


def test_jsonl_full_disk_is_an_error_for_the_recorder_and_a_torn_line_harms_no_other(
    path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = opened(path, time)
    sink.receive(record(request_id="a"))
    real_write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda fd, data: real_write(fd, data[:40]))
        with pytest.raises(OSError, match="disk full"):
            sink.receive(record(request_id="b"))
    sink.receive(record(request_id="c"))
    assert ids(path) == ["a", "c"]


def test_jsonl_folder_that_cannot_be_written(tmp_path: Path, time: Time) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")
    sink = opened(trace_path(tmp_path / "state"), time)
    for _ in range(2):
        with pytest.raises(OSError, match="state"):
            sink.receive(record())


def test_reader_passes_over_foreign_and_torn_lines(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\xff\xfe\n{"ts": 1}\n[]\n{"ts": 2, "x"\n\n{"no": "ts"}\n{"ts": 3}')
    assert [event["ts"] for event in read_lines(path)] == [1, 3]
    assert list(read_lines(path.with_name("absent"))) == []


def test_last_lines_read_only_the_end(path: Path, time: Time) -> None:
    sink = opened(path, time)
    for number in range(150):
        sink.receive(record(request_id=str(number)))
    assert [event["requestId"] for event in last_lines(path, 120)] == [str(number) for number in range(30, 150)]
    assert [event["requestId"] for event in last_lines(path, 500)] == [str(number) for number in range(150)]
    assert last_lines(path, 0) == []
    assert last_lines(path.with_name("absent"), 5) == []


def test_following_goes_on_across_rotation(path: Path, time: Time) -> None:
    sink = opened(path, time)
    sink.receive(record(request_id="before"))
    followed = FollowedFile(path)
    assert followed.read() == []
    sink.receive(record(request_id="a"))
    assert [event["requestId"] for event in followed.read()] == ["a"]
    sink.receive(record(request_id="b"))
    path.rename(path.with_name("routing-trace-20261122T000000Z.jsonl"))
    time.now += 2
    sink.receive(record(request_id="c"))
    assert [event["requestId"] for event in followed.read()] == ["b", "c"]
    followed.close()


def test_following_waits_for_the_whole_line(path: Path) -> None:
    path.parent.mkdir(parents=True)
    followed = FollowedFile(path)
    assert followed.read() == []
    with path.open("ab") as file:
        file.write(b'{"ts": 1}\n{"ts"')
        file.flush()
        assert followed.read() == [{"ts": 1}]
        file.write(b": 2}\n")
    assert followed.read() == [{"ts": 2}]
    followed.close()

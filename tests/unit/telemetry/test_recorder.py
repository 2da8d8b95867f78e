"""The recorder completes every record, however its request ends, and feels nothing of failing sinks."""

from __future__ import annotations

import asyncio
import logging

import pytest

from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.errors import BudgetExceededError
from openclaw_oauthrouter.telemetry.recorder import SinkRecorder
from tests.unit.telemetry.records import record


class Keeping:
    name = "keeping"

    def __init__(self) -> None:
        self.records: list[RequestRecord] = []
        self.closed = False

    def receive(self, record: RequestRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        self.closed = True


class Failing:
    name = "failing"

    def receive(self, record: RequestRecord) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture
def keeping() -> Keeping:
    return Keeping()


def started() -> RequestRecord:
    return record(seconds=None, status=None, started_at=100.0)


async def test_passes_the_record_on_at_the_end(keeping: Keeping) -> None:
    recorder = SinkRecorder([keeping], clock=lambda: 103.5)
    with recorder.request(started()) as held:
        assert recorder.active == 1
        assert keeping.records == []
        held.status = 200
    assert recorder.active == 0
    assert keeping.records == [held]
    assert held.seconds == 3.5


async def test_recorder_error_is_written_down_and_goes_on(keeping: Keeping) -> None:
    recorder = SinkRecorder([keeping], clock=lambda: 101.0)
    with pytest.raises(BudgetExceededError), recorder.request(started()):
        raise BudgetExceededError("used up")
    [seen] = keeping.records
    assert (seen.status, seen.error_type, seen.error_message) == (429, "BudgetExceededError", "used up")


async def test_recorder_unforeseen_error_counts_as_500(keeping: Keeping) -> None:
    recorder = SinkRecorder([keeping], clock=lambda: 101.0)
    with pytest.raises(ZeroDivisionError), recorder.request(started()):
        _ = 1 / 0
    assert keeping.records[0].status == 500


async def test_recorder_client_that_hung_up_is_499_even_after_200(keeping: Keeping) -> None:
    recorder = SinkRecorder([keeping], clock=lambda: 101.0)
    streaming = asyncio.Event()

    async def run() -> None:
        with recorder.request(started()) as held:
            held.status = 200
            streaming.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await streaming.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert keeping.records[0].status == 499


async def test_recorder_failing_sink_is_counted_and_logged_once(keeping: Keeping, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    recorder = SinkRecorder([Failing(), keeping], clock=lambda: 101.0, on_failure=told.append)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with recorder.request(started()):
                pass
    assert len(keeping.records) == 3
    assert recorder.failures == {"failing": 3}
    assert told == ["failing"] * 3
    assert [entry.message for entry in caplog.records if "'failing'" in entry.message] == [
        "trace sink 'failing' fails (further failures are only counted): OSError(28, 'No space left on device')"
    ]


def test_close_reaches_the_sinks_that_can_be_closed(keeping: Keeping) -> None:
    SinkRecorder([Failing(), keeping], clock=lambda: 0.0).close()
    assert keeping.closed

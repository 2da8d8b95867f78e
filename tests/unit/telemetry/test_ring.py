"""The ring answers queries, and serves live readers without waiting for slow ones."""

from __future__ import annotations

import asyncio

import pytest

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.telemetry.filter import TraceFilter
from openclaw_oauthrouter.telemetry.public import public_record
from openclaw_oauthrouter.telemetry.query import parse_count, parse_filter
from openclaw_oauthrouter.telemetry.ring import RingEntry, TraceRing
from tests.unit.telemetry.records import decision, record

NOW = 1_795_000_000.0


def ring_of(count: int, size: int = 500) -> TraceRing:
    ring = TraceRing(size, epoch="e")
    for number in range(count):
        ring.receive(record(request_id=str(number), started_at=NOW + number))
    return ring


def ids(entries: list[RingEntry]) -> list[str]:
    return [entry.request_id for entry in entries]


def test_newest_last_and_no_more_than_asked_for() -> None:
    ring = ring_of(10, size=6)
    assert ids(ring.latest(3)) == ["7", "8", "9"]
    assert ids(ring.latest(100)) == ["4", "5", "6", "7", "8", "9"]
    assert ring.count == 10


def test_filters() -> None:
    ring = TraceRing(10, epoch="e")
    ring.receive(record(request_id="a", started_at=NOW))
    ring.receive(record(request_id="b", started_at=NOW + 1, status=503, decision=decision(tier=Tier.COMPLEX)))
    ring.receive(record(request_id="c", started_at=NOW + 2, model_answered="openai/GPT-6-sol", status=504))
    assert ids(ring.latest(9, TraceFilter(since=NOW))) == ["b", "c"]
    assert ids(ring.latest(9, TraceFilter(tier="COMPLEX"))) == ["b"]
    assert ids(ring.latest(9, TraceFilter(model="gpt-6"))) == ["c"]
    assert ids(ring.latest(9, TraceFilter(status=503))) == ["b"]
    assert ids(ring.latest(9, TraceFilter(status_class=5))) == ["b", "c"]
    assert ids(ring.latest(1, TraceFilter(status_class=5))) == ["c"]


def test_resume() -> None:
    ring = ring_of(8)
    assert ids(ring.resume("e-5", otherwise=2)) == ["5", "6", "7"]
    assert ids(ring.resume("e-8", otherwise=2)) == []
    for unknown in (None, "", "other-5", "e-", "e-x", "e-٣", "garbage", f"e-{'9' * 5000}"):
        assert ids(ring.resume(unknown, otherwise=2)) == ["6", "7"]


async def test_live_entries_come_in_batches() -> None:
    ring = ring_of(0)
    with ring.subscribe() as live:
        batches = live.batches(idle_seconds=60)
        ring.receive(record(request_id="x"))
        ring.receive(record(request_id="y"))
        assert ids(await anext(batches)) == ["x", "y"]
        waiting = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)
        ring.receive(record(request_id="z"))
        assert ids(await waiting) == ["z"]
    assert ring.subscribers == 0


async def test_silence_gives_an_empty_batch() -> None:
    with ring_of(0).subscribe() as live:
        assert await anext(live.batches(idle_seconds=0.001)) == []


async def test_ring_slow_reader_is_dropped_and_told_what_was_queued() -> None:
    ring = TraceRing(10, epoch="e", queue_size=2)
    slow, quick = ring.subscribe(), ring.subscribe()
    reading = quick.batches(60)
    for number in range(4):
        ring.receive(record(request_id=str(number)))
        assert ids(await anext(reading)) == [str(number)]
    assert (ring.subscribers, ring.dropped_subscribers) == (1, 1)
    assert [ids(batch) async for batch in slow.batches(60)] == [["0", "1"]]


async def test_closing_the_ring_ends_every_reader() -> None:
    ring = ring_of(0)
    reading = asyncio.ensure_future(anext(ring.subscribe().batches(60), None))
    await asyncio.sleep(0)
    ring.close()
    assert await reading is None


def test_words_of_a_query() -> None:
    wanted = parse_filter({"since": "15m", "tier": "simple", "model": "haiku", "status": "4XX"}, NOW)
    assert wanted == TraceFilter(since=NOW - 900, tier=Tier.SIMPLE, model="haiku", status_class=4)
    assert parse_filter({"since": "1795000000250", "status": "429"}, NOW) == TraceFilter(since=NOW + 0.25, status=429)
    assert parse_filter({"since": "1795000000"}, 0).since == NOW
    assert parse_filter({"since": "2026-11-22T16:00:00Z"}, 0).since == parse_filter({"since": "2026-11-22T16:00:00"}, 0).since
    assert parse_filter({"since": "", "tier": "", "status": ""}, NOW) == TraceFilter()


@pytest.mark.parametrize(
    ("name", "value"),
    [("since", "yesterday"), ("since", "9" * 40), ("tier", "HUGE"), ("status", "2000"), ("status", "ok"), ("since", "nan")],
)
def test_ring_bad_value_names_its_parameter(name: str, value: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse_filter({name: value}, NOW)
    assert refused.value.param == name


@pytest.mark.parametrize("value", ["0", "5001", "-1", "ten", "", "1.5", "٣", "9" * 5000])
def test_ring_bad_count(value: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        parse_count(value)
    assert refused.value.param == "n"


def test_counts() -> None:
    assert [parse_count(text) for text in (None, "1", "5000")] == [200, 1, 5000]


def test_refill_puts_earlier_records_first_once_and_only_where_there_is_room() -> None:
    ring = ring_of(2, size=5)
    earlier = [public_record(record(request_id=name, started_at=NOW - 9)) for name in ("a", "b", "c", "1", "d")]
    ring.refill([{**event, "promptText": "said in secret"} for event in earlier])
    assert ids(ring.latest(9)) == ["b", "c", "d", "0", "1"]
    assert (ring.room, ring.count) == (0, 2)
    assert b"secret" not in ring.latest(9)[0].json()
    ring.refill(earlier)
    assert ids(ring.latest(9)) == ["b", "c", "d", "0", "1"]


def test_refilled_records_are_filtered_and_a_reader_resumes_behind_them() -> None:
    ring = TraceRing(5, epoch="e")
    ring.refill(
        [public_record(record(request_id=name, started_at=NOW, status=status)) for name, status in (("a", 200), ("b", 503))]
    )
    assert ids(ring.latest(9, TraceFilter(status_class=5))) == ["b"]
    newest = ring.event_id(ring.latest(1)[0])
    ring.receive(record(request_id="live", started_at=NOW))
    assert ids(ring.resume(newest, 25)) == ["live"]
    assert ids(ring.resume("other-3", 25)) == ["a", "b", "live"]

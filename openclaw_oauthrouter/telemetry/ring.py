"""The last requests in memory, and who watches them come in."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.telemetry.filter import TraceFilter
from openclaw_oauthrouter.telemetry.public import public_record


@dataclass(slots=True)
class RingEntry:
    """A record and its place in the order of arrival.

    :ivar number: 1 for the first record of this process; those of earlier starts have 0 and less
    :ivar record: the record, or its public JSON where it was read from the trace file
    """

    number: int
    record: RequestRecord | JsonObject
    _json: bytes | None = field(default=None, repr=False)

    @property
    def request_id(self) -> str:
        """The request's id."""
        return str(self.record.get("requestId")) if isinstance(self.record, dict) else self.record.request_id

    def fits(self, wanted: TraceFilter) -> bool:
        """Whether it is among those asked for."""
        return wanted.admits_event(self.record) if isinstance(self.record, dict) else wanted.admits(self.record)

    def json(self, *, prompts: bool = False) -> bytes:
        """The record's public JSON, made when first asked for and kept for all readers."""
        if self._json is None:
            self._json = orjson.dumps(self._public(prompts), default=str)
        return self._json

    def _public(self, prompts: bool) -> JsonObject:
        if not isinstance(self.record, dict):
            return public_record(self.record, prompts=prompts)
        return self.record if prompts else {name: value for name, value in self.record.items() if name != "promptText"}


class TraceRing:
    """A ``TraceSink`` of bounded size with live subscribers.

    :param size: records kept
    :param epoch: distinguishes this process's event ids from an earlier one's
    :param queue_size: records a subscriber may lag behind before it is dropped
    """

    name = "ring"

    def __init__(self, size: int, *, epoch: str, queue_size: int = 1000) -> None:
        self._entries: deque[RingEntry] = deque(maxlen=size)
        self._queue_size = queue_size
        self._subscriptions: set[Subscription] = set()
        self._count = 0
        self.epoch = epoch
        self.dropped_subscribers = 0

    @property
    def count(self) -> int:
        """Records received since start, those forgotten included."""
        return self._count

    @property
    def subscribers(self) -> int:
        """Live subscribers."""
        return len(self._subscriptions)

    def receive(self, record: RequestRecord) -> None:
        """Take a finished record and show it to everyone who watches; never waits for a slow one."""
        self._count += 1
        entry = RingEntry(self._count, record)
        self._entries.append(entry)
        for subscription in tuple(self._subscriptions):
            if not subscription.offer(entry):
                self._subscriptions.discard(subscription)
                self.dropped_subscribers += 1

    @property
    def room(self) -> int:
        """Records that still fit in without one being forgotten."""
        return (self._entries.maxlen or 0) - len(self._entries)

    def refill(self, events: Sequence[JsonObject]) -> None:
        """Put records of earlier starts before those received, as far as there is room; one that is held is not held twice.

        :param events: public JSON, newest last
        """
        held = {entry.request_id for entry in self._entries}
        earlier = [event for event in events if event.get("requestId") not in held][-self.room :] if self.room else []
        for number, event in enumerate(reversed(earlier)):
            self._entries.appendleft(RingEntry(-number, event))

    def latest(self, count: int, wanted: TraceFilter | None = None) -> list[RingEntry]:
        """The newest ``count`` entries that fit, newest last."""
        entries: Iterator[RingEntry] = reversed(self._entries)
        if wanted is not None:
            entries = (entry for entry in entries if entry.fits(wanted))
        return list(islice(entries, count))[::-1]

    def after(self, number: int) -> list[RingEntry]:
        """Entries newer than ``number`` that are still kept, newest last."""
        return [entry for entry in self._entries if entry.number > number]

    def event_id(self, entry: RingEntry) -> str:
        """What a reader may send back as ``Last-Event-ID``."""
        return f"{self.epoch}-{entry.number}"

    def resume(self, last_event_id: str | None, otherwise: int) -> list[RingEntry]:
        """What a reader has missed since ``last_event_id``; the newest ``otherwise`` entries when that tells nothing."""
        epoch, _, number = (last_event_id or "").rpartition("-")
        if epoch == self.epoch and re.fullmatch(r"[0-9]{1,15}", number):
            return self.after(int(number))
        return self.latest(otherwise)

    def subscribe(self) -> Subscription:
        """Watch records come in; close it, or use it as a context manager."""
        subscription = Subscription(self._queue_size, self._subscriptions.discard)
        self._subscriptions.add(subscription)
        return subscription

    def close(self) -> None:
        """End every subscription."""
        for subscription in tuple(self._subscriptions):
            subscription.close()


class Subscription:
    """A bounded queue of entries; ends when its reader falls too far behind."""

    def __init__(self, size: int, forget: Callable[[Subscription], None]) -> None:
        self._pending: deque[RingEntry] = deque()
        self._size = size
        self._forget = forget
        self._wake = asyncio.Event()
        self.closed = False

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def offer(self, entry: RingEntry) -> bool:
        """Queue an entry; ``False`` when the reader is too slow, which ends the subscription."""
        if len(self._pending) >= self._size:
            self.closed = True
        else:
            self._pending.append(entry)
        self._wake.set()
        return not self.closed

    def close(self) -> None:
        """Stop watching."""
        self.closed = True
        self._forget(self)
        self._wake.set()

    async def batches(self, idle_seconds: float) -> AsyncIterator[list[RingEntry]]:
        """Entries as they come, all that wait at once; an empty list after ``idle_seconds`` of silence."""
        while True:
            if not self._pending and not self.closed:
                await self._wait(idle_seconds)
            batch = list(self._pending)
            self._pending.clear()
            if self.closed and not batch:
                return
            yield batch

    async def _wait(self, seconds: float) -> None:
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

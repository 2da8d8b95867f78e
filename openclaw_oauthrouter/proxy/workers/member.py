"""A worker's part in its team: it tells what the others need, and takes in what they tell."""

from __future__ import annotations

import asyncio
import pickle
import signal
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson

from openclaw_oauthrouter.canonical.conversation import Conversation
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.health.registry import HealthRegistry
from openclaw_oauthrouter.health.state import HealthState, absorb, decode, encode, state_of
from openclaw_oauthrouter.proxy.live import Observers
from openclaw_oauthrouter.proxy.workers.channel import CONVERSATION, GAUGES, HEALTH, READY, RECORDS, Channel
from openclaw_oauthrouter.proxy.workers.place import Place
from openclaw_oauthrouter.routing.stickiness import Conversations
from openclaw_oauthrouter.runtime import PersistentState

GATHER_SECONDS = 0.02
"""Records and news that come within so short a time are told together."""

_CANDIDATES_TOLD = 8
"""Of a record's route: as many as its trace shows."""


class Member:
    """One worker among others.

    :ivar place: its place
    :ivar busy: requests running at the others, and their calls of each host
    """

    name = "workers"

    def __init__(self, place: Place) -> None:
        self.place = place
        self.busy: dict[int, tuple[float, dict[str, int]]] = {}
        self._channel: Channel | None = None
        self._observers: Observers | None = None
        self._health: HealthRegistry | None = None
        self._conversations: TeamConversations | None = None
        self._records: list[RequestRecord] = []
        self._told_health: dict[bytes, bytes] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._news = False

    @property
    def watches(self) -> bool:
        """Whether this is the front office."""
        return self.place.is_office

    @property
    def elsewhere(self) -> float:
        """Requests running at the other workers."""
        return sum(active for active, _ in self.busy.values())

    def in_use(self, own: Mapping[str, int]) -> dict[str, int]:
        """Calls under way to each host, those of the other workers included."""
        found = dict(own)
        for _, others in self.busy.values():
            for host, number in others.items():
                found[host] = found.get(host, 0) + number
        return found

    def sharing(self, persistent: PersistentState, settings: Settings) -> PersistentState:
        """The state of a worker: what it learns, the others learn, unless all of them learn it through Redis."""
        if settings.state_url is None:
            self._conversations = TeamConversations(time.time, settings.routing.sticky_seconds)
            self._conversations.tell = self._tell_conversation
            persistent = replace(persistent, conversations=self._conversations)
            self._health = persistent.health
            self._health.on_change(self._health_changed)
        return persistent

    async def join(self, observers: Observers) -> None:
        """Take up the line to the supervisor, and tell that this worker serves."""
        self._observers = observers
        end = socket.socket(fileno=self.place.channel)
        end.setblocking(False)
        self._channel = await Channel.open(end, self._heard, self._abandoned)
        self._channel.tell(READY, b"")

    # ------------------------------------------------------------------ a sink of records, where this is not the front office

    def receive(self, record: RequestRecord) -> None:
        """Tell the front office of a finished request."""
        decision = record.decision
        if decision is not None and len(decision.candidates) > _CANDIDATES_TOLD:
            record = replace(record, decision=replace(decision, candidates=decision.candidates[:_CANDIDATES_TOLD]))
        self._records.append(record)
        self._soon()

    def close(self) -> None:
        """Tell the last of it."""
        self._flush()
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    def _abandoned(self) -> None:
        """The supervisor is gone: nobody could end this process any more, or replace it."""
        if self._channel is not None:
            self._channel = None
            signal.raise_signal(signal.SIGTERM)

    def tell_gauges(self, active: float, in_use: Mapping[str, int]) -> None:
        """Tell the front office what is going on here."""
        if self._channel is not None:
            self._channel.tell(GAUGES, orjson.dumps([self.place.index, active, dict(in_use)]))

    # ------------------------------------------------------------------ telling

    def _tell_conversation(self, key: str, conversation: Conversation) -> None:
        if self._channel is not None:
            self._channel.tell(CONVERSATION, orjson.dumps([key, conversation.as_json()]))

    def _health_changed(self) -> None:
        self._news = True
        self._soon()

    def _soon(self) -> None:
        if self._timer is None and self._channel is not None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._channel is None:
            return
        if self._records:
            records, self._records = self._records, []
            self._channel.tell(RECORDS, pickle.dumps(records, protocol=pickle.HIGHEST_PROTOCOL))
        if self._news and self._health is not None:
            self._news = False
            known = _fields(self._health)
            for key, said in known.items():
                if self._told_health.get(key) != said:
                    self._channel.tell(HEALTH, said)
            self._told_health = known

    # ------------------------------------------------------------------ hearing

    def _heard(self, kind: bytes, said: bytes) -> None:
        if kind == RECORDS and self._observers is not None:
            # From our own processes, over a pair of sockets that nobody else holds.
            for record in pickle.loads(said):  # noqa: S301
                take_note(self._observers, record)
        elif kind == GAUGES:
            index, active, in_use = orjson.loads(said)
            self.busy[index] = (active, in_use)
        elif kind == HEALTH and self._health is not None:
            state = decode(said)
            if state is not None:
                absorb(self._health, state)
                self._told_health = _fields(self._health)
        elif kind == CONVERSATION and self._conversations is not None:
            key, told = orjson.loads(said)
            self._conversations.learn(key, Conversation.from_json(told))


class TeamConversations(Conversations):
    """Tells the other workers what each conversation was given."""

    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self.tell: Callable[[str, Conversation], None] = _nobody

    def remember(self, key: str | None, conversation: Conversation) -> None:
        """Note what a conversation was given, here and at the others."""
        super().remember(key, conversation)
        if key:
            self.tell(key, conversation)

    def learn(self, key: str, conversation: Conversation) -> None:
        """Take over what another worker gave a conversation, unless this one has done so since."""
        own = self.recall(key)
        if own is None or own.used_at < conversation.used_at:
            super().remember(key, conversation)


def _nobody(_key: str, _conversation: Conversation) -> None:
    return


def take_note(observers: Observers, record: RequestRecord) -> None:
    """Show a request of another worker to those who watch; it has been written down there."""
    observers.ring.receive(record)
    observers.panels.receive(record)
    if observers.metrics is not None:
        observers.metrics.receive(record)


def _fields(registry: HealthRegistry) -> dict[bytes, bytes]:
    """Each thing that can be out of order by itself: where the present word on it differs from the last, it is told again."""
    state = state_of(registry)
    found = {
        orjson.dumps(["cooldown", *subject]): encode(HealthState(cooldowns=[(subject, cooling)]))
        for subject, cooling in state.cooldowns
    }
    for holder, reading in state.windows:
        key = orjson.dumps(["window", *holder, reading.name])
        found[key] = encode(HealthState(windows=[(holder, reading)]))
    return found

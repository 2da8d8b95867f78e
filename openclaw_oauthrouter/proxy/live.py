"""What a change of the configuration replaces while requests go on, and what stays."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.dashboard.feed import PanelFeed
from openclaw_oauthrouter.dashboard.login import Logins
from openclaw_oauthrouter.dashboard.panels import state_panels
from openclaw_oauthrouter.interfaces import TraceSink
from openclaw_oauthrouter.policy.client_auth import ClientKeys
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.proxy.gate import Gate
from openclaw_oauthrouter.proxy.model_routes import Limits, ModelRoutes
from openclaw_oauthrouter.runtime import NewIds, Runtime
from openclaw_oauthrouter.tasks import take_all
from openclaw_oauthrouter.telemetry.metrics import RequestMetrics
from openclaw_oauthrouter.telemetry.recorder import SinkRecorder
from openclaw_oauthrouter.telemetry.ring import TraceRing

if TYPE_CHECKING:
    from openclaw_oauthrouter.proxy.editing import Editing

SERVED = "oauthrouter.served"
"""Key of the ASGI scope under which a request finds what was in force when it came."""


@value(frozen=True, slots=True)
class Observers:
    """Those who watch; they outlive a change of the configuration, so nothing seen is lost."""

    recorder: SinkRecorder
    ring: TraceRing
    panels: PanelFeed
    metrics: RequestMetrics | None
    logins: Logins
    clock: Clock


class Team(TraceSink, Protocol):
    """The other workers, where several processes serve one port: a sink of records, for those who do not watch."""

    @property
    def watches(self) -> bool:
        """Whether this worker is the one that shows what all of them do."""

    @property
    def elsewhere(self) -> float:
        """Requests running at the others."""

    def in_use(self, own: Mapping[str, int]) -> dict[str, int]:
        """Calls under way to each host, those of the others included."""


def create_observers(runtime: Runtime, token: Secret, team: Team | None = None) -> Observers:
    """The registered sinks and panels as one."""
    panels = [
        panel
        for answer in reversed(runtime.plugins.hook.oauthrouter_register_panels(settings=runtime.settings))
        for panel in answer
    ]
    feed = PanelFeed(panels, state_panels())
    ring = next((sink for sink in runtime.persistent.sinks if isinstance(sink, TraceRing)), None) or TraceRing(
        500, epoch=secrets.token_hex(4)
    )
    metrics = next((sink for sink in runtime.persistent.sinks if isinstance(sink, RequestMetrics)), None)
    sinks: list[TraceSink] = [*runtime.persistent.sinks, feed]
    if team is not None and not team.watches:
        sinks = [sink for sink in sinks if sink not in (ring, feed, metrics)] + [team]
    recorder = SinkRecorder(
        sinks,
        clock=time.time,
        on_failure=metrics.sink_failed if metrics else None,
        steady=time.monotonic,
    )
    if metrics:
        persistent = runtime.persistent
        metrics.watch_active(lambda: recorder.active + (team.elsewhere if team else 0.0))
        metrics.watch_waiting(persistent.upstream_waiting)
        metrics.watch_connections(lambda: (team.in_use if team else dict)(persistent.upstream_in_use()))
    return Observers(
        recorder,
        ring,
        feed,
        metrics,
        Logins(time.time, lambda: secrets.token_urlsafe(24), key=token.reveal().encode()),
        time.time,
    )


@dataclass(slots=True, eq=False)
class Served:
    """What answers requests under one configuration: all of it is replaced at once, or nothing.

    :ivar running: how many requests it answers now
    """

    runtime: Runtime
    paths: ClientPaths
    gate: Gate
    routes: ModelRoutes
    running: int = 0


class Live:
    """The configuration in force. ``swap`` replaces it for new requests; the old one closes after its last request.

    :ivar config_problem: why the configuration file as it is now was not taken over; ``None`` while it is in force
    """

    def __init__(self, runtime: Runtime, observers: Observers, token: Secret) -> None:
        self.observers = observers
        self.token = token
        self.config_problem: str | None = None
        self._make_editing: Callable[[], Editing] | None = None
        self._editing: Editing | None = None
        self.at_close: list[Callable[[], object]] = []
        self._served = _served(runtime, observers, token)
        self._retired: set[Served] = set()
        self._closing: set[asyncio.Task[None]] = set()
        # The event loop itself holds tasks weakly: one that nobody else holds may vanish before it is done.

    @property
    def runtime(self) -> Runtime:
        """The runtime in force."""
        return self._served.runtime

    @property
    def paths(self) -> ClientPaths:
        """What clients may call."""
        return self._served.paths

    @property
    def editing(self) -> Editing | None:
        """How the dashboard changes the configuration; ``None`` where there is no file to change."""
        if self._editing is None and self._make_editing is not None:
            self._editing = self._make_editing()
        return self._editing

    def allow_editing(self, make: Callable[[], Editing]) -> None:
        """Let the dashboard change the configuration, by what is made when somebody first asks for it."""
        self._make_editing, self._editing = make, None

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[Served, None]:
        """What is in force, kept open until the request ends."""
        served = self.take()
        try:
            yield served
        finally:
            self.give_back(served)

    def take(self) -> Served:
        """What is in force; it is kept open until it is given back."""
        served = self._served
        served.running += 1
        return served

    def give_back(self, served: Served) -> None:
        """A request has ended; what is in force no longer is closed after the last one."""
        served.running -= 1
        if not served.running and served in self._retired:
            self._retired.discard(served)
            self._close(served.runtime)

    def swap(self, runtime: Runtime) -> None:
        """Put another runtime in force.

        :raises ConfigurationError: its tokens are wrong; the present one stays in force, and the other is closed
        """
        try:
            served = _served(runtime, self.observers, self.token)
        except BaseException:
            self._close(runtime)
            raise
        old, self._served = self._served, served
        if old.running:
            self._retired.add(old)
        else:
            self._close(old.runtime)

    async def aclose(self) -> None:
        """Close what is in force, and wait for what was in force before."""
        for served in self._retired:
            self._close(served.runtime)
        self._retired.clear()
        await take_all(self.runtime.aclose, lambda: asyncio.gather(*self._closing), *self.at_close)

    def _close(self, runtime: Runtime) -> None:
        task = asyncio.ensure_future(runtime.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _served(runtime: Runtime, observers: Observers, token: Secret) -> Served:
    paths = ClientPaths(runtime.pipeline.dialects.values())
    gate = _gate(runtime, observers, token, paths.token_headers)
    return Served(runtime, paths, gate, _routes(runtime, observers, gate, paths))


def _gate(runtime: Runtime, observers: Observers, token: Secret, token_headers: Sequence[str]) -> Gate:
    server = runtime.settings.server
    keys = ClientKeys(token.reveal(), server.client_keys, token_headers)
    return Gate(
        keys,
        observers.logins,
        frozenset(server.allowed_hosts),
        frozenset(server.allowed_origins),
        runtime.persistent.instance,
    )


def _routes(runtime: Runtime, observers: Observers, gate: Gate, paths: ClientPaths) -> ModelRoutes:
    server = runtime.settings.server
    limits = Limits(server.max_body_bytes, server.body_seconds, server.keep_alive_seconds, server.response_headers)
    return ModelRoutes(runtime.pipeline, observers.recorder, gate, paths, limits, time.time, NewIds())

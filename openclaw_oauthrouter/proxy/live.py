"""What a change of the configuration replaces while requests go on, and what stays."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from openclaw_oauthrouter.assembly import Runtime, new_id
from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.dashboard.feed import PanelFeed
from openclaw_oauthrouter.dashboard.login import Logins
from openclaw_oauthrouter.dashboard.panels import state_panels
from openclaw_oauthrouter.policy.client_auth import ClientKeys
from openclaw_oauthrouter.proxy.gate import Gate
from openclaw_oauthrouter.proxy.model_routes import Limits, ModelRoutes
from openclaw_oauthrouter.telemetry.metrics import RequestMetrics
from openclaw_oauthrouter.telemetry.recorder import SinkRecorder
from openclaw_oauthrouter.telemetry.ring import TraceRing


@dataclass(frozen=True, slots=True)
class Observers:
    """Those who watch; they outlive a change of the configuration, so nothing seen is lost."""

    recorder: SinkRecorder
    ring: TraceRing
    panels: PanelFeed
    metrics: RequestMetrics | None
    logins: Logins
    clock: Clock


def create_observers(runtime: Runtime, token: Secret) -> Observers:
    """The registered sinks and panels as one."""
    panels = [
        panel
        for answer in reversed(runtime.plugins.hook.oauthrouter_register_panels(settings=runtime.settings))
        for panel in answer
    ]
    feed = PanelFeed(panels, state_panels())
    ring = next((sink for sink in runtime.lasting.sinks if isinstance(sink, TraceRing)), None) or TraceRing(
        500, epoch=secrets.token_hex(4)
    )
    metrics = next((sink for sink in runtime.lasting.sinks if isinstance(sink, RequestMetrics)), None)
    recorder = SinkRecorder([*runtime.lasting.sinks, feed], clock=time.time, on_failure=metrics.sink_failed if metrics else None)
    if metrics:
        metrics.watch_active(lambda: float(recorder.active))
    return Observers(
        recorder,
        ring,
        feed,
        metrics,
        Logins(time.time, lambda: secrets.token_urlsafe(24), key=token.reveal().encode()),
        time.time,
    )


class Live:
    """The runtime in force. ``swap`` replaces it at once for new requests; the old one closes after its last request."""

    def __init__(self, runtime: Runtime, observers: Observers, token: Secret) -> None:
        self.runtime = runtime
        self.observers = observers
        self.token = token
        self.gate = _gate(runtime, observers, token)
        self._routes = _routes(runtime, observers, self.gate)
        self._running: dict[int, int] = {}
        self._retired: dict[int, Callable[[], asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[ModelRoutes, None]:
        """The routes of the runtime in force, kept open until the request ends."""
        routes = self._routes
        key = id(routes.pipeline)
        self._running[key] = self._running.get(key, 0) + 1
        try:
            yield routes
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
                if key in self._retired:
                    self._retired.pop(key)()

    def swap(self, runtime: Runtime) -> None:
        """Put another runtime in force."""
        old, self.runtime = self.runtime, runtime
        self.gate = _gate(runtime, self.observers, self.token)
        self._routes = _routes(runtime, self.observers, self.gate)

        def close() -> asyncio.Task[None]:
            return asyncio.ensure_future(old.aclose())

        key = id(old.pipeline)
        if key in self._running:
            self._retired[key] = close
        else:
            close()


def _gate(runtime: Runtime, observers: Observers, token: Secret) -> Gate:
    server = runtime.settings.server
    keys = ClientKeys(token.reveal(), server.client_keys)
    return Gate(
        keys, observers.logins, frozenset(host.lower() for host in server.allowed_hosts), frozenset(server.allowed_origins)
    )


def _routes(runtime: Runtime, observers: Observers, gate: Gate) -> ModelRoutes:
    server = runtime.settings.server
    limits = Limits(server.max_body_bytes, server.body_seconds, server.keep_alive_seconds, server.response_headers)
    return ModelRoutes(runtime.pipeline, observers.recorder, gate, limits, time.time, new_id)

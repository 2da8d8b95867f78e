"""The debug routes behind a real Hypercorn on loopback, fed with made-up traffic."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, Response, jsonify, request

from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.dashboard.feed import PanelFeed
from openclaw_oauthrouter.dashboard.login import Logins, cookie_name
from openclaw_oauthrouter.dashboard.panels import state_panels
from openclaw_oauthrouter.dashboard.plugin import oauthrouter_register_panels
from openclaw_oauthrouter.interfaces import Panel
from openclaw_oauthrouter.proxy.debug_routes import debug_blueprint
from openclaw_oauthrouter.proxy.history_routes import HistoryRoutes
from openclaw_oauthrouter.telemetry.history import TraceHistory
from openclaw_oauthrouter.telemetry.jsonl import TraceFile
from openclaw_oauthrouter.telemetry.metrics import RequestMetrics
from openclaw_oauthrouter.telemetry.reader import latest_records
from openclaw_oauthrouter.telemetry.ring import TraceRing
from openclaw_oauthrouter.telemetry.trace_files import trace_path
from tests.browser import scene

TOKEN = "local-token-of-the-test"
Answer = TypeVar("Answer")


class StandInHealth:
    """The one method of ``Health`` that the routes use."""

    def snapshot(self) -> dict[str, object]:
        """Made-up cooldowns and windows."""
        return scene.health_snapshot(time.time())


class Gateway:
    """Runs in a thread of its own; everything that touches the ring is handed to its event loop.

    :param ring_size: records kept
    :param extra_panels: shown after the built-in ones, as a plugin's are
    """

    def __init__(self, ring_size: int = 500, extra_panels: Sequence[Panel] = ()) -> None:
        self.port = 0
        self._ring_size = ring_size
        self._home = Path(tempfile.mkdtemp(prefix="oauthrouter-browser-"))
        weakref.finalize(self, shutil.rmtree, self._home, ignore_errors=True)
        self._trace = TraceFile(trace_path(self._home), clock=time.time, rotate_bytes=1 << 30, rotate_days=30)
        self._extra_panels = extra_panels

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, key: bytes = b"key of the test") -> Gateway:
        """Listen, with an empty memory; on the same port as before, if there was one."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.ring = TraceRing(self._ring_size, epoch=secrets.token_hex(4))
        self.panels = PanelFeed([*oauthrouter_register_panels(), *self._extra_panels], state_panels())
        self.metrics = RequestMetrics()
        self.logins = Logins(time.time, lambda: secrets.token_urlsafe(24), key=key)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close at once, streams included."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def receive(self, *records: RequestRecord) -> None:
        """Bring finished records to ring, panels and metrics."""
        self._call(
            lambda: [sink.receive(record) for record in records for sink in (self.ring, self.panels, self.metrics, self._trace)]
        )

    def login_url(self) -> str:
        """A one-time link."""
        return f"{self.url}/debug/dashboard?code={self._call(self.logins.issue)}"

    def _call(self, call: Callable[[], Answer]) -> Answer:
        async def run() -> Answer:
            return call()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        config = Config()
        config.bind = [f"fd://{self._listening.detach()}"]
        config.graceful_timeout = 0.2
        config.accesslog = config.errorlog = None
        try:
            self._loop.run_until_complete(serve(self._app(), config, shutdown_trigger=self._until_stopped))
        finally:
            # A question of the page's may still be under way in a thread; it would open the index again.
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._history.close()
            self._loop.close()

    async def _until_stopped(self) -> None:
        await self._stop.wait()
        self.ring.close()
        self._trace.close()

    def _app(self) -> Quart:
        app = Quart("gateway")
        self._history = TraceHistory(trace_path(self._home))
        history = HistoryRoutes(self._history, time.time)
        app.register_blueprint(
            debug_blueprint(
                ring=self.ring,
                panels=self.panels,
                logins=self.logins,
                health=StandInHealth(),  # type: ignore[arg-type]
                spend_snapshot=lambda: scene.spend_snapshot(time.time()),
                clock=time.time,
                metrics=self.metrics.render,
                sums=history.sums,
                earlier=partial(latest_records, trace_path(self._home)),
            )
        )
        app.register_blueprint(history.blueprint())

        @app.get("/debug/gateway")
        async def gateway() -> Response:
            return jsonify({"version": "0", "home": str(self._home), "demo": False})

        @app.get("/debug/notices")
        async def notices() -> Response:
            return jsonify({"notices": scene.notices(time.time())})

        @app.before_request
        async def only_for_the_owner() -> Response | None:
            if request.path == "/debug/dashboard" and "code" in request.args:
                return None
            token = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.args.get("token")
            if token == TOKEN or self.logins.check(request.cookies.get(cookie_name(request.host))):
                return None
            return Response('{"error": {"message": "no token"}}', 401, content_type="application/json")

        @app.post("/v1/route/explain")
        async def explain() -> Response:
            body = await request.get_json()
            return jsonify(scene.explanation(body["prompt"]))

        return app

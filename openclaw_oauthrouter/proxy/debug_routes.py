"""The ``/debug`` pages and ``/metrics``: what happened to each request, live and afterwards.

Whoever reaches these routes has been authenticated in front of them (``Logins.check`` says whether a browser's cookie is good). The one
exception is ``GET /debug/dashboard?code=…``, which must be let through: the code is the proof, and is checked here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import orjson
from quart import Blueprint, Response, request

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.dashboard.assets import PAGE_HEADERS, Asset, Assets
from openclaw_oauthrouter.dashboard.feed import PanelFeed
from openclaw_oauthrouter.dashboard.login import Logins, cookie_name
from openclaw_oauthrouter.errors import NotFoundError, OAuthRouterError
from openclaw_oauthrouter.interfaces import Health
from openclaw_oauthrouter.proxy.answers import error_response
from openclaw_oauthrouter.proxy.standing import standing
from openclaw_oauthrouter.telemetry.metrics import CONTENT_TYPE
from openclaw_oauthrouter.telemetry.query import parse_count, parse_filter
from openclaw_oauthrouter.telemetry.ring import RingEntry, TraceRing

STREAMED_AT_FIRST = 25
"""Records a new reader of the stream gets before the live ones."""

KEEP_ALIVE_SECONDS = 15.0
RECONNECT_MILLISECONDS = 2000

Snapshot = Callable[[], JsonObject | Awaitable[JsonObject]]
MetricsText = Callable[[], bytes]

_STREAM_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no"}


def debug_blueprint(
    *,
    ring: TraceRing,
    panels: PanelFeed,
    logins: Logins,
    health: Health,
    spend_snapshot: Snapshot,
    clock: Clock,
    classifier_faults: Callable[[], Mapping[str, int]] = dict,
    metrics: MetricsText | None = None,
    prompts: bool = False,
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
    sums: Callable[[], Awaitable[JsonObject]] | None = None,
    models: Callable[[], JsonObject] | None = None,
    earlier: Callable[[int], list[JsonObject]] | None = None,
) -> Blueprint:
    """The routes, as a blueprint without a prefix.

    :param spend_snapshot: what the spend guard knows, as JSON; may be a coroutine function
    :param classifier_faults: what third-party classifiers did wrong -> how often
    :param metrics: renders the Prometheus text; ``None`` answers ``/metrics`` with 404
    :param prompts: put prompt text into events (``telemetry.prompts``)
    :param sums: sums of the span that the request at hand names; ``None`` where no trace is kept
    :param models: how many models can answer now (``standing.models_standing``)
    :param earlier: the newest records of earlier starts, so many at most, newest last; called once, in a thread
    """
    routes = Blueprint("debug", __name__)
    trace = _TraceRoutes(ring, clock, prompts, keep_alive_seconds, earlier)
    routes.add_url_rule("/debug/routing-trace", "trace", trace.events)
    routes.add_url_rule("/debug/routing-trace/stream", "stream", trace.stream)
    page = _DashboardRoutes(logins)
    routes.add_url_rule("/debug/dashboard", "dashboard", page.page)
    routes.add_url_rule("/debug/dashboard/code", "code", page.code, methods=["POST"])
    routes.add_url_rule("/debug/dashboard/sign-out", "sign_out", page.sign_out, methods=["POST"])
    routes.add_url_rule("/debug/dashboard/static/<name>", "static_file", page.static_file)
    state = _StateRoutes(panels, health, spend_snapshot, classifier_faults, metrics, sums, models, clock)
    routes.add_url_rule("/debug/provider-health", "health", state.health)
    routes.add_url_rule("/debug/spend", "spend", state.spend)
    routes.add_url_rule("/debug/panels", "panels", state.panels)
    routes.add_url_rule("/metrics", "metrics", state.metrics)
    routes.register_error_handler(OAuthRouterError, _refused)
    return routes


class _TraceRoutes:
    def __init__(
        self,
        ring: TraceRing,
        clock: Clock,
        prompts: bool,
        keep_alive_seconds: float,
        earlier: Callable[[int], list[JsonObject]] | None,
    ) -> None:
        self._earlier, self._refilling = earlier, asyncio.Lock()
        self._ring = ring
        self._clock = clock
        self._prompts = prompts
        self._keep_alive_seconds = keep_alive_seconds

    async def events(self) -> Response:
        """The newest records that fit the query, newest last."""
        count = parse_count(request.args.get("n"))
        wanted = parse_filter(request.args, self._clock())
        await self._refill()
        entries = self._ring.latest(count, wanted)
        newest = self._ring.event_id(entries[-1]) if entries else None
        events = b",".join(entry.json(prompts=self._prompts) for entry in entries)
        return _json_bytes(b'{"events":[%b],"lastEventId":%b}' % (events, orjson.dumps(newest)))

    async def stream(self) -> Response:
        """Server-sent events: ``hello``, what the reader has missed, then records as they end."""
        last_seen = request.headers.get("Last-Event-ID") or request.args.get("lastEventId")
        await self._refill()
        response = Response(self._live(last_seen), headers=_STREAM_HEADERS)
        response.timeout = None
        return response

    async def _refill(self) -> None:
        """Whoever looks after a restart sees what was seen before it; nobody looks, nothing is read."""
        async with self._refilling:
            earlier, self._earlier = self._earlier, None
            if earlier is not None and self._ring.room:
                self._ring.refill(await asyncio.get_running_loop().run_in_executor(None, earlier, self._ring.room))

    async def _live(self, last_seen: str | None) -> AsyncIterator[bytes]:
        with self._ring.subscribe() as live:
            hello = orjson.dumps({"ok": True, "epoch": self._ring.epoch, "count": self._ring.count})
            yield b"retry: %d\nevent: hello\ndata: %b\n\n" % (RECONNECT_MILLISECONDS, hello)
            missed = self._ring.resume(last_seen, STREAMED_AT_FIRST)
            yield b"".join(map(self._encoded, missed))
            seen = missed[-1].number if missed else 0
            async for batch in live.batches(self._keep_alive_seconds):
                fresh = [entry for entry in batch if entry.number > seen]
                yield b"".join(map(self._encoded, fresh)) if fresh else b": keep-alive\n\n"

    def _encoded(self, entry: RingEntry) -> bytes:
        return b"id: %b\ndata: %b\n\n" % (self._ring.event_id(entry).encode(), entry.json(prompts=self._prompts))


class _DashboardRoutes:
    def __init__(self, logins: Logins) -> None:
        self._logins = logins
        self._assets = Assets()

    async def page(self) -> Response:
        """The page; a one-time code or a token in the URL becomes a cookie first, and the URL is cleaned."""
        if request.method == "HEAD" and {"code", "token"} & set(request.args):
            return Response(b"", 204)  # a link's preview must not use the code up
        if "code" in request.args:
            return self._signed_in(self._logins.redeem(request.args["code"]))
        if "token" in request.args:
            # The layer in front has compared it already: a wrong one never comes here.
            return self._signed_in(self._logins.open())
        return self._file("dashboard.html", 200)

    async def code(self) -> Response:
        """A one-time code and the path it is good for, for ``openclaw-oauthrouter dashboard``."""
        return _json({"path": f"/debug/dashboard?code={self._logins.issue()}"})

    async def sign_out(self) -> Response:
        """End the browser's session."""
        name = cookie_name(request.host)
        self._logins.end(request.cookies.get(name))
        response = Response(b"", 204)
        response.delete_cookie(name, path="/", httponly=True, samesite="Strict")
        return response

    async def static_file(self, name: str) -> Response:
        """A script, style sheet or picture."""
        return self._file(name, 200)

    def _signed_in(self, session: str | None) -> Response:
        if session is None:
            return self._file("signed-out.html", 401)
        # The part behind the number sign stays in the browser: its page keeps it for the changes it makes, and takes it out of the address.
        location = f"dashboard#key={self._logins.change_key(session)}"
        response = Response(
            b"", 303, headers={"location": location, "cache-control": "no-store", "referrer-policy": "no-referrer"}
        )
        response.set_cookie(
            cookie_name(request.host),
            session,
            max_age=int(self._logins.session_seconds),
            path="/",
            httponly=True,
            samesite="Strict",
            secure=request.is_secure,
        )
        return response

    def _file(self, name: str, status: int) -> Response:
        asset = self._assets.get(name)
        if asset is None:
            raise NotFoundError(f"the dashboard has no file {name!r}")
        if request.headers.get("If-None-Match") == asset.etag and status == 200:
            return Response(b"", 304, headers=_asset_headers(asset))
        return Response(asset.body, status, headers=_asset_headers(asset))


class _StateRoutes:
    def __init__(
        self,
        panels: PanelFeed,
        health: Health,
        spend_snapshot: Snapshot,
        classifier_faults: Callable[[], Mapping[str, int]],
        metrics: MetricsText | None,
        sums: Callable[[], Awaitable[JsonObject]] | None,
        models: Callable[[], JsonObject] | None,
        clock: Clock,
    ) -> None:
        self._sums, self._models, self._clock = sums, models, clock
        self._panels = panels
        self._health = health
        self._spend_snapshot = spend_snapshot
        self._classifier_faults = classifier_faults
        self._metrics = metrics

    async def health(self) -> Response:
        """What is known of providers being out of order, of their plans' windows, and of classifiers that do not work."""
        return _json({**self._health.snapshot(), "classifierFaults": dict(self._classifier_faults())})

    async def spend(self) -> Response:
        """What was spent, and of what budget."""
        return _json(await self._spend())

    async def panels(self) -> Response:
        """Every panel's state, for the page: of the span from ``since`` to ``until`` (milliseconds) where there is a trace; and how things stand."""
        health, spend = self._health.snapshot(), await self._spend()
        sums = await self._sums() if self._sums is not None else None
        panels = self._panels.render({"health": health, "spend": spend}, sums)
        told = {"panels": panels, "standing": standing(health, spend, self._models() if self._models else None, self._clock())}
        return _json({**told, **({"indexing": sums["indexing"]} if sums and "indexing" in sums else {})})

    async def metrics(self) -> Response:
        """Prometheus text."""
        if self._metrics is None:
            raise NotFoundError("metrics are switched off (telemetry.metrics)")
        return Response(self._metrics(), content_type=CONTENT_TYPE)

    async def _spend(self) -> JsonObject:
        snapshot = self._spend_snapshot()
        return await snapshot if inspect.isawaitable(snapshot) else snapshot


async def _refused(error: OAuthRouterError) -> Response:
    return error_response(error)


def _json(body: JsonObject) -> Response:
    return _json_bytes(orjson.dumps(body, default=str))


def _json_bytes(body: bytes) -> Response:
    return Response(body, content_type="application/json", headers={"cache-control": "no-store"})


def _asset_headers(asset: Asset) -> dict[str, str]:
    return {**PAGE_HEADERS, "content-type": asset.content_type, "etag": asset.etag}

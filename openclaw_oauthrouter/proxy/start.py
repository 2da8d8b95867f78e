"""``start_proxy``: a gateway within this event loop, as one object to hold and close."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.config.server import local_address
from openclaw_oauthrouter.errors import StateFolderError
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.proxy.exposure import check_exposure
from openclaw_oauthrouter.proxy.gateway import Gateway
from openclaw_oauthrouter.proxy.listener import bind, port_of
from openclaw_oauthrouter.proxy.live import Live, create_observers
from openclaw_oauthrouter.proxy.local_token import keep_later, kept_token, prepare_folder
from openclaw_oauthrouter.proxy.server import run_application
from openclaw_oauthrouter.runtime import PersistentState, Runtime, create_persistent_state, new_token
from openclaw_oauthrouter.tasks import end_tasks, take_all
from openclaw_oauthrouter.telemetry.recorder import SinkRecorder
from openclaw_oauthrouter.upstream.discovery import Discovery, Upstreams
from openclaw_oauthrouter.upstream.plan_usage import PlanUsage

if TYPE_CHECKING:  # one process alone needs none of it
    from openclaw_oauthrouter.proxy.workers.member import Member
    from openclaw_oauthrouter.proxy.workers.office import FrontOffice
    from openclaw_oauthrouter.proxy.workers.place import Place

NOTICES_AFTER_SECONDS = 5.0

_GAUGE_SECONDS = 1.0
"""How often the front office hears how busy another worker is."""

_log = logging.getLogger(__name__)


class ProxyHandle:
    """A running gateway.

    :ivar base_url: ``http://host:port``
    :ivar auth_token: the local token clients must send
    """

    def __init__(self, live: Live, listener: socket.socket, member: Member | None = None) -> None:
        settings = live.runtime.settings
        self.live = live
        self.port = port_of(listener)
        self.base_url = local_address(settings.server.listen_host, self.port)
        self.auth_token = live.token.reveal()
        self._stop = asyncio.Event()
        self.discovery = _discovery(live)
        self._beside = [
            *live.runtime.persistent.begin(),
            asyncio.create_task(_plan_usage(live, member).run(), name="plans' windows"),
            asyncio.create_task(self.discovery.run(lambda: _take_over_lists(live)), name="lists of models"),
        ]
        self._member = member
        self._office = _front_office(member) if member and not member.watches else None
        serving = [run_application(Gateway(live, self._office), listener, settings.server, self._stop)]
        if member is None or member.watches:  # of several workers one tells
            self._beside.append(asyncio.create_task(_watch_notices(live), name="notices"))
        if member is not None:
            self._beside.append(asyncio.create_task(_tell_gauges(live, member), name="gauges for the front office"))
            if member.watches:
                serving.append(run_application(Gateway(live), member.place.office_socket(), settings.server, self._stop))
        self._serving = asyncio.create_task(_all_of(serving))

    def __repr__(self) -> str:
        return f"<ProxyHandle {self.base_url}>"

    async def __aenter__(self) -> ProxyHandle:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done while the gateway runs."""
        self._beside.append(asyncio.create_task(work))

    async def wait(self) -> None:
        """Until the gateway has stopped by itself."""
        await asyncio.shield(self._serving)

    async def close(self) -> None:
        """Stop: no new requests, running streams may finish within ``server.graceful_seconds``."""
        if self._stop.is_set():
            return
        self._stop.set()
        self.live.observers.ring.close()
        runtime, office, member = self.live.runtime, self._office, self._member
        await take_all(
            lambda: self._serving,
            lambda: _all(runtime.plugins.hook.openclaw_gateway_stop(settings=runtime.settings)),
            lambda: end_tasks(self._beside),
            *([office.aclose] if office is not None else ()),
            self.live.aclose,
            runtime.persistent.aclose,
            self.live.observers.recorder.close,
            *([member.close] if member is not None else ()),
        )


async def start_proxy(
    *,
    providers: Mapping[str, Any] | None = None,
    port: int | None = None,
    auth_token: str | None = None,
    routing_config: Mapping[str, Any] | Any | None = None,
    spend_controls: Mapping[str, Any] | Any | None = None,
    plugins: Iterable[object] = (),
    **settings: Any,
) -> ProxyHandle:
    """Start a gateway.

    :param providers: name -> ``{"apiBase": …, "authHeader": …}``; see ``config.providers.ProviderSettings``
    :param port: 8402 unless configured otherwise; 0 takes any free one
    :param auth_token: the local token; generated and kept in the state folder when absent
    :param routing_config: a changed ``DEFAULT_ROUTING_CONFIG``, or a mapping
    :param spend_controls: see ``config.spend.SpendSettings``
    :param plugins: plugin objects of the caller's
    :param settings: any other top-level setting
    :raises ConfigurationError: a setting, plugin or the port is wrong
    """
    named = {
        "providers": providers,
        "port": port,
        "auth_token": auth_token,
        "routing": routing_config,
        "spend_controls": spend_controls,
        **settings,
    }
    loaded = load_settings(overrides={key: value for key, value in named.items() if value is not None})
    return await start(loaded.settings, plugins)


async def start(settings: Settings, plugins: Iterable[object] = (), place: Place | None = None) -> ProxyHandle:
    """Start a gateway from settings.

    :param place: of this process, where several serve one port
    """
    manager = create_plugin_manager(extra=plugins)
    listener = place.public_socket() if place else bind(settings.server.listen_host, settings.server.port)
    async with AsyncExitStack() as opened:
        opened.callback(listener.close)
        prepare_folder(settings.home)
        token, is_kept = _token(settings)
        check_exposure(settings.server, token)
        member = _member(place) if place else None
        persistent = create_persistent_state(settings, manager)
        opened.push_async_callback(_abandon, persistent)
        if member is not None:
            persistent = member.sharing(persistent, settings)
        runtime = assemble(settings, manager, persistent)
        opened.push_async_callback(runtime.aclose)
        live = Live(runtime, create_observers(runtime, token, member), token)
        if member is not None:
            opened.callback(member.close)
            await member.join(live.observers)
        handle = ProxyHandle(live, listener, member)
        opened.pop_all()
    try:
        if not is_kept:
            handle.beside(keep_later(settings.home, token))
        warn_of_names(runtime)
        await _all(manager.hook.openclaw_gateway_start(settings=settings, base_url=handle.base_url))
    except BaseException:
        await handle.close()
        raise
    return handle


async def _abandon(persistent: PersistentState) -> None:
    """Let go of what a start that fails has made; what earlier runs have learnt was not read yet, and stays as it is."""
    await take_all(persistent.let_go, SinkRecorder(persistent.sinks, clock=time.time, steady=time.monotonic).close)


def warn_of_names(runtime: Runtime) -> None:
    """Say in the log which names of the settings nothing is known of."""
    for problem in () if runtime.settings.demo else runtime.references():
        _log.warning("the configuration: %s", problem)


def _member(place: Place) -> Member:
    from openclaw_oauthrouter.proxy.workers.member import Member

    return Member(place)


def _front_office(member: Member) -> FrontOffice:
    from openclaw_oauthrouter.proxy.workers.office import FrontOffice

    return FrontOffice(member.place.office_path)


async def _all_of(serving: Sequence[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*serving)


async def _tell_gauges(live: Live, member: Member) -> None:
    if member.watches:
        return
    while True:
        await asyncio.sleep(_GAUGE_SECONDS)
        member.tell_gauges(live.observers.recorder.active, live.runtime.persistent.upstream_in_use())


def _discovery(live: Live) -> Discovery:
    settings = live.runtime.settings
    return Discovery(settings.home, settings.upstream.model_lists, time.time, lambda: _upstreams(live))


def _plan_usage(live: Live, member: Member | None) -> PlanUsage:
    settings = live.runtime.settings.upstream.plan_usage
    return PlanUsage(
        settings,
        time.time,
        lambda: _upstreams(live),
        lambda name: live.runtime.credentials.known(name).credentials,
        lambda: live.runtime.pipeline.upstream.health,
        member.place.index if member is not None else 0,
    )


def _upstreams(live: Live) -> Upstreams:
    runtime = live.runtime
    upstream = runtime.pipeline.upstream
    # The demo answers from a machine that is gone tomorrow.
    nobody = runtime.settings.demo
    usable = runtime.pipeline.router.eligibility.usable
    return Upstreams({} if nobody else upstream.providers, runtime.credentials, runtime.transport, usable)


async def _watch_notices(live: Live) -> None:
    """Nothing is loaded for it before the first look: a start is not the time for it."""
    await asyncio.sleep(NOTICES_AFTER_SECONDS)
    from openclaw_oauthrouter.proxy.notice_watch import NoticeWatch

    await NoticeWatch(lambda: live.runtime, time.time).watch()


def _take_over_lists(live: Live) -> None:
    """As after an edit of the configuration: requests that run keep what they began with."""
    runtime = live.runtime
    live.swap(assemble(runtime.settings, runtime.plugins, runtime.persistent))


def _token(settings: Settings) -> tuple[Secret, bool]:
    """The local token, and whether it need not be kept any more."""
    if settings.server.auth_token is not None:
        return Secret(settings.server.auth_token.get_secret_value()), True
    fresh = new_token()
    try:
        return kept_token(settings.home, fresh), True
    except StateFolderError as error:
        _log.warning("%s; until then only client keys and this process know how to get in", error.message)
        return fresh, False


async def _all(answers: Iterable[object]) -> None:
    """Await what lifecycle hooks returned, all of it even where some of it fails."""
    await take_all(*(partial(_itself, answer) for answer in answers))


def _itself(answer: object) -> object:
    return answer


__all__ = ["ProxyHandle", "Runtime", "start", "start_proxy"]

"""``serve``: run the gateway."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openclaw_oauthrouter.cli.editing import allow_editing, file_to_edit
from openclaw_oauthrouter.cli.grammar import asks
from openclaw_oauthrouter.cli.greeting import greet
from openclaw_oauthrouter.cli.log_output import configure_log, log_to_file
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import LoadedSettings, load_settings
from openclaw_oauthrouter.proxy.workers.place import VARIABLE, Place, place_told

if TYPE_CHECKING:
    from openclaw_oauthrouter.proxy.start import ProxyHandle


@click.command("serve")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 means any free one.  [default: 8402]")
@click.option("--demo", is_flag=True, help="Answer everything from the built-in demo; needs no credentials.")
@click.option("--demo-if-empty", is_flag=True, help="Use the demo only if no provider has a credential.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Lowest level to log; info also logs each request.  [default: warning]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Number of processes that serve the port together; one per CPU core makes sense.  [default: server.workers, 1]",
)
@click.option("--json", "as_json", is_flag=True)
@click.option("--host-stdio", is_flag=True, hidden=True)  # for the OpenClaw plugin, which talks over the standard streams
@click.pass_context
def command(
    ctx: click.Context, /, host: str | None, port: int | None, log_level: str | None, workers: int | None, **ways: bool
) -> None:
    """Run the gateway until Ctrl-C or SIGTERM.

    Without a usable credential, it still starts. It then says what is missing, and answers requests with 503 and the same message.
    """
    obj: dict[str, Any] = ctx.obj
    given = (("listen_host", host), ("port", port), ("workers", workers))
    server = {key: value for key, value in given if value is not None}
    overrides: dict[str, Any] = {"server": server} if server else {}
    if log_level or obj.get("verbose"):
        overrides["telemetry"] = {"log_level": log_level or "info"}
    if ways["host_stdio"]:
        run(_with_host(obj.get("config"), overrides))
        return
    told = os.environ.pop(VARIABLE, None)
    place = place_told(told) if told else None
    may_ask = asks(obj) and place is None and not ways["demo_if_empty"] and not ways["as_json"]
    demo = ways["demo"] or (may_ask and _first_minute(obj, overrides))
    work = _alone(obj.get("config"), overrides, demo, ways["demo_if_empty"], as_json=ways["as_json"], place=place)
    ctx.exit(run(work))


def _first_minute(obj: dict[str, Any], overrides: dict[str, Any]) -> bool:
    """Ask somebody without credentials, who sits before it, where answers shall come from; tells whether it is the demo."""
    if not all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return False
    loaded = load_settings(obj.get("config"), overrides=overrides)
    if _has_credentials(loaded):
        return False
    from openclaw_oauthrouter.cli.first_minute.wizard import lead

    return lead(obj, loaded) == "demo"


def run(work: Coroutine[Any, Any, int | None]) -> int:
    """Run a coroutine on the fastest event loop there is.

    :return: exit code
    """
    _fill_standard_streams()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work) or 0


_AT_REST_SECONDS = 2.0
"""After which a gateway that has just begun does what nobody waits for."""


async def _at_rest(handle: ProxyHandle) -> None:
    await asyncio.sleep(_AT_REST_SECONDS)
    if handle.live.runtime.settings.telemetry.metrics:
        # What counts for /metrics is loaded at the latest in the middle of some request; better now, and beside the loop.
        await asyncio.to_thread(importlib.import_module, "openclaw_oauthrouter.telemetry.prometheus")
    settle_memory()
    await _name_unpriced(handle)


async def _name_unpriced(handle: ProxyHandle) -> None:
    """Say which models of the tiers cannot be counted; beside the requests, for reading the prices takes a moment."""
    from openclaw_oauthrouter.cli.checks.money import unpriced_words

    runtime = handle.live.runtime
    unpriced = await asyncio.to_thread(runtime.pipeline.router.unpriced) if runtime.usable_providers() else []
    if unpriced:
        click.secho(f"price {unpriced_words(unpriced, runtime.settings)}", fg="yellow", err=True)


def _fill_standard_streams() -> None:
    """Nothing of the event loop's may get the number of a closed standard stream: uvloop ends the process when it closes that."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        from uvloop import new_event_loop
    except ImportError:
        return None
    return new_event_loop


async def _alone(
    config: Path | None, overrides: dict[str, Any], demo: bool, demo_if_empty: bool, *, as_json: bool, place: Place | None
) -> int:
    from openclaw_oauthrouter.cli.demo_settings import demo_world
    from openclaw_oauthrouter.proxy.reload import Reloader
    from openclaw_oauthrouter.proxy.start import start

    async with AsyncExitStack() as stack:
        own = load_settings(config, overrides=overrides)
        if place is None and own.settings.server.workers > 1:
            return await _lead(own.settings, ["--demo"] if demo else [])
        demo = demo or (demo_if_empty and not _has_credentials(own))
        into_force = await stack.enter_async_context(demo_world()) if demo else _as_it_is
        settings = into_force(own).settings
        log_to_file(settings.home)
        configure_log(settings.telemetry)
        handle = await stack.enter_async_context(await start(settings, place=place))
        path = file_to_edit(own)
        reloader = Reloader(
            handle.live, path, lambda: into_force(load_settings(config, overrides=overrides)), hang_up=not has_terminal()
        )
        if not demo:
            allow_editing(handle.live, reloader, path, lambda found: load_settings(found, overrides=overrides))
        watching = asyncio.create_task(reloader.watch())
        stack.callback(watching.cancel)
        told = told_to_stop()
        if place is None or place.is_office:
            greet(handle, own, demo=demo, as_json=as_json)
        resting = asyncio.create_task(_at_rest(handle))
        stack.callback(resting.cancel)
        await until_stopped(handle, told)
        return 0


def settle_memory() -> None:
    """Have the collector leave alone what lives as long as the gateway, and look less often: a request makes thousands of objects, no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


_GC_THRESHOLDS = (10_000, 20, 20)


async def _lead(settings: Settings, also: list[str]) -> int:
    """Have several processes serve; what only one of them may make, is made before."""
    from openclaw_oauthrouter.proxy.local_token import kept_token, prepare_folder
    from openclaw_oauthrouter.proxy.workers.supervisor import Supervisor, worker_command
    from openclaw_oauthrouter.runtime import new_token

    server = settings.server
    prepare_folder(settings.home)
    if server.auth_token is None:
        kept_token(settings.home, new_token())
    arguments = [argument for argument in sys.argv[1:] if argument != "--demo"]
    command = worker_command([*arguments, *also])
    return await Supervisor(
        command, server.workers, server.listen_host, server.port, ends_on_hang_up=has_terminal() and not _hang_ups_are_ignored()
    ).run()


def _as_it_is(loaded: LoadedSettings) -> LoadedSettings:
    return loaded


async def _with_host(config: Path | None, overrides: dict[str, Any]) -> None:
    from openclaw_oauthrouter.canonical.credential import Secret
    from openclaw_oauthrouter.openclaw.bridge import HostBridge
    from openclaw_oauthrouter.openclaw.host_credentials import HostCredentials
    from openclaw_oauthrouter.proxy.reload import Reloader
    from openclaw_oauthrouter.proxy.start import start

    bridge = await HostBridge.open()
    said = {**await bridge.config(), **overrides}
    loaded = load_settings(config, overrides=said)
    log_to_file(loaded.settings.home)
    configure_log(loaded.settings.telemetry)
    async with await start(loaded.settings, [HostCredentials(bridge)]) as handle:
        path = file_to_edit(loaded)
        reloader = Reloader(handle.live, path, lambda: load_settings(config, overrides=said))
        allow_editing(handle.live, reloader, path, lambda found: load_settings(found, overrides=said))
        told = told_to_stop()
        bridge.ready(f"{handle.base_url}/v1", Secret(handle.auth_token))
        await until_stopped(handle, told, bridge.closed)
    await bridge.close()


def has_terminal() -> bool:
    """Whether somebody watches: then a hang-up means that the terminal is gone, and without one that the configuration is to be read."""
    return any(os.isatty(number) for number in (0, 1))


def _hang_ups_are_ignored() -> bool:
    """Whether whoever started us wants us to outlive the terminal: ``nohup``, ``trap '' HUP``."""
    return hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def told_to_stop() -> asyncio.Event:
    """Set at SIGINT or SIGTERM, and when the terminal is closed; from now on these end nothing by themselves."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    ending = [signal.SIGINT, signal.SIGTERM]
    if has_terminal() and hasattr(signal, "SIGHUP") and not _hang_ups_are_ignored():
        ending.append(signal.SIGHUP)  # the window was closed: nobody is there to read the log, and the port is wanted again
    for name in ending:
        with suppress(NotImplementedError):  # Windows has no signal handlers here; Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(name, told.set)
    return told


async def until_stopped(handle: ProxyHandle, *events: asyncio.Event) -> None:
    """Until one of the events, or until the gateway ends by itself."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(event.wait()) for event in events]
    waits.append(asyncio.ensure_future(handle.wait()))
    _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in pending:
        wait.cancel()


def _has_credentials(loaded: LoadedSettings) -> bool:
    from openclaw_oauthrouter.builder import Builder
    from openclaw_oauthrouter.plugins import create_plugin_manager

    return bool(Builder(loaded.settings, create_plugin_manager()).usable_now())

"""A start, a reload or a stop that a plugin fails leaves nothing open: no database, no sink, no socket."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter import hookimpl, start_proxy
from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.policy.ledger.sqlite import SqliteStore
from tests.support.databases import open_databases


class Sink:
    """Holds something from its making on, as an exporter holds threads."""

    name = "holding"

    def __init__(self) -> None:
        self.closed = 0

    def receive(self, record: object) -> None:
        """Nothing is asked of it."""

    def close(self) -> None:
        self.closed += 1


class WithSink:
    def __init__(self) -> None:
        self.sink = Sink()

    @hookimpl
    def oauthrouter_register_trace_sinks(self) -> list[Any]:
        return [self.sink]


class Tiers(WithSink):
    @hookimpl
    def oauthrouter_register_tiers(self) -> Any:
        return {"HUGE": {"primary": "x/y"}}


class Budgets(WithSink):
    @hookimpl
    def oauthrouter_register_budgets(self) -> Any:
        raise RuntimeError("broken")


class WrongLimits(WithSink):
    @hookimpl
    def oauthrouter_register_budgets(self) -> Any:
        class Broken:
            name = "broken"

            def limits(self) -> Any:
                return ["fortnight"]

        return [Broken()]


class Providers(WithSink):
    @hookimpl
    def oauthrouter_register_providers(self) -> Any:
        raise RuntimeError("broken")


class Panels(WithSink):
    @hookimpl
    def oauthrouter_register_panels(self) -> Any:
        raise RuntimeError("broken")


class Start(WithSink):
    @hookimpl
    async def openclaw_gateway_start(self) -> None:
        raise RuntimeError("broken")


@pytest.fixture
def nothing_stays_open() -> Iterator[None]:
    before = open_databases()
    yield
    assert open_databases() == before


WORDS = r"broken|HUGE|fortnight"
FAULTS = [Tiers, Budgets, WrongLimits, Providers, Panels, Start]


@pytest.mark.usefixtures("nothing_stays_open")
@pytest.mark.parametrize("fault", FAULTS)
async def test_start_that_fails_leaves_nothing_open(fault: type[WithSink], tmp_path: Path) -> None:
    plugin = fault()
    health = tmp_path / "health.json"
    health.write_text("what earlier runs have learnt")
    with pytest.raises(Exception, match=WORDS):
        await start_proxy(port=0, home=tmp_path, plugins=[plugin])
    assert plugin.sink.closed == 1
    assert fault is Start or health.read_text() == "what earlier runs have learnt"


@pytest.mark.usefixtures("nothing_stays_open")
@pytest.mark.parametrize("fault", [Tiers, Budgets, WrongLimits])
def test_assemble_that_fails_leaves_nothing_open(fault: type[WithSink], tmp_path: Path) -> None:
    settings = load_settings(environ={}, overrides={"home": tmp_path}).settings
    with pytest.raises(Exception, match=WORDS):
        assemble(settings, create_plugin_manager(extra=[fault()], load_entry_points=False))


@pytest.mark.usefixtures("nothing_stays_open")
async def test_configuration_that_is_refused_leaves_what_is_in_force_as_it_was(tmp_path: Path) -> None:
    class Moody(WithSink):
        in_mood = True

        @hookimpl
        def oauthrouter_register_tiers(self) -> Any:
            return {} if self.in_mood else {"HUGE": {"primary": "x/y"}}

    plugin = Moody()
    async with await start_proxy(port=0, home=tmp_path, plugins=[plugin]) as handle:
        runtime = handle.live.runtime
        before, transports = open_databases(), list(runtime.persistent.transports)
        plugin.in_mood = False
        with pytest.raises(Exception, match="HUGE"):
            assemble(runtime.settings, runtime.plugins, runtime.persistent)
        assert (open_databases(), runtime.persistent.transports) == (before, transports)


@pytest.mark.usefixtures("nothing_stays_open")
@pytest.mark.parametrize("when", ["at once", "when awaited"])
async def test_stop_that_a_plugin_fails_closes_everything_else(when: str, tmp_path: Path) -> None:
    told: list[str] = []

    class Calm:
        @hookimpl
        async def openclaw_gateway_stop(self) -> None:
            told.append("calm")

    class Fragile(WithSink):
        @hookimpl
        def openclaw_gateway_stop(self) -> Any:
            async def later() -> None:
                raise RuntimeError("broken")

            if when == "at once":
                raise RuntimeError("broken")
            return later()

    plugin = Fragile()
    handle = await start_proxy(port=0, home=tmp_path, plugins=[Calm(), plugin])
    with pytest.raises(RuntimeError, match="broken"):
        await handle.close()
    assert plugin.sink.closed == 1
    assert told == (["calm"] if when == "when awaited" else [])
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{handle.base_url}/health", trust_env=False)
    gc.collect()


@pytest.mark.usefixtures("nothing_stays_open")
def test_ledger_that_cannot_be_read_is_not_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteStore, "_known_rows", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        SqliteStore(tmp_path / "ledger.sqlite3", "writer")


@pytest.mark.usefixtures("nothing_stays_open")
async def test_files_that_are_no_databases_are_not_left_open(tmp_path: Path) -> None:
    from openclaw_oauthrouter.config.kept import KeptSettings
    from openclaw_oauthrouter.kept import KeptAnswers
    from openclaw_oauthrouter.telemetry.history import Span, TraceHistory

    for name in ("kept.sqlite3", "trace.sqlite"):
        (tmp_path / name).write_bytes(b"no database" * 400)
    kept = KeptAnswers(tmp_path / "kept.sqlite3", KeptSettings(), lambda: 0.0)
    history = TraceHistory(tmp_path / "trace.jsonl")
    with contextlib.suppress(Exception):
        await kept.find("client", "id")
    with contextlib.suppress(Exception):
        await asyncio.to_thread(history.summary, Span(0, 1))
    await kept.aclose()
    history.close()

"""The debug routes, asked as clients and browsers ask them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest
from quart import Quart
from quart import typing as quart_typing

from openclaw_oauthrouter.dashboard.feed import PanelFeed
from openclaw_oauthrouter.dashboard.login import Logins
from openclaw_oauthrouter.dashboard.panels import state_panels
from openclaw_oauthrouter.dashboard.plugin import oauthrouter_register_panels
from openclaw_oauthrouter.errors import LedgerUnavailableError
from openclaw_oauthrouter.proxy.debug_routes import debug_blueprint
from openclaw_oauthrouter.telemetry.metrics import RequestMetrics
from openclaw_oauthrouter.telemetry.ring import TraceRing
from tests.browser.scene import health_snapshot, spend_snapshot
from tests.unit.telemetry.records import record

NOW = 1_795_000_000.0


class StandInHealth:
    def snapshot(self) -> dict[str, Any]:
        return health_snapshot(NOW)


class Routes:
    """The blueprint in an application, with what it stands on."""

    def __init__(self, **options: Any) -> None:
        self.ring = TraceRing(50, epoch="e")
        self.logins = Logins(time.time, iter(f"id{number}" for number in range(99)).__next__, key=b"k")
        self.metrics = RequestMetrics()
        self.app = Quart("test")
        given: dict[str, Any] = {
            "ring": self.ring,
            "panels": PanelFeed(oauthrouter_register_panels(), state_panels()),
            "logins": self.logins,
            "health": StandInHealth(),
            "spend_snapshot": self.spend,
            "clock": lambda: NOW,
            "metrics": self.metrics.render,
            **options,
        }
        self.app.register_blueprint(debug_blueprint(**given))
        self.client: quart_typing.TestClientProtocol = self.app.test_client()

    async def spend(self) -> dict[str, Any]:
        return spend_snapshot(NOW)

    async def json(self, path: str, status: int = 200) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == status, await answer.get_data()
        return orjson.loads(await answer.get_data())


@pytest.fixture
def routes() -> Routes:
    return Routes()


async def test_trace_newest_last(routes: Routes) -> None:
    for number in range(5):
        routes.ring.receive(record(request_id=str(number), started_at=NOW - 50 + number, status=200 + number))
    answer = await routes.json("/debug/routing-trace?n=3")
    assert [event["requestId"] for event in answer["events"]] == ["2", "3", "4"]
    assert answer["lastEventId"] == "e-5"
    assert [e["requestId"] for e in (await routes.json("/debug/routing-trace?status=201&since=1m"))["events"]] == ["1"]
    assert (await routes.json("/debug/routing-trace?tier=REASONING"))["events"] == []


@pytest.mark.parametrize("query", ["n=0", "n=5001", "n=x", "tier=BIG", "status=99", "since=soon"])
async def test_debug_routes_bad_query_is_400_and_names_the_parameter(routes: Routes, query: str) -> None:
    error = (await routes.json(f"/debug/routing-trace?{query}", 400))["error"]
    assert error["param"] == query.partition("=")[0]
    assert error["type"] == "invalid_request_error"


class Reader:
    """Reads the stream event by event."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._text = b""

    async def block(self) -> str:
        """Up to the next blank line."""
        while b"\n\n" not in self._text:
            self._text += await asyncio.wait_for(self._connection.receive(), 5)
        block, _, self._text = self._text.partition(b"\n\n")
        return block.decode()


def told(block: str) -> tuple[str, str]:
    """Event id and request id of a block."""
    name, data = block.split("\n")
    return name.removeprefix("id: "), orjson.loads(data.removeprefix("data: "))["requestId"]


async def test_stream_greets_catches_up_and_goes_live(routes: Routes) -> None:
    for number in range(30):
        routes.ring.receive(record(request_id=str(number)))
    async with routes.client.request("/debug/routing-trace/stream") as connection:
        await connection.send_complete()
        reader = Reader(connection)
        hello = await reader.block()
        assert hello.startswith("retry: 2000\nevent: hello\ndata: {")
        assert [told(await reader.block())[1] for _ in range(25)] == [str(number) for number in range(5, 30)]
        routes.ring.receive(record(request_id="live"))
        assert told(await reader.block()) == ("e-31", "live")
        await connection.disconnect()


async def test_stream_resumes_where_it_broke_off(routes: Routes) -> None:
    for number in range(30):
        routes.ring.receive(record(request_id=str(number)))
    headers = {"Last-Event-ID": "e-28"}
    async with routes.client.request("/debug/routing-trace/stream", headers=headers) as connection:
        await connection.send_complete()
        reader = Reader(connection)
        await reader.block()
        assert [told(await reader.block())[1] for _ in range(2)] == ["28", "29"]
        await connection.disconnect()


async def test_silence_is_filled_with_comments() -> None:
    routes = Routes(keep_alive_seconds=0.01)
    async with routes.client.request("/debug/routing-trace/stream") as connection:
        await connection.send_complete()
        reader = Reader(connection)
        await reader.block()
        assert await reader.block() == ": keep-alive"
        await connection.disconnect()


async def test_debug_routes_reader_that_leaves_is_forgotten(routes: Routes) -> None:
    async with routes.client.request("/debug/routing-trace/stream") as connection:
        await connection.send_complete()
        await Reader(connection).block()
        assert routes.ring.subscribers == 1
        await connection.disconnect()
    for _ in range(100):
        await asyncio.sleep(0)
    assert routes.ring.subscribers == 0


async def test_debug_routes_one_time_code_becomes_a_cookie_and_leaves_the_url(routes: Routes) -> None:
    path = orjson.loads(await (await routes.client.post("/debug/dashboard/code")).get_data())["path"]
    answer = await routes.client.get(path)
    assert answer.status_code == 303
    location, _, key = answer.headers["location"].partition("#key=")
    assert (location, len(key)) == ("dashboard", 64)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    name, _, value = cookie.partition(";")[0].partition("=")
    assert name == "oauthrouter_session"
    assert routes.logins.check(value)
    again = await routes.client.get(path)
    assert again.status_code == 401
    assert b"openclaw-oauthrouter dashboard" in await again.get_data()
    assert "set-cookie" not in again.headers


async def test_debug_routes_token_in_the_url_becomes_a_cookie(routes: Routes) -> None:
    answer = await routes.client.get("/debug/dashboard?token=checked-by-the-layer-in-front")
    assert (answer.status_code, answer.headers["location"].partition("#key=")[0]) == (303, "dashboard")
    assert "checked" not in answer.headers["set-cookie"]


async def test_page_forbids_everything_foreign(routes: Routes) -> None:
    answer = await routes.client.get("/debug/dashboard")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = await answer.get_data()
    assert b"<style" not in page
    assert b"style=" not in page
    assert b"onclick" not in page
    assert b"http://" not in page
    assert b"https://" not in page


async def test_debug_routes_every_file_of_the_page_is_there(routes: Routes) -> None:
    page = (await (await routes.client.get("/debug/dashboard")).get_data()).decode()
    names = {word.partition('"')[0] for word in page.split("dashboard/static/")[1:]}
    assert {"app.js", "tokens.css", "icon.svg"} <= names
    for name in names:
        answer = await routes.client.get(f"/debug/dashboard/static/{name}")
        assert answer.status_code == 200, name
        unchanged = await routes.client.get(f"/debug/dashboard/static/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert unchanged.status_code == 304


@pytest.mark.parametrize("name", ["absent.js", "..%2fplugin.py", "plugin.py", "app.js%00.css", ".", "APP.JS"])
async def test_debug_routes_only_files_of_the_page(routes: Routes, name: str) -> None:
    assert (await routes.client.get(f"/debug/dashboard/static/{name}")).status_code == 404


async def test_states(routes: Routes) -> None:
    assert (await routes.json("/debug/provider-health"))["windows"][0]["window"] == "5h"
    assert (await routes.json("/debug/spend"))["budgets"][0]["period"] == "day"
    names = [panel["name"] for panel in (await routes.json("/debug/panels"))["panels"]]
    assert {"overview", "providers", "windows", "budgets"} <= set(names)


async def test_debug_routes_refusal_keeps_its_advice() -> None:
    def unavailable() -> dict[str, Any]:
        raise LedgerUnavailableError("the ledger is away", retry_after=2.5)

    answer = await Routes(spend_snapshot=unavailable).client.get("/debug/spend")
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["cache-control"]) == (503, "3", "no-store")
    error = orjson.loads(await answer.get_data())["error"]
    assert (error["message"], error["code"]) == ("the ledger is away", "ledger_unavailable")


async def test_metrics(routes: Routes) -> None:
    routes.metrics.receive(record())
    answer = await routes.client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    assert b"oauthrouter_requests_total{" in await answer.get_data()
    off = await Routes(metrics=None).client.get("/metrics")
    assert off.status_code == 404

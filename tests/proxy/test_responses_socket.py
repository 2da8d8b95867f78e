"""The Responses API over a WebSocket: the same gate, the same pipeline, several responses on one connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from wsproto.events import Ping

from openclaw_oauthrouter.proxy import responses_socket
from openclaw_oauthrouter.proxy.socket_message import FREE_PINGS, PINGS_A_SECOND, PingCount
from tests.faults.answers import ANTHROPIC, CODEX
from tests.support.upstream import STALL, Play

TOKEN = "local-test-token"
MODEL = "openai-codex/gpt-5.4"
BEGINNING = CODEX.events[: 1 + next(at for at, event in enumerate(CODEX.events) if b".delta" in event)]
"""Of an answer, up to its first words."""

FIRST_PIECE, EMPTY_PIECE = b"\x01\x81\0\0\0\0x", b"\x00\x80\0\0\0\0"
"""Frames of a text message that does not end."""


def url(handle: Any, path: str = "/v1/responses") -> str:
    return str(handle.base_url).replace("http://", "ws://") + path


@asynccontextmanager
async def socket(handle: Any, **headers: str) -> AsyncIterator[ClientConnection]:
    given = {"authorization": f"Bearer {handle.auth_token}", **headers}
    async with connect(url(handle), additional_headers=given, proxy=None) as client:
        yield client


async def answer_to(client: ClientConnection, **body: Any) -> list[dict[str, Any]]:
    """The events of one response."""
    await client.send(orjson.dumps({"type": "response.create", "model": MODEL, "input": "hi", **body}).decode())
    return await rest_of(client)


async def rest_of(client: ClientConnection) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    ends = ("response.completed", "response.failed", "response.incomplete", "response.cancelled", "error")
    while not events or events[-1]["type"] not in ends:
        events.append(orjson.loads(await asyncio.wait_for(client.recv(), 10)))
    return events


@pytest.fixture
def house(gateway: Any, scripted: Any) -> Any:
    async def begin(*plays: Play, **settings: Any) -> tuple[Any, Any]:
        upstream = await scripted(*plays)
        providers = {
            "openai-codex": {"api_base": upstream.url, "auth_header": "Bearer codex-secret"},
            "anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-test"},
        }
        return await gateway(upstream, providers=providers, upstream={"retry": {"attempts": 1}}, **settings), upstream

    return begin


async def test_several_responses_on_one_connection(house: Any) -> None:
    handle, upstream = await house(Play(CODEX.events), Play(ANTHROPIC.events), Play(CODEX.events))
    async with socket(handle) as client:
        first = await answer_to(client)
        second = await answer_to(client, model="anthropic/claude-haiku-4-5")
        third = await answer_to(client)
    assert [events[-1]["type"] for events in (first, second, third)] == ["response.completed"] * 3
    assert first[0]["type"] == "response.created"
    assert "Hel" in str(second[-1]["response"]["output"])
    assert len(upstream.seen) == 3
    assert upstream.seen[0].body["stream"] is True
    assert "type" not in upstream.seen[0].body


async def test_previous_response_is_found_on_the_connection(house: Any) -> None:
    handle, upstream = await house(*[Play(CODEX.events)] * 3)
    async with socket(handle) as client:
        first = (await answer_to(client, input="one"))[-1]["response"]
        second = (await answer_to(client, input="two", previous_response_id=first["id"], store=False))[-1]["response"]
        await answer_to(client, input="three", previous_response_id=second["id"])
    said = [item.get("role") for item in upstream.seen[-1].body["input"] if item.get("type") == "message"]
    assert said.count("user") == 3
    assert said.count("assistant") == 2
    words = [part["text"] for item in upstream.seen[-1].body["input"] if item.get("role") == "user" for part in _parts(item)]
    assert words == ["one", "two", "three"]
    assert "previous_response_id" not in upstream.seen[-1].body


def _parts(item: dict[str, Any]) -> list[dict[str, Any]]:
    content = item["content"]
    return [{"text": content}] if isinstance(content, str) else content


async def test_unknown_previous_response_is_an_error_and_the_connection_goes_on(house: Any) -> None:
    handle, _ = await house(Play(CODEX.events))
    async with socket(handle) as client:
        (error,) = await answer_to(client, previous_response_id="resp_elsewhere")
        assert (error["type"], error["status"]) == ("error", 400)
        assert error["error"]["param"] == "previous_response_id"
        assert error["message"] == error["error"]["message"]
        assert (await answer_to(client))[-1]["type"] == "response.completed"


async def test_warm_up_asks_nobody_and_can_be_gone_on_from(house: Any) -> None:
    handle, upstream = await house(Play(CODEX.events))
    async with socket(handle) as client:
        warm = (await answer_to(client, input=[], generate=False))[-1]["response"]
        assert not upstream.seen
        assert warm["output"] == []
        assert (await answer_to(client, previous_response_id=warm["id"]))[-1]["type"] == "response.completed"
    assert "generate" not in upstream.seen[0].body


async def test_cancel_ends_the_answer_and_the_upstream(house: Any) -> None:
    handle, upstream = await house(Play([*BEGINNING, STALL]), Play(CODEX.events))
    async with socket(handle) as client:
        await client.send(orjson.dumps({"type": "response.create", "model": MODEL, "input": "hi"}).decode())
        begun = orjson.loads(await asyncio.wait_for(client.recv(), 10))
        assert begun["type"] == "response.created"
        await client.send('{"type": "response.cancel"}')
        events = await rest_of(client)
        assert events[-1]["type"] == "response.cancelled"
        assert events[-1]["response"]["id"] == begun["response"]["id"]
        assert (await answer_to(client))[-1]["type"] == "response.completed"
    assert upstream.seen[0].left_after is not None


async def test_client_that_leaves_ends_the_upstream(house: Any) -> None:
    handle, upstream = await house(Play([*BEGINNING, STALL]))
    async with socket(handle) as client:
        await client.send(orjson.dumps({"type": "response.create", "model": MODEL, "input": "hi"}).decode())
        await asyncio.wait_for(client.recv(), 10)
    for _ in range(200):
        if upstream.seen[0].left_after is not None:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the upstream went on")


async def test_refusal_is_an_error_event_with_status_and_headers(house: Any) -> None:
    limit = {
        "error": {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": "plus",
            "resets_at": 9,
        }
    }
    handle, _ = await house(Play.json(limit, 429, **{"x-codex-primary-used-percent": "100", "retry-after": "90"}))
    async with socket(handle) as client:
        (error,) = await answer_to(client)
    assert (error["type"], error["status"], error["error"]) == ("error", 429, limit["error"])
    assert error["headers"]["x-codex-primary-used-percent"] == "100"
    assert error["headers"]["retry-after"] == "90"


async def test_meters_of_the_plan_are_an_event(house: Any) -> None:
    meters = {
        "x-codex-primary-used-percent": "12.5",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": "1795999999",
    }
    handle, _ = await house(Play(CODEX.events, headers=meters))
    async with socket(handle) as client:
        limits, *_ = await answer_to(client)
    window = {"used_percent": 12.5, "window_minutes": 300, "reset_at": 1795999999}
    assert limits == {"type": "codex.rate_limits", "rate_limits": {"primary": window}}


@pytest.mark.parametrize("message", ["{", "[]", '"x"', '{"type": "session.update"}', '{"a": 1}', b"\xff\xfe"])
async def test_message_that_is_none_is_refused_and_the_connection_goes_on(message: str | bytes, house: Any) -> None:
    handle, _ = await house(Play(CODEX.events))
    async with socket(handle) as client:
        await client.send(message)
        (error,) = await rest_of(client)
        assert (error["type"], error["status"]) == ("error", 400)
        await client.send('{"type": "response.processed", "response_id": "resp_1"}')
        assert (await answer_to(client))[-1]["type"] == "response.completed"


async def test_bad_request_is_named(house: Any) -> None:
    handle, _ = await house()
    async with socket(handle) as client:
        (error,) = await answer_to(client, input=[{"type": "message", "role": "prophet", "content": "x"}])
    assert (error["status"], error["error"]["param"]) == (400, "input[0].role")


async def test_ping_is_answered(house: Any) -> None:
    handle, _ = await house()
    async with socket(handle) as client:
        await asyncio.wait_for(await client.ping(), 5)


@pytest.mark.parametrize("kind", [b"\x89", b"\x8a"])
async def test_flood_of_pings_is_closed_with_1008(kind: bytes, house: Any) -> None:
    handle, _ = await house()
    reader, writer = await connected(handle)
    said = b""
    async with asyncio.timeout(20):
        while not reader.at_eof():
            try:
                writer.write((kind + b"\x80" + bytes(4)) * 100)
                await writer.drain()
                said += await asyncio.wait_for(reader.read(1 << 16), 0.01)
            except TimeoutError:
                continue
            except ConnectionError:
                break
    writer.close()
    assert b"\x03\xf0too many pings" in said


async def test_pings_of_a_patient_client_are_answered_for_ever() -> None:
    now, refused = [0.0], []
    pings = PingCount(SimpleNamespace(events=lambda: [Ping()]), lambda: now[0], lambda: refused.append(1))
    for _ in range(5 * FREE_PINGS):
        assert len(list(pings.events())) == 1
        now[0] += 2 / PINGS_A_SECOND
    assert not refused
    assert sum(len(list(pings.events())) for _ in range(2 * FREE_PINGS)) == FREE_PINGS
    assert refused


async def test_flood_of_requests_is_cut_off(house: Any) -> None:
    handle, _ = await house(Play([STALL]))
    async with socket(handle) as client:
        with pytest.raises(ConnectionClosed):
            await flood(client)


@pytest.mark.parametrize("piece", ["x", ""])
async def test_message_in_countless_pieces_is_closed_with_1009(piece: str, house: Any) -> None:
    handle, _ = await house()
    async with socket(handle) as client:
        assert await closed_by(client, ['{"type": "', *[piece] * 5_000, '"}']) == 1009


async def test_client_that_sends_on_after_1009_is_disconnected(house: Any) -> None:
    handle, _ = await house()
    reader, writer = await connected(handle)
    frames = FIRST_PIECE + EMPTY_PIECE * 2000
    async with asyncio.timeout(20):
        while not reader.at_eof():
            try:
                writer.write(frames)
                await writer.drain()
                await asyncio.wait_for(reader.read(1000), 0.01)
            except TimeoutError:
                continue
            except ConnectionError:
                break
    writer.close()


async def test_message_in_many_pieces_of_some_size_is_read(house: Any) -> None:
    handle, _ = await house(Play(CODEX.events))
    async with socket(handle) as client:
        body = orjson.dumps({"type": "response.create", "model": MODEL, "input": "hi " * 500_000}).decode()
        await client.send([*body[:500], *(body[start : start + 1000] for start in range(500, len(body), 1000))])
        assert (await rest_of(client))[-1]["type"] == "response.completed"


async def test_conversations_of_a_connection_are_bounded_in_bytes(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_socket, "MOST_REMEMBERED_BYTES", 20_000)
    handle, _ = await house(Play(CODEX.events))
    async with socket(handle) as client:

        async def warmed(characters: int) -> str:
            return str((await answer_to(client, input="x" * characters, generate=False))[-1]["response"]["id"])

        async def end_after(id_: str) -> str:
            return str((await answer_to(client, previous_response_id=id_))[-1]["type"])

        ids = [await warmed(7_000) for _ in range(3)]
        assert await end_after(ids[0]) == "error"
        assert await end_after(ids[2]) == "response.completed"
        assert await end_after(await warmed(30_000)) == "response.completed"  # the latest is always found


async def test_messages_that_wait_are_bounded_in_bytes(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_socket, "MOST_WAITING_BYTES", 20_000)
    handle, upstream = await house(Play([STALL]))
    message = orjson.dumps({"type": "response.create", "model": MODEL, "input": "x" * 9_000}).decode()
    async with socket(handle) as client:
        await client.send(message)
        await upstream.arrived()
        assert await closed_by(client, message, message, message) == 1009


async def closed_by(client: ClientConnection, *messages: str | list[str]) -> int | None:
    """The code with which the gateway closes a connection on which this is sent."""
    try:
        for message in messages:
            await client.send(message)
        while True:
            await asyncio.wait_for(client.recv(), 10)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else None


async def flood(client: ClientConnection) -> None:
    for _ in range(40):
        await client.send(orjson.dumps({"type": "response.create", "model": MODEL, "input": "hi"}).decode())
    while True:
        await asyncio.wait_for(client.recv(), 5)


PATHS = ["/v1/responses", "/v1/messages", "/v1/chat/completions", "/v1/models", "/", "/debug/dashboard", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Bearer {TOKEN}", "origin": "https://evil.example"}, 403),
        ({"authorization": f"Bearer {TOKEN}", "host": "evil.example"}, 403),
    ],
)
async def test_stranger_gets_an_answer_and_leaves_no_line(
    path: str, headers: dict[str, str], status: int, house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    handle, _ = await house()
    caplog.set_level(logging.DEBUG, "openclaw_oauthrouter")
    caplog.set_level(logging.INFO)
    given = {"authorization": f"Bearer {handle.auth_token}"} if headers.get("authorization") == f"Bearer {TOKEN}" else {}
    answer = await upgrade(handle, path, {**headers, **given})
    assert answer.status_code == status
    assert answer.json()
    assert not [record for record in caplog.records if record.name.startswith(("openclaw_oauthrouter", "hypercorn", "quart"))]
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as http:
        trace = await http.get("/debug/routing-trace", headers={"authorization": f"Bearer {handle.auth_token}"})
    assert trace.json()["events"] == []


@pytest.mark.parametrize("path", PATHS[1:])
async def test_upgrade_elsewhere_is_426_in_the_clients_dialect(path: str, house: Any, caplog: pytest.LogCaptureFixture) -> None:
    handle, _ = await house()
    answer = await upgrade(handle, path, {"authorization": f"Bearer {handle.auth_token}"})
    assert answer.status_code == 426
    body = answer.json()
    assert ("type" in body) == (path == "/v1/messages")
    assert body["error"]["message"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def connected(handle: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket of which the test writes the frames itself."""
    port = int(str(handle.base_url).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = ["GET /v1/responses HTTP/1.1", "host: 127.0.0.1", f"authorization: Bearer {handle.auth_token}"]
    lines += [
        "upgrade: websocket",
        "connection: Upgrade",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    assert b" 101 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    return reader, writer


async def upgrade(handle: Any, path: str, headers: dict[str, str]) -> httpx.Response:
    """What a client that asks for a WebSocket is answered with."""
    headers = {"host": "127.0.0.1", **headers}
    port = int(str(handle.base_url).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"GET {path} HTTP/1.1", "upgrade: websocket", "connection: Upgrade", "sec-websocket-version: 13"]
    lines += ["sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    length = next(int(line.partition(":")[2]) for line in head.lower().splitlines() if line.startswith("content-length:"))
    body = await reader.readexactly(length)
    writer.close()
    return httpx.Response(int(head.split()[1]), content=body)

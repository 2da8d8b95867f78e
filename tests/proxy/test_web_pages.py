"""Web pages, their WebSockets and their Hosts: who is let in, what a browser is told, and that strangers leave nothing behind."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest

from tests.support.anthropic_streams import MESSAGE, WHOLE_STREAM
from tests.support.upstream import Play

PAGE, STRANGER = "https://chat.example.org", "https://evil.example"
OBSIDIAN = "app://obsidian.md"
PATHS = ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/models", "/v1/embeddings", "/debug/spend")
TOKEN = "local-test-token"


@pytest.fixture
async def handle(gateway: Any, scripted: Any) -> Any:
    return await gateway(await scripted(Play.json(MESSAGE)), server={"allowed_origins": [PAGE, OBSIDIAN]})


async def raw(handle: Any, head: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    writer.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
    async with asyncio.timeout(10):
        answer = await reader.read(4096)
    writer.close()
    return answer


# ------------------------------------------------------------------ pages that are allowed


@pytest.mark.parametrize("origin", [PAGE, OBSIDIAN])
@pytest.mark.parametrize("path", PATHS)
async def test_preflight_of_a_listed_page_needs_no_token(path: str, origin: str, handle: Any) -> None:
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as http:
        asked = {
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type, x-stainless-os",
            "access-control-request-private-network": "true",
        }
        answer = await http.options(path, headers=asked)
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == origin
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type, x-stainless-os"
    assert answer.headers["access-control-allow-private-network"] == "true"
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize("token", [TOKEN, "wrong"])
@pytest.mark.parametrize("path", PATHS)
async def test_listed_page_may_read_answers_and_errors(path: str, token: str, handle: Any) -> None:
    headers = {"origin": PAGE, "authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as http:
        answer = await http.post(path, headers=headers, json={"model": "anthropic/claude-haiku-4-5", "max_tokens": 5})
    assert (answer.status_code == 401) == (token != TOKEN)
    assert answer.headers.get_list("access-control-allow-origin") == [PAGE]


async def test_listed_page_may_read_streams(gateway: Any, scripted: Any) -> None:
    handle = await gateway(await scripted(Play(WHOLE_STREAM)), server={"allowed_origins": [PAGE]})
    headers = {"origin": PAGE, "authorization": f"Bearer {TOKEN}"}
    body = {"model": "anthropic/claude-haiku-4-5", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as http:
        answer = await http.post("/v1/chat/completions", headers=headers, json=body)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert answer.headers.get_list("access-control-allow-origin") == [PAGE]


@pytest.mark.parametrize("path", PATHS)
async def test_web_pages_other_pages_are_refused_and_read_nothing(path: str, handle: Any) -> None:
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as http:
        asked = await http.options(path, headers={"origin": STRANGER, "access-control-request-method": "POST"})
        answer = await http.post(path, headers={"origin": STRANGER, "authorization": f"Bearer {TOKEN}"}, json={})
    assert (asked.status_code, answer.status_code) == (403, 403)
    assert not [name for reply in (asked, answer) for name in reply.headers if name.startswith("access-control")]


async def test_listed_page_does_not_get_past_a_foreign_host(handle: Any) -> None:
    headers = {"origin": PAGE, "access-control-request-method": "POST", "host": "rebound.example"}
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as http:
        assert (await http.options("/v1/models", headers=headers)).status_code == 403


# ------------------------------------------------------------------ WebSockets

UPGRADE = (
    "GET {path} HTTP/1.1\nHost: {host}\n{more}Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
)
STRANGERS = {
    "no token": ("127.0.0.1", "", b" 401 "),
    "wrong token": ("127.0.0.1", "Authorization: Bearer wrong\n", b" 401 "),
    "foreign page": ("127.0.0.1", f"Origin: {STRANGER}\nAuthorization: Bearer {TOKEN}\n", b" 403 "),
    "foreign host": ("evil.example", f"Authorization: Bearer {TOKEN}\n", b" 403 "),
}


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("path", ["/", "/health", "/v1/chat/completions", "/v1/models", "/debug/dashboard"])
async def test_websocket_of_a_stranger_is_refused_without_a_word_in_the_log(
    path: str, name: str, handle: Any, caplog: pytest.LogCaptureFixture
) -> None:
    host, more, status = STRANGERS[name]
    with caplog.at_level(logging.DEBUG):
        answer = await raw(handle, UPGRADE.format(path=path, host=host, more=more))
    assert status in answer.partition(b"\r\n")[0]
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as http:
        trace = await http.get("/debug/routing-trace", headers={"authorization": f"Bearer {TOKEN}"})
    assert trace.json()["events"] == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/nothing"])
async def test_websocket_of_a_client_is_told_to_use_http(path: str, handle: Any) -> None:
    answer = await raw(handle, UPGRADE.format(path=path, host="127.0.0.1", more=f"Authorization: Bearer {TOKEN}\n"))
    assert b" 426 " in answer.partition(b"\r\n")[0]
    assert b"upgrade_required" in answer


# ------------------------------------------------------------------ Host and target

ODD_HOSTS = (
    "127.0.0.1#@evil",
    "localhost:4000/#@attacker.example",
    "[::1]evil",
    "user:p@127.0.0.1",
    "127.0.0.1?x",
    "127.0.0.1:80x",
    "a b",
)


@pytest.mark.parametrize("host", ODD_HOSTS)
async def test_host_that_is_more_than_a_name_and_a_port_is_400(host: str, handle: Any) -> None:
    answer = await raw(handle, f"GET /v1/models HTTP/1.1\nHost: {host}\nAuthorization: Bearer {TOKEN}")
    assert b" 400 " in answer.partition(b"\r\n")[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST:9", "[::1]", "[::1]:8402", "127.0.0.1:8402"])
async def test_host_that_is_ours_is_served(host: str, handle: Any) -> None:
    answer = await raw(handle, f"GET /v1/models HTTP/1.1\nHost: {host}\nAuthorization: Bearer {TOKEN}")
    assert b" 200 " in answer.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://127.0.0.1/v1/models", b" 200 "),
        ("http://evil.example/v1/models", b" 400 "),
        ("ftp://127.0.0.1/v1/models", b" 400 "),
        ("127.0.0.1/v1/models", b" 400 "),
    ],
)
async def test_target_and_host_must_agree(target: str, status: bytes, handle: Any) -> None:
    answer = await raw(handle, f"GET {target} HTTP/1.1\nHost: 127.0.0.1\nAuthorization: Bearer {TOKEN}")
    assert status in answer.partition(b"\r\n")[0]

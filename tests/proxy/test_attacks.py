"""Each row an attack: what it tries, and what it gets."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.proxy.start import start_proxy
from tests.support.anthropic_streams import MESSAGE
from tests.support.upstream import Play, ScriptedUpstream, Seen

CHAT: dict[str, Any] = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}
BODY = json.dumps(CHAT).encode()
POST = b"POST /v1/chat/completions HTTP/1.1\r\n"


async def raw(handle: Any, data: bytes, *, seconds: float = 10.0) -> bytes:
    """Send bytes, and read until the other side closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    writer.write(data)
    try:
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()


def head(handle: Any, *lines: str, method: str = "POST", path: str = "/v1/chat/completions") -> bytes:
    """A request's head with the token."""
    fixed = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {handle.auth_token}", "Connection: close")
    return "\r\n".join((*fixed, *lines, "", "")).encode("latin-1")


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


# ------------------------------------------------------------------ web pages

PAGES = {
    "a name that resolves to this machine": {"host": "attacker.example"},
    "our address within another name": {"host": "127.0.0.1.attacker.example:8402"},
    "user information in the Host": {"host": "127.0.0.1@attacker.example"},
    "an empty Host": {"host": ""},
    "brackets in the Host": {"host": "[::1"},
    "a foreign page": {"origin": "https://attacker.example"},
    "a page of another port": {"origin": "http://127.0.0.1:1"},
    "a sandboxed page": {"origin": "null"},
    "a form of a foreign page": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
}

NO_HOSTS = ("user information in the Host", "brackets in the Host")
"""What is no name and port at all is a bad request, whoever sends it."""


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/models", "/debug/dashboard"])
@pytest.mark.parametrize("name", PAGES)
async def test_web_pages_get_nothing_even_with_the_token(name: str, path: str, gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    http = await client(await gateway(upstream))
    answer = await http.request("POST" if path in ("/v1/chat/completions",) else "GET", path, headers=PAGES[name])
    assert answer.status_code == (400 if name in NO_HOSTS else 403), answer.text
    assert upstream.seen == []


async def test_attacks_no_page_is_let_in_by_cors(gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    for path in ("/v1/chat/completions", "/v1/models", "/health", "/debug/routing-trace"):
        for headers in (
            {"origin": "https://attacker.example", **asked},
            {"origin": http.base_url.join("/").__str__()[:-1], **asked},
        ):
            answer = await http.options(path, headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control-")]


# ------------------------------------------------------------------ tokens and cookies


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer local-test-toke"},
        {"authorization": "Bearer local-test-token2"},
        {"authorization": "Basic bG9jYWwtdGVzdC10b2tlbg=="},
        {"x-api-key": "x" * 30_000},
        {"cookie": "oauthrouter_session_{port}=forged"},
        {"cookie": "oauthrouter_token=%E0%A4%A"},
        {"cookie": 'oauthrouter_session_{port}="\\777"; =; ;;; a=b=c'},
        {"cookie": "oauthrouter_session_{port}=\xff\xfe"},
        {"cookie": "oauthrouter_session_{port}=local-test-token"},
    ],
)
async def test_strangers_stay_outside(headers: dict[str, str], gateway: Any) -> None:
    handle = await gateway()
    encoded = {name: value.replace("{port}", str(handle.port)).encode("latin-1") for name, value in headers.items()}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=encoded, trust_env=False) as stranger:  # type: ignore[arg-type]
        for path in ("/v1/models", "/debug/routing-trace", "/debug/routing-trace/stream", "/debug/provider-health", "/metrics"):
            assert (await stranger.get(path)).status_code == 401
        assert (await stranger.post("/v1/chat/completions", json=CHAT)).status_code == 401
        assert (await stranger.get("/debug/dashboard")).status_code == 401
        assert (await stranger.get("/health")).status_code == 200


async def test_attacks_token_in_the_url_is_good_for_the_dashboards_redirect_only(gateway: Any) -> None:
    handle = await gateway()
    token = {"token": handle.auth_token}
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as browser:
        for path in ("/v1/models", "/debug/routing-trace", "/debug/spend", "/metrics"):
            assert (await browser.get(path, params=token)).status_code == 401, path
        assert (await browser.post("/v1/chat/completions", params=token, json=CHAT)).status_code == 401
        assert (await browser.get("/debug/dashboard", params={"token": "anything"})).status_code == 401
        answer = await browser.get("/debug/dashboard", params=token)
    assert answer.status_code == 303
    assert "token" not in answer.headers["location"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert handle.auth_token not in cookie


# ------------------------------------------------------------------ HTTP itself

SMUGGLED = {
    "length and chunked": ("Content-Length: 5", "Transfer-Encoding: chunked"),
    "two lengths": ("Content-Length: 5", "Content-Length: 6"),
    "a negative length": ("Content-Length: -1",),
    "a length in words": ("Content-Length: five",),
    "a length that is too long to count": ("Content-Length: " + "9" * 400,),
    "an unknown coding": ("Transfer-Encoding: xchunked",),
    "a coding twice": ("Transfer-Encoding: chunked, chunked",),
    "a folded header": ("X-A: 1\r\n Content-Length: 5",),
    "a blank before the colon": ("Content-Length : 5",),
    "a second Host": ("Host: attacker.example",),
    "a zero byte": ("X-A: a\x00b",),
    "a head without end": ("X-A: " + "a" * 100_000,),
}


@pytest.mark.parametrize("name", SMUGGLED)
async def test_attacks_nothing_is_smuggled_in(name: str, gateway: Any, scripted: Any) -> None:
    upstream = await scripted(Play.json(MESSAGE))
    handle = await gateway(upstream)
    second = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    answer = await raw(handle, head(handle, *SMUGGLED[name]) + b"0\r\n\r\n" + second)
    assert 400 <= status_of(answer) < 500 or status_of(answer) == 501, answer[:300]
    assert answer.count(b"HTTP/1.1 ") == 1, "one request, one answer"
    assert upstream.seen == []


@pytest.mark.parametrize(
    "path",
    [
        "//v1/models",
        "/v1//models",
        "/v1/models/",
        "/V1/MODELS",
        "/v1/./models",
        "/debug/../v1/models",
        "/health/../v1/models",
        "/health/..%2fv1/models",
        "/%2e%2e/v1/models",
        "/v1/%6dodels",
        "/health%00",
        "/health/",
        "/health;/v1/models",
        "/debug/dashboard/static/..%2f..%2f..%2fgate.py",
        "/debug/dashboard/static/%2e%2e/%2e%2e/pyproject.toml",
        "//v1/chat/completions",
        "/v1/chat/completions/",
        "http://127.0.0.1/v1/models",
    ],
)
async def test_attacks_no_spelling_of_a_path_gets_past_the_token(path: str, gateway: Any) -> None:
    handle = await gateway()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    answer = await raw(handle, request)
    assert status_of(answer) in (400, 401, 404, 308), answer[:200]
    assert b'"object":"list"' not in answer


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
async def test_attacks_no_other_protocol_goes_round_the_gate(upgrade: str, gateway: Any) -> None:
    handle = await gateway()
    lines = (
        "GET /v1/models HTTP/1.1",
        "Host: 127.0.0.1",
        f"Upgrade: {upgrade}",
        "Connection: Upgrade, HTTP2-Settings",
        "HTTP2-Settings: AAMAAABkAAQAAP__",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    writer.write("\r\n".join((*lines, "", "")).encode())
    answer = await asyncio.wait_for(reader.read(4096), 5)
    writer.close()
    assert b"object" not in answer
    assert b" 200 " not in answer


async def test_line_breaks_in_what_we_repeat_stay_in_the_body(gateway: Any, scripted: Any, client: Any) -> None:
    evil = "claude-haiku\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK"
    refusal = Play.json({"type": "error", "error": {"type": "api_error", "message": evil}}, 500)
    handle = await gateway(await scripted(refusal, Play.json(MESSAGE)))
    http = await client(handle)
    for body in ({**CHAT, "model": evil}, CHAT, {**CHAT, "model": "auto"}):
        answer = await http.post("/v1/chat/completions", json=body, headers={"x-oauthrouter-tier": "SIMPLE"})
        assert "set-cookie" not in answer.headers
    sent = json.dumps({**CHAT, "model": evil}).encode()
    answer = await raw(handle, head(handle, f"Content-Length: {len(sent)}") + sent)
    assert b"\r\nSet-Cookie" not in answer
    upstream_head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: a\x0bb\x7f\r\ncontent-length: 2\r\n\r\n{}"
    handle = await gateway(await scripted(Play(raw=upstream_head)))
    assert (await (await client(handle)).post("/v1/chat/completions", json=CHAT)).status_code == 502


# ------------------------------------------------------------------ exhaustion


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * 2000, 413),
        (b'{"model": "auto", "messages": ' + b"[" * 400 + b"]" * 400 + b"}", 400),
        (b'{"a":' * 150 + b"1" + b"}" * 150, 400),
        (b'{"model": "auto", "messages": [{"role": "user", "content": "\xff\xfe"}]}', 400),
        (b'{"model": "auto", "messages": [{"role": "user", "content": "\\ud800"}]}', 400),
        (b'{"model": "auto", "messages": [], "max_tokens": 1e999}', 400),
        (b'{"model": "auto", "messages": [], "max_tokens": ' + b"9" * 400 + b"}", 400),
    ],
)
async def test_large_and_deep_bodies(body: bytes, status: int, gateway: Any, client: Any) -> None:
    http = await client(await gateway(server={"max_body_bytes": 1500}))
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/route/explain"):
        answer = await http.post(path, content=body)
        assert answer.status_code == status, (path, answer.text)


PATHS_WITH_BODIES = (
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses",
    "/v1/route/explain",
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/api/show",
)


@pytest.mark.parametrize("path", PATHS_WITH_BODIES)
async def test_attacks_body_that_never_ends_is_refused_when_it_is_too_large(path: str, gateway: Any) -> None:
    handle = await gateway(server={"max_body_bytes": 1500})
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    answer = await raw(handle, head(handle, "Transfer-Encoding: chunked", path=path) + chunk * 3)
    assert status_of(answer) == 413


@pytest.mark.parametrize("sent", [b"", b"POST /v1/chat", POST + b"Host: 127.0.0.1\r\nX-A: b\r\n"])
async def test_attacks_head_has_its_time(sent: bytes, gateway: Any) -> None:
    handle = await gateway(server={"header_seconds": 0.3})
    answer = await raw(handle, sent)
    assert status_of(answer) == 408
    assert b"server.header_seconds" in answer


async def test_attacks_head_that_drips_has_no_more_time(gateway: Any) -> None:
    handle = await gateway(server={"header_seconds": 0.4})
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    writer.write(POST)
    answer = asyncio.create_task(reader.read())
    for _ in range(200):
        if answer.done():
            break
        writer.write(b"X-A: b\r\n")
        await asyncio.sleep(0.05)
    writer.close()
    assert answer.done()
    assert status_of(answer.result()) == 408


async def test_attacks_second_head_has_its_time_too_but_a_pause_between_is_free(gateway: Any) -> None:
    handle = await gateway(server={"header_seconds": 0.3})
    ask = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    for _ in range(2):
        writer.write(ask)
        assert b"200" in await asyncio.wait_for(reader.readuntil(b"}"), 5)
        await asyncio.sleep(0.5)
    writer.write(ask[:20])
    assert status_of(await asyncio.wait_for(reader.read(), 5)) == 408
    writer.close()


async def test_attacks_body_has_its_time_on_every_path(gateway: Any) -> None:
    handle = await gateway(server={"body_seconds": 0.3})
    for path in PATHS_WITH_BODIES:
        answer = await raw(handle, head(handle, "Content-Length: 100", path=path) + b"{")
        assert status_of(answer) == 408, path


async def test_attacks_whoever_takes_nothing_is_left(gateway: Any, scripted: Any) -> None:
    words = b'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 0, "delta": '
    words += b'{"type": "text_delta", "text": "' + b"la" * 50_000 + b'"}}\n\n'
    from tests.support.anthropic_streams import START, TEXT_START

    upstream = await scripted(Play([START, TEXT_START, *[words] * 400]))
    handle = await gateway(upstream, server={"write_seconds": 0.3})
    body = json.dumps({**CHAT, "stream": True}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port, limit=1024)
    writer.write(head(handle, f"Content-Length: {len(body)}") + body)
    seen = await upstream.arrived()
    await asyncio.wait_for(seen.left.wait(), 20)
    writer.close()
    assert reader is not None


async def test_attacks_there_is_room_for_so_many_connections(gateway: Any, client: Any) -> None:
    handle = await gateway(server={"max_connections": 3})
    held = [await asyncio.open_connection("127.0.0.1", handle.port) for _ in range(3)]
    for _, writer in held:
        writer.write(head(handle, "Content-Length: 100") + b"{")
    await asyncio.sleep(0.1)
    answer = await raw(handle, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert status_of(answer) == 503
    assert b"too_many_connections" in answer
    assert b"\r\nretry-after: 1\r\n" in answer
    assert b"\r\nconnection: close\r\n" in answer
    held[0][1].close()
    http = await client(handle)
    async with asyncio.timeout(5):
        while (await http.get("/health")).status_code != 200:
            await asyncio.sleep(0.02)
    for _, writer in held:
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /hea"], ids=["silent", "within a head"])
async def test_attacks_whoever_asks_nothing_makes_room_and_who_is_at_work_stays(sent: bytes, gateway: Any) -> None:
    handle = await gateway(server={"max_connections": 2})
    reader, at_work = await asyncio.open_connection("127.0.0.1", handle.port)
    at_work.write(head(handle, f"Content-Length: {len(BODY)}") + BODY[:1])
    await asyncio.sleep(0.1)
    idle, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    writer.write(sent)
    await asyncio.sleep(0.1)
    answer = await raw(handle, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert status_of(answer) == 200
    assert await asyncio.wait_for(idle.read(), 5) == b""
    at_work.write(BODY[1:])
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"HTTP/1.1 ")
    for one in (writer, at_work):
        one.close()


# ------------------------------------------------------------------ what is open, what is kept


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.20"])
async def test_attacks_other_machines_need_a_strong_token(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"24 characters|not an address|cannot listen"):
        await start_proxy(port=0, home=tmp_path, listen_host=host, auth_token="short-token", providers={})


async def test_attacks_client_key_must_be_strong_as_well(tmp_path: Path) -> None:
    keys = {"laptop": {"token": "short"}}
    with pytest.raises(ConfigurationError, match=r"client_keys\.laptop"):
        await start_proxy(port=0, home=tmp_path, listen_host="0.0.0.0", server={"client_keys": keys})


async def test_attacks_made_token_is_strong_enough(tmp_path: Path) -> None:
    async with await start_proxy(port=0, home=tmp_path / "state", listen_host="0.0.0.0", providers={}) as handle:
        assert len(handle.auth_token) >= 40


SECRETS = {
    "api key": "sk-ant-api03-SECRETsecret0000000000000000",
    "plan token": "sk-ant-oat01-SECRETsecret1111111111111111",
    "Codex token": "eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOiJTRUNSRVRzZWNyZXQyMjIyIn0.c2ln",
    "other key": "SECRETsecret33333333333333333333",
    "header": "SECRETsecret44444444444444444444",
    "local token": "SECRETsecret-local-5555555555555555",
    "client key": "SECRETsecret-client-666666666666666",
}


class QuotingUpstream(ScriptedUpstream):
    """Refuses every call and repeats all of its headers, as vendors do with keys they do not know."""

    def choose(self, seen: Seen) -> Play:
        return Play.json({"error": {"message": f"Incorrect API key provided: {seen.headers}", "type": "x"}}, 401)


async def test_attacks_no_secret_is_ever_kept_or_told(
    gateway: Any, stack: Any, client: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    upstream = await stack.enter_async_context(QuotingUpstream())
    providers = {
        "anthropic": {"api_base": upstream.url, "api_key": SECRETS["api key"]},
        "plan": {"kind": "anthropic", "api_base": upstream.url, "api_key": SECRETS["plan token"], "models": ["claude-haiku-4-5"]},
        "openai-codex": {"api_base": upstream.url, "auth_header": f"Bearer {SECRETS['Codex token']}"},
        "house": {"api_base": upstream.url, "api_key": SECRETS["other key"], "models": ["m"]},
        "shed": {
            "api_base": upstream.url,
            "auth_header": {"name": "x-door", "value": SECRETS["header"]},
            "headers": {"x-team": "a"},
            "models": ["m"],
        },
    }
    server = {"auth_token": SECRETS["local token"], "client_keys": {"laptop": {"token": SECRETS["client key"]}}}
    handle = await gateway(providers=providers, server=server, auth_token=SECRETS["local token"])
    http = await client(handle)
    told = []
    for model in (
        "claude-haiku-4-5",
        "plan/claude-haiku-4-5",
        "openai-codex/gpt-5.6-sol",
        "house/m",
        "shed/m",
        "auto",
        "nobody/m",
    ) * 2:
        answer = await http.post(
            "/v1/chat/completions", json={**CHAT, "model": model}, headers={"x-api-key": SECRETS["client key"]}
        )
        told.append(answer.text + str(answer.headers))
    for path in (
        "/debug/routing-trace",
        "/debug/provider-health",
        "/debug/panels",
        "/debug/spend",
        "/metrics",
        "/v1/models",
        "/health",
    ):
        told.append((await http.get(path)).text)
    assert len(upstream.seen) > 5
    await handle.close()
    kept = [path.read_bytes().decode("utf-8", "replace") for path in (tmp_path / "state").rglob("*") if path.is_file()]
    output = capfd.readouterr()
    places = {"answers": "".join(told), "files": "".join(kept), "log": caplog.text, "output": output.out + output.err}
    found = [(name, place) for place, words in places.items() for name, secret in SECRETS.items() if secret in words]
    assert found == []


async def test_state_is_for_its_owner_only_and_holds_no_words(gateway: Any, scripted: Any, client: Any, tmp_path: Path) -> None:
    handle = await gateway(
        await scripted(Play.json(MESSAGE)), auth_token=None, server={}, spend_controls={"daily_request_budget": 9}
    )
    http = await client(handle)
    words = "the-users-own-words"
    await http.post("/v1/chat/completions", json={**CHAT, "messages": [{"role": "user", "content": words}]})
    await http.post("/v1/chat/completions", json={**CHAT, "model": "nobody/m", "messages": [{"role": "user", "content": words}]})
    await handle.close()
    paths = [tmp_path / "state", *(tmp_path / "state").rglob("*")]
    assert len(paths) > 3
    for path in paths:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path} has mode {mode:o}"
        if path.is_file():
            assert words.encode() not in path.read_bytes()


# ------------------------------------------------------------------ the debug log


def test_attacks_debug_log_is_switched_on_by_the_originals_variables(tmp_path: Path) -> None:
    environ = {
        "OAUTHROUTER_HOME": str(tmp_path),
        "OAUTHROUTER_DEBUG_UPSTREAM_LOG": "1",
        "OAUTHROUTER_DEBUG_UPSTREAM_LOG_SECONDS": "60",
        "OAUTHROUTER_DEBUG_UPSTREAM_LOG_MAX_CHARS": "10",
        "OAUTHROUTER_DEBUG_UPSTREAM_LOG_PATH": str(tmp_path / "here.jsonl"),
    }
    log = load_settings(environ=environ).settings.upstream.debug_log
    assert (log.enabled, log.seconds, log.max_chars, log.path) == (True, 60, 10, tmp_path / "here.jsonl")


async def logged(gateway: Any, upstream: Any, client: Any, tmp_path: Path, **log: Any) -> list[dict[str, Any]]:
    settings = {"timeouts": {"first_byte": 2.0}, "retry": {"attempts": 1}, "debug_log": {"enabled": True, **log}}
    http = await client(await gateway(upstream, upstream=settings))
    await http.post("/v1/chat/completions", json=CHAT)
    path = tmp_path / "state" / "logs" / "upstream-debug.jsonl"
    if not path.exists():
        return []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def test_attacks_debug_log_holds_both_sides_and_no_credential(
    gateway: Any, scripted: Any, client: Any, tmp_path: Path
) -> None:
    quoting = {"type": "error", "error": {"type": "authentication_error", "message": "invalid sk-ant-api03-test"}}
    request, response = await logged(gateway, await scripted(Play.json(quoting, 401)), client, tmp_path)
    assert '"content"' in request["request"]["body"]
    assert request["request"]["headers"]["x-api-key"] == "[redacted]"
    assert response["response"]["status"] == 401
    assert "invalid [redacted]" in response["response"]["body"]
    assert "sk-ant-api03-test" not in json.dumps([request, response])


async def test_attacks_debug_log_keeps_to_its_bounds(gateway: Any, scripted: Any, client: Any, tmp_path: Path) -> None:
    entries = await logged(gateway, await scripted(Play.json(MESSAGE)), client, tmp_path, max_chars=10)
    assert [len(next(iter(entry[kind]["body"] for kind in ("request", "response") if kind in entry))) for entry in entries] == [
        10,
        10,
    ]
    (tmp_path / "state" / "logs" / "upstream-debug.jsonl").unlink()
    assert await logged(gateway, await scripted(Play.json(MESSAGE)), client, tmp_path, seconds=1e-9) == []


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
async def test_attacks_debug_log_follows_no_link(gateway: Any, scripted: Any, client: Any, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    link = tmp_path / "link.jsonl"
    link.symlink_to(victim)
    await logged(gateway, await scripted(Play.json(MESSAGE)), client, tmp_path, path=link)
    assert victim.read_text() == "untouched"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_headers_beyond_ascii_go_nowhere(path: str, gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, 400))
    http = await client(await gateway(upstream))
    odd = {name: "Caf\u00e9/1".encode("latin-1") for name in ("user-agent", "traceparent", "session-id", "anthropic-beta")}
    said = {"input": "hi"} if path == "/v1/responses" else {"messages": [{"role": "user", "content": "hi"}]}
    body = {"model": "claude-haiku-4-5", "max_tokens": 5, **said}
    answer = await http.post(path, json=body, headers=odd)
    assert answer.status_code == 400, answer.text
    assert not any("\u00e9" in value for value in upstream.seen[0].headers.values())


# ------------------------------------------------------------------ sessions


async def test_session_is_of_its_port_ends_when_told_and_makes_no_further_ones(gateway: Any) -> None:
    handle = await gateway()
    owner = {"authorization": f"Bearer {handle.auth_token}"}
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as browser:
        path = (await browser.post("/debug/dashboard/code", headers=owner)).json()["path"]
        assert (await browser.head(path)).status_code == 204  # a link's preview
        assert (await browser.get(path)).status_code == 303
        assert list(browser.cookies) == [f"oauthrouter_session_{handle.port}"]
        assert (await browser.get("/debug/spend")).status_code == 200
        assert (await browser.post("/debug/dashboard/code")).status_code == 401
        kept = dict(browser.cookies)
        assert (await browser.post("/debug/dashboard/sign-out")).status_code == 204
        assert not browser.cookies
        browser.cookies.update(kept)
        assert (await browser.get("/debug/spend")).status_code == 401

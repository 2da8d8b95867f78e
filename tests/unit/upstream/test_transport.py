"""Which transport is chosen, and that a proxy of the user's is obeyed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.config.upstream import UpstreamSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.upstream.http_pool import HttpPool
from openclaw_oauthrouter.upstream.transport import ProxiedTransport, create_transport

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


async def test_without_a_proxy_our_own(environ: pytest.MonkeyPatch) -> None:
    assert isinstance(create_transport(UpstreamSettings()), HttpPool)
    environ.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert isinstance(create_transport(UpstreamSettings(trust_env=False)), HttpPool)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ("NO_PROXY", "localhost,fd00::/8"),
        ("NO_PROXY", "::1,[::1]"),
        ("HTTPS_PROXY", ""),
    ],
)
async def test_what_names_no_proxy_of_ours_changes_nothing(name: str, value: str, environ: pytest.MonkeyPatch) -> None:
    environ.setenv(name, value)
    assert isinstance(create_transport(UpstreamSettings()), HttpPool)


@pytest.mark.parametrize("value", ["socks4://127.0.0.1:1080", "ftp://127.0.0.1", "http://127.0.0.1:port"])
async def test_a_proxy_that_cannot_be_used_is_said_at_the_start(value: str, environ: pytest.MonkeyPatch) -> None:
    environ.setenv("HTTPS_PROXY", value)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        create_transport(UpstreamSettings())


async def test_a_proxy_is_obeyed_but_not_for_hosts_that_are_excepted(environ: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-cookie: a=b\r\nconnection: close\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    environ.setenv("HTTP_PROXY", address)
    environ.setenv("NO_PROXY", "127.0.0.1,fd00::/8")
    transport = create_transport(UpstreamSettings())
    assert isinstance(transport, ProxiedTransport)

    async def ask(url: str) -> Any:
        response = await transport.handle_async_request(httpx.Request("POST", url, content=b"{}", extensions={"timeout": {}}))
        body = await response.aread()
        await response.aclose()
        return response.status_code, body

    for _ in range(2):
        assert await ask("http://provider.example/v1/messages") == (200, b"ok")
    assert await ask(f"{address}/v1/messages") == (200, b"ok")
    await transport.aclose()
    server.close()
    assert [request.split(" ")[1] for request in heard] == [*["http://provider.example/v1/messages"] * 2, "/v1/messages"]
    assert not any("cookie" in request.lower() for request in heard)
    assert all("accept-encoding: identity" in request.lower() for request in heard)

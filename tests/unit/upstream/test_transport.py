"""Which transport is chosen, and that a proxy of the user's is obeyed."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from openclaw_oauthrouter.config.upstream import UpstreamSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.upstream.certificates import VARIABLES
from openclaw_oauthrouter.upstream.http_pool import HttpPool
from openclaw_oauthrouter.upstream.proxies import Proxies
from openclaw_oauthrouter.upstream.transport import ProxiedTransport, create_transport
from tests.support.authority import Authority

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in (*PROXY_VARIABLES, *VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


async def test_transport_without_a_proxy_our_own(environ: pytest.MonkeyPatch) -> None:
    assert isinstance(create_transport(UpstreamSettings()), HttpPool)
    environ.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert isinstance(create_transport(UpstreamSettings(trust_env=False)), HttpPool)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NO_PROXY", "localhost,fd00::/8"),
        ("NO_PROXY", "::1,[::1]"),
        ("HTTPS_PROXY", ""),
    ],
)
async def test_transport_what_names_no_proxy_of_ours_changes_nothing(name: str, value: str, environ: pytest.MonkeyPatch) -> None:
    environ.setenv(name, value)
    assert isinstance(create_transport(UpstreamSettings()), HttpPool)


@pytest.mark.parametrize("value", ["socks4://127.0.0.1:1080", "ftp://127.0.0.1", "http://127.0.0.1:port"])
async def test_transport_proxy_that_cannot_be_used_is_said_at_the_start(value: str, environ: pytest.MonkeyPatch) -> None:
    environ.setenv("HTTPS_PROXY", value)
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        create_transport(UpstreamSettings())


async def test_transport_through_socks_says_which_extra_it_needs(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    if find_spec("socksio") is None:
        with pytest.raises(ConfigurationError, match=r"openclaw-oauthrouter\[socks\]"):
            create_transport(UpstreamSettings())
        return
    transport = create_transport(UpstreamSettings())
    assert isinstance(transport, ProxiedTransport)
    await transport.aclose()


class FakeProxy:
    """A plain HTTP proxy that answers requests itself, and opens tunnels to one address whatever is asked for."""

    def __init__(self, tunnel_to: int = 0, refuses: bytes = b"") -> None:
        self.heard: list[str] = []
        self._tunnel_to, self._refuses = tunnel_to, refuses
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> FakeProxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.wait_for(asyncio.gather(*self._tasks), 5)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heard.append(head)
        if self._refuses:
            writer.write(self._refuses)
        elif head.startswith("CONNECT"):
            there, back = await asyncio.open_connection("127.0.0.1", self._tunnel_to)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pour(reader, back), _pour(there, writer))
        else:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def ask(transport: httpx.AsyncBaseTransport, url: str) -> tuple[int, bytes]:
    response = await transport.handle_async_request(httpx.Request("POST", url, content=b"{}", extensions={"timeout": {}}))
    body = await response.aread()
    await response.aclose()
    return response.status_code, body


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_transport_hands_http_to_the_proxy(variable: str, scheme: str, environ: pytest.MonkeyPatch) -> None:
    async with FakeProxy() as proxy:
        environ.setenv(variable, f"{scheme}me:pass%20word@{proxy.address}")
        transport = create_transport(UpstreamSettings())
        for _ in range(2):
            assert await ask(transport, "http://provider.example/v1/messages?x=1") == (200, b"ok")
        await transport.aclose()
    assert [head.split(" ")[1] for head in proxy.heard] == ["http://provider.example/v1/messages?x=1"] * 2
    pair = base64.b64encode(b"me:pass word").decode()
    assert all(f"proxy-authorization: Basic {pair}" in head for head in proxy.heard)
    assert all("accept-encoding: identity" in head.lower() for head in proxy.heard)


async def test_transport_opens_a_tunnel_for_https_and_keeps_it(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with authority.serving(b"tunnelled") as (port, seen), FakeProxy(tunnel_to=port) as proxy:
        environ.setenv("HTTPS_PROXY", proxy.address)
        transport = create_transport(UpstreamSettings(ca_file=authority.ca_file))
        for _ in range(3):
            assert await ask(transport, "https://provider.example/v1") == (200, b"tunnelled")
        await transport.aclose()
    assert [head.partition("\r\n")[0] for head in proxy.heard] == ["CONNECT provider.example:443 HTTP/1.1"]
    assert len(seen) == 3


@pytest.mark.parametrize(
    "refusal", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"HTTP/1.1 503 no\r\n\r\n", b"SSH-2.0\r\n\r\n"]
)
async def test_transport_names_the_proxy_that_refuses(refusal: bytes, environ: pytest.MonkeyPatch) -> None:
    async with FakeProxy(refuses=refusal) as proxy:
        environ.setenv("HTTPS_PROXY", f"http://me:secret@{proxy.address}")
        transport = create_transport(UpstreamSettings())
        with pytest.raises(httpx.ProxyError, match=proxy.address) as failed:
            await ask(transport, "https://provider.example/v1")
        await transport.aclose()
    assert "secret" not in str(failed.value)


async def test_transport_names_the_proxy_that_is_not_there(environ: pytest.MonkeyPatch) -> None:
    environ.setenv("HTTP_PROXY", "127.0.0.1:1")
    transport = create_transport(UpstreamSettings())
    with pytest.raises(httpx.ProxyError, match=r"http://127\.0\.0\.1:1 cannot be reached"):
        await ask(transport, "http://provider.example/v1")


PROXY = "http://10.9.8.7:3128"


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("", "http://127.0.0.1:11434/v1", True),
        ("", "http://localhost:11434/v1", True),
        ("", "http://[::1]:11434/v1", True),
        ("", "http://192.168.1.5:1234/v1", True),
        ("", "http://10.0.0.7/v1", True),
        ("", "http://169.254.1.1/v1", True),
        ("", "http://ollama.localhost/v1", True),
        ("", "http://127.1:11434/v1", True),
        ("", "http://2130706433/v1", True),
        ("", "http://[::ffff:127.0.0.1]:11434/v1", True),
        ("", "http://[fd12::7]/v1", True),
        ("", "http://100.101.102.103/v1", True),
        ("", "http://nas.local/v1", True),
        ("", "http://host.containers.internal/v1", True),
        ("", "http://local/v1", False),
        ("", "http://mylocal.example/v1", False),
        ("", "http://127.0.0.1.example.org/v1", False),
        ("", "http://8.8.8.8/v1", False),
        ("*", "http://provider.example/v1", True),
        ("provider.example", "http://provider.example/v1", True),
        ("provider.example", "http://api.provider.example/v1", True),
        (".provider.example", "http://api.provider.example/v1", True),
        ("provider.example", "http://otherprovider.example/v1", False),
        ("provider.example:8080", "http://provider.example:8080/v1", True),
        ("provider.example:8080", "http://provider.example/v1", False),
        ("8.0.0.0/8", "http://8.8.8.8/v1", True),
        ("9.0.0.0/8, 8.8.8.8", "http://8.8.8.8/v1", True),
        ("9.9.9.9 8.8.8.8", "http://8.8.8.8/v1", True),
        ("8.8.8.8;9.9.9.9", "http://8.8.8.8/v1", True),
        ("PROVIDER.example.", "http://provider.example/v1", True),
        ("*.provider.example", "http://api.provider.example./v1", True),
        ("8.8.8.8:81", "http://8.8.8.8/v1", False),
        ("2001:db8::/32", "http://[2001:db8::1]/v1", True),
        ("nonsense/99,::,[", "http://provider.example/v1", False),
    ],
)
def test_proxies_except_own_machines_and_no_proxy(no_proxy: str, url: str, direct: bool) -> None:
    proxies = Proxies.read({"http": PROXY, "no": no_proxy}, lambda _: False)
    address = httpx.URL(url)
    assert (proxies.before("http", address.host, address.port or 80) is None) is direct


async def test_untrusted_certificate_is_said_with_what_to_do(environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with authority.serving(b"x") as (port, _):
        transport = create_transport(UpstreamSettings())
        with pytest.raises(httpx.ConnectError, match=r"not trusted.*upstream\.ca_file.*SSL_CERT_FILE"):
            await ask(transport, f"https://localhost:{port}/v1")
        await transport.aclose()


@pytest.mark.parametrize("name", VARIABLES)
async def test_transport_own_certificates_are_trusted(name: str, environ: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    environ.setenv(name, str(authority.ca_file))
    async with authority.serving(b"trusted") as (port, _):
        transport = create_transport(UpstreamSettings())
        assert await ask(transport, f"https://localhost:{port}/v1") == (200, b"trusted")
        await transport.aclose()


@pytest.mark.parametrize("name", VARIABLES)
def test_file_of_certificates_that_is_gone_is_said_at_the_start(name: str, environ: pytest.MonkeyPatch) -> None:
    environ.setenv(name, "/nowhere/ca.pem")
    with pytest.raises(ConfigurationError, match=name):
        create_transport(UpstreamSettings())

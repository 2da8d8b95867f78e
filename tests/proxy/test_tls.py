"""A provider whose certificate nobody vouches for gets no request, and no credential."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import tool

CHAT = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    openssl = tool("openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_tls_untrusted_certificate_is_refused(gateway: Any, client: Any, own_certificate: ssl.SSLContext) -> None:
    received: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=own_certificate)
    port = server.sockets[0].getsockname()[1]
    handle = await gateway(providers={"anthropic": {"api_base": f"https://127.0.0.1:{port}", "api_key": "sk-ant-api03-x"}})
    answer = await (await client(handle)).post("/v1/chat/completions", json=CHAT)
    server.close()
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "upstream_unreachable"
    assert not any(received)

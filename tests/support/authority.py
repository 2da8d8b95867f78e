"""A certificate of our own, and a server that shows it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.tools import tool


class Authority:
    """Vouches for ``localhost`` and ``provider.example``.

    :ivar ca_file: what a client has to trust
    """

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "own-certificate.pem"
        self._key = folder / "own-key.pem"
        names = "subjectAltName=DNS:localhost,DNS:provider.example,IP:127.0.0.1"
        command = [
            tool("openssl"),
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "1",
        ]
        options = ["-subj", "/CN=localhost", "-addext", names, "-keyout", str(self._key), "-out", str(self.ca_file)]
        subprocess.run([*command, *options], check=True, capture_output=True)

    @asynccontextmanager
    async def serving(self, body: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
        """A server that answers every request with ``body``; its port, and the heads it has seen."""
        seen: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while True:
                    seen.append(await reader.readuntil(b"\r\n\r\n"))
                    await reader.readexactly(2)
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            writer.close()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, self._key)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1], seen
        finally:
            server.close()

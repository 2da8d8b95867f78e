"""A log of what goes to providers and what comes back, switched on by hand to find a fault; never holds a credential."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import httpx
import orjson

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.config.upstream import DebugLogSettings
from openclaw_oauthrouter.upstream.redaction import HARMLESS, REDACTED, blotted, secrets_of

FILE_NAME = "upstream-debug.jsonl"
MOST_FILE_BYTES = 64 << 20

_log = logging.getLogger(__name__)


class DebugLog:
    """Appends JSON lines to a file of mode 0600 until its time or its space is used up.

    A log that cannot be written says so once and gives up: it must never be felt by a request.
    """

    def __init__(self, path: Path, settings: DebugLogSettings, clock: Clock) -> None:
        self._path = path
        self._most_characters = settings.max_chars
        self._clock = clock
        self._ends_at = clock() + settings.seconds

    @property
    def most_bytes(self) -> int:
        """What ``excerpt`` looks at."""
        return 4 * self._most_characters

    def write(self, kind: str, said: Mapping[str, object], body: bytes, secrets: Sequence[str]) -> None:
        """Append an entry, every one of the secrets blotted out of its body."""
        if self._clock() >= self._ends_at:
            return
        entry = {"at": self._clock(), kind: {**said, "body": self._excerpt(body, secrets)}}
        try:
            self._append(orjson.dumps(entry) + b"\n")
        except OSError as error:
            self._ends_at = 0.0
            _log.warning("the upstream debug log %s cannot be written: %s", self._path, error)

    def _excerpt(self, body: bytes, secrets: Sequence[str]) -> str:
        text = body[: self.most_bytes].decode("utf-8", "replace")
        return blotted(text, secrets)[: self._most_characters]

    def _append(self, line: bytes) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A link in its place could lead the bodies anywhere.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self._path, flags, 0o600)
        try:
            if os.name == "posix":
                os.fchmod(descriptor, 0o600)
            if os.fstat(descriptor).st_size + len(line) > MOST_FILE_BYTES:
                raise OSError(f"it has reached {MOST_FILE_BYTES} bytes")
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def with_debug_log(
    transport: httpx.AsyncBaseTransport, settings: DebugLogSettings, home: Path, clock: Clock
) -> httpx.AsyncBaseTransport:
    """The transport, logged if that is switched on.

    :param home: the state folder
    """
    if not settings.enabled:
        return transport
    path = settings.path or home / "logs" / FILE_NAME
    _log.warning("requests and answers are written to %s in full for the next %g s (upstream.debug_log)", path, settings.seconds)
    return LoggedTransport(transport, DebugLog(path, settings, clock))


class LoggedTransport(httpx.AsyncBaseTransport):
    """Passes everything through and writes it down."""

    def __init__(self, inner: httpx.AsyncBaseTransport, log: DebugLog) -> None:
        self._inner = inner
        self._log = log

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        secrets = secrets_of(request)
        headers = {name: value if name.lower() in HARMLESS else REDACTED for name, value in request.headers.items()}
        url = str(request.url.copy_with(query=None))
        self._log.write("request", {"method": request.method, "url": url, "headers": headers}, request.content, secrets)
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an async transport has no other
        response.stream = _LoggedStream(response, response.stream, self._log, secrets)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _LoggedStream(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response, inner: httpx.AsyncByteStream, log: DebugLog, secrets: Sequence[str]) -> None:
        headers = {name: value for name, value in response.headers.items() if name.lower() != "set-cookie"}
        self._said = {"status": response.status_code, "headers": headers}
        self._inner = inner
        self._log = log
        self._secrets = secrets
        self._seen = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._seen += chunk[: self._log.most_bytes - len(self._seen)]
            yield chunk

    async def aclose(self) -> None:
        self._log.write("response", self._said, bytes(self._seen), self._secrets)
        await self._inner.aclose()

"""Talks to the OpenClaw host over the standard streams: JSON lines in, JSON lines out, no secret on disk or in arguments.

    host -> gateway   {"type": "config", "config": {…}}                  first line; the plugin's configuration
    gateway -> host   {"type": "ready", "baseUrl": …, "version": …, "token": …}
    gateway -> host   {"id": 1, "method": "auth.resolve", "provider": "anthropic"}
    host -> gateway   {"id": 1, "result": {"apiKey": …, "mode": "oauth", "profileId": …}}   or   {"id": 1, "error": "…"}

The end of the input is the host's end: ``closed`` is set and the gateway shuts down, even if the host was killed.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import stat
import sys
from collections.abc import Callable
from typing import IO

import orjson

from openclaw_oauthrouter import __version__
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.canonical.json import FrozenObject, JsonObject
from openclaw_oauthrouter.errors import ConfigurationError, CredentialError
from openclaw_oauthrouter.tasks import end_tasks

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes; a configuration with long lists still fits."""

ANSWER_SECONDS = 15.0
"""How long the host may take; it may be renewing a token at its vendor."""

Write = Callable[[bytes], None]


class HostBridge:
    """One conversation with the host.

    :param reader: what the host sends
    :param write: sends bytes to the host; must not block
    :param answer_seconds: how long to wait for each of the host's answers
    :ivar closed: set once the host has gone
    """

    def __init__(self, reader: asyncio.StreamReader, write: Write, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.closed = asyncio.Event()
        self._write = write
        self._answer_seconds = answer_seconds
        self._ids = itertools.count(1)
        self._questions: dict[int, asyncio.Future[FrozenObject]] = {}
        self._config: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._listening = asyncio.create_task(self._listen(reader), name="host bridge")

    @classmethod
    async def open(cls) -> HostBridge:
        """Take over standard input and output; what other code prints from now on goes to standard error.

        :raises ConfigurationError: they are not pipes
        """
        _check_pipes()
        try:
            output = os.fdopen(os.dup(1), "wb", buffering=0)
            os.dup2(2, 1)
            return cls(*await _connect(sys.stdin.buffer, output))
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"--host-stdio is for the OpenClaw plugin, which talks through pipes ({error})") from error

    async def config(self) -> JsonObject:
        """The plugin's configuration from ``openclaw.json``; ``{}`` when the user has set nothing.

        :raises ConfigurationError: the host has gone, or said something else
        """
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await asyncio.shield(self._config)
        except TimeoutError:
            raise ConfigurationError("the host has not sent the plugin's configuration") from None

    def ready(self, base_url: str, token: Secret) -> None:
        """Tell the host that requests are taken.

        :param base_url: ``http://host:port/v1``
        :param token: the local token; the host needs it for its own requests
        """
        self._send({"type": "ready", "baseUrl": base_url, "version": __version__, "token": token.reveal()})

    async def resolve(self, provider: str) -> FrozenObject:
        """The credential the host would use itself for one of *its* providers: ``{"apiKey", "mode", "profileId"}``.

        Renewing it is the host's business.

        :raises CredentialError: it has none and says why, does not answer, or has gone
        """
        if self.closed.is_set():
            raise CredentialError("OpenClaw has gone, so its credentials cannot be borrowed")
        return await self._ask("auth.resolve", provider)

    async def close(self) -> None:
        """Stop listening."""
        await end_tasks([self._listening])

    async def _ask(self, method: str, provider: str) -> FrozenObject:
        number = next(self._ids)
        answer: asyncio.Future[FrozenObject] = asyncio.get_running_loop().create_future()
        self._questions[number] = answer
        try:
            self._send({"id": number, "method": method, "provider": provider})
            async with asyncio.timeout(self._answer_seconds):
                return await answer
        except TimeoutError:
            raise CredentialError(f"OpenClaw did not answer when asked for its credential of {provider!r}") from None
        finally:
            del self._questions[number]

    def _send(self, message: JsonObject) -> None:
        self._write(orjson.dumps(message) + b"\n")

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._receive(line)
        finally:
            self._hang_up()

    def _receive(self, line: bytes) -> None:
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        if not isinstance(message, dict):
            return
        if message.get("type") == "config":
            self._receive_config(message.get("config"))
        elif isinstance(message.get("id"), int):
            self._receive_answer(message)

    def _receive_config(self, config: object) -> None:
        if not self._config.done():
            self._config.set_result(config if isinstance(config, dict) else {})

    def _receive_answer(self, message: FrozenObject) -> None:
        answer = self._questions.get(message["id"])
        if answer is None or answer.done():
            return
        result = message.get("result")
        if isinstance(result, dict):
            answer.set_result(result)
        else:
            # Its first sentence says why; the rest names folders and commands.
            reason = str(message.get("error") or "no credential").partition(". ")[0]
            answer.set_exception(CredentialError(f"OpenClaw says: {reason}"))

    def _hang_up(self) -> None:
        self.closed.set()
        for answer in self._questions.values():
            if not answer.done():
                answer.set_exception(CredentialError("OpenClaw went away while asked for a credential"))
        if not self._config.done():
            self._config.set_exception(ConfigurationError("the host went away before it sent the plugin's configuration"))
            self._config.exception()  # nobody need be waiting for it


def _check_pipes() -> None:
    """Refuse anything else: uvloop ends the whole process over it, without an exception."""
    for number, stream in enumerate((sys.stdin, sys.stdout)):
        # A stream that was closed at the start is None; its number may belong to something else by now.
        mode = os.fstat(number).st_mode if stream is not None else 0
        if not stat.S_ISFIFO(mode) and not stat.S_ISSOCK(mode):
            name = ("input", "output")[number]
            raise ConfigurationError(
                f"--host-stdio is for the OpenClaw plugin, which talks through pipes (standard {name} is none)"
            )


async def _connect(source: IO[bytes], sink: IO[bytes]) -> tuple[asyncio.StreamReader, Write]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sink)
    return reader, transport.write

"""A connection remembers the head it has sent before: never the answer of another token, of another Host, or of a gate no longer in force."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.proxy.reload import Reloader
from tests.support.anthropic_streams import MESSAGE
from tests.support.upstream import Play

TOKEN, KEY = "local-test-token", "key-of-a-laptop-0123456789"


class Connection:
    """One connection, kept over several requests."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, token: str, *, host: str = "127.0.0.1", words: str = "hi") -> int:
        """The status of a request."""
        body = b'{"model": "anthropic/claude-haiku-4-5", "messages": [{"role": "user", "content": "%b"}]}' % words.encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        async with asyncio.timeout(10):
            told = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            await self._reader.readexactly(int(told.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        return int(told.split(b" ", 2)[1])

    def close(self) -> None:
        self._writer.close()


async def test_connection_that_was_let_in_is_asked_again_with_every_other_head(gateway: Any, scripted: Any) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)), server={"client_keys": {"laptop": {"token": KEY}}})
    connection = Connection(*await asyncio.open_connection("127.0.0.1", handle.port))
    wrong = TOKEN[:-1] + "X"
    asked = [
        (await connection.ask(TOKEN), 200),
        (await connection.ask(TOKEN, words="a longer word"), 200),
        (await connection.ask(wrong), 401),
        (await connection.ask(wrong), 401),
        (await connection.ask(KEY, words="a"), 200),
        (await connection.ask(TOKEN, host="rebound.example"), 403),
        (await connection.ask(TOKEN, host="rebound.example", words="again"), 403),
        (await connection.ask(TOKEN), 200),
    ]
    assert [found for found, _ in asked] == [expected for _, expected in asked]
    records = [entry.record for entry in handle.live.observers.ring.latest(20)]
    assert sorted(str(record.client) for record in records if record.status == 200) == ["default", "default", "default", "laptop"]
    connection.close()


async def test_connection_that_was_let_in_is_turned_away_once_its_key_is_gone(
    gateway: Any, scripted: Any, tmp_path: Path
) -> None:
    handle = await gateway(await scripted(Play.json(MESSAGE)), server={"client_keys": {"laptop": {"token": KEY}}})
    connection = Connection(*await asyncio.open_connection("127.0.0.1", handle.port))
    assert [await connection.ask(KEY), await connection.ask(KEY)] == [200, 200]
    config = tmp_path / "config.toml"
    config.write_text("")
    overrides = handle.live.runtime.settings.model_dump(
        include={"home", "providers", "credentials", "upstream"}, exclude_unset=True
    )
    assert Reloader(handle.live, config, lambda: load_settings(config, environ={}, overrides=overrides)).reload()
    assert await connection.ask(KEY) == 401
    connection.close()

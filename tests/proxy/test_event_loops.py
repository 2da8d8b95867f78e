"""The command runs on uvloop where it is installed, the tests on asyncio's own loop: a request passes through both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaw_oauthrouter.proxy.start import start_proxy
from tests.support.anthropic_streams import MESSAGE
from tests.support.upstream import Play, ScriptedUpstream

BODY = json.dumps({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}).encode()


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    found: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop]
    try:
        from uvloop import new_event_loop
    except ImportError:
        return found
    return [*found, new_event_loop]


async def exchange(home: Path) -> bytes:
    async with ScriptedUpstream(Play.json(MESSAGE), Play.json(MESSAGE)) as upstream:
        providers = {"anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-x"}}
        async with await start_proxy(port=0, home=home, auth_token="local-test-token", providers=providers) as handle:
            reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
            head = f"Host: localhost\r\nAuthorization: Bearer local-test-token\r\nContent-Length: {len(BODY)}\r\n"
            post = f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n".encode() + BODY
            # Two on one connection, in pieces, then one on a cold path.
            for piece in (post[:40], post[40:] + post[:10], post[10:]):
                writer.write(piece)
                await asyncio.sleep(0.02)
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer


@pytest.mark.parametrize("new_loop", loops(), ids=lambda make: make.__module__)
def test_gateway_answers_on_every_event_loop(new_loop: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        answer = runner.run(exchange(tmp_path / "state"))
    assert answer.count(b"HTTP/1.1 200") == 3
    assert b'"ready":true' in answer

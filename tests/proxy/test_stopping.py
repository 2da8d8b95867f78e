"""A gateway that is told to stop: long answers end with an error in their client's dialect, and nothing ugly is logged."""

from __future__ import annotations

import asyncio
import logging
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.answers import ANTHROPIC, CHAT, CODEX
from tests.faults.clients import CLIENTS, read_stream
from tests.support.upstream import STALL, Play

PROVIDERS = {"anthropic": ANTHROPIC, "codex": CODEX, "chat": CHAT}


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("dialect", CLIENTS)
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_long_answer_ends_with_an_error_when_the_gateway_stops(
    provider: str, dialect: str, stream: bool, gateway: Any, scripted: Any, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    told = PROVIDERS[provider]
    upstream = await scripted(Play([*told.events[:6], STALL]))
    handle = await gateway(
        upstream,
        providers={
            "openai-codex": {"api_base": upstream.url, "auth_header": "Bearer test"},
            "house": {"api_base": f"{upstream.url}/v1", "api_key": "sk-test", "models": ["house-model"]},
        },
        upstream={"timeouts": {"first_byte": 30.0, "idle": 30.0}},
        server={"graceful_seconds": 0.2},
    )
    http, spoken = await client(handle), CLIENTS[dialect]
    body = {**spoken.body(told.model, "hi"), "stream": stream}
    with caplog.at_level(logging.WARNING):
        running = asyncio.create_task(http.post(spoken.path, json=body))
        await upstream.arrived()
        await asyncio.sleep(0.1)
        await handle.close()
        answer = await asyncio.wait_for(running, 10)
        await asyncio.wait_for(upstream.seen[0].left.wait(), 5)
    if stream:
        assert read_stream(spoken, answer.text).end == "error"
    else:
        assert answer.status_code == 503
        assert spoken.is_error(answer.json())
    assert "shutting down" in answer.text
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_strangers_idle_connections_go_first_when_room_is_short(gateway: Any, client: Any) -> None:
    handle = await gateway(server={"max_connections": 20})
    owner = await client(handle)
    assert (await owner.get("/v1/models")).status_code == 200
    strangers = []
    for _ in range(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        strangers.append((reader, writer))
    for _ in range(3):
        async with httpx.AsyncClient(base_url=handle.base_url, headers=owner.headers, trust_env=False) as another:
            assert (await another.get("/v1/models")).status_code == 200
    assert (await owner.get("/v1/models")).status_code == 200
    for _, writer in strangers:
        writer.close()


async def test_preface_of_http2_with_nothing_behind_it_is_closed_in_time(gateway: Any) -> None:
    handle = await gateway(server={"header_seconds": 0.5})
    reader, writer = await asyncio.open_connection("127.0.0.1", handle.port)
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
    async with asyncio.timeout(8):
        while await reader.read(4096):
            pass
    writer.close()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no hang-up here")
@pytest.mark.parametrize("terminal", [True, False])
async def test_hang_up_ends_a_gateway_of_a_terminal_only(terminal: bool, tmp_path: Path) -> None:
    main, side = pty.openpty()
    own = {"OAUTHROUTER_HOME": str(tmp_path), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "openclaw_oauthrouter", "serve", "--port", "0"]
    std = side if terminal else subprocess.DEVNULL
    process = subprocess.Popen(
        command, stdin=std, stdout=side if terminal else subprocess.PIPE, stderr=subprocess.DEVNULL, env=own
    )
    try:
        stream = main if terminal else process.stdout.fileno()  # type: ignore[union-attr]
        said = b""
        while b"listens on" not in said:
            said += await asyncio.to_thread(os.read, stream, 4096)
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGHUP)
        if terminal:
            assert await asyncio.to_thread(process.wait, 20) == 0
        else:
            await asyncio.sleep(1.0)
            assert process.poll() is None
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        os.close(main)
        os.close(side)

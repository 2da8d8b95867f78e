"""A client that hangs up closes the upstream connection at once, and its request still leaves a trace and settles its budget."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.support.anthropic_streams import START, TEXT_START, WHOLE_STREAM, text
from tests.support.upstream import STALL, Piece, Play

PROMPTLY = 2.0
"""Seconds a loaded test machine may take; what it really takes is measured by a benchmark (about 2 ms)."""

SITUATIONS: dict[str, tuple[bool, list[Piece], int]] = {
    "streaming, before the first byte": (True, [STALL], 0),
    "streaming, before content": (True, [START, STALL], 200),
    "streaming, after content": (True, [START, TEXT_START, text("Hello"), STALL], 200),
    "whole, before the first byte": (False, [STALL], 0),
    "whole, in the middle": (False, [b'{"id": "msg', STALL], 200),
}


@pytest.mark.parametrize("name", SITUATIONS)
async def test_clients_that_leave_upstream_is_closed_when_the_client_leaves(
    name: str, gateway: Any, scripted: Any, client: Any
) -> None:
    stream, pieces, status = SITUATIONS[name]
    kind = "text/event-stream" if stream else "application/json"
    upstream = await scripted(Play(pieces, status=status, content_type=kind))
    patient = {"timeouts": {"first_byte": 60, "idle": 60}}
    handle = await gateway(upstream, upstream=patient, spend_controls={"daily_request_budget": 5})
    body = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}], "stream": stream}

    reader, writer = await _post(handle.port, handle.auth_token, body)
    seen = await upstream.arrived()
    if "after content" in name:
        await asyncio.wait_for(reader.readuntil(b"Hello"), 5)
    else:
        await asyncio.sleep(0.05)
    writer.close()
    await asyncio.wait_for(seen.left.wait(), PROMPTLY)

    events = []
    async with asyncio.timeout(5):
        while not events:
            answer = await (await client(handle)).get("/debug/routing-trace")
            events = answer.json()["events"]
    assert events[-1]["status"] == 499
    assert len(events) == 1


async def _post(port: int, token: str, body: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    raw = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-length: {len(raw)}\r\n\r\n"
    writer.write(head.encode() + raw)
    await writer.drain()
    return reader, writer


async def test_clients_that_leave_client_that_has_the_whole_answer_may_leave(gateway: Any, scripted: Any, client: Any) -> None:
    """Some hang up at ``[DONE]``, without waiting for the end of the response."""
    upstream = await scripted(Play([*WHOLE_STREAM, STALL]))
    handle = await gateway(upstream)
    body = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    reader, writer = await _post(handle.port, handle.auth_token, body)
    await asyncio.wait_for(reader.readuntil(b"[DONE]"), 5)
    writer.close()
    events = []
    async with asyncio.timeout(5):
        while not events:
            events = (await (await client(handle)).get("/debug/routing-trace")).json()["events"]
    assert [(event["status"], event["finishReason"]) for event in events] == [(200, "stop")]

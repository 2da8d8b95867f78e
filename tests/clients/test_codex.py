"""Codex CLI, the real one: its plan's limit, short rate limits, its tools at another vendor, a WebSocket; through the gateway as directly."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.support.real_programs import program
from tests.support.upstream import Play, ScriptedUpstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TOKEN = "a-local-token-of-thirty-chars-"
GPT, CLAUDE = "openai-codex/gpt-5.6-sol", "anthropic/claude-haiku-4-5"
LIMIT = {"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus"}


def events(*pairs: tuple[str, dict[str, Any]]) -> Play:
    return Play([b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps({"type": kind, **data})) for kind, data in pairs])


def failed(code: str, message: str) -> Play:
    response = {"id": "resp_1", "object": "response", "model": "m", "status": "in_progress", "output": []}
    fault = {**response, "status": "failed", "error": {"code": code, "message": message}}
    return events(("response.created", {"response": response}), ("response.failed", {"response": fault}))


def said(text: str) -> Play:
    """An answer of nothing but words, ended as the ChatGPT backend ends it: with an empty list of items."""
    response = {"id": "resp_2", "object": "response", "model": "m", "status": "in_progress", "output": []}
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    return events(
        ("response.created", {"response": response}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": {**response, "status": "completed", "usage": usage}}),
    )


def said_by_claude(text: str) -> Play:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [], "stop_reason": None}
    return events(
        ("message_start", {"message": {**message, "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 4}}),
        ("message_stop", {}),
    )


def limit(seconds: int) -> Play:
    """The ChatGPT backend's refusal when the plan is used up."""
    return Play.json({"error": {**LIMIT, "resets_at": int(time.time()) + seconds, "resets_in_seconds": seconds}}, 429)


@asynccontextmanager
async def house(tmp_path: Path, *plays: Play) -> AsyncIterator[tuple[ProxyHandle, ScriptedUpstream]]:
    async with ScriptedUpstream(*plays) as upstream:
        handle = await start_proxy(
            port=0,
            home=tmp_path / "state",
            auth_token=TOKEN,
            providers={
                "openai-codex": {"api_base": upstream.url, "auth_header": "Bearer x"},
                "anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-x"},
            },
            credentials={"order": ["config"]},
            upstream={"retry": {"attempts": 1}},
        )
        async with handle:
            yield handle, upstream


async def codex(base: str, model: str, home: Path, **provider: str) -> tuple[int | None, str]:
    """One headless turn: exit code and what it printed."""
    fields = {"name": '"oar"', "base_url": f'"{base}/v1"', "wire_api": '"responses"', "env_key": '"OPENAI_API_KEY"', **provider}
    table = ",".join(f"{name}={value}" for name, value in fields.items())
    settings = ["-c", "model_provider=oar", "-c", f"model_providers.oar={{{table}}}", "-c", f"model={model}"]
    home.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        program("OAUTHROUTER_E2E_CODEX"),
        *("exec", "--skip-git-repo-check", *settings, "say hi"),
        cwd=home,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "OPENAI_API_KEY": TOKEN},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), 60)
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.fail("Codex CLI hangs")
    return process.returncode, printed.decode()


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_used_up_plan_ends_the_turn_with_the_time_of_its_reset(model: str, tmp_path: Path) -> None:
    claude = Play.json({"type": "error", "error": {"type": "rate_limit_error", "message": "m"}}, 429, **{"retry-after": "7200"})
    async with house(tmp_path, limit(7200) if model == GPT else claude) as (handle, upstream):
        for turn in range(2):  # the second time the gateway remembers
            code, printed = await codex(handle.base_url, model, tmp_path / f"home{turn}")
            assert code == 1
            assert "hit your usage limit" in printed
            assert "ry again at" in printed
        assert len(upstream.seen) == 1


async def test_used_up_plan_says_the_same_as_directly(tmp_path: Path) -> None:
    async with ScriptedUpstream(limit(7200)) as vendor:
        _, directly = await codex(vendor.url, "gpt-5.6-sol", tmp_path / "direct")
    async with house(tmp_path, limit(7200)) as (handle, _):
        _, through = await codex(handle.base_url, GPT, tmp_path / "through")
    told = [
        next(line for line in text.splitlines() if "usage limit" in line).partition(" at ")[0] for text in (directly, through)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_short_rate_limit_is_waited_out(model: str, tmp_path: Path) -> None:
    claude = Play.json({"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}, 429, **{"retry-after": "3"})
    first = failed("rate_limit_exceeded", "Rate limit reached. Please try again in 3.054s.") if model == GPT else claude
    then = said("it is done") if model == GPT else said_by_claude("it is done")
    async with house(tmp_path, first, then) as (handle, upstream):
        began = time.monotonic()
        code, printed = await codex(handle.base_url, model, tmp_path / "home")
        assert (code, time.monotonic() - began > 2.5) == (0, True), printed
        assert len(upstream.seen) >= 2


async def test_full_context_is_told_as_directly(tmp_path: Path) -> None:
    full = "Your input exceeds the context window of this model."
    async with house(tmp_path, failed("context_length_exceeded", full)) as (handle, _):
        code, printed = await codex(handle.base_url, GPT, tmp_path / "home")
    assert code == 1
    assert "context window" in printed


async def test_tools_reach_another_vendor(tmp_path: Path) -> None:
    async with house(tmp_path, said_by_claude("it is done")) as (handle, upstream):
        code, printed = await codex(handle.base_url, CLAUDE, tmp_path / "home")
        assert (code, "it is done" in printed) == (0, True), printed
        names = [tool["name"] for tool in upstream.seen[0].body["tools"]]
    assert "exec_command" in names
    assert all(message["content"] for message in upstream.seen[0].body["messages"])


async def test_turn_over_a_websocket(tmp_path: Path) -> None:
    async with house(tmp_path, said("it is done")) as (handle, upstream):
        code, printed = await codex(handle.base_url, GPT, tmp_path / "home", supports_websockets="true")
        assert (code, "it is done" in printed) == (0, True), printed
        assert len(upstream.seen) == 1

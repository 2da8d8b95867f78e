"""Codex CLI, the real one: its plan's limit, short rate limits, its tools at another vendor, a WebSocket; through the gateway as directly."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.support.conversations import PIXEL
from tests.support.real_programs import program
from tests.support.upstream import Play, ScriptedUpstream, Seen
from tests.support.vendor_rules import TIDE_SERVER, StrictScript

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
    async with ScriptedUpstream(*plays) as upstream, gateway(tmp_path, upstream) as handle:
        yield handle, upstream


@asynccontextmanager
async def strict_house(tmp_path: Path, script: Callable[[Seen], Play]) -> AsyncIterator[tuple[ProxyHandle, StrictScript]]:
    """The vendor answers by a script, and refuses what vendors refuse."""
    async with StrictScript(script) as upstream, gateway(tmp_path, upstream) as handle:
        yield handle, upstream
        assert upstream.refused == []


@asynccontextmanager
async def gateway(tmp_path: Path, upstream: ScriptedUpstream) -> AsyncIterator[ProxyHandle]:
    handle = await start_proxy(
        port=0,
        home=tmp_path / "state",
        auth_token=TOKEN,
        providers={
            "openai-codex": {"api_base": upstream.url, "auth_header": "Bearer x"},
            "anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-x"},
            "own": {"api_base": f"{upstream.url}/v1", "models": ["gpt-5.6-sol"]},
        },
        credentials={"order": ["config"]},
        upstream={"retry": {"attempts": 1}},
    )
    async with handle:
        yield handle


async def codex(base: str, model: str, home: Path, *arguments: str, **provider: str) -> tuple[int | None, str]:
    """One headless turn: exit code and what it printed."""
    fields = {"name": '"oar"', "base_url": f'"{base}/v1"', "wire_api": '"responses"', "env_key": '"OPENAI_API_KEY"', **provider}
    table = ",".join(f"{name}={value}" for name, value in fields.items())
    settings = ["-c", "model_provider=oar", "-c", f"model_providers.oar={{{table}}}", "-c", f"model={model}"]
    home.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        program("OAUTHROUTER_E2E_CODEX"),
        *("exec", "--skip-git-repo-check", *settings, *arguments, "--", "say hi"),
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


# ------------------------------------------------------------------ its tools, a compaction and an image, at vendors that refuse what they refuse

OTHERS_GPT = "own/gpt-5.6-sol"
"""A model that Codex knows as current, so that it gives its tools as an input item; the provider speaks Chat Completions."""


def called_in_chat(name: str, arguments: dict[str, Any]) -> Play:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5.6-sol"}
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
    return chat_chunks(
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    )


def said_in_chat(text: str) -> Play:
    head = {"id": "chatcmpl-2", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5.6-sol"}
    return chat_chunks(
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}]},
    )


def chat_chunks(*chunks: dict[str, Any]) -> Play:
    return Play([*(b"data: %s\n\n" % orjson.dumps(chunk) for chunk in chunks), b"data: [DONE]\n\n"])


def called_by_claude(name: str, arguments: dict[str, Any], call_id: str = "toolu_1", input_tokens: int = 3) -> Play:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [], "stop_reason": None}
    block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    return events(
        ("message_start", {"message": {**message, "usage": {"input_tokens": input_tokens, "output_tokens": 1}}}),
        ("content_block_start", {"index": 0, "content_block": block}),
        ("content_block_delta", {"index": 0, "delta": {"type": "input_json_delta", "partial_json": json.dumps(arguments)}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 4}}),
        ("message_stop", {}),
    )


def results(body: dict[str, Any]) -> list[dict[str, Any]]:
    """What tools answered, in a Messages body."""
    blocks = [block for message in body["messages"] if isinstance(message["content"], list) for block in message["content"]]
    return [block for block in blocks if block.get("type") == "tool_result"]


async def test_tools_given_as_an_input_item_are_called_at_a_chat_provider(tmp_path: Path) -> None:
    def script(seen: Seen) -> Play:
        answered = any(message["role"] == "tool" for message in seen.body["messages"])
        return said_in_chat("it is done") if answered else called_in_chat("functions__exec", {"input": "text('hello-' + 'tool')"})

    async with strict_house(tmp_path, script) as (handle, upstream):
        code, printed = await codex(handle.base_url, OTHERS_GPT, tmp_path / "home")
        assert (code, "it is done" in printed) == (0, True), printed
        names = [tool["function"]["name"] for tool in upstream.seen[0].body["tools"]]
        assert "functions__exec" in names
        [answer] = [message for message in upstream.seen[-1].body["messages"] if message["role"] == "tool"]
        assert "hello-tool" in json.dumps(answer["content"])


async def test_tools_of_a_server_are_called_with_and_without_arguments(tmp_path: Path) -> None:
    steps = [
        called_by_claude("mcp__tide__now", {}, "toolu_1"),
        called_by_claude("mcp__tide__at", {"place": "Oslo"}, "toolu_2"),
        said_by_claude("it is done"),
    ]
    server = f'mcp_servers.tide={{command="{sys.executable}",args=["{TIDE_SERVER}"],default_tools_approval_mode="approve"}}'
    async with strict_house(tmp_path, lambda seen: steps[len(results(seen.body))]) as (handle, upstream):
        code, printed = await codex(handle.base_url, CLAUDE, tmp_path / "home", "-c", server)
        assert (code, "it is done" in printed) == (0, True), printed
        now, at = (json.dumps(result["content"]) for result in results(upstream.seen[-1].body))
    assert "TIDE now {}" in now
    assert "TIDE at" in at
    assert "Oslo" in at


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_full_conversation_is_compacted(model: str, tmp_path: Path) -> None:
    def script(seen: Seen) -> Play:
        text = json.dumps(seen.body)
        speak = said if model == GPT else said_by_claude
        if "CONTEXT CHECKPOINT COMPACTION" in text:
            return speak("We spoke of tides.")
        if len(upstream.seen) > 1:
            return speak("it is done")
        if model == CLAUDE:
            return called_by_claude("exec_command", {"cmd": "true"}, input_tokens=90_000)
        return called_by_codex("exec", "text('x')", 900_000)

    async with strict_house(tmp_path, script) as (handle, upstream):
        code, printed = await codex(handle.base_url, model, tmp_path / "home", "-c", "model_auto_compact_token_limit=20000")
        assert (code, "it is done" in printed) == (0, True), printed
        assert any("CONTEXT CHECKPOINT COMPACTION" in json.dumps(seen.body) for seen in upstream.seen)
        assert "We spoke of tides." in json.dumps(upstream.seen[-1].body)


def called_by_codex(name: str, text: str, input_tokens: int) -> Play:
    response = {"id": "resp_3", "object": "response", "model": "m", "status": "in_progress", "output": []}
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": name, "namespace": "functions", "input": text}
    usage = {"input_tokens": input_tokens, "output_tokens": 2, "total_tokens": input_tokens + 2}
    return events(
        ("response.created", {"response": response}),
        ("response.output_item.done", {"output_index": 0, "item": {**item, "status": "completed"}}),
        ("response.completed", {"response": {**response, "status": "completed", "usage": usage}}),
    )


async def test_image_reaches_another_vendor(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "pixel.png").write_bytes(base64.b64decode(PIXEL))
    async with strict_house(tmp_path, lambda _: said_by_claude("it is done")) as (handle, upstream):
        code, printed = await codex(handle.base_url, CLAUDE, home, "-i", "pixel.png")
        assert (code, "it is done" in printed) == (0, True), printed
        blocks = [block for message in upstream.seen[0].body["messages"] for block in message["content"]]
    assert [block["source"]["data"] for block in blocks if block["type"] == "image"] == [PIXEL]

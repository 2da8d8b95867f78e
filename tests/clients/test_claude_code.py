"""Claude Code, the real one, at another vendor and at its own: plan limit, short rate limit, full context, search, tools found, and the rest.

The vendor is scripted: what it answers depends on what it is asked, and a request that OpenAI or Anthropic would refuse is refused.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.proxy.start import start_proxy
from tests.clients.test_codex import TOKEN, events, failed, limit, said, said_by_claude
from tests.support.conversations import PIXEL
from tests.support.real_programs import program
from tests.support.upstream import Play, Seen
from tests.support.vendor_rules import TIDE_SERVER, StrictScript

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

Json = dict[str, Any]
GPT, CLAUDE, CHAT = "openai-codex/gpt-5.6-sol", "claude-opus-5", "own/some-model"
USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


@dataclass(frozen=True)
class Ran:
    """One run of the program."""

    code: int | None
    printed: str
    seen: list[Seen]
    seconds: float

    @property
    def answers(self) -> list[Json]:
        """What tools answered, in the last request to OpenAI's vendor."""
        return [item for item in self.seen[-1].body["input"] if str(item.get("type")).endswith("_output")]

    @property
    def messages(self) -> Iterator[Json]:
        """What it printed as JSON."""
        return (json.loads(line) for line in self.printed.splitlines() if line.startswith("{"))


async def claude(
    folder: Path, script: Callable[[Seen], Play], *arguments: str, stdin: str = "", environ: dict[str, str] | None = None
) -> Ran:
    """Run it headless in an empty folder, the gateway in front of a scripted vendor of everything."""
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir(exist_ok=True)
    async with StrictScript(script) as vendor:
        providers = {
            "openai-codex": {"api_base": vendor.url, "auth_header": "Bearer x"},
            "anthropic": {"api_base": vendor.url, "api_key": "sk-ant-api03-x"},
            "own": {"api_base": f"{vendor.url}/v1", "models": ["some-model"]},
        }
        handle = await start_proxy(
            port=0,
            home=folder / "state",
            auth_token=TOKEN,
            providers=providers,
            credentials={"order": ["config"]},
            upstream={"retry": {"attempts": 1}},
        )
        async with handle:
            environment = {
                "HOME": str(home),
                "PATH": os.environ["PATH"],
                "ANTHROPIC_BASE_URL": handle.base_url,
                "ANTHROPIC_AUTH_TOKEN": TOKEN,
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "DISABLE_AUTOUPDATER": "1",
                **(environ or {}),
            }
            began = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                program("OAUTHROUTER_E2E_CLAUDE"),
                "-p",
                *arguments,
                cwd=work,
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                printed, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 90)
            except TimeoutError:
                process.kill()
                await process.wait()
                pytest.fail("Claude Code hangs")
            assert vendor.refused == []
            return Ran(process.returncode, printed.decode(), vendor.seen, time.monotonic() - began)


def calls(name: str, arguments: Json, call_id: str = "call_1") -> Play:
    """OpenAI's model calls a tool."""
    response = {"id": "resp_3", "object": "response", "model": "m", "status": "in_progress", "output": []}
    item = {"type": "function_call", "id": "fc_1", "call_id": call_id, "name": name, "arguments": json.dumps(arguments)}
    return events(
        ("response.created", {"response": response}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, "arguments": ""}}),
        ("response.output_item.done", {"output_index": 0, "item": {**item, "status": "completed"}}),
        ("response.completed", {"response": {**response, "status": "completed", "usage": USAGE}}),
    )


def searched(words: str) -> Play:
    """OpenAI's model has searched the web."""
    response = {"id": "resp_4", "object": "response", "model": "m", "status": "in_progress", "output": []}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "tides"}}
    source = {"type": "url_citation", "url": "https://tides.example/oslo", "title": "Tides of Oslo"}
    content = {"type": "output_text", "text": words, "annotations": [{**source, "start_index": 0, "end_index": 4}]}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [content]}
    return events(
        ("response.created", {"response": response}),
        ("response.output_item.done", {"output_index": 0, "item": search}),
        ("response.output_item.done", {"output_index": 1, "item": item}),
        ("response.completed", {"response": {**response, "status": "completed", "usage": USAGE}}),
    )


def answers(seen: Seen) -> list[Json]:
    return [item for item in seen.body["input"] if str(item.get("type")).endswith("_output")]


def said_in_chat(words: str) -> Play:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "some-model"}
    chunks = [
        {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": words}, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**head, "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}},
    ]
    return Play([*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"])


def refusal(status: int, kind: str, message: str, **headers: str) -> Play:
    return Play.json({"type": "error", "error": {"type": kind, "message": message}}, status, **headers)


CLAUDES_LIMIT = {
    "retry-after": "7200",
    "anthropic-ratelimit-unified-status": "rejected",
    "anthropic-ratelimit-unified-representative-claim": "five_hour",
}


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_used_up_plan_ends_the_turn(model: str, tmp_path: Path) -> None:
    def script(seen: Seen) -> Play:
        return limit(7200) if model == GPT else refusal(429, "rate_limit_error", "limit reached", **CLAUDES_LIMIT)

    ran = await claude(tmp_path, script, "say hi", "--model", model)
    assert ran.code == 1
    assert "limit" in ran.printed.lower()
    assert ran.seconds < 60
    assert len(ran.seen) == 1


@pytest.mark.parametrize("model", [GPT, CLAUDE])
async def test_short_rate_limit_is_waited_out(model: str, tmp_path: Path) -> None:
    asked: list[Seen] = []

    def script(seen: Seen) -> Play:
        asked.append(seen)
        if len(asked) > 1:
            return said("it is done") if model == GPT else said_by_claude("it is done")
        if model == GPT:
            return failed("rate_limit_exceeded", "Rate limit reached. Please try again in 2.054s.")
        return refusal(429, "rate_limit_error", "slow down", **{"retry-after": "2"})

    ran = await claude(tmp_path, script, "say hi", "--model", model)
    assert (ran.code, "it is done" in ran.printed) == (0, True), ran.printed
    assert ran.seconds > 2
    assert len(ran.seen) >= 2


FULL = {
    GPT: failed("context_length_exceeded", "Your input exceeds the context window of this model."),
    CLAUDE: refusal(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    CHAT: Play.json(
        {
            "error": {
                "message": "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
        400,
    ),
}


@pytest.mark.parametrize("model", FULL)
async def test_full_context_is_compacted(model: str, tmp_path: Path) -> None:
    turns: list[Seen] = []

    def speak(words: str) -> Play:
        return said(words) if model == GPT else said_by_claude(words) if model == CLAUDE else said_in_chat(words)

    def script(seen: Seen) -> Play:
        if "Respond with TEXT ONLY" in json.dumps(seen.body):
            return speak("<summary>We spoke of tides.</summary>")
        turns.append(seen)
        return FULL[model] if len(turns) == 2 else speak("The tide is high." if len(turns) == 1 else "it is done")

    lines = [
        json.dumps({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": words}]}})
        for words in ("tell me of tides " + "word " * 2000, "and now")
    ]
    formats = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
    ran = await claude(tmp_path, script, "--model", model, *formats, stdin="\n".join(lines) + "\n")
    kinds = [(message["type"], message.get("subtype")) for message in ran.messages]
    assert ("system", "compact_boundary") in kinds, ran.printed[-2000:]
    assert [message["result"] for message in ran.messages if message["type"] == "result"][-1] == "it is done"
    assert "We spoke of tides" in json.dumps(ran.seen[-1].body)


async def test_web_search_gives_links(tmp_path: Path) -> None:
    def script(seen: Seen) -> Play:
        if any(tool.get("type") == "web_search" for tool in seen.body.get("tools") or ()):
            return searched("High at six.")
        return said("it is done") if answers(seen) else calls("WebSearch", {"query": "tides of Oslo"})

    ran = await claude(tmp_path, script, "search", "--model", GPT, "--allowedTools", "WebSearch")
    assert (ran.code, "it is done" in ran.printed) == (0, True), ran.printed
    [found] = ran.answers
    assert 'Links: [{"title":"Tides of Oslo","url":"https://tides.example/oslo"}]' in found["output"]
    assert "High at six." in found["output"]


async def test_tools_of_a_server_are_found_and_called_with_and_without_arguments(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "mcp.json").write_text(json.dumps({"mcpServers": {"tide": {"command": sys.executable, "args": [TIDE_SERVER]}}}))
    steps = [
        calls("ToolSearch", {"query": "select:mcp__tide__now,mcp__tide__at", "max_results": 5}, "c1"),
        calls("mcp__tide__now", {}, "c2"),
        calls("mcp__tide__at", {"place": "Oslo"}, "c3"),
        said("it is done"),
    ]
    ran = await claude(
        tmp_path,
        lambda seen: steps[len(answers(seen))],
        *("tide?", "--model", GPT, "--mcp-config", "mcp.json", "--strict-mcp-config"),
        *("--allowedTools", "mcp__tide__now,mcp__tide__at,ToolSearch"),
        environ={"ENABLE_TOOL_SEARCH": "true"},
    )
    assert (ran.code, "it is done" in ran.printed) == (0, True), ran.printed
    offered = [{tool["name"] for tool in seen.body["tools"] if tool["name"].startswith("mcp__")} for seen in ran.seen]
    assert offered[0] == set(), "tools are offered before they are found"
    assert offered[1] == offered[-1] == {"mcp__tide__now", "mcp__tide__at"}
    found, now, at = ran.answers
    assert "mcp__tide__now" in json.dumps(found["output"])
    assert now["output"] == "TIDE now {}"
    assert at["output"] == 'TIDE at {"place": "Oslo"}'


async def test_sub_agent_answers_its_parent(tmp_path: Path) -> None:
    def script(seen: Seen) -> Play:
        text = json.dumps(seen.body["input"])
        if "COUNT THE WAVES" in text and "BEGIN HERE" not in text:
            return said("seven waves")
        agent = {"description": "count", "prompt": "COUNT THE WAVES", "subagent_type": "general-purpose"}
        return said("it is done") if answers(seen) else calls("Agent", agent)

    ran = await claude(tmp_path, script, "BEGIN HERE", "--model", GPT)
    assert (ran.code, "it is done" in ran.printed) == (0, True), ran.printed
    assert "seven waves" in json.dumps(ran.seen[-1].body["input"])


async def test_image_that_a_tool_read_is_seen(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "pixel.png").write_bytes(base64.b64decode(PIXEL))

    def script(seen: Seen) -> Play:
        return said("it is done") if answers(seen) else calls("Read", {"file_path": "pixel.png"})

    ran = await claude(tmp_path, script, "look", "--model", GPT, "--allowedTools", "Read")
    assert (ran.code, "it is done" in ran.printed) == (0, True), ran.printed
    [image] = [part for part in ran.answers[0]["output"] if part["type"] == "input_image"]
    assert image["image_url"] == f"data:image/png;base64,{PIXEL}"


@pytest.mark.parametrize("model", [CLAUDE, GPT])
async def test_fast_mode_reaches_the_model_that_has_it(model: str, tmp_path: Path) -> None:
    def script(_seen: Seen) -> Play:
        return said("it is done") if model == GPT else said_by_claude("it is done")

    ran = await claude(tmp_path, script, "say hi", "--model", model, "--settings", json.dumps({"fastMode": True}))
    assert (ran.code, "it is done" in ran.printed) == (0, True), ran.printed
    if model == CLAUDE:
        assert {seen.body.get("speed") for seen in ran.seen} == {"fast"}
        assert all("fast-mode" in seen.headers["anthropic-beta"] for seen in ran.seen)
    else:
        assert all("speed" not in seen.body for seen in ran.seen)

"""The tool runner of Anthropic's SDK for JavaScript, which asks for a thread: it goes on with the whole conversation where none can be kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.support.real_programs import Sandbox, program, running_gateway, running_upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_upstream() as upstream, Sandbox(tmp_path).tidy() as sandbox:
        sandbox.state.mkdir(parents=True)
        (sandbox.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
        with running_gateway(sandbox):
            yield sandbox


TOOL_RUNNER = """
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
const asked = [];
const watched = (url, init) => { asked.push(JSON.parse(init.body)); return fetch(url, init); };
const run = (input) => `rain in ${input.command}`;
const inputSchema = { type: "object", properties: { command: { type: "string" } }, required: ["command"] };
const tool = betaTool({ name: "get_weather", description: "The weather", inputSchema, run });
const runner = new Anthropic({ fetch: watched }).beta.messages.toolRunner({
  model: process.argv[2], max_tokens: 500, tools: [tool],
  messages: [{ role: "user", content: 'USE_TOOL get_weather {"command": "Oslo"}' }],
});
const last = await runner;
const whole = asked.filter((body) => !body.thread).map((body) => body.messages.length);
console.log(JSON.stringify({ threads: asked.filter((body) => body.thread).length, whole, said: last.content.at(-1).text }));
"""


@pytest.mark.parametrize("model", ["auto", "openai-codex/gpt-5.6-terra"])
def test_the_tool_runner_of_javascript_sends_the_whole_conversation_where_no_thread_can_be_kept(
    model: str, sandbox: Sandbox
) -> None:
    folder = program("OAUTHROUTER_E2E_SDKS").parents[2]
    script = folder / f"run-tools-{os.getpid()}.mjs"
    script.write_text(TOOL_RUNNER)
    try:
        done = sandbox.ours("run", "--", str(program("OAUTHROUTER_E2E_NODE")), str(script), model)
    finally:
        script.unlink()
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["threads"], "the runner no longer asks for a thread: this test has nothing to show"
    assert told["whole"] == [1, 3]
    assert "rain in Oslo" in told["said"]

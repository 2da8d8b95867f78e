"""Real clients take turns through the gateway: as ``setup`` leaves them, and as ``run`` starts them with nothing set up."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from openclaw_oauthrouter.cli.clients import CLIENTS
from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.support.real_programs import Sandbox, Upstream, program, running_gateway, running_upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Agent:
    """One client.

    :ivar variable: names its program
    :ivar words: a headless turn that says hello, once it is set up
    :ivar run_words: the same below ``run``; as ``words`` when empty
    :ivar options: of ``setup``
    """

    variable: str
    words: Sequence[str]
    run_words: Sequence[str] = ()
    options: Sequence[str] = ()


AGENTS = {
    "claude-code": Agent("OAUTHROUTER_E2E_CLAUDE", ("-p", "say hello", "--model", "auto"), ("-p", "say hello")),
    "codex": Agent("OAUTHROUTER_E2E_CODEX", ("exec", "--skip-git-repo-check", "say hello"), options=("--default-model",)),
    "opencode": Agent("OAUTHROUTER_E2E_OPENCODE", ("run", "say hello"), options=("--default-model",)),
    "cline": Agent("OAUTHROUTER_E2E_CLINE", ("say hello",)),
    "continue": Agent("OAUTHROUTER_E2E_CONTINUE", ("-p", "say hello")),
    "qwen-code": Agent("OAUTHROUTER_E2E_QWEN", ("-p", "say hello")),
    "aider": Agent(
        "OAUTHROUTER_E2E_AIDER",
        ("--no-git", "--yes-always", "--no-check-update", "--analytics-disable", "--message", "say hello"),
        options=("--default-model",),
    ),
    "llm": Agent("OAUTHROUTER_E2E_LLM", ("-m", "oauthrouter-auto", "say hello"), ("-m", "gpt-4o", "say hello")),
}
"""Those that have no other way in than a window (Zed, Cursor, Open WebUI, LibreChat) are tested by what their files and guides hold."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as found:
        yield found


@pytest.fixture
def sandbox(tmp_path: Path, upstream: Upstream) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path)
    sandbox.state.mkdir(parents=True)
    (sandbox.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
    sandbox.environ |= {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "NO_PROXY": "*"}
    with running_gateway(sandbox):
        yield sandbox


def put_on_path(sandbox: Sandbox, agent: Agent, name: str) -> str:
    """The client under its own name, as a shell would find it; Node's own programs need Node."""
    command = CLIENTS[name].programs[0]
    found = program(agent.variable)
    folder = sandbox.root / "bin"
    folder.mkdir(exist_ok=True)
    node = Path(os.environ.get("OAUTHROUTER_E2E_NODE", "/usr/bin/node"))
    is_script = found.suffix in (".js", ".mjs") or found.resolve().suffix in (".js", ".mjs")
    line = f'exec "{node}" "{found}" "$@"' if is_script else f'exec "{found}" "$@"'
    (folder / command).write_text(f"#!/bin/sh\n{line}\n")
    (folder / command).chmod(0o755)
    sandbox.environ["PATH"] = f"{folder}:{node.parent}:{sandbox.environ['PATH']}"
    return command


def turns(upstream: Upstream, since: int) -> list[str]:
    return [path for path, _, body in upstream.requests[since:] if b"say hello" in body]


@pytest.mark.parametrize("name", AGENTS)
def test_it_answers_once_it_is_set_up(name: str, sandbox: Sandbox, upstream: Upstream) -> None:
    agent = AGENTS[name]
    command, since = put_on_path(sandbox, agent, name), len(upstream.requests)
    sandbox.ours("setup", name, "--yes", *agent.options)
    done = sandbox.run([command, *agent.words])
    assert "This is the demo speaking" in done.stdout
    assert turns(upstream, since)
    sandbox.ours("setup", name, "--undo", "--yes")


@pytest.mark.parametrize("name", AGENTS)
def test_it_answers_without_being_set_up(name: str, sandbox: Sandbox, upstream: Upstream) -> None:
    agent = AGENTS[name]
    put_on_path(sandbox, agent, name)
    since = len(upstream.requests)
    done = sandbox.ours("run", name, *(agent.run_words or agent.words))
    assert "This is the demo speaking" in done.stdout
    assert turns(upstream, since)


SAY = '"role": "user", "content": "say hello"'
FRAMEWORKS = {
    "litellm": f"""
import litellm
print(litellm.completion("openai/auto", [{{{SAY}}}]).choices[0].message.content)
""",
    "litellm, Messages": f"""
import litellm
print(litellm.completion("anthropic/claude-haiku-4-5", [{{{SAY}}}]).choices[0].message.content)
""",
    "smolagents": """
import os
from smolagents import OpenAIServerModel
model = OpenAIServerModel("auto", api_base=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
print(model.generate([{"role": "user", "content": [{"type": "text", "text": "say hello"}]}]).content)
""",
    "langchain": """
from langchain_openai import ChatOpenAI
print(ChatOpenAI(model="auto").invoke("say hello").content)
""",
    "llama-index": """
import os
from llama_index.llms.openai_like import OpenAILike
print(OpenAILike(model="auto", is_chat_model=True, api_base=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"]).complete("say hello"))
""",
    "instructor": """
import instructor, openai
print(instructor.from_openai(openai.OpenAI()).client.chat.completions.create(model="auto", messages=[{"role": "user", "content": "say hello"}]).choices[0].message.content)
""",
    "openai-agents": """
from agents import Agent, Runner, set_tracing_disabled
set_tracing_disabled(True)
print(Runner.run_sync(Agent(name="a", model="auto"), "say hello").final_output)
""",
}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_answers_below_run(name: str, sandbox: Sandbox, upstream: Upstream) -> None:
    # Each in an environment of its own, but for the two that take the same versions.
    folder = name if name in ("smolagents", "langchain", "llama-index", "instructor") else "litellm"
    python, since = program("OAUTHROUTER_E2E_FRAMEWORKS").parents[2] / folder / "bin" / "python", len(upstream.requests)
    done = sandbox.ours("run", "--", str(python), "-c", FRAMEWORKS[name])
    assert "This is the demo speaking" in done.stdout
    assert turns(upstream, since)


SDKS = {
    "openai": """
import OpenAI from "openai";
const client = new OpenAI();
const whole = await client.chat.completions.create({ model: "auto", messages: [{ role: "user", content: "say hello" }] });
const streamed = await client.responses.stream({ model: "auto", input: "say hello" }).finalResponse();
console.log(whole.choices[0].message.content, streamed.output_text);
""",
    "anthropic": """
import Anthropic from "@anthropic-ai/sdk";
const message = await new Anthropic().messages.create({ model: "auto", max_tokens: 100, messages: [{ role: "user", content: "say hello" }] });
console.log(message.content.at(-1).text);
""",
    "ai-sdk": """
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
const { text } = await generateText({ model: createOpenAI({ baseURL: process.env.OPENAI_BASE_URL })("auto"), prompt: "say hello" });
console.log(text);
""",
}


@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_of_javascript_answers_below_run(name: str, sandbox: Sandbox, upstream: Upstream) -> None:
    # Beside the modules' folder, where Node looks for them.
    folder, since = program("OAUTHROUTER_E2E_SDKS").parents[2], len(upstream.requests)
    script = folder / f"say-hello-{os.getpid()}-{name}.mjs"
    script.write_text(SDKS[name])
    try:
        done = sandbox.ours("run", "--", str(program("OAUTHROUTER_E2E_NODE")), str(script))
    finally:
        script.unlink()
    assert "This is the demo speaking" in done.stdout
    assert turns(upstream, since)


def test_run_and_setup_know_every_client_of_the_table() -> None:
    assert set(AGENTS) == {name for name, client in CLIENTS.items() if client.guide is None and name != "zed"}

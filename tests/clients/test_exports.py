"""SDKs and a framework that are told nothing but what ``setup env`` exports: no address and no token in the code."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator

import pytest

from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.support.real_programs import Sandbox, Upstream, running_gateway, running_upstream

pytestmark = pytest.mark.timeout(120)

CALLS = {
    "openai chat": """
import openai
messages = [{"role": "user", "content": "hello there"}]
print(openai.OpenAI().chat.completions.create(model="auto", messages=messages).choices[0].message.content)
""",
    "openai responses": """
import openai
print(openai.OpenAI().responses.create(model="auto", input="hello there").output_text)
""",
    "anthropic": """
import anthropic
messages = [{"role": "user", "content": "hello there"}]
print(anthropic.Anthropic().messages.create(model="auto", max_tokens=100, messages=messages).content[0].text)
""",
    "pydantic-ai": """
from pydantic_ai import Agent
print(Agent("openai-chat:auto").run_sync("hello there").output)
""",
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as found:
        yield found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("exports"))
    sandbox.state.mkdir(parents=True)
    (sandbox.state / "config.json").write_text(json.dumps(demo_settings(upstream.origin)))
    with running_gateway(sandbox):
        # Keys for the vendors themselves, as many people have them in their shell's profile.
        sandbox.environ |= {"OPENAI_API_KEY": "sk-the-vendors", "ANTHROPIC_API_KEY": "sk-ant-api03-the-vendors"}
        yield sandbox


@pytest.mark.parametrize("client", CALLS)
def test_exports_are_enough(client: str, sandbox: Sandbox, upstream: Upstream) -> None:
    python = shlex.quote(sys.executable)
    script = f'eval "$({python} -P -m openclaw_oauthrouter setup env)"; exec {python} -P -c {shlex.quote(CALLS[client])}'
    answered = len(upstream.requests)
    assert sandbox.run(["sh", "-euc", script]).stdout.strip() == "This is the demo speaking as gpt-6-luna. You wrote: hello there"
    # Lists of models are asked for in the background, with other credentials.
    [headers] = [headers for path, headers, _ in upstream.requests[answered:] if path == "/backend-api/codex/responses"]
    assert headers["authorization"] == demo_settings(upstream.origin)["providers"]["openai-codex"]["auth_header"]

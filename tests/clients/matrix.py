"""What clients can do through the gateway, as data: ``test_matrix`` runs it, docs/clients.md shows it.

``python -m tests.clients.matrix --write`` renews the table of the page.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ABILITIES = ("plain", "stream", "tools", "structured", "image", "abort", "models")
PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
BEGIN, END = "<!-- table of abilities: python -m tests.clients.matrix --write -->\n", "<!-- end of the table -->\n"

SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false}'
COUNT = "COUNT_TO 3000"


@dataclass(frozen=True)
class Program:
    """An SDK or a framework.

    :ivar file: its program in ``programs/``
    :ivar environment: folder that .ci/install-clients has made for it
    :ivar without: ability -> why it has none
    """

    label: str
    file: str
    environment: str = ""
    without: Mapping[str, str] = field(default_factory=dict)

    @property
    def abilities(self) -> tuple[str, ...]:
        return tuple(ability for ability in ABILITIES if ability not in self.without)


@dataclass(frozen=True)
class Run:
    """One headless turn of a command line.

    :ivar files: to be written beside it
    :ivar set_up: after ``setup``; otherwise below ``run``
    """

    words: Sequence[str]
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    set_up: bool = False


@dataclass(frozen=True)
class Command:
    """A command line.

    :ivar elsewhere: ability -> the test that shows it
    :ivar without: ability -> why it has none
    """

    label: str
    runs: Mapping[str, Run]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)


_ASKS_FOR_NO_LIST = {"models": "asks for no list"}
_PLAIN = {"plain": "test_agents"}

PROGRAMS = {
    "openai": Program("openai (Python)", "openai_sdk.py"),
    "anthropic": Program("anthropic (Python)", "anthropic_sdk.py"),
    "openai-js": Program("openai (JavaScript)", "openai_sdk.mjs"),
    "anthropic-js": Program("@anthropic-ai/sdk", "anthropic_sdk.mjs"),
    "ai-sdk": Program("AI SDK", "ai_sdk.mjs", without=_ASKS_FOR_NO_LIST),
    "pydantic-ai": Program("pydantic-ai", "pydantic_ai.py", without=_ASKS_FOR_NO_LIST),
    "litellm": Program("LiteLLM", "litellm.py", "litellm"),
    "openai-agents": Program("OpenAI Agents SDK (Python)", "openai_agents.py", "litellm", _ASKS_FOR_NO_LIST),
    "langchain": Program("LangChain", "langchain.py", "langchain", _ASKS_FOR_NO_LIST),
    "llama-index": Program("LlamaIndex (`OpenAILike`)", "llama_index.py", "llama-index", _ASKS_FOR_NO_LIST),
    "instructor": Program(
        "instructor",
        "instructor.py",
        "instructor",
        {**_ASKS_FOR_NO_LIST, "stream": "partial objects", "tools": "as objects", "abort": "the SDK's below it"},
    ),
    "smolagents": Program("smolagents", "smolagents.py", "smolagents", _ASKS_FOR_NO_LIST),
}

_ECHO = '"echo hello-from-tool"'
COMMANDS = {
    "claude-code": Command(
        "Claude Code",
        {
            "stream": Run(("-p", "say hello")),
            "structured": Run(
                ("-p", 'USE_TOOL StructuredOutput {"city": "demo"}', "--output-format", "json", "--json-schema", SCHEMA)
            ),
            "image": Run(
                ("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
                '{"type":"user","message":{"role":"user","content":[{"type":"text","text":"say hello"},'
                '{"type":"image","source":{"type":"base64","media_type":"image/png","data":"{picture}"}}]}}\n',
            ),
            "abort": Run(("-p", COUNT)),
        },
        {**_PLAIN, "tools": "test_command_lines", "models": "test_pickers"},
    ),
    "codex": Command(
        "Codex CLI",
        {
            "stream": Run(("exec", "--skip-git-repo-check", "say hello")),
            "structured": Run(
                ("exec", "--skip-git-repo-check", "--output-schema", "{root}/schema.json", "which city"),
                files={"schema.json": SCHEMA},
            ),
            "image": Run(("exec", "--skip-git-repo-check", "say hello", "-i", "{root}/square.png")),
            "abort": Run(("exec", "--skip-git-repo-check", COUNT)),
        },
        {**_PLAIN, "tools": "test_command_lines", "models": "test_pickers"},
    ),
    "opencode": Command(
        "opencode",
        {
            "stream": Run(("run", "say hello")),
            "tools": Run(("run", f'USE_TOOL bash {{"command": {_ECHO}, "description": "say hello"}}')),
            "image": Run(("run", "say hello", "-f", "{root}/square.png")),
            "abort": Run(("run", COUNT)),
            "models": Run(("models", "oauthrouter")),
        },
        _PLAIN,
        {"structured": "has none"},
    ),
    "cline": Command(
        "Cline",
        {
            "stream": Run(("say hello",)),
            "tools": Run((f'USE_TOOL run_commands {{"commands": [{_ECHO}]}}',)),
            "abort": Run((COUNT,)),
        },
        _PLAIN,
        {"structured": "has none", "image": "its window only", **_ASKS_FOR_NO_LIST},
    ),
    "continue": Command(
        "Continue",
        {
            "stream": Run(("-p", "say hello")),
            "tools": Run(("--auto", "-p", f'USE_TOOL Bash {{"command": {_ECHO}}}')),
            "abort": Run(("-p", COUNT)),
        },
        _PLAIN,
        {"structured": "has none", "image": "its window only", **_ASKS_FOR_NO_LIST},
    ),
    "qwen-code": Command(
        "Qwen Code",
        {
            "stream": Run(("-p", "say hello")),
            "tools": Run(("-y", "-p", f'USE_TOOL run_shell_command {{"command": {_ECHO}, "is_background": false}}')),
            "structured": Run(("-p", 'USE_TOOL structured_output {"city": "demo"}', "--json-schema", SCHEMA)),
            "image": Run(("-p", "say hello @square.png")),
            "abort": Run(("-p", COUNT)),
        },
        _PLAIN,
        _ASKS_FOR_NO_LIST,
    ),
    "aider": Command(
        "aider",
        {
            "stream": Run(
                ("--no-git", "--yes-always", "--no-check-update", "--analytics-disable", "--message", "say hello"),
            ),
            "abort": Run(("--no-git", "--yes-always", "--no-check-update", "--analytics-disable", "--message", COUNT)),
        },
        _PLAIN,
        {"tools": "has none", "structured": "has none", "image": "of models it knows", **_ASKS_FOR_NO_LIST},
    ),
    "llm": Command(
        "llm",
        {
            "stream": Run(("-m", "gpt-4o", "say hello")),
            "tools": Run(
                ("-m", "gpt-4o", "--functions", 'def say() -> str:\n    return "hello-from-tool"', "USE_TOOL say {}"),
            ),
            "structured": Run(("-m", "gpt-4o", "--schema", SCHEMA, "which city")),
            "image": Run(("-m", "gpt-4o", "-a", "{root}/square.png", "say hello")),
            "abort": Run(("-m", "gpt-4o", COUNT)),
            "models": Run(("models",), set_up=True),
        },
        _PLAIN,
    ),
}


def table() -> str:
    """The table, as the page has it."""
    lines = [f"| client | {' | '.join(ABILITIES)} |", f"| --- |{' --- |' * len(ABILITIES)}"]
    for row in (*COMMANDS.values(), *PROGRAMS.values()):
        cells = [row.without.get(ability, "yes") for ability in ABILITIES]
        lines.append(f"| {row.label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page_with_table(page: str) -> str:
    """The page with the table as it is now."""
    return re.sub(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: "\n" + table() + "\n", page, flags=re.DOTALL)


if __name__ == "__main__" and "--write" in sys.argv:
    PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

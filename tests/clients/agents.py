"""The command lines that are driven: where each is, and how it says hello."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openclaw_oauthrouter.cli.clients import CLIENTS
from tests.support.real_programs import Sandbox, program

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "NO_PROXY": "*",
}
"""Nobody shall look for news of itself."""


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


def put_on_path(sandbox: Sandbox, name: str) -> str:
    """The client under its own name, as a shell would find it; Node's own programs need Node."""
    command = CLIENTS[name].programs[0]
    found = program(AGENTS[name].variable)
    folder = sandbox.root / "bin"
    folder.mkdir(exist_ok=True)
    node = Path(os.environ.get("OAUTHROUTER_E2E_NODE", "/usr/bin/node"))
    is_script = found.suffix in (".js", ".mjs") or found.resolve().suffix in (".js", ".mjs")
    line = f'exec "{node}" "{found}" "$@"' if is_script else f'exec "{found}" "$@"'
    (folder / command).write_text(f"#!/bin/sh\n{line}\n")
    (folder / command).chmod(0o755)
    sandbox.environ["PATH"] = f"{folder}:{node.parent}:{sandbox.environ['PATH']}"
    return command


def red_square() -> str:
    """A PNG, in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * 32) * 32
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


PICTURE = red_square()

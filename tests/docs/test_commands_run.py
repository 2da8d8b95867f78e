"""Every command of ours in the pages' boxes is run as it stands there, in an empty home, beside a demo gateway and a fake vendor."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.cli.root import run
from tests.docs.pages import DOCS, ROOT, all_pages, blocks

PAGES = [
    ROOT / "README.md",
    *(DOCS / f"{name}.md" for name in ("index", "guide", "providers", "clients", "deploy", "migration", "troubleshooting")),
]
"""The runbook's are run by tests/openclaw with the real OpenClaw, the ``curl`` lines by test_http_api.py and test_how_to.py."""

OURS = "openclaw-oauthrouter"
OTHERS = {"pip", "make", "ssh"}
LITELLM = """\
model_list:
  - model_name: small
    litellm_params: {model: anthropic/claude-haiku-4-5, api_key: os.environ/ANTHROPIC_API_KEY}
"""
MODELS = {"data": [{"id": "claude-haiku-5-5"}]}


def lines(page: Path) -> list[list[str]]:
    """The words of each command."""
    found = [shlex.split(line, comments=True) for block in blocks(page, "bash") for line in block.splitlines()]
    return [words for words in found if words]


@contextmanager
def vendor() -> Iterator[str]:
    """Lists a model to who has a key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            has_key = "x-api-key" in self.headers or "authorization" in self.headers
            body = json.dumps(MODELS if has_key else {}).encode()
            self.send_response(200 if has_key else 401)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serving(environ: dict[str, str], *options: str) -> Iterator[dict[str, Any]]:
    """A gateway as the commands start one; what it says of itself."""
    command = [sys.executable, "-P", "-m", "openclaw_oauthrouter", "serve", "--port", "0", "--json", *options]
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@dataclass
class Home:
    """Somebody's home, and how a command is run in it.

    :ivar environ: for programs
    """

    environ: dict[str, str]
    monkeypatch: pytest.MonkeyPatch

    def run(self, words: list[str]) -> int:
        """Run our command; what it asks is answered with a key or yes."""
        special = SPECIAL.get(words[1])
        if special is not None:
            return special(self, words[1:])
        self.monkeypatch.setattr(
            sys, "stdin", io.StringIO("y\n" if words[1] in ("setup", "openclaw", "migrate") else "sk-ant-a-key")
        )
        return run([os.path.expanduser(word) for word in words[1:]])


def _serve(home: Home, words: list[str]) -> int:
    assert words == ["serve"]
    with serving(home.environ) as told:
        assert told["address"].startswith("http://127.0.0.1:")
    return 0


def _as_a_program(home: Home, words: list[str]) -> int:
    command = [sys.executable, "-P", "-m", "openclaw_oauthrouter", *words]
    return subprocess.run(
        command, env=home.environ, cwd=home.environ["HOME"], stdin=subprocess.DEVNULL, timeout=50, check=False
    ).returncode


def _demo(home: Home, words: list[str]) -> int:
    return run([*words, "--port", "0"])


def _auth(home: Home, words: list[str]) -> int:
    if words[1] == "login":  # the sign-in itself is played by tests/credentials; here nobody comes back from the browser
        assert run([*words, "--no-browser", "--port", "0", "--timeout", "0.05"]) == 1
        return 0
    home.monkeypatch.setattr(sys, "stdin", io.StringIO("sk-ant-a-key"))
    return run(words)


SPECIAL: dict[str, Callable[[Home, list[str]], int]] = {"serve": _serve, "run": _as_a_program, "demo": _demo, "auth": _auth}
ENDS_WITH = {("doctor",): {0, 1}, ("auth", "status"): {0, 1}}
"""Other ends than 0: where there is no credential."""


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The port of a demo gateway, and the address of a vendor."""
    folder = str(tmp_path_factory.mktemp("demo"))
    token = {"OAUTHROUTER_LOCAL_TOKEN": "a-token-for-the-documents"}
    with vendor() as address, serving({**os.environ, "HOME": folder, **token}, "--demo") as told:
        yield told["address"].rpartition(":")[2], address


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neighbours: tuple[str, str]) -> Home:
    port, address = neighbours
    programs, state = tmp_path / "bin", tmp_path / ".openclaw" / "oauthrouter"
    programs.mkdir()
    for name in ("claude", "codex"):
        (programs / name).write_text("#!/bin/sh\nexit 0\n")
        (programs / name).chmod(0o755)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / "my_agent.py").write_text("import os\nassert os.environ['OPENAI_BASE_URL']\n")
    state.mkdir(parents=True)
    (tmp_path / "litellm").mkdir()
    (tmp_path / "litellm" / "config.yaml").write_text(LITELLM)
    text = "".join(f'[providers.{name}]\napi_base = "{address}"\n' for name in ("anthropic", "openrouter"))
    (state / "config.toml").write_text(text)
    ours = {
        "HOME": str(tmp_path),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "OAUTHROUTER_PORT": port,
        "OAUTHROUTER_LOCAL_TOKEN": "a-token-for-the-documents",
    }
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    monkeypatch.chdir(tmp_path)
    return Home({**os.environ}, monkeypatch)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_run(page: Path, home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    """Takes some seconds: a page has up to thirty commands, each doing what it says."""
    ran = 0
    for words in lines(page):
        if words[0] != OURS:
            assert words[0] in OTHERS, words
            continue
        code = home.run(words)
        out, err = capfd.readouterr()
        allowed = next((codes for begin, codes in ENDS_WITH.items() if tuple(words[1:]) == begin), {0})
        assert code in allowed, f"{' '.join(words)}\n{out}\n{err}"
        assert "Traceback" not in err, words
        ran += 1
    assert ran


RUN_ELSEWHERE = {
    "openclaw-runbook.md": "tests/openclaw/test_runbook.py",
    "http-api.md": "tests/docs/test_http_api.py",
    "how-to": "tests/docs/test_how_to.py",
}
"""Where the boxes of other pages are run."""


@pytest.mark.parametrize("page", list(all_pages()), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_ours_stand_in_boxes_that_are_run(page: Path) -> None:
    """No page holds a command that nothing tries: a box without its language, or a page that nobody runs."""
    for language, code in _BOX.findall(page.read_text(encoding="utf-8")):
        starts = [line.split()[0] for line in code.splitlines() if line.strip()]
        if OURS not in starts or page.name == "commands.md":  # that page's boxes are the forms of commands
            continue
        assert language == "bash", code
        runner = RUN_ELSEWHERE.get(page.name) or RUN_ELSEWHERE.get(page.parent.name)
        assert page in PAGES or (runner is not None and (ROOT / runner).is_file()), code


_BOX = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

"""The first minute with the gateway, played at a pseudo terminal against fake vendors."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.terminal import CTRL_C, CTRL_D, in_terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo terminals")

KEY = "sk-ant-api03-the-right-one"
_LIST = {"data": [{"id": "claude-haiku-5-5", "type": "model"}, {"id": "claude-sonnet-5-5", "type": "model"}]}
_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-5-5",
    "content": [{"type": "text", "text": "Hello from the fake."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


@contextmanager
def vendor() -> Iterator[tuple[str, list[str]]]:
    """Answers as Anthropic does, to the right key only; its address, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            asked.append(f"{self.command} {self.path.partition('?')[0]}")
            right = self.headers.get("x-api-key") == KEY
            known = _LIST if self.command == "GET" else _ANSWER
            body = json.dumps(known if right else {"type": "error", "error": {"type": "authentication_error"}}).encode()
            self.send_response(200 if right else 401)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Somebody's first start: an empty home folder, nothing of theirs on the search path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    return {
        "HOME": str(tmp_path),
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def state(environ: dict[str, str]) -> Path:
    return Path(environ["HOME"], ".openclaw", "oauthrouter")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configure(environ: dict[str, str], address: str) -> None:
    """A vendor that is asked in place of the real one."""
    state(environ).mkdir(parents=True)
    text = f'[providers.anthropic]\napi_base = "{address}"\n[upstream.model_lists]\nenabled = false\n'
    (state(environ) / "config.toml").write_text(text)


def program(environ: dict[str, str], name: str, script: str = "exit 0") -> None:
    path = Path(environ["PATH"].split(os.pathsep)[0], name)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the line to try is one of curl")
def test_first_minute_leads_from_a_pasted_key_to_the_first_answer(environ: dict[str, str]) -> None:
    program(environ, "claude")
    with vendor() as (address, asked):
        configure(environ, address)
        with in_terminal(["serve", "--port", str(free_port())], environ) as terminal:
            terminal.wait_for("Where should answers come from?")
            terminal.wait_for("Choice [1]: ")
            terminal.type("key\n")
            terminal.wait_for("Paste the key")
            terminal.type("sk-ant-api03-a-wrong-one\n")
            terminal.wait_for("This looks like a key of Anthropic")
            terminal.wait_for("error: Anthropic refuses this key: it answered 401")
            terminal.wait_for("try: copy it once more from https://console.anthropic.com")
            terminal.wait_for("Paste the key")
            terminal.type(f'export ANTHROPIC_API_KEY="{KEY}"\n')
            terminal.wait_for("It works: 2 models. Kept as 'anthropic:key'")
            terminal.wait_for("1  Claude Code")
            terminal.type("1\n")
            terminal.wait_for("ANTHROPIC_BASE_URL")
            terminal.type("y\n")
            terminal.wait_for("providers: anthropic")
            terminal.wait_for("try: ")
            terminal.wait_for("\n")
            line = terminal.text.partition("try: curl")[2].partition("\n")[0]
            said = subprocess.run(["sh", "-c", f"curl{line}"], env=environ, capture_output=True, text=True, timeout=30)
            terminal.type(CTRL_C)
            assert terminal.end() == 0
    assert json.loads(said.stdout)["choices"][0]["message"]["content"] == "Hello from the fake."
    # The wrong key, the right one, and none at all: the list that comes without a key proves nothing of one.
    assert asked == [*["GET /v1/models"] * 3, "POST /v1/messages"]
    assert KEY not in terminal.shown
    assert "a-wrong-one" not in terminal.shown
    assert json.loads((state(environ) / "credentials.json").read_text())["profiles"]["anthropic:key"]["key"] == KEY
    assert "ANTHROPIC_BASE_URL" in Path(environ["HOME"], ".claude", "settings.json").read_text()


def test_first_minute_shows_the_demo_in_a_narrow_terminal_without_colours(environ: dict[str, str]) -> None:
    with in_terminal(["serve", "--port", "0"], {**environ, "NO_COLOR": "1"}, columns=40) as terminal:
        menu = terminal.wait_for("Choice [1]: ")
        terminal.type("9\n")
        terminal.wait_for("error: '9' is not one of 1 to ")
        terminal.type("dmeo\n")
        terminal.wait_for("did you mean 'demo'?")
        terminal.wait_for("try: a number, or demo | key | chatgpt")
        terminal.wait_for("Choice [1]: ")
        terminal.type("\n")
        terminal.wait_for("demo: every answer is built in")
        terminal.wait_for("try: curl")
        terminal.type(CTRL_C)
        assert terminal.end() == 0
    assert max(map(len, menu.splitlines()[1:])) < 40
    assert "\x1b[" not in terminal.shown
    assert not (state(environ) / "credentials.json").exists()


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["ctrl-c", "ctrl-d"])
@pytest.mark.parametrize("at", ["menu", "key"])
def test_first_minute_can_be_left_at_any_question(environ: dict[str, str], key: str, at: str) -> None:
    with in_terminal(["serve", "--port", "0"], environ) as terminal:
        terminal.wait_for("Choice [1]: ")
        if at == "key":
            terminal.type("key\n")
            terminal.wait_for("Enter goes back")
        terminal.type(key)
        assert terminal.end() == 130
    assert terminal.text.rstrip().endswith("interrupted")
    assert "Traceback" not in terminal.shown
    assert not (state(environ) / "credentials.json").exists()


def test_first_minute_lets_openclaw_sign_in(environ: dict[str, str]) -> None:
    profiles = json.dumps({"version": 1, "profiles": {"anthropic:a": {"type": "api_key", "provider": "anthropic", "key": KEY}}})
    folder = Path(environ["HOME"], ".openclaw", "agents", "main", "agent")
    program(environ, "openclaw", f"mkdir -p {folder}; cat > {folder}/auth-profiles.json <<'E'\n{profiles}\nE")
    with in_terminal(["serve", "--port", "0"], environ) as terminal:
        terminal.wait_for("Choice [1]: ")
        terminal.type("openclaw\n")
        terminal.wait_for("Run that now?")
        terminal.type("y\n")
        terminal.wait_for("OpenClaw is signed in now")
        terminal.wait_for("providers: anthropic")
        terminal.type(CTRL_C)
        assert terminal.end() == 0
    assert not (state(environ) / "credentials.json").exists()


def test_serve_does_not_ask_with_no_input(environ: dict[str, str]) -> None:
    with in_terminal(["serve", "--port", "0", "--no-input"], environ) as terminal:
        terminal.wait_for("no provider can be used yet")
        lines = terminal.wait_for("serve --demo").splitlines()
        terminal.type(CTRL_C)
        assert terminal.end() == 0
    ways = [line for line in lines if line.startswith("  ")]
    assert [line.split()[0] for line in ways] == ["key", "ChatGPT", "OpenClaw", "local", "demo"]
    columns = {line.index("openclaw") for line in ways}
    assert len(columns) == 1
    assert "Choice" not in terminal.text


def test_first_minute_goes_back_to_the_menu_when_a_sign_in_fails(environ: dict[str, str]) -> None:
    with in_terminal(["serve", "--port", "0"], {**environ, "SSH_CONNECTION": "far away"}) as terminal:
        terminal.wait_for("Choice [1]: ")
        terminal.type("chatgpt\n")
        terminal.wait_for("Sign in at:")
        terminal.wait_for("Address")
        terminal.type("http://127.0.0.1/no-code\n")
        terminal.wait_for("error: ")
        terminal.wait_for("Choice [1]: ")
        terminal.type("later\n")
        terminal.wait_for("no provider can be used yet")
        terminal.wait_for("serve --demo")
        terminal.type(CTRL_C)
        assert terminal.end() == 0
    assert "Traceback" not in terminal.shown

"""What a start and the commands load: counted, so that no machine's speed matters, and a library that crept in is named."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

NOT_FOR_A_START = {
    "anyio", "flask", "genai_prices", "httpcore", "httpx2", "hypercorn", "jinja2", "json5", "multiprocessing", "opentelemetry", "prometheus_client", "pydantic",
    "pydantic_core", "pygments", "quart", "redis", "rich", "tomlkit", "werkzeug", "wsproto", "yaml",
    "logging.handlers", "openclaw_oauthrouter.proxy.workers.member", "openclaw_oauthrouter.shared_state.health", "openclaw_oauthrouter.telemetry.reader",
}  # fmt: skip
"""What waits for what needs it: a page, a socket, a price that nobody has looked up, a command's table, a file of its kind, a wrong setting, other gateways."""

NOT_FOR_A_COMMAND = (NOT_FOR_A_START - {"rich", "pygments", "anyio", "httpcore"}) | {"openclaw_oauthrouter.pipeline"}

MOST_MODULES = 650
"""That a gateway has loaded when it has answered; raising it wants a reason."""

_TELL = """
import json, sys
before = set(sys.modules)
from openclaw_oauthrouter.__main__ import main
if sys.argv[1] == "serve":  # what it does two seconds later is no part of the start, however slow the machine
    import openclaw_oauthrouter.cli.serve
    openclaw_oauthrouter.cli.serve._AT_REST_SECONDS = 1e6
try:
    main()
except SystemExit:
    pass
print("\\nloaded", json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""
_TOKEN = "t" * 32
_ANSWER = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 1},
}  # fmt: skip


class Anthropic(BaseHTTPRequestHandler):
    """Answers every request with the same message."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps(_ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def anthropic() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Anthropic) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def started(home: Path, *words: str) -> subprocess.Popen[str]:
    """The program, which tells in the end what it has loaded."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environ = {
        **kept,
        "HOME": str(home),
        "OAUTHROUTER_HOME": str(home),
        "ANTHROPIC_API_KEY": "sk-ant-api03-fake",
        "OAUTHROUTER_LOCAL_TOKEN": _TOKEN,
    }
    return subprocess.Popen(
        [sys.executable, "-c", _TELL, *words], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def loaded_by(process: subprocess.Popen[str]) -> set[str]:
    words = process.communicate(timeout=50)[1]
    line = next((line for line in words.splitlines() if line.startswith("loaded ")), None)
    assert line is not None, words
    return set(json.loads(line.removeprefix("loaded ")))


def ask(port: int) -> int:
    """The status of a small request, once the gateway listens."""
    body = json.dumps({"model": "anthropic/claude-haiku-4-5", "messages": [{"role": "user", "content": "hello"}]}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {_TOKEN}"}
    end = time.monotonic() + 50
    while True:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=50) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            assert time.monotonic() < end, "it does not listen"
            time.sleep(0.05)


def test_imports_of_a_start_and_its_first_answer(anthropic: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'[providers.anthropic]\nkind = "anthropic"\napi_base = "{anthropic}"\n')
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = started(tmp_path, "serve", "--no-input", "--config", str(tmp_path / "config.toml"), "--port", str(port))
    assert ask(port) == 200
    process.send_signal(signal.SIGTERM)
    loaded = loaded_by(process)
    assert not loaded & NOT_FOR_A_START
    assert len(loaded) <= MOST_MODULES


@pytest.mark.parametrize(
    ("words", "most", "more"),
    [
        (("--version",), 160, {"asyncio", "httpx"}),
        (("--help",), 160, {"asyncio", "httpx"}),
        (("doctor", "--help"), 160, {"asyncio", "httpx"}),
        (("config", "show"), 320, {"asyncio", "httpx"}),
        (("token",), 420, {"rich"}),
        (("status",), 480, {"rich"}),
        (("spend",), 680, set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_imports_of_a_command(words: tuple[str, ...], most: int, more: set[str], tmp_path: Path) -> None:
    loaded = loaded_by(started(tmp_path, *words))
    assert not loaded & (NOT_FOR_A_COMMAND | more)
    assert len(loaded) <= most

"""A token endpoint on loopback whose refresh tokens can be used once, as the real one's."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest


def access_token(number: int, expires_at: float) -> str:
    claims = {"exp": int(expires_at), "n": number, "https://api.openai.com/auth": {"chatgpt_account_id": "account-1"}}
    parts = ({"alg": "none"}, claims)
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts), "signature"])


class TokenServer(ThreadingHTTPServer):
    """Counts its calls; ``refuse_with`` makes it answer a status instead."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forms: list[dict[str, str]] = []
        self.valid = {"refresh-0"}
        self.refuse_with: tuple[int, dict[str, str], bytes] | None = None
        self.pause = 0.0
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/oauth/token"

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        time.sleep(self.pause)
        with self.guard:
            self.forms.append(form)
            if self.refuse_with is not None:
                return self.refuse_with
            if form.get("refresh_token") not in self.valid:
                return 401, {}, b'{"error": {"code": "refresh_token_reused", "message": "SECRET-BODY"}}'
            number = len(self.forms)
            self.valid = {f"refresh-{number}"}
            answer = {
                "access_token": access_token(number, time.time() + 3600),
                "refresh_token": f"refresh-{number}",
                "expires_in": 3600,
            }
            return 200, {}, json.dumps(answer).encode()


class _Handler(BaseHTTPRequestHandler):
    server: TokenServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        status, headers, answer = self.server.answer({key: values[0] for key, values in parse_qs(body).items()})
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def token_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = TokenServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def expired_profiles(tmp_path: Path) -> Path:
    """An auth-profiles file whose one sign-in has expired, with fields we know nothing of."""
    path = tmp_path / "openclaw" / "auth-profiles.json"
    path.parent.mkdir()
    path.write_text(
        json.dumps(
            {
                "version": 1,
                "profiles": {
                    "openai-codex:default": {
                        "type": "oauth",
                        "provider": "openai-codex",
                        "access": access_token(0, 1000),
                        "refresh": "refresh-0",
                        "expires": 1,
                        "email": "a@example.org",
                    },
                    "anthropic:key": {"type": "api_key", "provider": "anthropic", "key": "sk-ant-api03-x"},
                },
                "usageStats": {"anthropic:key": {"errorCount": 3}},
                "future": {"deep": [1, 2, {"x": None}]},
            }
        )
    )
    path.chmod(0o600)
    return path

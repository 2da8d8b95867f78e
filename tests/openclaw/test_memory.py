"""The real OpenClaw's memory search asks for embeddings through the gateway."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.openclaw.conftest import Host
from tests.support.real_programs import running_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


class Embeddings(ThreadingHTTPServer):
    """A provider that knows embeddings only.

    :ivar asked: bodies of the requests
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Embeddings

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append({"path": self.path, **body})
        data = [
            {"object": "embedding", "index": at, "embedding": [1.0, float(len(text)), 0.5]}
            for at, text in enumerate(body["input"])
        ]
        answer = json.dumps({"object": "list", "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def embeddings() -> Iterator[Embeddings]:
    with Embeddings() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_memory_is_indexed_and_searched_through_the_gateway(host: Host, embeddings: Embeddings) -> None:
    host.state.mkdir(parents=True)
    house = {"api_base": f"http://127.0.0.1:{embeddings.server_port}/v1", "api_key": "x", "models": ["embed-1"]}
    (host.state / "config.json").write_text(json.dumps({"providers": {"house": house}, "credentials": {"order": ["config"]}}))
    host.ours("openclaw", "install", "--default-model", "--yes")
    notes = host.home / ".openclaw" / "workspace"
    notes.mkdir(parents=True)
    (notes / "MEMORY.md").write_text("# Memory\nAnna likes tea.\n")
    with running_gateway(host):
        host.openclaw("config", "set", "memory.search.provider", "oauthrouter")
        host.openclaw("config", "set", "memory.search.model", "house/embed-1")
        host.openclaw("memory", "index", "--agent", "main", "--force")
        indexed = len(embeddings.asked)
        assert "Anna likes tea" in host.openclaw("memory", "search", "what does Anna drink", "--agent", "main", "--json")
    assert indexed >= 1
    assert len(embeddings.asked) > indexed
    assert {(request["path"], request["model"]) for request in embeddings.asked} == {("/v1/embeddings", "embed-1")}

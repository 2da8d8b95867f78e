"""What the real OpenClaw asks of a provider besides answers goes through the gateway: embeddings, pictures described, speech transcribed."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from openclaw_oauthrouter.edits.json5_text import put
from openclaw_oauthrouter.providers.demo.app import demo_settings
from tests.clients.agents import red_square
from tests.openclaw.conftest import Host
from tests.support.real_programs import Upstream, running_gateway

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


class House(ThreadingHTTPServer):
    """A provider that knows embeddings and speech only.

    :ivar asked: paths and bodies of the requests
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, bytes]] = []

    def bodies(self, path: str) -> list[bytes]:
        return [body for asked, body in self.asked if asked == path]


class _Handler(BaseHTTPRequestHandler):
    server: House

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, body))
        if self.path.endswith("/transcriptions"):
            return self._answer({"text": "what time is it in Tokyo"})
        data = [
            {"object": "embedding", "index": at, "embedding": [1.0, float(len(text)), 0.5]}
            for at, text in enumerate(json.loads(body)["input"])
        ]
        return self._answer({"object": "list", "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}})

    def do_GET(self) -> None:
        self.send_error(404)

    def _answer(self, value: object) -> None:
        answer = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory, house: House, module_upstream: Upstream) -> Iterator[Host]:
    """One OpenClaw for all of them, and a gateway that runs by itself: these commands of OpenClaw's start none."""
    host = Host(tmp_path_factory.mktemp("capabilities"))
    host.state.mkdir(parents=True)
    settings = demo_settings(module_upstream.origin)
    base = f"http://127.0.0.1:{house.server_port}/v1"
    providers = {
        **settings["providers"],
        "house": {"apiBase": base, "apiKey": "x", "models": ["embed-1", "own-whisper"]},
        "groq": {"apiBase": base, "apiKey": "x", "models": ["llama"]},
    }
    (host.state / "config.json").write_text(json.dumps({**settings, "providers": providers}))
    host.ours("openclaw", "install", "--default-model", "--yes")
    with running_gateway(host):
        yield host


def configure(host: Host, path: tuple[str, ...], value: object) -> None:
    """As ``openclaw config set`` does, in no time."""
    host.config.write_text(put(host.config.read_text(), path, value))


def test_memory_is_indexed_and_searched_through_the_gateway(connected: Host, house: House) -> None:
    notes = connected.home / ".openclaw" / "workspace"
    notes.mkdir(parents=True)
    (notes / "MEMORY.md").write_text("# Memory\nAnna likes tea.\n")
    configure(connected, ("memory", "search"), {"provider": "oauthrouter", "model": "house/embed-1"})
    connected.openclaw("memory", "index", "--agent", "main", "--force")
    indexed = len(house.bodies("/v1/embeddings"))
    assert "Anna likes tea" in connected.openclaw("memory", "search", "what does Anna drink", "--agent", "main", "--json")
    asked = house.bodies("/v1/embeddings")
    assert 1 <= indexed < len(asked)
    assert {json.loads(body)["model"] for body in asked} == {"embed-1"}


def test_speech_is_transcribed_by_a_provider_that_can(connected: Host, house: House) -> None:
    (connected.root / "speech.wav").write_bytes(b"RIFF" + bytes(4000))
    transcribe = ("infer", "audio", "transcribe", "--file", str(connected.root / "speech.wav"), "--json")
    said = connected.openclaw(*transcribe, "--language", "en")
    assert "what time is it in Tokyo" in said
    (form,) = house.bodies("/v1/audio/transcriptions")
    assert b"whisper-large-v3-turbo" in form
    assert b"RIFF" in form
    named = [{"provider": "oauthrouter", "model": "house/own-whisper", "capabilities": ["audio"]}]
    configure(connected, ("tools", "media", "models"), named)
    connected.openclaw(*transcribe)
    assert b"own-whisper" in house.bodies("/v1/audio/transcriptions")[1]


def test_pictures_are_described_by_a_model_that_sees(connected: Host, module_upstream: Upstream) -> None:
    picture = connected.root / "square.png"
    picture.write_bytes(base64.b64decode(red_square()))
    connected.openclaw("infer", "image", "describe", "--file", str(picture), "--model", "oauthrouter/auto", "--json")
    sent = module_upstream.requests[-1][2]
    assert b"Describe the image" in sent
    assert red_square().encode() in sent

"""The document at ``/openapi.json`` says what is served, and what is served keeps to it, whatever is sent."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from openclaw_oauthrouter.dialects.plugin import oauthrouter_register_dialects
from openclaw_oauthrouter.proxy.app import create_quart_app
from openclaw_oauthrouter.proxy.client_paths import ClientPaths
from openclaw_oauthrouter.proxy.openapi import openapi_document
from openclaw_oauthrouter.proxy.passed_routes import KEPT_BY_PROVIDERS, PASSED_FORMS, PASSED_THROUGH
from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.support.anthropic_streams import MESSAGE
from tests.support.upstream import Play, ScriptedUpstream

ENDLESS = "/debug/routing-trace/stream"
PATHS = ClientPaths(oauthrouter_register_dialects())
DOCUMENT = openapi_document(PATHS, PASSED_THROUGH, PASSED_FORMS, KEPT_BY_PROVIDERS)
METHODS = ("get", "put", "post", "delete", "patch")
OPERATIONS = [
    (path, method) for path, found in DOCUMENT["paths"].items() for method in found if path != ENDLESS and method in METHODS
]
PROVIDERS_FAULT = frozenset({502, 503, 504})
TOKEN = "local-test-token"


class Background:
    """A gateway in a thread of its own, for clients that block."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.base_url = ""
        self.paths: set[str] = set()

    def __enter__(self) -> Background:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._loop
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with ScriptedUpstream(Play.json(MESSAGE)) as upstream, await self._gateway(upstream) as handle:
            rules = create_quart_app(handle.live).url_map.iter_rules()
            self.paths = {rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}") for rule in rules}
            self.base_url = handle.base_url
            self._ready.set()
            await self._stop.wait()

    async def _gateway(self, upstream: ScriptedUpstream) -> ProxyHandle:
        provider = {"api_base": upstream.url, "api_key": "sk-ant-api03-test"}
        return await start_proxy(
            port=0,
            home=self._home,
            auth_token=TOKEN,
            providers={"anthropic": provider},
            credentials={"order": ["config"]},
            server={"graceful_seconds": 1},
        )


@pytest.fixture(scope="module")
def background(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    with Background(tmp_path_factory.mktemp("openapi")) as running:
        yield running


def test_openapi_every_path_is_described_and_no_other(background: Background) -> None:
    assert DOCUMENT["paths"].keys() == background.paths | PATHS.by_pattern.keys()


def test_openapi_document_is_served_behind_the_token(background: Background) -> None:
    url = f"{background.base_url}/openapi.json"
    assert httpx.get(url, trust_env=False).status_code == 401
    assert httpx.get(url, headers={"x-api-key": TOKEN}, trust_env=False).json() == DOCUMENT


@pytest.fixture(scope="module")
def described() -> Any:
    """The document as Schemathesis reads it; imported here, as it takes as long as a hundred tests."""
    return pytest.importorskip("schemathesis").openapi.from_dict(DOCUMENT)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_openapi_what_is_served_keeps_to_the_document(path: str, method: str, described: Any, background: Background) -> None:
    checks = pytest.importorskip("schemathesis").specs.openapi.checks
    conformance = [checks.response_schema_conformance, checks.content_type_conformance, checks.status_code_conformance]

    @settings(max_examples=5, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=described[path][method].as_strategy())
    def ask(case: Any) -> None:
        _ask_for_a_model_there_is(case)
        answer = case.call(base_url=background.base_url, headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code < 500 or answer.status_code in PROVIDERS_FAULT, answer.text
        case.validate_response(answer, checks=conformance)

    ask()


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_openapi_every_kind_of_value_keeps_to_the_document(background: Background, tmp_path: Path) -> None:
    """Schemathesis's own program plays each kind of value of each field in turn, right and wrong."""
    description = tmp_path / "openapi.json"
    description.write_text(json.dumps(DOCUMENT))
    words = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        str(description),
        "--url",
        background.base_url,
        "--phases",
        "coverage",
    ]
    words += ["--header", f"authorization: Bearer {TOKEN}", "--exclude-path", ENDLESS, "--no-color"]
    words += ["--checks", "response_schema_conformance,content_type_conformance,status_code_conformance,not_a_server_error"]
    played = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert played.returncode == 0, played.stdout[-4000:] + played.stderr
    assert f"Tested: {len(OPERATIONS)}" in played.stdout


def _ask_for_a_model_there_is(case: Any) -> None:
    """Most made-up names lead to a 404; half of the requests shall get further."""
    if isinstance(case.body, dict) and isinstance(case.body.get("model"), str) and len(case.body["model"]) % 2 == 0:
        case.body["model"] = "auto"

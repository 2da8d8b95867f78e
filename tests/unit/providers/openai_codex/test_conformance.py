"""The conformance suite's Codex requests, from the client's body to the upstream's, without a server in between."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.providers.openai_codex import OpenAICodex
from tests.support.recordings import SHARED
from tests.support.responses import NOW, make_dialect

SUITE = SHARED / "conformance"
DIALECTS = {"/v1/chat/completions": ChatCompletions(lambda: NOW), "/v1/responses": make_dialect()}


@cache
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_runner", SUITE / "run_cases.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases() -> list[Any]:
    path = SUITE / "cases" / "translation.json"
    if not path.exists():
        return [pytest.param({}, id="none", marks=pytest.mark.skip(reason="needs the conformance suite"))]
    found = [case for case in json.loads(path.read_text())["cases"] if case["group"].startswith("codex.")]
    return [pytest.param(case, id=case["id"]) for case in found]


@pytest.mark.parametrize("case", cases())
def test_upstream_request(case: dict[str, Any]) -> None:
    dialect: Dialect = DIALECTS[case["request"]["path"]]
    request = dialect.decode_request(case["request"]["body"], {})
    provider = OpenAICodex("openai-codex", ProviderSettings(api_base="http://127.0.0.1:1"))
    info = provider.model_info(request.model.partition("/")[2])
    assert info is not None
    expected = case["upstream"][0]
    credential = Credential(
        "codex", "openai-codex", "oauth", Secret(expected["headers"]["authorization"].removeprefix("Bearer ")), "test"
    )
    encoded = provider.prepare(request, make_dialect().encode_request(request, info), credential)
    sent = provider.build_request(request, encoded, credential)
    assert sent.url.path == expected["path"]
    for name, value in expected["headers"].items():
        assert not runner().diff(value, sent.headers.get(name), name)
    assert not set(expected["headers_absent"]) & set(sent.headers)
    if "body" in expected:
        canonical = [runner().canon_body("codex", body) for body in (expected["body"], json.loads(sent.content))]
        assert not runner().diff(*canonical, "body", ignore=set())

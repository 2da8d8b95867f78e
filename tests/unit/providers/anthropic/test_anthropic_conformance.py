"""The upstream side of the conformance cases: what a Chat request becomes on its way to Anthropic, headers included."""

from __future__ import annotations

import importlib.util
import json
from types import ModuleType
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.config.providers import AnthropicOAuthSettings, ProviderSettings
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.providers.anthropic import Anthropic
from tests.support.fitted import encoded_for
from tests.support.recordings import SHARED

CASES = SHARED / "conformance" / "cases" / "translation.json"
RUNNER = SHARED / "conformance" / "run_cases.py"

# An empty turn of the assistant is dropped rather than filled with words nobody said.
DECIDED_OTHERWISE = {"an-req-014"}


def cases() -> list[Any]:
    if not CASES.exists():
        return [pytest.param({}, id="none", marks=pytest.mark.skip(reason="needs the conformance cases"))]
    return [
        pytest.param(case, id=case["id"])
        for case in json.loads(CASES.read_text())["cases"]
        if case["group"].startswith("anthropic.") and case["id"] not in DECIDED_OTHERWISE
    ]


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_cases", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", cases())
def test_upstream_request(case: dict[str, Any], runner: ModuleType) -> None:
    kind = "OAR_ANTHROPIC_OAUTH" if case["profile"] == "oauth" else "OAR_ANTHROPIC_KEY"
    credential = Credential("c", "anthropic", "api_key", Secret(runner.CREDS[kind]), "test")
    provider = Anthropic("anthropic", ProviderSettings(), AnthropicOAuthSettings())
    request = ChatCompletions(lambda: 0.0).decode_request(case["request"]["body"], case["request"].get("headers") or {})
    info = provider.model_info(request.model.removeprefix("anthropic/"))
    assert info is not None
    encoded = provider.prepare(request, encoded_for(AnthropicMessages(lambda: 0.0), request, info), credential)
    sent = provider.build_request(request, encoded, credential)
    call = {
        "provider": "anthropic",
        "method": sent.method,
        "path": sent.url.path,
        "headers": dict(sent.headers),
        "body": json.loads(sent.content),
    }
    upstream_only = {**case, "upstream": case["upstream"][:1], "expect": {}}
    got = {"hang": False, "status": 200, "headers": {}, "body": {}, "json": {}}
    failures = [line for line in runner.check(upstream_only, [call], got, "corrected", runner.PREAMBLE) if "upstream" in line]
    assert failures == []

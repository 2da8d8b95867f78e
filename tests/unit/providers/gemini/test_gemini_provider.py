"""Requests to Google: the model in the path, the key in a header."""

from __future__ import annotations

import orjson
import pytest

from openclaw_oauthrouter.canonical.credential import Credential, CredentialKind, Secret
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.providers.gemini import Gemini


def credential(kind: CredentialKind = "api_key", header: str | None = None) -> Credential:
    return Credential("gemini:key", "gemini", kind, Secret("s3cret"), "config", header=header)


def build(*, stream: bool = False, model: str = "gemini-3.8-flash", api_base: str | None = None, **more: object) -> object:
    provider = Gemini("gemini", ProviderSettings(api_base=api_base))
    request = ChatRequest("openai_chat_completions", "m", (), stream=stream)
    given = more.get("credential", credential())
    return provider.build_request(request, EncodedRequest({"model": model, "contents": []}), given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("base", "root"),
    [
        (None, "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com/", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "https://generativelanguage.googleapis.com/v1beta"),
        ("http://127.0.0.1:9/gemini", "http://127.0.0.1:9/gemini/v1beta"),
        (
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google",
        ),
    ],
)
@pytest.mark.parametrize(("stream", "method"), [(False, "generateContent"), (True, "streamGenerateContent?alt=sse")])
def test_model_and_method_stand_in_the_path(base: str | None, root: str, stream: bool, method: str) -> None:
    request = build(stream=stream, api_base=base)
    assert str(request.url) == f"{root}/models/gemini-3.8-flash:{method}"  # type: ignore[attr-defined]
    assert orjson.loads(request.content) == {"contents": []}  # type: ignore[attr-defined]


def test_model_cannot_leave_its_place_in_the_path() -> None:
    assert "/models/..%2F..%2Fx%3Fkey%3D1:generateContent" in str(build(model="../../x?key=1").url)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "header", "value"),
    [
        (credential(), "x-goog-api-key", "s3cret"),
        (credential("token"), "authorization", "Bearer s3cret"),
        (credential(header="X-Gateway"), "x-gateway", "s3cret"),
    ],
)
def test_key_stands_in_a_header_and_never_in_the_url(given: Credential, header: str, value: str) -> None:
    request = build(credential=given)
    assert request.headers[header] == value  # type: ignore[attr-defined]
    assert "s3cret" not in str(request.url)  # type: ignore[attr-defined]


def test_ids_that_are_not_listed_are_taken() -> None:
    known = ModelInfo("gemini", "gemini-3.8-flash", context_window=9)
    provider = Gemini("gemini", ProviderSettings(), [known])
    assert provider.model_info("models/gemini-3.8-flash") is known
    assert provider.model_info("gemini-9") == ModelInfo("gemini", "gemini-9")
    assert list(provider.models()) == [known]

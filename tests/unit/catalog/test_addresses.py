"""Addresses as vendors print them, and where requests go."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from openclaw_oauthrouter.builder import Builder
from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.passed_request import PassedRequest
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest, Message
from openclaw_oauthrouter.catalog.addresses import endpoint_root
from openclaw_oauthrouter.catalog.presets import Preset, presets
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.providers.openai_compatible import OpenAICompatible

CHAT = "/chat/completions"


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://api.deepseek.com", "https://api.deepseek.com/v1"),
        ("https://api.deepseek.com/", "https://api.deepseek.com/v1"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("https://api.z.ai/api/paas/v4", "https://api.z.ai/api/paas/v4"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/openapi",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/openapi",
        ),
        ("https://models.github.ai/inference", "https://models.github.ai/inference"),
        ("https://api.githubcopilot.com", "https://api.githubcopilot.com"),
        ("https://api.business.githubcopilot.com/", "https://api.business.githubcopilot.com"),
        ("https://api.perplexity.ai", "https://api.perplexity.ai"),
        ("https://notperplexity.ai", "https://notperplexity.ai/v1"),
        ("https://v2.example.com", "https://v2.example.com/v1"),
        ("https://gateway.example/vendor", "https://gateway.example/vendor"),
    ],
)
@pytest.mark.parametrize("pasted", ["", CHAT])
def test_requests_go_to_the_documented_address(base: str, root: str, pasted: str) -> None:
    # A pasted endpoint says where it is, whatever path it has.
    expected = base.rstrip("/") if pasted else root
    assert endpoint_root(base.rstrip("/") + pasted if pasted else base) == (expected, "")


@pytest.mark.parametrize("endpoint", ["/chat/completions", "/chat/completions/", "/responses", "/completions", "/embeddings"])
def test_addresses_whole_endpoint_is_cut_back(endpoint: str) -> None:
    assert endpoint_root(f"https://host/api/v1{endpoint}") == ("https://host/api/v1", "")
    assert endpoint_root(f"https://host{endpoint}") == ("https://host", "")


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("http://127.0.0.1:9/openai", "http://127.0.0.1:9/openai/v1"),
        ("https://eu.api.openai.com", "https://eu.api.openai.com/v1"),
        ("https://proxy.corp/openai/v1", "https://proxy.corp/openai/v1"),
    ],
)
def test_addresses_vendor_known_by_name_keeps_its_path_behind_another_host(base: str, root: str) -> None:
    assert endpoint_root(base, "/v1") == (root, "")


@pytest.mark.parametrize(
    ("dialect", "path"), [("openai_chat_completions", "/chat/completions"), ("openai_responses", "/responses")]
)
def test_addresses_query_of_an_address_follows_the_path(dialect: str, path: str) -> None:
    provider = OpenAICompatible("azure", "https://r.openai.azure.com/openai/deployments/d?api-version=2026-05-01", dialect)
    assert provider.url == f"https://r.openai.azure.com/openai/deployments/d{path}?api-version=2026-05-01"
    passed = provider.pass_through(PassedRequest("POST", "embeddings", b'{"model": "m"}', "application/json"), None)
    assert str(passed.url) == "https://r.openai.azure.com/openai/deployments/d/embeddings?api-version=2026-05-01"


# ------------------------------------------------------------------ whatever is pasted


def posted_to(name: str, api_base: str, **settings: Any) -> str:
    """Where a provider of the settings sends a request."""
    overrides = {"providers": {name: {"api_base": api_base, "api_key": "sk-test", **settings}}}
    built = Builder(load_settings(environ={}, overrides=overrides).settings, create_plugin_manager(load_entry_points=False))
    provider = built.providers[name]
    request = ChatRequest(provider.dialect, "m", (Message("user", (TextPart("hi"),)),))
    return str(provider.build_request(request, EncodedRequest({"model": "m"}), None).url)


OPENAI_COMPATIBLE = [preset for preset in presets().values() if preset.kind == "openai-compatible" and preset.api_base]


@pytest.mark.parametrize("own_name", [False, True])
@pytest.mark.parametrize("preset", OPENAI_COMPATIBLE, ids=lambda preset: preset.name)
def test_addresses_any_part_of_a_vendors_address_leads_to_its_endpoint(preset: Preset, own_name: bool) -> None:
    base = (preset.api_base or "").rstrip("/")
    root = endpoint_root(base)[0]
    parts = urlsplit(root)
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path
    name = "mine" if own_name else preset.name
    endpoint = "/responses" if preset.protocol == "openai_responses" and not own_name else "/chat/completions"
    ways = [base, f"{base}/", root, f"{root}/chat/completions", f"{root}/models", host, host + path.rpartition("/")[0]]
    assert {way: posted_to(name, way) for way in ways} == dict.fromkeys(ways, root + endpoint)


@pytest.mark.parametrize("name", ["anthropic", "mine", "deepseek", "zai-coding"])
@pytest.mark.parametrize("way", ["", "/", "/v1", "/v1/", "/v1/messages", "/messages", "/v1/messages/count_tokens", "/v1/models"])
def test_addresses_any_part_of_a_messages_address_leads_to_its_endpoint(name: str, way: str) -> None:
    assert posted_to(name, f"https://gateway.example/anthropic{way}") == "https://gateway.example/anthropic/v1/messages"


@pytest.mark.parametrize("name", ["gemini", "mine"])
@pytest.mark.parametrize(
    "way", ["", "/v1beta", "/v1beta/", "/v1beta/models", "/v1beta/models/gemini-3.8-flash:streamGenerateContent"]
)
def test_addresses_any_part_of_geminis_address_leads_to_its_endpoint(name: str, way: str) -> None:
    url = posted_to(name, f"https://generativelanguage.googleapis.com{way}")
    assert url == "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"


@pytest.mark.parametrize("way", ["/v1beta/openai", "/v1beta/openai/", "/v1beta/openai/chat/completions"])
def test_geminis_openai_compatible_address_leads_its_preset_to_its_own_api(way: str) -> None:
    host = "https://generativelanguage.googleapis.com"
    assert posted_to("gemini", host + way) == f"{host}/v1beta/models/m:generateContent"
    assert posted_to("mine", host + way) == f"{host}/v1beta/openai/chat/completions"


@pytest.mark.parametrize("way", ["", "/backend-api", "/backend-api/codex", "/backend-api/codex/responses"])
def test_addresses_any_part_of_codexs_address_leads_to_its_endpoint(way: str) -> None:
    assert posted_to("openai-codex", f"https://chatgpt.com{way}") == "https://chatgpt.com/backend-api/codex/responses"


@pytest.mark.parametrize(
    ("name", "pasted", "root"),
    [
        ("ollama", "http://127.0.0.1:11434/api", "http://127.0.0.1:11434/v1"),
        ("ollama", "http://127.0.0.1:11434/api/chat", "http://127.0.0.1:11434/v1"),
        ("mine", "http://127.0.0.1:11434/api/generate", "http://127.0.0.1:11434/v1"),
        ("lmstudio", "http://127.0.0.1:1234/api/v0/models", "http://127.0.0.1:1234/v1"),
        ("azure", "https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1"),
        ("azure", "https://r.openai.azure.com/openai", "https://r.openai.azure.com/openai/v1"),
        ("azure", "https://r.openai.azure.com/openai/v1/chat/completions", "https://r.openai.azure.com/openai/v1"),
        ("groq", "http://mirror.example/openai", "http://mirror.example/openai/v1"),
        ("zai", "https://api.z.ai/api/coding/paas/v4", "https://api.z.ai/api/coding/paas/v4"),
        ("mine", "http://127.0.0.1:9/anything/api", "http://127.0.0.1:9/anything/api"),
    ],
)
def test_addresses_other_documented_addresses(name: str, pasted: str, root: str) -> None:
    assert posted_to(name, pasted) == f"{root}/chat/completions"


def test_addresses_what_the_user_says_goes_before_what_the_address_looks_like() -> None:
    address = "https://gateway.example/anthropic"
    assert posted_to("mine", address, kind="openai-compatible") == f"{address}/chat/completions"
    assert posted_to("mine", address, dialect="openai_chat_completions") == f"{address}/chat/completions"
    assert posted_to("mine", "https://gateway.example", kind="anthropic") == "https://gateway.example/v1/messages"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("localhost:11434", "http://localhost:11434"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
    ],
)
def test_addresses_address_without_its_scheme_is_refused_with_the_right_one(said: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"must start with http:// or https://: {meant}"):
        load_settings(environ={}, overrides={"providers": {"mine": {"api_base": said}}})


@pytest.mark.parametrize("secret", ["sk-test-0123456789", "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl"])
def test_addresses_key_in_the_addresss_place_is_not_repeated(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(environ={}, overrides={"providers": {"mine": {"api_base": secret}}})
    assert secret not in refused.value.message

"""Addresses as vendors print them, and where requests go."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.passed_request import PassedRequest
from openclaw_oauthrouter.providers.openai_compatible import OpenAICompatible
from openclaw_oauthrouter.providers.openai_compatible.addresses import endpoint_root

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
def test_a_whole_endpoint_is_cut_back(endpoint: str) -> None:
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
def test_a_vendor_known_by_name_keeps_its_path_behind_another_host(base: str, root: str) -> None:
    assert endpoint_root(base, "/v1") == (root, "")


@pytest.mark.parametrize(
    ("dialect", "path"), [("openai_chat_completions", "/chat/completions"), ("openai_responses", "/responses")]
)
def test_the_query_of_an_address_follows_the_path(dialect: str, path: str) -> None:
    provider = OpenAICompatible("azure", "https://r.openai.azure.com/openai/deployments/d?api-version=2026-05-01", dialect)
    assert provider.url == f"https://r.openai.azure.com/openai/deployments/d{path}?api-version=2026-05-01"
    passed = provider.pass_through(PassedRequest("POST", "embeddings", b'{"model": "m"}', "application/json"), None)
    assert str(passed.url) == "https://r.openai.azure.com/openai/deployments/d/embeddings?api-version=2026-05-01"

"""What clients try first: the root, Ollama's lists, and paths that are nearly right."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.fixture
async def http(gateway: Any, client: Any) -> httpx.AsyncClient:
    anthropic = {"api_base": "http://127.0.0.1:9", "api_key": "sk-ant-api03-test"}
    found: httpx.AsyncClient = await client(await gateway(providers={"anthropic": anthropic}))
    return found


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("POST", "/v1/v1/chat/completions", "/v1/chat/completions"),
        ("GET", "/v1/v1/models", "/v1/models"),
        ("POST", "/chat/completions", "/v1/chat/completions"),
        ("POST", "/messages", "/v1/messages"),
        ("POST", "/responses", "/v1/responses"),
        ("GET", "/models", "/v1/models"),
        ("POST", "/v1/chat/completions/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions/", "/v1/chat/completions"),
        ("POST", "/api/v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/openai/v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/anthropic/v1/messages", "/v1/messages"),
        ("POST", "/anthropic/messages", "/v1/messages"),
        ("POST", "/v1/v1/v1/responses", "/v1/responses"),
        ("POST", "/v1//chat/completions", "/v1/chat/completions"),
        ("POST", "//v1/messages", "/v1/messages"),
        ("GET", "/v1//models", "/v1/models"),
        ("POST", "/v1/v1//chat/completions/", "/v1/chat/completions"),
        ("POST", "/openai/deployments/gpt-5/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/engines/gpt-5/completions", "/v1/completions"),
        ("POST", "/v1/chat/completion", "/v1/chat/completions"),
        ("POST", "/v1/message", "/v1/messages"),
        ("POST", "/V1/Responses", "/v1/responses"),
        ("POST", "/v1/embedding", "/v1/embeddings"),
        ("POST", "/v1beta/models/gemini-3-pro:generateContent", "/v1/chat/completions"),
        ("POST", "/api/chat", "/v1/chat/completions"),
        ("POST", "/api/generate", "/v1/chat/completions"),
        ("POST", "/api/embed", "/v1/embeddings"),
        ("GET", "/v1", "/v1/models"),
        ("GET", "/v1/", "/v1/models"),
        ("GET", "/healthz", "/health"),
    ],
)
async def test_likely_mistakes_are_named(http: httpx.AsyncClient, method: str, path: str, meant: str) -> None:
    answer = await http.request(method, str(http.base_url).rstrip("/") + path, json={})
    assert answer.status_code == 404
    assert f"there is no {method} {path} here, but {meant}: " in answer.json()["error"]["message"]


async def test_small_routes_path_like_nothing_gets_no_guess(http: httpx.AsyncClient) -> None:
    answer = await http.get("/nothing/like/it")
    assert answer.status_code == 404
    assert "models answer on" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/chat/completions", {"POST"}),
        ("GET", "/v1/messages", {"POST"}),
        ("POST", "/v1/models", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_small_routes_wrong_method_is_told_the_right_ones(
    http: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == allowed


async def test_small_routes_browser_is_led_to_the_dashboard_and_sees_nothing_else(gateway: Any) -> None:
    handle = await gateway()
    async with httpx.AsyncClient(base_url=handle.base_url, trust_env=False) as stranger:
        answer = await stranger.get("/", headers={"accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["location"], answer.content) == (303, "debug/dashboard", b"")
        assert (await stranger.get("/")).status_code == 401
        foreign = {"accept": "text/html", "origin": "http://evil.example"}
        assert (await stranger.get("/", headers=foreign)).status_code == 403
        assert (await stranger.get("/api/tags")).status_code == 401


async def test_small_routes_program_at_the_root_is_told_what_this_is(http: httpx.AsyncClient) -> None:
    assert (await http.get("/")).json()["name"] == "openclaw-oauthrouter"
    assert (await http.head("/")).status_code == 200


async def test_ollamas_probes_are_answered(http: httpx.AsyncClient) -> None:
    names = [row["name"] for row in (await http.get("/api/tags")).json()["models"]]
    assert names[0] == "auto"
    shown = (await http.post("/api/show", json={"model": "auto"})).json()
    assert set(shown["capabilities"]) == {"completion", "tools", "vision", "thinking"}
    assert shown["model_info"]["general.basename"] == "OAuthRouter auto"
    for name in ("auto", "auto:latest", "claude-haiku-4-5", "oauthrouter/auto", "claude-auto-economy"):
        assert (await http.post("/api/show", json={"name": name})).status_code == 200, name
    assert (await http.post("/api/show", json={"model": "nobody"})).status_code == 404
    assert (await http.post("/api/show", json={"model": ""})).status_code == 400
    assert (await http.post("/api/show", json={})).status_code == 400
    assert "version" in (await http.get("/api/version")).json()


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("oauthrouter/auto", "auto"),
        ("claude-auto-quality", "auto-quality"),
        ("claude-haiku-4.5", "anthropic/claude-haiku-4-5"),
        ("claude-via/anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("Anthropic/Claude-Haiku-4-5", "anthropic/claude-haiku-4-5"),
    ],
)
async def test_a_model_is_described_under_every_name_it_may_be_asked_by(http: httpx.AsyncClient, asked: str, name: str) -> None:
    told = (await http.get(f"/v1/models/{asked}")).json()
    assert (told["id"], told["object"]) == (name, "model")
    assert (told["created"] > 0) is name.startswith("anthropic")

"""``GET /v1/models``: the shapes of OpenAI, Anthropic and Codex CLI, and what clients read from them."""

from __future__ import annotations

from typing import Any

import anthropic.types
import openai.types
import pytest

from tests.support.anthropic_streams import MESSAGE
from tests.support.upstream import Play

OFF = {"model_lists": {"enabled": False}}
CLAUDE_CODE = {"anthropic-version": "2023-06-01"}


@pytest.fixture
async def http(gateway: Any, scripted: Any, client: Any) -> Any:
    upstream = await scripted(Play.json(MESSAGE))
    codex = {"api_base": upstream.url, "auth_header": "Bearer test"}
    return await client(await gateway(upstream, providers={"openai-codex": codex}, upstream=OFF))


async def test_openai_shape_says_windows_abilities_and_prices(http: Any) -> None:
    rows = {row["id"]: row for row in (await http.get("/v1/models")).json()["data"]}
    for row in rows.values():
        openai.types.Model.model_validate(row)
    haiku = rows["anthropic/claude-haiku-5-5"]
    assert haiku["context_length"] == haiku["context_window"] == 1_000_000
    assert {"tools", "reasoning_effort"} <= set(haiku["supported_parameters"])
    assert "image" in haiku["architecture"]["input_modalities"]
    assert haiku["pricing"]["prompt"] == "0.0000001"
    assert not any(name.startswith("claude-via/") for name in rows)


async def test_openai_shape_leaves_out_what_is_retired(http: Any) -> None:
    names = {row["id"] for row in (await http.get("/v1/models")).json()["data"]}
    assert "openai-codex/gpt-5.2-codex" not in names
    assert "openai-codex/gpt-6.2-sol" in names


async def test_auto_has_the_smallest_window_of_the_tiers(http: Any) -> None:
    rows = {row["id"]: row for row in (await http.get("/v1/models")).json()["data"]}
    assert rows["auto"]["context_length"] == rows["openai-codex/gpt-6.2-sol"]["context_length"] == 500_000
    assert rows["auto"]["max_output_tokens"] == 128_000


async def test_anthropic_shape_is_that_of_its_sdk(http: Any) -> None:
    page = (await http.get("/v1/models", headers=CLAUDE_CODE)).json()
    for row in page["data"]:
        anthropic.types.ModelInfo.model_validate(row, strict=False)
    first = page["data"][0]
    assert (first["id"], first["display_name"], first["max_input_tokens"]) == ("auto", "OAuthRouter auto", 500_000)


async def test_anthropic_pages_follow_one_another(http: Any) -> None:
    whole = [row["id"] for row in (await http.get("/v1/models", headers=CLAUDE_CODE)).json()["data"]]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await http.get("/v1/models", params={"limit": 7, **after}, headers=CLAUDE_CODE)).json()
        seen += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            break
        after = {"after_id": page["last_id"]}
    assert seen == whole


async def test_claude_code_finds_the_automatic_models_and_those_of_the_plan(http: Any) -> None:
    rows = (await http.get("/v1/models", params={"limit": 1000}, headers=CLAUDE_CODE)).json()["data"]
    kept = [row["id"] for row in rows if "claude" in row["id"] or "anthropic" in row["id"]]
    assert kept[:4] == ["claude-auto", "claude-auto-economy", "claude-auto-balanced", "claude-auto-quality"]
    assert "claude-via/openai-codex/gpt-6.2-sol" in kept
    assert len(set(kept)) == len(kept)
    assert all(row["display_name"] for row in rows)


@pytest.mark.parametrize(
    ("model", "answers"),
    [("claude-auto", "anthropic/claude-haiku-5-5"), ("claude-via/anthropic/claude-haiku-5-5", "anthropic/claude-haiku-5-5")],
)
async def test_names_made_for_claude_code_can_be_asked_for(
    model: str, answers: str, gateway: Any, scripted: Any, client: Any
) -> None:
    http = await client(await gateway(await scripted(Play.json(MESSAGE)), upstream=OFF))
    body = {"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
    answer = await http.post("/v1/messages", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-oauthrouter-model"] == answers


async def test_codex_cli_gets_its_catalog(http: Any) -> None:
    models = (await http.get("/v1/models", params={"client_version": "0.171.0"})).json()["models"]
    assert models[0]["slug"] == "auto"
    places = [model["priority"] for model in models]
    assert places == sorted(set(places))
    assert places[-1] < 1, "before Codex' own, which begin at 1"
    sol = next(model for model in models if model["slug"] == "openai-codex/gpt-6.2-sol")
    assert sol["context_window"] == 500_000
    assert [level["effort"] for level in sol["supported_reasoning_levels"]] == ["low", "medium", "high", "xhigh", "max"]
    assert sol["input_modalities"] == ["text", "image"]

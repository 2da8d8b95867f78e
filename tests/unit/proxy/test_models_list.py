"""The list of models says enough for a client to set itself up, in both vendors' shapes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import anthropic
import openai
import pytest

from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.errors import InvalidRequestError, NotFoundError
from openclaw_oauthrouter.proxy.demo import demo_upstream
from openclaw_oauthrouter.proxy.models_list import ModelEntry, anthropic_models, readable
from openclaw_oauthrouter.proxy.start import start_proxy

TODAY = date(2026, 11, 29)
ENTRIES = [ModelEntry(f"p/m{number}", "p", f"M {number}") for number in range(5)]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-haiku-4-5", "Claude Haiku 4.5"),
        ("gpt-5.6-terra", "GPT-5.6 Terra"),
        ("org/llama-4", "Llama 4"),
        ("claude-opus-4-20250514", "Claude Opus 4 20250514"),
    ],
)
def test_names_for_people(model: str, name: str) -> None:
    assert readable(model) == name


@pytest.mark.parametrize(
    ("words", "names", "more"),
    [
        ({}, ["m0", "m1", "m2", "m3", "m4"], False),
        ({"limit": "2"}, ["m0", "m1"], True),
        ({"limit": "2", "after_id": "p/m1"}, ["m2", "m3"], True),
        ({"limit": "2", "after_id": "p/m2"}, ["m3", "m4"], False),
        ({"limit": "2", "before_id": "p/m4"}, ["m2", "m3"], True),
        ({"limit": "9", "before_id": "p/m2"}, ["m0", "m1"], False),
        ({"after_id": "p/m4"}, [], False),
    ],
)
def test_pages(words: dict[str, str], names: list[str], more: bool) -> None:
    page = anthropic_models(ENTRIES, words, TODAY)
    assert [row["id"].removeprefix("p/") for row in page["data"]] == names
    assert page["has_more"] is more
    assert page["last_id"] == (f"p/{names[-1]}" if names else None)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", ""])
def test_models_list_limit_that_is_none(limit: str) -> None:
    with pytest.raises(InvalidRequestError):
        anthropic_models(ENTRIES, {"limit": limit}, TODAY)


def test_models_list_id_that_is_not_listed() -> None:
    with pytest.raises(NotFoundError):
        anthropic_models(ENTRIES, {"after_id": "nobody"}, TODAY)


def test_prices_are_per_token_and_retirement_is_a_stage() -> None:
    entry = ModelEntry("p/m", "p", "M", price=Price(3.0, 15.0, 0.3), retires=date(2026, 11, 30))
    assert entry.openai()["pricing"] == {"prompt": "0.000003", "completion": "0.000015", "input_cache_read": "0.0000003"}
    assert entry.anthropic(TODAY)["lifecycle"] == "deprecated"
    assert entry.anthropic(date(2026, 11, 30))["lifecycle"] == "retired"
    assert entry.anthropic(TODAY)["retires_at"] == "2026-11-30T00:00:00Z"


async def test_models_list_both_sdks_read_the_list(tmp_path: Path) -> None:
    async with (
        demo_upstream() as settings,
        await start_proxy(port=0, home=tmp_path, auth_token="local-token", **settings) as handle,
    ):
        address = handle.base_url
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="local-token") as client:
            listed = {model.id: model.model_dump() async for model in client.models.list()}
        async with anthropic.AsyncAnthropic(base_url=address, api_key="local-token") as client:
            paged = {model.id: model async for model in client.models.list(limit=3)}
    assert set(listed) == set(paged)
    haiku, auto = listed["anthropic/claude-haiku-4-5"], listed["auto"]
    assert haiku["context_length"] == haiku["context_window"] == 200_000
    assert haiku["architecture"]["input_modalities"] == ["text", "image", "file"]
    assert float(haiku["pricing"]["completion"]) == 5e-6
    assert "reasoning" in haiku["supported_parameters"]
    assert auto["context_length"] > 100_000
    assert auto["oauthrouter"]["price_is_approximate"] is True
    seen = paged["anthropic/claude-haiku-4-5"]
    assert (seen.display_name, seen.lifecycle, seen.max_input_tokens) == ("Claude Haiku 4.5", "active", 200_000)
    assert seen.capabilities is not None
    assert seen.capabilities.image_input.supported
    assert seen.capabilities.thinking.types.enabled.supported

"""The catalog that ships: fresh, complete, and in agreement with the tables it was made from."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price

from openclaw_oauthrouter.catalog.families import read_table, shipped_families
from openclaw_oauthrouter.catalog.models import MAX_AGE_DAYS, Edition, build_catalog, shipped_edition, shipped_models
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.config.routing import shipped_tiers
from scripts.update_catalog.default_tiers import text_for

FILE: dict[str, Any] = json.loads(
    resources.files("openclaw_oauthrouter.catalog").joinpath("models.json").read_text(encoding="utf-8")
)
ROWS: list[dict[str, Any]] = FILE["models"]
CORRECTIONS = read_table("corrections.toml")["correction"]
LITELLM = os.environ.get("OAUTHROUTER_LITELLM_TABLE")


def test_the_shipped_catalog_is_not_old() -> None:
    assert not shipped_edition().is_stale(datetime.now(UTC).date()), (
        f"more than {MAX_AGE_DAYS} days: python -m scripts.update_catalog"
    )


def test_an_edition_goes_stale() -> None:
    edition = Edition(date(2026, 1, 1), {})
    assert not edition.is_stale(date(2026, 3, 2))
    assert edition.is_stale(date(2026, 3, 3))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "list_price" in row and "price" not in row], ids=lambda row: f"{row['provider']}/{row['id']}"
)
def test_a_shipped_price_is_the_published_one(row: dict[str, Any]) -> None:
    def published(**tokens: int) -> float:
        price = calc_price(
            Usage(**tokens),
            model_ref=row["id"],
            provider_id=vendor,
            genai_request_timestamp=datetime.fromisoformat(FILE["priced_at"]),
        )
        return round(float(price.total_price) * 1000, 6)

    vendor = presets()[row["provider"]].prices
    try:
        expected = [published(input_tokens=1000, output_tokens=0), published(input_tokens=0, output_tokens=1000)]
    except LookupError:
        pytest.skip("genai-prices does not know it; the price is LiteLLM's")
    assert row["list_price"] == pytest.approx(expected)


@pytest.mark.skipif(LITELLM is None, reason="OAUTHROUTER_LITELLM_TABLE names LiteLLM's table of models")
def test_shipped_dates_are_litellms() -> None:
    table = json.loads(Path(LITELLM or "").read_text(encoding="utf-8"))
    corrected = {(row["provider"], row["model"]) for row in CORRECTIONS}
    dates = {row["id"]: row.get("retires") for row in ROWS if row["provider"] in ("openai", "anthropic", "deepseek")}
    assert len(dates) > 40
    for model, day in dates.items():
        if model in table and not any(name == model for _, name in corrected):
            assert day == table[model].get("deprecation_date"), model


def test_every_correction_names_its_source() -> None:
    assert CORRECTIONS
    assert all(row["source"].startswith("https://") and ("set" in row) for row in CORRECTIONS)
    families = read_table("families.toml")["family"]
    assert all(row["source"].startswith("https://") for row in families)


def test_every_row_belongs_to_a_preset_and_a_family() -> None:
    families = {family.name for family in shipped_families()}
    for info in shipped_models():
        assert info.provider in presets(), info.name
        assert info.family in families, info.name
        assert info.ability is not None
    assert len({(info.provider, info.id) for info in shipped_models()}) == len(ROWS)


def test_no_default_tier_retires_within_ninety_days() -> None:
    catalog = build_catalog({})
    soon = date.fromisoformat(FILE["generated"]) + timedelta(days=90)
    for tier in shipped_tiers("computed").values():
        for name in (tier.primary, *tier.fallback):
            provider, _, model = name.partition("/")
            retires = catalog[provider, model].retires
            assert retires is None or retires > soon, name


def test_the_default_tiers_are_those_of_the_catalog() -> None:
    text = resources.files("openclaw_oauthrouter.config").joinpath("default_tiers.json").read_text(encoding="utf-8")
    assert text == text_for(date.fromisoformat(FILE["generated"]))


def test_presets_are_complete() -> None:
    wanted = {
        "openrouter", "gemini", "groq", "mistral", "xai", "together", "fireworks", "moonshot", "zai", "qwen", "minimax", "azure", "ollama",
        "lmstudio", "vllm", "llamacpp", "github-models",
    }  # fmt: skip
    assert wanted <= presets().keys()
    for preset in presets().values():
        assert preset.local or preset.name.startswith("openai-c") or preset.variables, preset.name
        assert preset.api_base or preset.address_hint

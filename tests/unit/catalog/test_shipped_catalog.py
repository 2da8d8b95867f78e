"""The catalog that ships: fresh, complete, and in agreement with the tables it was made from."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price

from openclaw_oauthrouter.catalog.families import read_table, shipped_families
from openclaw_oauthrouter.catalog.listings import ListedModel
from openclaw_oauthrouter.catalog.models import MAX_AGE_DAYS, Edition, build_catalog, shipped_edition, shipped_models
from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.config.routing import shipped_tiers
from scripts.update_catalog.__main__ import all_rows, trimmed
from scripts.update_catalog.default_tiers import text_for
from scripts.update_catalog.rows import contradicted
from scripts.update_catalog.sources import TABLE, Table, genai_version

FILE: dict[str, Any] = json.loads(
    resources.files("openclaw_oauthrouter.catalog").joinpath("models.json").read_text(encoding="utf-8")
)
ROWS: list[dict[str, Any]] = FILE["models"]
CORRECTIONS = read_table("corrections.toml")["correction"]


def _litellm() -> Path | None:
    """LiteLLM's table, where a variable names it or LiteLLM is installed among the frameworks of the end-to-end tests."""
    named = os.environ.get("OAUTHROUTER_LITELLM_TABLE")
    python = os.environ.get("OAUTHROUTER_E2E_FRAMEWORKS")
    if named or not python:
        return Path(named) if named else None
    return next(Path(python).parents[1].glob(f"lib/python*/site-packages/{TABLE}"), None)


LITELLM = _litellm()
needs_litellm = pytest.mark.skipif(LITELLM is None, reason="no table of LiteLLM's here")


def _litellm_version() -> str:
    """Of the package that the table lies in."""
    folder = next((LITELLM or Path()).parents[1].glob("litellm-*.dist-info"), None)
    return folder.name.removeprefix("litellm-").removesuffix(".dist-info") if folder else ""


def litellm_rows() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = json.loads((LITELLM or Path()).read_text(encoding="utf-8"))
    return {name: row for name, row in rows.items() if name != "sample_spec"}


def test_shipped_catalog_is_not_old() -> None:
    assert not shipped_edition().is_stale(datetime.now(UTC).date()), (
        f"more than {MAX_AGE_DAYS} days: python -m scripts.update_catalog"
    )


def test_shipped_catalog_edition_goes_stale() -> None:
    edition = Edition(date(2026, 1, 1), {})
    assert not edition.is_stale(date(2026, 3, 2))
    assert edition.is_stale(date(2026, 3, 3))


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "list_price" in row and "price" not in row], ids=lambda row: f"{row['provider']}/{row['id']}"
)
def test_shipped_catalog_shipped_price_is_the_published_one(row: dict[str, Any]) -> None:
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


@needs_litellm
def test_shipped_dates_are_litellms() -> None:
    table = litellm_rows()
    patterns = [(row["provider"], row["model"]) for row in CORRECTIONS if {"retires"} & row["set"].keys()]
    ours = [row for row in ROWS if row["provider"] in ("openai", "anthropic", "deepseek") and row["id"] in table]
    assert len(ours) > 40
    for row in ours:
        if not any(provider == row["provider"] and re.fullmatch(model, row["id"]) for provider, model in patterns):
            assert row.get("retires") == table[row["id"]].get("deprecation_date"), row["id"]


@needs_litellm
def test_shipped_rows_are_what_the_tables_give() -> None:
    editions = {"litellm": _litellm_version(), "genai-prices": genai_version()}
    if FILE["sources"] != editions:
        pytest.skip("other editions than the file was made from")
    rows = [trimmed(row) for row in all_rows(Table("", litellm_rows()), datetime.fromisoformat(FILE["priced_at"]))]
    assert json.loads(json.dumps(rows)) == ROWS, "python -m scripts.update_catalog"


def test_contradicted_finds_models_that_see_at_one_host_only() -> None:
    def said(sees: bool | None) -> dict[str, Any]:
        return {"mode": "chat", **({} if sees is None else {"supports_vision": sees})}

    rows = {
        "deepseek/deepseek-flash": said(True),
        "somewhere/deepseek-ai/DeepSeek-V4.1-Flash": said(None),
        "claude-opus-5-5": said(True),
        "elsewhere/claude-opus-5-5": said(True),
        "kimi-k3": said(True),
        "other/Kimi-K3": said(False),
        "no-family/at-all": said(False),
    }
    families = shipped_families()
    assert contradicted(Table("1", rows), families) == {("kimi", "3")}
    rows["third/deepseek-v4.1-flash"] = said(False)
    assert ("deepseek-flash", "4.1") not in contradicted(Table("1", rows), families)  # the plain name says no generation
    rows["third/deepseek-v4.1-flash-1017"] = said(True)
    assert ("deepseek-flash", "4.1") in contradicted(Table("1", rows), families)


def test_shipped_models_in_doubt_are_open_weights_only() -> None:
    doubted = {info.family for info in shipped_models() if info.images is None}
    assert {"deepseek-flash", "kimi"} <= doubted
    assert not any((family or "").startswith(("claude", "gpt", "gemini", "grok")) for family in doubted)


def test_shipped_catalog_what_a_provider_or_the_user_says_of_images_ends_the_doubt() -> None:
    key = ("deepseek", "deepseek-flash")
    assert build_catalog({})[key].images is None
    listings = {"deepseek": [ListedModel("deepseek-flash", images=True)]}
    assert build_catalog({}, listings=listings)[key].images is True
    settings = ProviderSettings.model_validate({"models": [{"id": "deepseek-flash", "images": True}]})
    assert build_catalog({"deepseek": settings})[key].images is True


def test_shipped_catalog_every_correction_names_its_source() -> None:
    assert CORRECTIONS
    assert all(row["source"].startswith("https://") and ("set" in row) for row in CORRECTIONS)
    families = read_table("families.toml")["family"]
    assert all(row["source"].startswith("https://") for row in families)


def test_shipped_catalog_every_row_belongs_to_a_preset_and_a_family() -> None:
    families = {family.name for family in shipped_families()}
    for info in shipped_models():
        assert info.provider in presets(), info.name
        assert info.family in families, info.name
        place = shipped_families().place(
            info.id, next(row for row in ROWS if (row["provider"], row["id"]) == (info.provider, info.id)).get("generation")
        )
        assert place is not None
        assert info.ability == place.ability, f"{info.name}: python -m scripts.update_catalog"
    assert len({(info.provider, info.id) for info in shipped_models()}) == len(ROWS)


def test_shipped_catalog_no_default_tier_retires_within_ninety_days() -> None:
    catalog = build_catalog({})
    soon = date.fromisoformat(FILE["generated"]) + timedelta(days=90)
    for tier in shipped_tiers("computed").values():
        for name in (tier.primary, *tier.fallback):
            provider, _, model = name.partition("/")
            retires = catalog[provider, model].retires
            assert retires is None or retires > soon, name


def test_shipped_catalog_default_tiers_are_those_of_the_catalog() -> None:
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

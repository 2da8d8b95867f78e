"""Default tiers: computed from whatever can be used, rising in ability, never dearer for less."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.catalog.models import build_catalog, described, placed, shipped_edition, shipped_models
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.routing.default_tiers import DefaultTiers, compute_tiers, order_price
from openclaw_oauthrouter.routing.tiers import TierTable, named_tiers
from tests.unit.routing.world import FakeProvider

TODAY = shipped_edition().generated
CATALOG: dict[str, list[ModelInfo]] = {}
for _info in build_catalog({}).values():
    CATALOG.setdefault(_info.provider, []).append(_info)
FIRST_HAND = ("anthropic", "openai-codex", "openai-chatgpt", "openai", "gemini", "deepseek", "xai", "openrouter")


def tiers_of(providers: Iterable[str], today: date = TODAY) -> DefaultTiers:
    return compute_tiers({name: CATALOG[name] for name in providers}, order_price, today)


def primaries(tiers: DefaultTiers) -> list[str]:
    return [tiers[tier][0].info.name for tier in Tier]


def model(name: str, price: float, provider: str = "openai", **fields: Any) -> ModelInfo:
    return placed(ModelInfo(provider, name, list_price=Price(price, 5 * price), **fields))


@pytest.mark.parametrize(
    "providers", [*([name] for name in CATALOG), *combinations(FIRST_HAND, 2), *combinations(FIRST_HAND, 3)], ids=",".join
)
def test_compute_tiers_rise_in_ability_and_never_cost_more_for_less(providers: tuple[str, ...]) -> None:
    tiers = tiers_of(providers)
    chosen = [tiers[tier][0] for tier in Tier]
    for lower, upper in pairwise(chosen):
        assert lower.ability <= upper.ability, (lower.info.name, upper.info.name)
        assert lower.cost <= upper.cost, (lower.info.name, upper.info.name)
    soon = TODAY + timedelta(days=90)
    assert all(choice.info.retires is None or choice.info.retires > soon for chain in tiers.values() for choice in chain)


def test_compute_tiers_prefers_the_families_of_the_first_editions_table() -> None:
    for choice, family in zip(
        primaries(tiers_of(["anthropic", "openai-codex", "openai"])), ("haiku", "openai-codex", "sonnet", "opus"), strict=True
    ):
        assert family in choice
    assert [name.split("/")[0] for name in primaries(tiers_of(["openrouter"]))] == ["openrouter"] * 4
    assert "claude-haiku" in primaries(tiers_of(["openrouter", "deepseek"]))[0]


@pytest.mark.parametrize("plan", ["zai-coding", "kimi-coding", "minimax-coding"])
def test_compute_tiers_names_plans_before_keys_however_many_keys_there_are(plan: str) -> None:
    keys = ("anthropic", "openai", "gemini", "deepseek", "xai", "moonshot", "zai", "qwen", "minimax", "mistral", "groq")
    tiers = tiers_of([*keys, plan])
    for tier in Tier:
        named = list(dict.fromkeys(choice.info.provider for choice in tiers[tier]))
        assert plan in named[:2], (tier, named)
    without = tiers_of(keys)
    assert primaries(tiers) == primaries(without)


def test_compute_tiers_takes_the_newest_of_a_family() -> None:
    found = compute_tiers(
        {"openai": [model("gpt-6-sol", 2), model("gpt-6.2-sol", 2), model("gpt-6.1-sol", 2)]}, order_price, TODAY
    )
    assert [choice.info.id for choice in found[Tier.COMPLEX]] == ["gpt-6.2-sol", "gpt-6.1-sol"]


def test_compute_tiers_leaves_out_what_goes_soon_what_is_restricted_and_what_cannot_call_tools() -> None:
    gone = model("gpt-6.2-sol", 2, retires=TODAY + timedelta(days=90))
    found = compute_tiers(
        {"openai": [gone, model("gpt-6-sol", 2), model("gpt-6-pro", 20), model("gpt-7-sol", 2, tools=False)]}, order_price, TODAY
    )
    assert primaries(found) == ["openai/gpt-6-sol"] * 4


def test_compute_tiers_passes_over_what_is_hardly_abler_and_many_times_dearer() -> None:
    hardly = [model("gpt-6.1-sol", 2), model("gpt-6-astra", 10)]
    assert primaries(compute_tiers({"openai": hardly}, order_price, TODAY))[3] == "openai/gpt-6.1-sol"
    clearly = [model("gpt-6-sol", 2), model("gpt-6-astra", 10)]
    assert primaries(compute_tiers({"openai": clearly}, order_price, TODAY))[3] == "openai/gpt-6-astra"


def test_compute_tiers_of_nothing_is_empty() -> None:
    assert compute_tiers({"mine": []}, order_price, TODAY) == dict.fromkeys(Tier, ())
    assert compute_tiers({}, order_price, TODAY) == dict.fromkeys(Tier, ())


# ------------------------------------------------------------------ the table in force


def table(settings: dict[str, Any], usable: set[str], today: date = TODAY, **parts: Any) -> tuple[TierTable, list[float]]:
    now = [0.0]
    providers: dict[str, Any] = {name: FakeProvider(name, tuple(models), any_model=True) for name, models in CATALOG.items()}
    named = named_tiers(RoutingSettings.model_validate(settings))
    return TierTable(named, providers, usable.__contains__, order_price, lambda: today, lambda: now[0], **parts), now


def test_tier_table_follows_the_credentials_within_a_second() -> None:
    usable = {"openai"}
    tiers, now = table({}, usable)
    assert all(name.startswith("openai/") for tier in Tier for name in tiers[tier])
    usable.add("anthropic")
    now[0] += 1.0
    assert tiers[Tier.SIMPLE][0].startswith("anthropic/claude-haiku")


def test_tier_table_is_whole_for_a_thread_that_looks_while_another_fills_it() -> None:
    usable = {"openai"}
    tiers, now = table({}, usable)
    seen: list[str] = []
    look_from_within = False

    def order_and_look(*told: Any) -> Any:
        nonlocal look_from_within
        if look_from_within:
            look_from_within = False
            with ThreadPoolExecutor(1) as pool:
                seen.extend(pool.submit(lambda: [tiers[tier][0] for tier in Tier]).result(10))
        return order_price(*told)

    tiers._price_of = order_and_look
    for added in ("", "anthropic"):
        look_from_within = True
        usable |= {added}
        now[0] += 1.0
        assert all(tiers[tier] for tier in Tier)
    assert len(seen) == 2 * len(Tier)


def test_tier_table_keeps_excluded_models_out() -> None:
    first = table({}, {"anthropic"})[0][Tier.REASONING][0]
    tiers, _ = table({}, {"anthropic"}, excluded=frozenset({first}))
    assert all(first not in tiers[tier] for tier in Tier)


def test_tier_table_puts_the_successor_behind_a_retired_name() -> None:
    after = date(2026, 12, 1)
    tiers, _ = table({"tiers": "original"}, {"anthropic"}, after)
    assert tiers[Tier.COMPLEX] == ("anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-5-5")
    assert [choice.why for choice in tiers.choices(Tier.COMPLEX)][1] == "successor of anthropic/claude-sonnet-4-5"
    assert tiers[Tier.SIMPLE] == ("anthropic/claude-haiku-4-5",)


def test_tier_table_names_what_is_missing_when_nothing_can_be_used() -> None:
    tiers, _ = table({}, set())
    assert tiers[Tier.SIMPLE][0].startswith("anthropic/")


def test_models_nothing_is_known_of_serve_every_tier_where_there_are_no_others() -> None:
    local = [ModelInfo("ollama", "plain:1b", tools=False), ModelInfo("ollama", "own:8b"), ModelInfo("ollama", "other:8b")]
    tiers = compute_tiers({"ollama": local}, order_price, TODAY)
    for tier in Tier:
        assert [choice.info.id for choice in tiers[tier]] == ["own:8b", "other:8b", "plain:1b"]


def test_default_tiers_without_prices_of_its_own_a_provider_is_sorted_by_those_of_the_maker() -> None:
    found = [described("azure", name, shipped_models()) for name in ("gpt-6-sol", "gpt-6-luna")]
    tiers = compute_tiers({"azure": found}, order_price, TODAY)
    assert [tiers[tier][0].info.id for tier in Tier] == ["gpt-6-luna", "gpt-6-sol", "gpt-6-sol", "gpt-6-sol"]

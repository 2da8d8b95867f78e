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
from openclaw_oauthrouter.canonical.routing import Payment, PlanWindow, RouteHints, Tier
from openclaw_oauthrouter.canonical.value import changed
from openclaw_oauthrouter.catalog.models import build_catalog, described, placed, shipped_edition, shipped_models
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.routing.default_tiers import DefaultTiers, compute_tiers, order_price, well_below
from openclaw_oauthrouter.routing.tiers import TierTable, named_tiers
from tests.unit.routing.world import FakeProvider, World, asking

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


# ------------------------------------------------------------------ as well as the primary

CODING_PLANS = ("zai-coding", "kimi-coding", "minimax-coding", "qwen-coding")
IDLE = Payment(by_plan=True, windows=(PlanWindow("5h", 0.03, 18_000.0, 1_000_000.0 + 9_000.0),))


def served(plan: str, tier: Tier, **routing: Any) -> str:
    """The provider that a tier's request goes to, with a key of Anthropic's and a plan with room."""
    world = World(
        providers={name: FakeProvider(name, CATALOG[name]) for name in ("anthropic", plan)},
        usable={"anthropic", plan},
        settings={"tiers": {}} | routing,
        tier=tier,
        payments={plan: IDLE},
    )
    router = world.router()
    named = named_tiers(router.settings)
    table = TierTable(named, world.providers, world.usable.__contains__, order_price, lambda: TODAY, lambda: world.now)
    choosing = changed(router.choosing, chains=table, preferences={})
    return changed(router, choosing=choosing).route(asking(), RouteHints(), None).decision.model.partition("/")[0]


@pytest.mark.parametrize("plan", CODING_PLANS)
def test_choosing_plan_with_room_takes_hard_work_only_if_it_serves_that_as_well(plan: str) -> None:
    found = {tier: served(plan, tier) for tier in Tier}
    assert found == {Tier.SIMPLE: plan, Tier.MEDIUM: plan, Tier.COMPLEX: "anthropic", Tier.REASONING: "anthropic"}


@pytest.mark.parametrize("plan", ["openai-codex", "openai-chatgpt"])
def test_choosing_plan_that_serves_all_tiers_as_well_takes_them_all(plan: str) -> None:
    assert {served(plan, tier) for tier in Tier} == {plan}


@pytest.mark.parametrize("plan", CODING_PLANS)
def test_choosing_plan_takes_hard_work_where_money_counts_more_or_its_owner_says_so(plan: str) -> None:
    own = CATALOG[plan][0].name
    tiers = {"REASONING": {"primary": "anthropic/claude-opus-5-5", "fallback": [own]}}
    assert served(plan, Tier.REASONING, tiers=tiers) == plan
    assert served(plan, Tier.COMPLEX, profile="economy") == plan


@pytest.mark.parametrize("providers", [*([name] for name in CATALOG), *combinations(FIRST_HAND, 2)], ids=",".join)
def test_well_below_is_never_the_primary(providers: tuple[str, ...]) -> None:
    tiers = tiers_of(providers)
    found = well_below(tiers)
    assert not any(tiers[tier][0].info.name in names for tier, names in found.items())
    assert set(found) == {Tier.COMPLEX, Tier.REASONING}

"""The tiers in force as data for people and programs: each model, why it stands there, what it costs, what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openclaw_oauthrouter.canonical.routing import ModelInfo, Tier
from openclaw_oauthrouter.catalog.families import read_table
from openclaw_oauthrouter.catalog.models import shipped_edition
from openclaw_oauthrouter.routing.default_tiers import Choice
from openclaw_oauthrouter.routing.eligibility import Requirements
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.routing.tiers import TierTable


def tier_report(router: Router) -> dict[str, Any]:
    """All tiers, as ``openclaw-oauthrouter tiers --json`` prints them."""
    tiers = {tier.value: _tier(router, tier) for tier in Tier}
    return {"tiers": tiers, "contextWindow": smallest_window(router), "notes": list(_notes(router, tiers))}


def smallest_window(router: Router) -> int | None:
    """The longest prompt that every tier's primary takes, and so what a client of ``auto`` may count on; ``None`` when not known."""
    primaries = [info for tier in Tier if (info := primary_of(router, tier)) is not None]
    windows = [window for info in primaries if (window := info.max_input_tokens or info.context_window)]
    return min(windows) if windows else None


def primary_of(router: Router, tier: Tier) -> ModelInfo | None:
    """The first model of a tier that can serve now; ``None`` when there is none."""
    for name in router.choosing.chains[tier]:
        info = router.choosing.model_info(name)
        if info is not None and router.eligibility.unfit(info, Requirements()) is None:
            return info
    return None


def _tier(router: Router, tier: Tier) -> dict[str, Any]:
    table = router.choosing.chains
    known = {choice.info.name: choice for choice in table.choices(tier)} if isinstance(table, TierTable) else {}
    return {
        "computed": isinstance(table, TierTable) and table.is_computed(tier),
        "models": [_model(router, name, known.get(name)) for name in table[tier]],
    }


def _model(router: Router, name: str, choice: Choice | None) -> dict[str, Any]:
    info = choice.info if choice else router.choosing.model_info(name)
    problem = "no provider of that name" if info is None else router.eligibility.why_not(info, Requirements())
    price = router.prices.price(info) if info else None
    return {
        "model": name,
        "why": choice.why if choice else "named",
        "usable": problem is None,
        "problem": problem,
        "ability": info.ability if info else None,
        "price": {"input": price.input, "output": price.output} if price else None,
        "contextWindow": (info.max_input_tokens or info.context_window) if info else None,
        "retires": info.retires.isoformat() if info and info.retires else None,
    }


def _notes(router: Router, tiers: dict[str, dict[str, Any]]) -> Iterator[str]:
    ranking = read_table("ranking.toml")
    yield f"Ability: {ranking['name']} ({ranking['source']}), read on {ranking['read']}."
    yield f"Catalog of {shipped_edition().generated}. Prices in US dollars per million tokens."
    silent = router.choosing.silent_providers()
    if silent:
        yield (
            f"No model of {', '.join(silent)} is known yet: the list comes when the gateway runs, or with "
            f"`openclaw-oauthrouter models --refresh {' '.join(silent)}`."
        )
    elif not any(row["usable"] for tier in tiers.values() for row in tier["models"]):
        yield "No model can be used yet: add a credential with `openclaw-oauthrouter auth add NAME`."

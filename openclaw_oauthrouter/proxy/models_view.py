"""What the dashboard's models page shows: price, window, abilities, state and place of every model of the providers in force."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.proxy.models_list import readable
from openclaw_oauthrouter.routing.eligibility import Requirements
from openclaw_oauthrouter.routing.router import Router
from openclaw_oauthrouter.runtime import Runtime


def models_view(runtime: Runtime, *, everything: bool = False) -> JsonObject:
    """The models that can be used, those of the tiers and aliases first.

    :param everything: also those of providers without a credential
    """
    router = runtime.pipeline.router
    places = _places(router)
    rows = [
        _row(router, info, provider.dialect, places)
        for name, provider in router.choosing.providers.items()
        if everything or router.eligibility.usable(name) or any(model.startswith(f"{name}/") for model in places)
        for info in provider.models()
    ]
    rows.sort(key=lambda row: (not (row["tiers"] or row["aliases"]), row["state"] != "ready", row["model"]))
    return {"models": rows, "today": _iso(router.eligibility.day())}


def _places(router: Router) -> dict[str, tuple[list[str], list[str]]]:
    """Model -> tiers it stands in, with its place, and aliases that mean it."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for tier in Tier:
        for number, name in enumerate(router.choosing.chains[tier]):
            found.setdefault(name, ([], []))[0].append(tier.value if number == 0 else f"{tier.value} {number + 1}")
    for alias, name in router.settings.aliases.items():
        found.setdefault(name, ([], []))[1].append(alias)
    return found


def _row(router: Router, info: ModelInfo, dialect: str, places: dict[str, tuple[list[str], list[str]]]) -> JsonObject:
    accepts = with_accepts(info, dialect).accepts
    price = router.prices.price(info)
    unfit = router.eligibility.unfit(info, Requirements())
    resting = None if unfit is not None else router.eligibility.blocked(info.provider, info.id)
    tiers, aliases = places.get(info.name, ([], []))
    return {
        "model": info.name,
        "title": info.display_name or readable(info.id),
        "state": "unusable" if unfit is not None else "resting" if resting is not None else "ready",
        "reason": unfit or resting,
        "price": None
        if price is None
        else {"input": price.input, "output": price.output, "cacheRead": price.cache_read, "cacheWrite": price.cache_write},
        "contextWindow": info.max_input_tokens or info.context_window,
        "maxOutput": info.max_output_tokens,
        "images": info.images,
        "documents": info.documents,
        "tools": info.tools,
        "reasons": bool(accepts and accepts.reasons is not False and (accepts.reasons or accepts.efforts or accepts.budget)),
        "structured": "json_schema" in accepts.structured_output if accepts else True,
        "ability": info.ability,
        "released": _iso(info.released),
        "retires": _iso(info.retires),
        "successor": info.successor,
        "tiers": tiers,
        "aliases": aliases,
    }


def _iso(day: object) -> str | None:
    return None if day is None else str(day)

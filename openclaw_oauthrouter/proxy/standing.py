"""How the gateway stands now, in a few numbers: plans, budgets, and how many of the models in use can answer."""

from __future__ import annotations

from datetime import datetime

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.routing.eligibility import Requirements
from openclaw_oauthrouter.runtime import Runtime


def models_standing(runtime: Runtime) -> JsonObject:
    """Of the models that tiers and aliases name: how many can answer now, and how many rest for a while."""
    router = runtime.pipeline.router
    names = {name for chain in router.choosing.chains.values() for name in chain} | set(router.settings.aliases.values())
    ready = resting = 0
    for name in names:
        info = router.choosing.model_info(name)
        if info is None or router.eligibility.unfit(info, Requirements()) is not None:
            continue
        if router.eligibility.blocked(info.provider, info.id) is None:
            ready += 1
        else:
            resting += 1
    return {"ready": ready, "resting": resting}


def standing(health: JsonObject, spend: JsonObject, models: JsonObject | None, now: float) -> JsonObject:
    """What the sentence on top of the dashboard says of now.

    :param health: ``Health.snapshot``
    :param spend: the spend guard's snapshot
    :param models: see ``models_standing``; ``None`` where that is not known
    :param now: Unix seconds
    """
    untils = [_seconds(cooldown.get("until")) for cooldown in health.get("cooldowns", ())]
    resting = sum(cooldown.get("scope") == "model" for cooldown in health.get("cooldowns", ()))
    return {
        "plans": _plans(health, now),
        "budgets": [
            {name: budget.get(name) for name in ("period", "quantity", "used", "most", "resetsAt")}
            for budget in spend.get("budgets", ())
            if not budget.get("scope")
        ],
        "models": models if models is not None else {"ready": None, "resting": resting},
        "firstBack": min((until for until in untils if until is not None), default=None),
    }


def _plans(health: JsonObject, now: float) -> list[JsonObject]:
    """Of every plan the window that is fullest; one that has begun anew since tells nothing."""
    fullest: dict[tuple[str, str], JsonObject] = {}
    for window in health.get("windows", ()):
        if window.get("model") or window.get("used") is None:
            continue  # an API's limit of a minute is no plan
        resets_at = _seconds(window.get("resets_at"))
        if resets_at is not None and resets_at <= now:
            continue
        key = (str(window["provider"]), str(window.get("credential") or ""))
        known = fullest.get(key)
        if known is None or (bool(window.get("exhausted")), window["used"]) > (known["exhausted"], known["used"]):
            fullest[key] = {
                "provider": key[0],
                "credential": key[1] or None,
                "window": window["window"],
                "used": window["used"],
                "exhausted": bool(window.get("exhausted")),
                "resetsAt": resets_at,
            }
    return list(fullest.values())


def _seconds(moment: object) -> float | None:
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else None

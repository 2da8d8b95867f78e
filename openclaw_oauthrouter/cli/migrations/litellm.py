"""LiteLLM: ``config.yaml`` of its proxy, with ``model_list``, ``router_settings``, ``litellm_settings`` and ``general_settings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_oauthrouter.cli.migrations.migration import Migration, mapping, name_of, rows

_OF_THE_ENVIRONMENT = "os.environ/"
_THEIR_NAMES = {
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "xai": "xai",
    "chatgpt": "openai-codex",
    "moonshot": "moonshot",
}
_UNSUPPORTED = ("bedrock", "vertex_ai", "sagemaker")
_BUDGETS = {"1d": "daily_cost_budget", "24h": "daily_cost_budget", "30d": "monthly_cost_budget", "1mo": "monthly_cost_budget"}


def from_litellm(document: Mapping[str, Any]) -> Migration:
    """The settings that do the same."""
    migration = Migration()
    served: dict[str, str] = {}
    for row in rows(document.get("model_list")):
        _model(migration, row, served)
    general, settings, router = (mapping(document.get(f"{name}_settings")) for name in ("general", "litellm", "router"))
    _master_key(migration, general.get("master_key"))
    for name, target in mapping(router.get("model_group_alias")).items():
        target = mapping(target).get("model", target)  # an alias may be hidden from the list
        if isinstance(target, str):
            migration.put(("routing", "aliases", str(name)), served.get(target, target))
    if settings.get("fallbacks") or router.get("fallbacks"):
        migration.note("fallbacks: a tier's models stand in for one another here; name them in routing.tiers.<TIER>.fallback")
    _budget(migration, settings)
    for name in ("database_url", "custom_auth", "alerting"):
        if general.get(name):
            migration.note(f"general_settings.{name} has no counterpart")
    for name in ("callbacks", "success_callback", "cache"):
        if settings.get(name):
            migration.note(f"litellm_settings.{name} has no counterpart; sinks are plugins, prompt caches are the providers' own")
    return migration


def _model(migration: Migration, row: Mapping[str, Any], served: dict[str, str]) -> None:
    params = mapping(row.get("litellm_params"))
    name, model = str(row.get("model_name") or ""), str(params.get("model") or "")
    prefix, slash, bare = model.partition("/")
    if not slash:
        prefix, bare = ("anthropic" if model.startswith("claude") else "openai"), model
    if prefix in _UNSUPPORTED:
        migration.note(f"{model!r} was left out: there is no provider {prefix!r} here")
        return
    if bare in ("*", "") or "*" in name:
        migration.note(
            f"the wildcard {name or model!r} is not needed: any model of a provider can be asked for as provider/model"
        )
    key, variable = _key(params.get("api_key"))
    base = params.get("api_base")
    provider = migration.provider(
        _THEIR_NAMES.get(prefix, name_of(prefix)), api_base=str(base) if base else None, api_key=key, variable=variable
    )
    if bare in ("*", ""):
        return
    migration.add_model(provider, bare)
    full = f"{provider}/{bare}"
    if name in served and served[name] != full:
        migration.note(f"{name!r} stood for several models; the first, {served[name]}, was taken")
        return
    served[name] = full
    if name and name not in (full, bare):
        migration.put(("routing", "aliases", name), full)


def _key(value: object) -> tuple[str | None, str | None]:
    """The key itself, or the variable that holds it."""
    text = str(value or "")
    if text.startswith(_OF_THE_ENVIRONMENT):
        return None, text.removeprefix(_OF_THE_ENVIRONMENT)
    return text or None, None


def _master_key(migration: Migration, value: object) -> None:
    key, variable = _key(value)
    if key:
        migration.put(("server", "auth_token"), key)
    elif variable:
        migration.note(f"the master key stood in {variable}: set OAUTHROUTER_LOCAL_TOKEN to it, or let the gateway make a token")


def _budget(migration: Migration, settings: Mapping[str, Any]) -> None:
    most, span = settings.get("max_budget"), str(settings.get("budget_duration") or "")
    if most is None:
        return
    if span in _BUDGETS and isinstance(most, int | float) and not isinstance(most, bool) and most > 0:
        migration.put(("spend_controls", _BUDGETS[span]), float(most))
    else:
        migration.note(
            f"max_budget {most} over {span or 'all time'}: set spend_controls.daily_cost_budget or monthly_cost_budget"
        )

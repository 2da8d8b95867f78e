"""LiteLLM: ``config.yaml`` of its proxy, with ``model_list``, ``router_settings``, ``litellm_settings`` and ``general_settings``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_oauthrouter.cli.migrations.migration import Migration, mapping, name_of, rows, variable_in

_THEIR_NAMES = {
    "ai21_chat": "ai21",
    "azure_text": "azure",
    "chatgpt": "openai-codex",
    "codestral": "mistral",
    "cohere_chat": "cohere",
    "custom_openai": "openai",
    "dashscope": "qwen",
    "fireworks_ai": "fireworks",
    "github": "github-models",
    "hosted_vllm": "vllm",
    "lm_studio": "lmstudio",
    "ollama_chat": "ollama",
    "text-completion-openai": "openai",
    "together_ai": "together",
}
_UNSUPPORTED = ("bedrock", "bedrock_converse", "vertex_ai", "vertex_ai_beta", "sagemaker", "sagemaker_chat")
_BUDGETS = {"1d": "daily_cost_budget", "24h": "daily_cost_budget", "30d": "monthly_cost_budget", "1mo": "monthly_cost_budget"}


def from_litellm(document: Mapping[str, Any]) -> Migration:
    """The settings that do the same."""
    migration = Migration()
    served: dict[str, str] = {}
    credentials = {
        str(row.get("credential_name")): mapping(row.get("credential_values")) for row in rows(document.get("credential_list"))
    }
    for row in rows(document.get("model_list")):
        _model(migration, row, served, credentials)
    _files_besides(migration, document)
    general, settings, router = (mapping(document.get(f"{name}_settings")) for name in ("general", "litellm", "router"))
    _master_key(migration, general.get("master_key"))
    for name, target in mapping(router.get("model_group_alias")).items():
        target = mapping(target).get("model", target)  # an alias may be hidden from the list
        if not isinstance(target, str):
            migration.note(f"the alias {str(name)!r} leads to no model; it was left out")
            continue
        if target not in served:
            migration.note(f"the alias {str(name)!r} leads to {target!r}, which no row of the file serves")
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


def _model(
    migration: Migration, row: Mapping[str, Any], served: dict[str, str], credentials: Mapping[str, Mapping[str, Any]]
) -> None:
    params = mapping(row.get("litellm_params"))
    params = {**credentials.get(str(params.get("litellm_credential_name")), {}), **params}
    name, model = str(row.get("model_name") or ""), str(params.get("model") or "")
    if not model:
        migration.note(f"{name or 'a row without a name'!r} names no model; it was left out")
        return
    prefix, bare = _maker_of(model, params)
    if prefix in _UNSUPPORTED:
        migration.note(f"{model!r} was left out: there is no provider {prefix!r} here")
        return
    if bare == "*" or "*" in name:
        migration.note(
            f"the wildcard {name or model!r} is not needed: any model of a provider can be asked for as provider/model"
        )
    if prefix == "*":
        return
    provider = migration.provider(
        _THEIR_NAMES.get(prefix, name_of(prefix)), api_base=params.get("api_base"), api_key=params.get("api_key")
    )
    if bare == "*":
        return
    migration.add_model(provider, bare)
    full = f"{provider}/{bare}"
    if name in served and served[name] != full:
        migration.note(f"{name!r} stood for several models; the first, {served[name]}, was taken")
        return
    served[name] = full
    if name and name not in (full, bare):
        migration.put(("routing", "aliases", name), full)


def _maker_of(model: str, params: Mapping[str, Any]) -> tuple[str, str]:
    """Whose API it is, and the model's name there."""
    stated = params.get("custom_llm_provider")
    if isinstance(stated, str) and stated:
        return stated, model.removeprefix(f"{stated}/")
    prefix, slash, bare = model.partition("/")
    if slash or model == "*":
        return prefix, bare
    return ("anthropic" if model.startswith("claude") else "gemini" if model.startswith("gemini") else "openai"), model


def _files_besides(migration: Migration, document: Mapping[str, Any]) -> None:
    if document.get("include"):
        migration.note(f"include: the files {document['include']} were not read; migrate each of them")
    for name in mapping(document.get("environment_variables")):
        migration.note(
            f"environment_variables.{name} was not taken over: set it for the gateway, or openclaw-oauthrouter auth add"
        )


def _master_key(migration: Migration, value: object) -> None:
    variable = variable_in(value)
    if isinstance(value, str) and value and not variable:
        migration.put(("server", "auth_token"), value)
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

"""claude-code-router: ``config.json`` with ``Providers`` and ``Router``; models are written ``provider,model``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_oauthrouter.cli.migrations.migration import Migration, mapping, name_of, rows, variable_in

_TIERS = {"background": ("SIMPLE",), "default": ("MEDIUM", "COMPLEX"), "think": ("REASONING",)}
"""What it calls by a turn's kind, we call by its difficulty: background work is simple, thinking is reasoning."""


def from_claude_code_router(document: Mapping[str, Any]) -> Migration:
    """The settings that do the same."""
    migration = Migration()
    names: dict[str, list[tuple[str, list[str]]]] = {}
    for row in rows(document.get("Providers") or document.get("providers")):
        if not row.get("name"):
            migration.note(f"a provider without a name was left out ({row.get('api_base_url')})")
            continue
        models = _models(row)
        names.setdefault(str(row["name"]).strip(), []).append((_provider(migration, row, models), models))
    router = mapping(document.get("Router"))
    for kind, tiers in _TIERS.items():
        model = _model(migration, names, router.get(kind))
        for tier in tiers if model else ():
            migration.put(("routing", "tiers", tier), {"primary": model})
    for kind in ("longContext", "webSearch", "image"):
        if router.get(kind):
            migration.note(
                f"Router.{kind} ({router[kind]}) has no counterpart: a model that is too small or blind for a turn is passed over"
            )
    if document.get("CUSTOM_ROUTER_PATH"):
        migration.note("CUSTOM_ROUTER_PATH: a routing script becomes a plugin with the hook oauthrouter_select_route")
    port = str(document.get("PORT") or "")
    if port.isdecimal() and 0 < int(port) < 65536:
        migration.put(("server", "port"), int(port))
    if document.get("HOST") not in (None, "127.0.0.1", "localhost"):
        migration.note(
            f"HOST {document['HOST']!r} was not taken over: this gateway listens on loopback unless server.listen_host says otherwise"
        )
    _token(migration, document.get("APIKEY"))
    if document.get("PROXY_URL"):
        migration.note("PROXY_URL: set HTTPS_PROXY for the gateway")
    return migration


def _token(migration: Migration, value: object) -> None:
    variable = variable_in(value)
    if variable:
        migration.note(f"APIKEY stood in {variable}: set OAUTHROUTER_LOCAL_TOKEN to it, or let the gateway make a token")
    elif isinstance(value, str) and value:
        migration.put(("server", "auth_token"), value)


def _models(row: Mapping[str, Any]) -> list[str]:
    listed = row.get("models")
    named = (
        (mapping(model).get("name") or mapping(model).get("id") or model for model in listed) if isinstance(listed, list) else ()
    )
    return [name for name in named if isinstance(name, str)]


def _provider(migration: Migration, row: Mapping[str, Any], models: list[str]) -> str:
    name = migration.provider(name_of(str(row["name"])), api_base=row.get("api_base_url"), api_key=row.get("api_key"))
    for model in models:
        migration.add_model(name, model)
    if row.get("transformer"):
        migration.note(f"the transformers of {row['name']!r} are not needed: dialects are translated here")
    return name


def _model(migration: Migration, names: Mapping[str, list[tuple[str, list[str]]]], word: object) -> str | None:
    """A model by its full name here; of several providers of one name, by the one that lists it."""
    provider, comma, model = str(word or "").partition(",")
    found = names.get(provider.strip()) if comma else None
    if not found:
        if word:
            migration.note(f"the model {word!r} names no provider of the file")
        return None
    model = model.strip()
    name = next((name for name, models in found if model in models), found[0][0])
    return f"{name}/{model}"

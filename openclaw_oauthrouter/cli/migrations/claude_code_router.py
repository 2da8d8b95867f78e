"""claude-code-router: ``config.json`` with ``Providers`` and ``Router``; models are written ``provider,model``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from openclaw_oauthrouter.cli.migrations.migration import Migration, mapping, name_of, rows

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")

_TIERS = {"background": ("SIMPLE",), "default": ("MEDIUM", "COMPLEX"), "think": ("REASONING",)}
"""What it calls by a turn's kind, we call by its difficulty: background work is simple, thinking is reasoning."""


def from_claude_code_router(document: Mapping[str, Any]) -> Migration:
    """The settings that do the same."""
    migration = Migration()
    names: dict[str, str] = {}
    for row in rows(document.get("Providers") or document.get("providers")):
        names[str(row.get("name"))] = _provider(migration, row)
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
    if isinstance(document.get("PORT"), int):
        migration.put(("server", "port"), document["PORT"])
    if document.get("HOST") not in (None, "127.0.0.1", "localhost"):
        migration.note(
            f"HOST {document['HOST']!r} was not taken over: this gateway listens on loopback unless server.listen_host says otherwise"
        )
    if document.get("APIKEY"):
        migration.put(("server", "auth_token"), str(document["APIKEY"]))
    if document.get("PROXY_URL"):
        migration.note("PROXY_URL: set HTTPS_PROXY for the gateway")
    return migration


def _provider(migration: Migration, row: Mapping[str, Any]) -> str:
    key = str(row.get("api_key") or "")
    variable = _VARIABLE.fullmatch(key)
    name = migration.provider(
        name_of(str(row.get("name"))),
        api_base=str(row["api_base_url"]) if row.get("api_base_url") else None,
        api_key=key if key and variable is None else None,
        variable=variable[1] if variable else None,
    )
    for model in row.get("models") or ():
        migration.add_model(name, str(model))
    if row.get("transformer"):
        migration.note(f"the transformers of {row.get('name')!r} are not needed: dialects are translated here")
    return name


def _model(migration: Migration, names: Mapping[str, str], word: object) -> str | None:
    provider, comma, model = str(word or "").partition(",")
    if not comma or provider.strip() not in names:
        if word:
            migration.note(f"the model {word!r} names no provider of the file")
        return None
    return f"{names[provider.strip()]}/{model.strip()}"

"""claude-code-router: ``config.json`` with ``Providers`` and ``Router``; models are written ``provider,model``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.cli.migrations.migration import Migration, mapping, name_of, rows

_VARIABLE = lazily(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")

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
    variable = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    if variable:
        migration.note(f"APIKEY stood in {variable[1]}: set OAUTHROUTER_LOCAL_TOKEN to it, or let the gateway make a token")
    elif isinstance(value, str) and value:
        migration.put(("server", "auth_token"), value)


def _provider(migration: Migration, row: Mapping[str, Any]) -> str:
    key = str(row.get("api_key") or "")
    variable = _VARIABLE.fullmatch(key)
    name = migration.provider(
        name_of(str(row.get("name"))),
        api_base=str(row["api_base_url"]) if row.get("api_base_url") else None,
        api_key=key if key and variable is None else None,
        variable=variable[1] if variable else None,
    )
    models = row.get("models")
    for model in models if isinstance(models, list) else ():
        called = mapping(model).get("name") or mapping(model).get("id") or model
        if isinstance(called, str):
            migration.add_model(name, called)
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

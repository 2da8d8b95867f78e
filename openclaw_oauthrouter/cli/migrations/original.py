"""The original OAuthRouter in TypeScript: its options object as JSON, or its plugin's configuration in ``openclaw.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openclaw_oauthrouter.cli.migrations.migration import Migration, mapping, variable_in
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.loading import SHORTHANDS
from openclaw_oauthrouter.config.spelling import snake

_NOT_OURS = {
    "healthProbes": "there are no probes that cost tokens: health is learnt from requests",
    "dedup": "equal requests are not joined",
    "authProfiles": "sign-ins are found where OpenClaw keeps them",
}


def from_original(document: Mapping[str, Any]) -> Migration:
    """The settings that do the same; nearly all keys are understood as they are."""
    migration = Migration()
    plugin = mapping(mapping(mapping(document.get("plugins")).get("entries")).get("oauthrouter")).get("config")
    for key, value in mapping(plugin).items() if plugin is not None else document.items():
        name = snake(key)
        if name in SHORTHANDS:
            migration.put(tuple(SHORTHANDS[name].split(".")), value)
        elif name == "api_base":
            owner = "anthropic" if "anthropic" in str(value) else "openai"
            migration.put(("providers", owner, "api_base"), value)
        elif name in Settings.model_fields:
            migration.put((name,), value)
        else:
            migration.note(f"{key}: {_NOT_OURS.get(key, 'has no counterpart')}")
    _leave_out_references(migration)
    for name, settings in mapping(migration.settings.get("providers")).items():
        if mapping(settings).get("authHeader") == "claude-oauth-auto":
            migration.note(f"providers.{name}.authHeader 'claude-oauth-auto': set credentials.claude_code = true instead")
            migration.settings["providers"] = {
                **migration.settings["providers"],
                name: {key: value for key, value in settings.items() if key != "authHeader"},
            }
    return migration


def _leave_out_references(migration: Migration) -> None:
    """Our settings hold values, not the names of variables: a reference would be sent as the key itself."""
    for name, settings in mapping(migration.settings.get("providers")).items():
        for key in ("apiKey", "api_key", "apiBase", "api_base"):
            variable = variable_in(mapping(settings).get(key))
            if variable:
                del settings[key]
                hint = f"openclaw-oauthrouter auth add {name}" if "ey" in key else "write the address itself"
                migration.note(f"providers.{name}.{key} stood in {variable}: {hint}")
    server = mapping(migration.settings.get("server"))
    for key in ("auth_token", "authToken"):
        variable = variable_in(server.get(key))
        if variable:
            del migration.settings["server"][key]
            migration.note(f"the token stood in {variable}: set OAUTHROUTER_LOCAL_TOKEN to it, or let the gateway make one")

"""What the dashboard's settings page shows: tiers, budgets, keys and accounts as they are in force, and never a secret."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.catalog.presets import Preset, presets
from openclaw_oauthrouter.changes.settings_file import MadeChange
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.urls import without_userinfo
from openclaw_oauthrouter.credentials.overview import OverviewRow, overview
from openclaw_oauthrouter.credentials.sources.store import StoreSource
from openclaw_oauthrouter.proxy.editing import Editing
from openclaw_oauthrouter.routing.tier_report import tier_report
from openclaw_oauthrouter.runtime import Runtime

NOT_EDITABLE = "this gateway was not started from a configuration file; what started it holds its settings"
DEMO = "this is the demo: it has settings of its own, which end with it"


def settings_view(runtime: Runtime, editing: Editing | None, clock: Clock) -> JsonObject:
    """Everything the page needs, in one answer."""
    settings = runtime.settings
    return {
        "version": editing.file.version() if editing else None,
        "path": str(editing.file.path) if editing else None,
        "readOnly": None if editing else DEMO if settings.demo else NOT_EDITABLE,
        "routing": {
            "profile": settings.routing.profile,
            "aliases": dict(settings.routing.aliases),
            "exclude": list(settings.routing.exclude),
            "maxTier": settings.routing.max_tier,
        },
        "tiers": tier_report(runtime.pipeline.router)["tiers"],
        "spend": _spend(settings),
        "clientKeys": [_client_key(name, settings) for name in settings.server.client_keys],
        "accounts": _accounts(runtime, clock),
        "providers": [_provider(runtime, name) for name in _provider_names(runtime)],
        "presets": [_preset(preset) for preset in presets().values()],
        "notices": settings.notices.model_dump(mode="json", exclude={"command"}) | {"hasCommand": bool(settings.notices.command)},
        "changes": [_made(one) for one in editing.file.made()] if editing else [],
    }


def _spend(settings: Settings) -> JsonObject:
    shown = settings.spend_controls.model_dump(mode="json", exclude={"warn_command", "warn_url"})
    shown["budgets"] = [{name: value for name, value in row.items() if value is not None} for row in shown["budgets"]]
    return shown


def _client_key(name: str, settings: Settings) -> JsonObject:
    return {"name": name, **settings.server.client_keys[name].model_dump(mode="json", exclude={"token"})}


def _accounts(runtime: Runtime, clock: Clock) -> list[JsonObject]:
    settings = runtime.settings
    names = dict.fromkeys((*presets(), *settings.providers))
    rows = overview(runtime.credentials.sources, names, clock(), settings.credentials.paused)
    return [_account(row) for row in rows]


def _account(row: OverviewRow) -> JsonObject:
    return {
        "name": row.name,
        "provider": row.provider,
        "source": row.source,
        "kind": row.kind,
        "expiresAt": row.expires_at,
        "usable": row.usable,
        "paused": row.paused,
        "reason": row.reason,
        "ours": row.source == StoreSource.name and bool(row.name),
    }


def _provider_names(runtime: Runtime) -> list[str]:
    return list(dict.fromkeys((*(provider.name for provider in runtime.providers), *runtime.settings.providers)))


def _provider(runtime: Runtime, name: str) -> JsonObject:
    said, preset = runtime.settings.providers.get(name), presets().get(name)
    provider = next((one for one in runtime.providers if one.name == name), None)
    address = said.api_base if said and said.api_base else preset.api_base if preset else None
    return {
        "name": name,
        "title": preset.title if preset else name,
        "address": without_userinfo(address) if address else None,
        "models": len(provider.models()) if provider else 0,
        "usable": provider is not None and runtime.pipeline.router.eligibility.usable(name),
        "enabled": said.enabled if said else True,
        "own": preset is None and said is not None,
    }


def _preset(preset: Preset) -> JsonObject:
    return {
        "name": preset.name,
        "title": preset.title,
        "keys": preset.keys,
        "local": preset.local,
        "plan": preset.plan,
        "addressHint": preset.address_hint if preset.api_base is None else None,
    }


def _made(change: MadeChange) -> JsonObject:
    return {"name": change.name, "at": change.at, "settings": list(change.settings)}

"""Puts the built-in providers in place: those known by name, and every endpoint of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.catalog.addresses import kind_of, local_address, vendor_path
from openclaw_oauthrouter.catalog.presets import Preset, presets
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.providers import ProviderKind, ProviderSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.providers.anthropic import Anthropic
from openclaw_oauthrouter.providers.gemini import Gemini
from openclaw_oauthrouter.providers.openai_codex import OpenAICodex
from openclaw_oauthrouter.providers.openai_compatible import OpenAICompatible

OWN_PROTOCOL = "openai_chat_completions"
"""What an endpoint speaks of which nothing is known."""


@hookimpl
def oauthrouter_register_providers(settings: Settings, models: Sequence[ModelInfo]) -> Sequence[Provider]:
    """Every enabled provider; those known by name need no settings, unless each user has an address of their own."""
    wanted = {name: _preset_settings(preset) for name, preset in presets().items() if preset.api_base is not None}
    wanted |= {name: _laid_over(wanted.get(name) or _without_address(name), said) for name, said in settings.providers.items()}
    own: dict[str, list[ModelInfo]] = {}
    for info in models:
        own.setdefault(info.provider, []).append(info)
    return [_build(name, said, settings, own.get(name, [])) for name, said in wanted.items() if said.enabled]


def _preset_settings(preset: Preset) -> ProviderSettings:
    said: dict[str, Any] = {"api_base": preset.api_base, "subscription": preset.plan or None}
    if preset.allowed_fields is not None:
        said["allowed_fields"] = preset.allowed_fields
    return ProviderSettings(**{name: value for name, value in said.items() if value is not None})


def _without_address(name: str) -> ProviderSettings | None:
    preset = presets().get(name)
    return _preset_settings(preset) if preset else None


def _laid_over(base: ProviderSettings | None, said: ProviderSettings) -> ProviderSettings:
    return base.model_copy(update={key: getattr(said, key) for key in said.model_fields_set}) if base else said


def _build(name: str, said: ProviderSettings, settings: Settings, own: Sequence[ModelInfo]) -> Provider:
    preset: Preset | None = presets().get(name)
    kind: ProviderKind = said.kind or kind_of(name, said.api_base if said.dialect is None else None)
    if said.api_base is None:
        example = preset.address_hint if preset and preset.address_hint else "http://127.0.0.1:11434/v1"
        raise ConfigurationError(f"providers.{name}.api_base is missing: say where the endpoint is, e.g. {example}")
    if kind == "anthropic":
        return Anthropic(name, said, settings.anthropic_oauth, own)
    if kind == "gemini":
        return Gemini(name, said, own)
    if kind == "openai-codex":
        return OpenAICodex(name, said, own)
    return OpenAICompatible(
        name=name,
        api_base=local_address(preset, said.api_base) if preset else said.api_base,
        dialect=said.dialect or (preset.protocol if preset else OWN_PROTOCOL),
        dialect_is_fixed=said.dialect is not None,
        also=preset.also if preset else (),
        headers={key.lower(): value for key, value in said.headers.items()},
        key_header=preset.key_header if preset else None,
        listed=own,
        any_model=not said.models or preset is not None,
        allowed_fields=frozenset(said.allowed_fields) if said.allowed_fields is not None else None,
        subscription=bool(said.subscription),
        # An endpoint of the user's own may well be a local server without a key; one that is known by name is asked once it was added.
        needs_credential=preset is not None and not (preset.local and name in settings.providers),
        vendor_path=vendor_path(preset) if preset else "",
        list_paths=preset.list_paths if preset else (),
        detail_path=preset.detail_path if preset else None,
    )

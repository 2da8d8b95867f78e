"""Puts the built-in providers in place: the four known by name, and every endpoint of the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.providers import ProviderKind, ProviderSettings
from openclaw_oauthrouter.errors import ConfigurationError
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import Provider
from openclaw_oauthrouter.providers.anthropic import Anthropic
from openclaw_oauthrouter.providers.openai_codex import OpenAICodex
from openclaw_oauthrouter.providers.openai_compatible import OpenAICompatible

DEEPSEEK_FIELDS = (
    "model",
    "messages",
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "response_format",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "top_logprobs",
    "thinking",
)
"""The body fields DeepSeek's API documents."""

BUILTIN: Mapping[str, ProviderSettings] = MappingProxyType(
    {
        "anthropic": ProviderSettings(kind="anthropic", api_base="https://api.anthropic.com"),
        "openai-codex": ProviderSettings(kind="openai-codex", api_base="https://chatgpt.com"),
        "openai": ProviderSettings(kind="openai-compatible", api_base="https://api.openai.com"),
        "openai-chatgpt": ProviderSettings(
            kind="openai-compatible", api_base="https://api.openai.com", dialect="openai_responses", subscription=True
        ),
        "deepseek": ProviderSettings(
            kind="openai-compatible", api_base="https://api.deepseek.com", allowed_fields=DEEPSEEK_FIELDS
        ),
    }
)
"""Providers known by name; what the user says of one is laid over its entry."""


@hookimpl
def oauthrouter_register_providers(settings: Settings, models: Sequence[ModelInfo]) -> Sequence[Provider]:
    """Every enabled provider."""
    wanted = {**BUILTIN, **{name: _laid_over(name, said) for name, said in settings.providers.items()}}
    return [_build(name, said, settings, models) for name, said in wanted.items() if said.enabled]


def _laid_over(name: str, said: ProviderSettings) -> ProviderSettings:
    base = BUILTIN.get(name)
    return base.model_copy(update={key: getattr(said, key) for key in said.model_fields_set}) if base else said


def _build(name: str, said: ProviderSettings, settings: Settings, models: Sequence[ModelInfo]) -> Provider:
    own = [info for info in models if info.provider == name]
    kind: ProviderKind = said.kind or "openai-compatible"
    if said.api_base is None:
        raise ConfigurationError(
            f"providers.{name}.api_base is missing: say where the endpoint is, e.g. http://127.0.0.1:11434/v1"
        )
    if kind == "anthropic":
        return Anthropic(name, said, settings.anthropic_oauth, own)
    if kind == "openai-codex":
        return OpenAICodex(name, said, own)
    return OpenAICompatible(
        name=name,
        api_base=said.api_base,
        dialect=said.dialect,
        headers={key.lower(): value for key, value in said.headers.items()},
        listed=own,
        any_model=not said.models or name in BUILTIN,
        allowed_fields=frozenset(said.allowed_fields) if said.allowed_fields is not None else None,
        subscription=bool(said.subscription),
        # An endpoint of the user's own may well be a local server without a key.
        needs_credential=name in BUILTIN,
        vendor_path="/v1" if name in BUILTIN else "",
    )

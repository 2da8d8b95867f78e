"""Says how to get a credential, provider by provider."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.credentials.sources.environment import variables_of

_SIGN_IN: Mapping[str, str] = {
    "openai-codex": (
        "Sign in with `openclaw models auth login --provider openai`, "
        "or with `codex login` and set credentials.codex_cli to true; "
        "`openclaw-oauthrouter auth login openai` opens the same plan as provider openai-chatgpt."
    ),
    "openai-chatgpt": "Sign in with `openclaw-oauthrouter auth login openai`.",
}
_WHAT_AND_WHERE: Mapping[str, str] = {
    "anthropic": " Keys are made at https://console.anthropic.com/settings/keys.",
    "openai": " Keys are made at https://platform.openai.com/api-keys.",
    "deepseek": " Keys are made at https://platform.deepseek.com/api_keys.",
    "openai-codex": " It takes a ChatGPT access token.",
}
"""Provider, or kind of a provider of the user's own."""


def how_to_get(provider: str, settings: ProviderSettings | None = None) -> str:
    """One or two sentences: what to set or run so that the provider gets a credential."""
    if provider in _SIGN_IN:
        return _SIGN_IN[provider]
    kind = settings.kind if settings is not None else None
    more = _WHAT_AND_WHERE.get(provider) or _WHAT_AND_WHERE.get(kind or "", "")
    variables = " or ".join(variables_of(provider))
    return f"Set {variables}, or run `openclaw-oauthrouter auth add {provider}`.{more}"

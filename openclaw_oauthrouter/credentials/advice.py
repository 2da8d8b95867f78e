"""Says how to get a credential, provider by provider."""

from __future__ import annotations

from collections.abc import Mapping

from openclaw_oauthrouter.config.providers import ProviderKind, ProviderSettings
from openclaw_oauthrouter.credentials.sources.environment import variables_of

_SIGN_IN: Mapping[str, str] = {
    "openai-codex": (
        "Sign in with `openclaw models auth login --provider openai`, "
        "or with `codex login` and set credentials.codex_cli to true."
    ),
    "openai-chatgpt": "Sign in with `openclaw-oauthrouter auth login openai`.",
}
_ALSO: Mapping[str, str] = {
    "anthropic": " Keys are made at https://console.anthropic.com/settings/keys.",
    "openai": " Keys are made at https://platform.openai.com/api-keys.",
    "deepseek": " Keys are made at https://platform.deepseek.com/api_keys.",
}


def how_to_get(provider: str, settings: ProviderSettings | None = None) -> str:
    """One or two sentences: what to set or run so that the provider gets a credential."""
    kind: ProviderKind | None = settings.kind if settings is not None else None
    sign_in = _SIGN_IN.get(provider) or (_SIGN_IN["openai-codex"] if kind == "openai-codex" else None)
    if sign_in is not None:
        return sign_in
    variables = " or ".join(variables_of(provider))
    return f"Set {variables}, or run `openclaw-oauthrouter auth add {provider}`.{_ALSO.get(provider, '')}"

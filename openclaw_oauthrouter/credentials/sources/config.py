"""Credentials written into the configuration itself: ``providers.<name>.api_key`` and ``auth_header``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.config.providers import AuthHeaderSettings, ProviderSettings
from openclaw_oauthrouter.credentials import secret_text
from openclaw_oauthrouter.credentials.finding import Finding, Inventory, bare_finding


class ConfigSource(Inventory):
    """Keys and headers of the configured providers."""

    name = "config"

    def __init__(self, providers: Mapping[str, ProviderSettings], clock: Clock) -> None:
        super().__init__(clock)
        self._findings = [
            finding for name, provider in providers.items() if provider.enabled for finding in _provider_findings(name, provider)
        ]

    def findings(self) -> Sequence[Finding]:
        """As configured; a header before a key."""
        return self._findings


def _provider_findings(provider: str, settings: ProviderSettings) -> Iterator[Finding]:
    if settings.auth_header is not None:
        yield _header_finding(provider, settings.auth_header)
    if settings.api_key is not None:
        yield bare_finding(f"config:{provider}", provider, ConfigSource.name, settings.api_key.get_secret_value())


def _header_finding(provider: str, header: AuthHeaderSettings) -> Finding:
    name, value = f"config:{provider}:{header.name.lower()}", header.value.get_secret_value().strip()
    scheme, _, token = value.partition(" ")
    if header.name.lower() == "authorization" and scheme.lower() == "bearer" and secret_text.is_anthropic_oauth(token.strip()):
        # Seen as what it is, so that the rules for such tokens apply to it too.
        return bare_finding(name, provider, ConfigSource.name, token)
    if not value or not value.isascii() or not value.isprintable():
        return Finding(name, provider, ConfigSource.name, "api_key", problem="is empty or holds what no header may hold")
    credential = Credential(name, provider, "api_key", Secret(value), ConfigSource.name, header=header.name)
    return Finding(name, provider, ConfigSource.name, "api_key", credential)

"""Where the prices of each provider's models are looked up, and which providers cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.routing.prices import PriceSource

_VENDORS = {
    "openai-codex": "openai",
    "openai-chatgpt": "openai",
    "gemini": "google",
    "xai": "x-ai",
    "kimi": "moonshotai",
    "glm": "zai",
}
"""Providers of ours whose vendor the published tables know under another name."""

_PAID = frozenset(
    {"anthropic", "openai", "deepseek", "google", "groq", "mistral", "moonshotai", "openrouter", "x-ai", "zai", "together"}
)
"""Vendors that are never taken for a machine of the user's own, wherever ``api_base`` points."""


def price_sources(providers: Mapping[str, ProviderSettings]) -> dict[str, PriceSource]:
    """For every provider that is configured or known by another name."""
    sources = {name: PriceSource(vendor) for name, vendor in _VENDORS.items()}
    for name, settings in providers.items():
        vendor = _VENDORS.get(name) or ("anthropic" if settings.kind == "anthropic" and _is_public(settings) else name)
        own = vendor not in _PAID and settings.api_base is not None
        free = own and is_own_machine(settings.api_base or "")
        sources[name] = PriceSource(vendor, settings.api_base, free)
    return sources


def is_own_machine(url: str) -> bool:
    """Whether an address lies on this machine or in a private network, by what it says: no name is looked up."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        address = ip_address(host)
    except ValueError:
        return (
            host == "localhost" or host.endswith((".localhost", ".local", ".lan", ".internal", ".home.arpa")) or "." not in host
        )
    return address.is_loopback or address.is_private or address.is_link_local


def _is_public(settings: ProviderSettings) -> bool:
    host = urlsplit(settings.api_base or "https://api.anthropic.com").hostname or ""
    return host == "anthropic.com" or host.endswith(".anthropic.com")

"""Where the prices of each provider's models are looked up, and which providers cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from openclaw_oauthrouter.catalog.presets import presets
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.routing.prices import PriceSource

_FORMER_NAMES = {"kimi": "moonshotai", "glm": "zai"}
"""Names that users gave to providers before there were presets of them."""


def price_sources(providers: Mapping[str, ProviderSettings]) -> dict[str, PriceSource]:
    """For every provider that is configured or known by another name."""
    sources = {name: PriceSource(vendor) for name in (*presets(), *_FORMER_NAMES) if (vendor := _vendor(name)) != name}
    for name, settings in providers.items():
        vendor = "anthropic" if name not in presets() and settings.kind == "anthropic" and _is_public(settings) else _vendor(name)
        preset = presets().get(name)
        # A vendor's service is never taken for a machine of the user's own, wherever ``api_base`` points.
        own = vendor != "anthropic" and settings.api_base is not None and (preset is None or preset.local)
        free = own and is_own_machine(settings.api_base or "")
        sources[name] = PriceSource(vendor, settings.api_base, free)
    return sources


def _vendor(name: str) -> str:
    """The name under which the published tables know a provider; a coding plan's models cost what its vendor's do."""
    preset = presets().get(name)
    if preset is None:
        return _FORMER_NAMES.get(name, name)
    return _vendor(preset.models_of) if preset.models_of is not None and preset.plan else preset.prices


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

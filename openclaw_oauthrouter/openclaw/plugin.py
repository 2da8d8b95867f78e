"""Puts this room's built-in things in place through the hooks; also what the entry point of group ``openclaw`` names."""

from __future__ import annotations

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import HostProviderEntry
from openclaw_oauthrouter.openclaw.provider_entry import provider_entry


@hookimpl
def openclaw_register_provider(settings: Settings) -> HostProviderEntry:
    """Offer the provider ``oauthrouter``."""
    return provider_entry(settings)

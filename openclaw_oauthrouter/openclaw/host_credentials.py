"""Makes what the host lends one of the credential sources; registered only while a host is there."""

from __future__ import annotations

import time
from collections.abc import Sequence

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.credentials.sources.host import HostBridge, HostSource
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import CredentialSource


class HostCredentials:
    """A plugin object for ``create_plugin_manager(extra=[HostCredentials(bridge)])``."""

    def __init__(self, bridge: HostBridge, clock: Clock = time.time) -> None:
        self._source = HostSource(bridge, clock)

    @hookimpl
    def oauthrouter_register_credential_sources(self, settings: Settings) -> Sequence[CredentialSource]:
        """Offer the host's credentials."""
        return (self._source,)

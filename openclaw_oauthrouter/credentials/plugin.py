"""Puts this room's built-in things in place through the hooks."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.config.environment import process_environment
from openclaw_oauthrouter.credentials.builtin import builtin_sources
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import CredentialSource


@hookimpl
def oauthrouter_register_credential_sources(settings: Settings) -> Sequence[CredentialSource]:
    """The built-in sources, with this process's environment, clock and chance."""
    return builtin_sources(settings, process_environment(), time.time, random.SystemRandom().random)

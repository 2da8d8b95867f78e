"""Puts the dashboard's own panels in place through the hooks."""

from __future__ import annotations

import time

from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import Panel


@hookimpl
def oauthrouter_register_panels() -> list[Panel]:
    """The built-in panels, in the order they are shown."""
    from openclaw_oauthrouter.dashboard.panels.cost import Cost
    from openclaw_oauthrouter.dashboard.panels.latency import Latency
    from openclaw_oauthrouter.dashboard.panels.models import Models
    from openclaw_oauthrouter.dashboard.panels.overview import Overview
    from openclaw_oauthrouter.dashboard.panels.requests import Requests
    from openclaw_oauthrouter.dashboard.panels.tiers import Tiers
    from openclaw_oauthrouter.dashboard.panels.tokens import Tokens

    return [Overview(), Requests(time.time), Tokens(time.time), Cost(time.time), Tiers(), Latency(), Models()]

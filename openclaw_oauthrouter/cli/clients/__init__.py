"""The client programs that can be set up or run with one command: one table, a program a row."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from openclaw_oauthrouter.cli.clients.agents import AGENTS
from openclaw_oauthrouter.cli.clients.applications import APPLICATIONS
from openclaw_oauthrouter.cli.clients.client import Client

CLIENTS: Mapping[str, Client] = {client.name: client for client in (*AGENTS, *APPLICATIONS)}


def find_client(name: str) -> Client | None:
    """The client of a name, one of its other names, or one of its programs."""
    for client in CLIENTS.values():
        if name in (client.name, *client.other_names, *client.programs):
            return client
    return None


def nearest(name: str) -> str | None:
    """The name that was probably meant."""
    known = [word for client in CLIENTS.values() for word in (client.name, *client.other_names, *client.programs)]
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    found = find_client(close[0]) if close else None
    return found.name if found else None

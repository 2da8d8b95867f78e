"""Tool names within the narrower limits that several dialects share, found again on the way back.

Other dialects allow longer names (Anthropic 128 characters) and hosts make use of it (``mcp__server__tool``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import Tool

MAX_NAME = 64
"""Longest tool name OpenAI takes, whichever of its APIs."""

_DIGITS = 8
_FORBIDDEN = lazily(r"[^a-zA-Z0-9_-]")


LONGEST_KEPT = 256
"""Characters of a name that is remembered; clients make names up, and what is remembered of them must have a size."""


def wire_name(name: str) -> str:
    """A name OpenAI accepts: the name itself, or what fits of it with a digest that keeps different names different."""
    return _kept_name(name) if len(name) <= LONGEST_KEPT else _wire_name(name)


def _wire_name(name: str) -> str:
    if len(name) <= MAX_NAME and not _FORBIDDEN.search(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    return f"{_FORBIDDEN.sub('_', name)[: MAX_NAME - _DIGITS - 1]}_{digest}"


_kept_name = lru_cache(maxsize=2048)(_wire_name)


def changed_names(tools: Iterable[Tool]) -> dict[str, str]:
    """Name on the wire -> name the client used, for the tools where they differ."""
    names = {wire_name(tool.name): tool.name for tool in tools if tool.native is None}
    return {wire: name for wire, name in names.items() if wire != name}

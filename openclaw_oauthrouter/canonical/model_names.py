"""The spellings of one model's name."""

from __future__ import annotations

from functools import lru_cache

from openclaw_oauthrouter.canonical.patterns import lazily

OWN_PREFIX = "oauthrouter/"

CLAUDE_AUTO, CLAUDE_VIA = "claude-auto", "claude-via/"
"""Names for clients that keep ids with "claude" in them only: ``claude-auto-economy`` is ``auto-economy``, ``claude-via/openai/x`` is
``openai/x``."""

_DOTTED_CLAUDE = lazily(r"(claude-[\w-]*\d)\.(\d)")
_SNAPSHOT = lazily(r"-(?:\d{8}|latest)$")


def normalise(name: str) -> str:
    """Without blanks around it and our own prefixes; otherwise as it is spelt, for an id is its provider's."""
    bare = name.strip().removeprefix(OWN_PREFIX).removeprefix(CLAUDE_VIA)
    return bare.removeprefix("claude-") if bare.startswith(CLAUDE_AUTO) else bare


@lru_cache(maxsize=1024)
def comparable(name: str) -> str:
    """For comparing only: ``claude-opus-4.6`` and ``claude-opus-4-6`` are one model, in upper and lower case."""
    return _DOTTED_CLAUDE.sub(r"\1-\2", normalise(name).lower())


def without_snapshot(name: str) -> str:
    """Without the date, or ``-latest``, that names one edition of a model: ``claude-opus-4-6-20260101``."""
    return _SNAPSHOT.sub("", name)

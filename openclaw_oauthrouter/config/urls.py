"""Keeps the name and password in a URL away from people's eyes."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.patterns import lazily

MASK = "********"

_USERINFO = lazily(r"(?<=://)[^/?#\s]*@")


def without_userinfo(text: str) -> str:
    """The text with ``name:password`` masked in every URL in it."""
    return _USERINFO.sub(f"{MASK}@", text)

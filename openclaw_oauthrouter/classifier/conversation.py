"""What the conversation around a turn says about its tier."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.view import letters_in

SHORT = 40
"""Letters below which a turn is taken for a reply to what was said before rather than a task of its own."""


def is_short(words: str) -> bool:
    """Whether a turn is too short to be a task by itself."""
    return letters_in(words) < SHORT

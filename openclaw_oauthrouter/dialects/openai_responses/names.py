"""Tool names and call ids within the API's limits, found again on the way back."""

from __future__ import annotations

import hashlib
import re

DIALECT = "openai_responses"

MAX_NAME = 64
"""Longest tool name and call id the API takes."""

_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_-]")


def wire_name(name: str) -> str:
    """A tool name the API accepts; a name that already is one passes unchanged, others end in a digest so that they stay distinct."""
    if len(name) <= MAX_NAME and not _FORBIDDEN.search(name):
        return name
    return f"{_FORBIDDEN.sub('_', name)[: MAX_NAME - 9]}_{_digest(name)[:8]}"


def wire_call_id(call_id: str) -> str:
    """A call id the API accepts; the same id always becomes the same, so calls and answers still meet."""
    return call_id if 0 < len(call_id) <= MAX_NAME else f"call_{_digest(call_id)[:32]}"


def flat_name(namespace: str, name: str) -> str:
    """The name under which other dialects see a tool of a ``namespace`` group."""
    return f"{namespace}__{name}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""The dialect's name, call ids within the API's limits, and the flat names of grouped tools."""

from __future__ import annotations

import hashlib

DIALECT = "openai_responses"

MAX_CALL_ID = 64
"""Longest call id the API takes."""


def wire_call_id(call_id: str) -> str:
    """A call id the API accepts; the same id always becomes the same, so calls and answers still meet."""
    return call_id if 0 < len(call_id) <= MAX_CALL_ID else f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:32]}"


def flat_name(namespace: str, name: str) -> str:
    """The name under which other dialects see a tool of a ``namespace`` group."""
    return f"{namespace}__{name}"

"""What JSON is, to the type checker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

JsonObject = dict[str, Any]
"""A decoded JSON object; somebody else's data, hence ``Any``."""

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader gets back unchanged (RFC 8259 section 6)."""

FrozenObject = Mapping[str, Any]
"""A JSON object that its holder promises not to change."""


def is_text(value: object) -> TypeGuard[str]:
    """Whether it is a string that can be written as UTF-8: ``json`` reads half a surrogate pair, and nothing can write one."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def string(value: object) -> str:
    """A string a provider sent.

    :raises TypeError: it is something else; who drives the decoder says then that the provider broke its protocol
    """
    if not isinstance(value, str):
        raise TypeError(f"expected a string, not {type(value).__name__}")
    return value


def whole_number(value: object) -> int:
    """A number as a provider reports it; what is no number, or less than nothing, counts as nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return int(min(max(value, 0), MAX_INTEGER))

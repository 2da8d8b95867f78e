"""What JSON is, to the type checker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]
"""A decoded JSON object; somebody else's data, hence ``Any``."""

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader gets back unchanged (RFC 8259 section 6)."""

FrozenObject = Mapping[str, Any]
"""A JSON object that its holder promises not to change."""

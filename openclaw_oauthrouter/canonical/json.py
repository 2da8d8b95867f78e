"""What JSON is, to the type checker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]
"""A decoded JSON object; somebody else's data, hence ``Any``."""

FrozenObject = Mapping[str, Any]
"""A JSON object that its holder promises not to change."""

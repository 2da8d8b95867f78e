"""Time as an argument, so that budgets, health and refresh are tested without patching."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
"""Returns Unix seconds."""

NewId = Callable[[], str]
"""Returns a fresh identifier."""

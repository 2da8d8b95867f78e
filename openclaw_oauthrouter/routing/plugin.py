"""Puts the shipped model cards in place through the hooks."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.routing.catalog import shipped_models


@hookimpl
def oauthrouter_register_models() -> Sequence[ModelInfo]:
    """The cards of ``cards.json``."""
    return shipped_models()

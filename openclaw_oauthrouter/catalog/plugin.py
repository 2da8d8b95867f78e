"""Puts the shipped models in place through the hooks."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.catalog.models import shipped_models
from openclaw_oauthrouter.hookspecs import hookimpl


@hookimpl
def oauthrouter_register_models() -> Sequence[ModelInfo]:
    """The rows of ``models.json``."""
    return shipped_models()

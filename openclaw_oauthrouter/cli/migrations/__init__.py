"""Reads other gateways' configuration files and says the same in our settings; what has no counterpart is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.cli.migrations.claude_code_router import from_claude_code_router
from openclaw_oauthrouter.cli.migrations.litellm import from_litellm
from openclaw_oauthrouter.cli.migrations.migration import Migration
from openclaw_oauthrouter.cli.migrations.original import from_original


@value(frozen=True, slots=True)
class Origin:
    """A gateway people come from.

    :ivar places: where its file usually lies, below the home folder or the current one
    :ivar marks: top-level keys that only its file has
    """

    name: str
    label: str
    places: tuple[str, ...]
    marks: frozenset[str]
    read: Callable[[Mapping[str, Any]], Migration]


ORIGINS: Mapping[str, Origin] = {
    origin.name: origin
    for origin in (
        Origin(
            "claude-code-router",
            "claude-code-router",
            (".claude-code-router/config.json",),
            frozenset({"Providers", "Router"}),
            from_claude_code_router,
        ),
        Origin(
            "litellm",
            "LiteLLM",
            ("litellm_config.yaml", "config.yaml", "litellm/config.yaml"),
            frozenset({"model_list", "litellm_settings", "router_settings"}),
            from_litellm,
        ),
        Origin(
            "oauthrouter",
            "the original OAuthRouter",
            (".openclaw/oauthrouter/config.ts.json", "oauthrouter.config.json"),
            frozenset({"proxyAuthToken", "routingConfig", "providers"}),
            from_original,
        ),
    )
}


def origin_of(document: Mapping[str, Any]) -> Origin | None:
    """Whose file it is, by its keys."""
    return next((origin for origin in ORIGINS.values() if origin.marks & document.keys()), None)


def found_files(home: Path, here: Path) -> list[tuple[Origin, Path]]:
    """Files of other gateways at their usual places."""
    return [
        (origin, folder / place)
        for origin in ORIGINS.values()
        for place in origin.places
        for folder in dict.fromkeys((home, here))
        if (folder / place).is_file()
    ]

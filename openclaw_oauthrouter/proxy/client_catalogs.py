"""The list of models as two clients want it for their pickers: Codex CLI's own catalog, and ids that Claude Code keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.model_names import CLAUDE_AUTO, CLAUDE_VIA
from openclaw_oauthrouter.proxy.models_list import OWNER, ModelEntry
from openclaw_oauthrouter.runtime import Runtime

CODEX_INSTRUCTIONS = (
    "You are a coding agent that works in the user's terminal and repository. Read before you change, keep changes small and in the style of "
    "the code around them, run what proves them, and say briefly what you did and what is left. Use apply_patch to edit files and the shell for "
    "everything else; ask before you do what cannot be undone. Follow the AGENTS.md files of the repository."
)
"""Codex CLI takes a model's instructions from the catalog and has none of its own for a model that it does not know."""

_USUAL_EFFORTS = ("low", "medium", "high")

_FIRST_PLACE = -10_000
"""Codex CLI shows our models among its own, which have places from 1."""


def codex_models(entries: Sequence[ModelEntry]) -> JsonObject:
    """The catalog of Codex CLI: the automatic models and all that call tools; also good as its setting ``model_catalog_json``."""
    shown = [entry for entry in entries if entry.tools]
    return {"models": [_codex_entry(entry, priority) for priority, entry in enumerate(shown, _FIRST_PLACE)]}


def _codex_entry(entry: ModelEntry, priority: int) -> JsonObject:
    """One model.

    :param priority: its place in the picker
    """
    window = entry.max_input_tokens or entry.context_window
    efforts = [effort for effort in entry.efforts or _USUAL_EFFORTS if effort != "minimal"]
    return {
        "slug": entry.name,
        "display_name": entry.display_name,
        "description": entry.owner,
        "default_reasoning_level": "medium",
        "supported_reasoning_levels": [{"effort": effort, "description": f"{effort} effort"} for effort in efforts],
        "shell_type": "shell_command",
        "visibility": "list",
        "supported_in_api": True,
        "priority": priority,
        "upgrade": None,
        "base_instructions": CODEX_INSTRUCTIONS,
        "model_messages": None,
        "supports_reasoning_summaries": bool(entry.efforts),
        "default_reasoning_summary": "auto",
        "support_verbosity": False,
        "default_verbosity": None,
        "apply_patch_tool_type": "freeform",
        "web_search_tool_type": "text",
        "truncation_policy": {"mode": "tokens", "limit": 10_000},
        "supports_parallel_tool_calls": True,
        "context_window": window,
        "max_context_window": window,
        "auto_compact_token_limit": None,
        "effective_context_window_percent": 95,
        "experimental_supported_tools": [],
        "input_modalities": [kind for kind in entry.inputs if kind in ("text", "image")],
    }


def for_claude_code(entries: Sequence[ModelEntry], runtime: Runtime) -> list[ModelEntry]:
    """All entries, after what Claude Code would not keep under its own name: it takes ids that hold "claude" or "anthropic" only.

    These are the automatic models, those of plans, and those of the tiers in force; ``canonical.model_names`` reads the names.
    """
    choosing = runtime.pipeline.router.choosing
    tiers = {name for chain in choosing.chains.values() for name in chain}
    plans = {name for name, provider in choosing.providers.items() if provider.subscription}
    renamed = []
    for entry in entries:
        if entry.owner == OWNER and entry.name.partition("-")[0] == "auto":
            renamed.append(replace(entry, name=CLAUDE_AUTO + entry.name.removeprefix("auto")))
        elif "claude" not in entry.name and "anthropic" not in entry.name and (entry.owner in plans or entry.name in tiers):
            renamed.append(replace(entry, name=CLAUDE_VIA + entry.name))
    return [*renamed, *entries]

"""Puts this room's built-in things in place through the hooks."""

from __future__ import annotations

from collections.abc import Sequence

from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.rules import Rules
from openclaw_oauthrouter.classifier.rules_v1 import RulesV1
from openclaw_oauthrouter.config import Settings
from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.interfaces import Classifier, Dimension, PromptWrapper


@hookimpl
def oauthrouter_register_prompt_wrappers() -> Sequence[PromptWrapper]:
    """OpenClaw, Claude Code, Codex CLI."""
    return builtin_prompt_wrappers()


@hookimpl
def oauthrouter_register_dimensions(settings: Settings) -> Sequence[Dimension]:
    """The fourteen, with the weights of the fit that goes with ``routing.learned_score``."""
    return builtin_dimensions(Parameters.load(learned=settings.routing.learned_score).weights)


@hookimpl
def oauthrouter_register_classifiers(settings: Settings, dimensions: Sequence[Dimension]) -> Sequence[Classifier]:
    """``rules`` with all registered dimensions, and ``rules-v1``."""
    routing = settings.routing
    rules = Rules(
        dimensions,
        learned=routing.learned_score,
        profile=routing.profile,
        cut_points=routing.cut_points,
        agent_cut_points=routing.agent_cut_points,
    )
    return (rules, RulesV1())

"""The room's things are found through the hooks."""

from __future__ import annotations

import pluggy

from openclaw_oauthrouter import hookspecs
from openclaw_oauthrouter.classifier import plugin
from openclaw_oauthrouter.classifier.dimensions import DIMENSION_NAMES
from openclaw_oauthrouter.config import Settings

from .requests import said


def manager() -> pluggy.PluginManager:
    found = pluggy.PluginManager(hookspecs.PROJECT)
    found.add_hookspecs(hookspecs)
    found.register(plugin)
    return found


def test_builtin_names() -> None:
    hook, settings = manager().hook, Settings()
    [dimensions] = hook.oauthrouter_register_dimensions(settings=settings)
    [classifiers] = hook.oauthrouter_register_classifiers(settings=settings, dimensions=dimensions)
    [prompt_wrappers] = hook.oauthrouter_register_prompt_wrappers(settings=settings)
    assert [one.name for one in classifiers] == ["rules", "rules-v1"]
    assert [one.name for one in prompt_wrappers] == ["openclaw", "claude_code", "codex_cli", "setting_up", "agent_templates"]
    assert [one.name for one in dimensions] == list(DIMENSION_NAMES)


def test_settings_choose_profile_and_learned_term() -> None:
    settings = Settings.model_validate({"routing": {"learned_score": False, "profile": "quality"}})
    hook = manager().hook
    [dimensions] = hook.oauthrouter_register_dimensions(settings=settings)
    [[rules, _]] = hook.oauthrouter_register_classifiers(settings=settings, dimensions=dimensions)
    assert len(rules.classify(said("hi")).dimensions) == 14
    assert rules.cut_points == rules.for_profile("quality").cut_points

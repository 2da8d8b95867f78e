"""What hosts wrap around their users' words, one file a host."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.prompt_wrappers.agent_templates import AgentTemplates
from openclaw_oauthrouter.classifier.prompt_wrappers.claude_code import ClaudeCode
from openclaw_oauthrouter.classifier.prompt_wrappers.codex_cli import CodexCli
from openclaw_oauthrouter.classifier.prompt_wrappers.openclaw import OpenClaw
from openclaw_oauthrouter.classifier.prompt_wrappers.setting_up import SettingUp
from openclaw_oauthrouter.interfaces import PromptWrapper


def builtin_prompt_wrappers() -> tuple[PromptWrapper, ...]:
    """The prompt wrappers this package knows."""
    return (OpenClaw(), ClaudeCode(), CodexCli(), SettingUp(), AgentTemplates())

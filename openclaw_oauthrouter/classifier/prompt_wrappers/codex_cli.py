"""Codex CLI's wrapping: context, instruction and notice blocks sent as user messages of their own."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import names_in, without_elements

ELEMENTS = (
    "environment_context",
    "environments_instructions",
    "user_instructions",
    "user_shell_command",
    "user_verification_notice",
    "permissions instructions",
    "collaboration_mode",
    "personality_spec",
    "model_instructions",
    "model_switch",
    "skills_instructions",
    "skill",
    "apps_instructions",
    "plugins_instructions",
    "context_window_guidance",
    "context_window_reminder",
    "image_resize_notice",
    "subagent_notification",
    "turn_aborted",
    "INSTRUCTIONS",
)
_TITLE = lazily(r"# AGENTS\.md instructions(?: for [^\n]{1,400})?\s*(?=<INSTRUCTIONS>)")


class CodexCli:
    """Blocks as seen in Codex CLI 0.171.0."""

    name = "codex_cli"

    def strip(self, text: str) -> str:
        """The text without such blocks."""
        if "INSTRUCTIONS" in names_in(text):
            text = _TITLE.sub("", text)
        return without_elements(text, ELEMENTS)

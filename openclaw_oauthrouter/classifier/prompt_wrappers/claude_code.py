"""Claude Code's wrapping: reminders in front of and between the user's words."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import without_elements

ELEMENTS = ("system-reminder", "command-name", "command-message", "local-command-stdout", "local-command-caveat")


class ClaudeCode:
    """Reminders as seen in Claude Code 2.1.330."""

    name = "claude_code"

    def strip(self, text: str) -> str:
        """The text without reminders and without what slash commands print."""
        return without_elements(text, ELEMENTS)

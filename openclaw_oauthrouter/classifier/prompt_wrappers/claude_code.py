"""Claude Code's wrapping: reminders in front of and between the user's words, and what its commands, hooks and editors report."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import names_in, without_elements

ELEMENTS = (
    "system-reminder",
    "system-note",
    "command-name",
    "command-message",
    "local-command-stdout",
    "local-command-stderr",
    "local-command-caveat",
    "bash-input",
    "bash-stdout",
    "bash-stderr",
    "task-notification",
    "user-prompt-submit-hook",
    "mcp-server-note",
    "new-diagnostics",
    "ide_diagnostics",
    "ide_opened_file",
    "ide_selection",
)


class ClaudeCode:
    """Elements as seen in Claude Code 2.1.332."""

    name = "claude_code"

    def strip(self, text: str) -> str:
        """The text without reminders and without what slash commands print; what was typed behind a slash command stays."""
        text = without_elements(text, ELEMENTS)
        return text.replace("<command-args>", "").replace("</command-args>", "") if "command-args" in names_in(text) else text

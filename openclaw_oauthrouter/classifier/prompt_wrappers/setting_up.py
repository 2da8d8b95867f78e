"""Messages in which a coding agent sets up a conversation in its user's name are taken away, and elements in which it says where it is."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.setting_up import sets_up, without_reminder
from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import names_in, without_elements

ELEMENTS = ("session_context", "environment_details", "repo_map")
"""Of Gemini CLI, of Cline and its kin, and of others."""


class SettingUp:
    """Leaves the user's words."""

    name = "setting_up"

    def strip(self, text: str) -> str:
        """The text without such elements, and without rules for edits behind it; nothing where all of it is such a message."""
        if not names_in(text).isdisjoint(ELEMENTS):
            text = without_elements(text, ELEMENTS)
        return "" if sets_up(text) else without_reminder(text)

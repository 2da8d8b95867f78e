"""Codex CLI's wrapping: context and instruction blocks sent as user messages of their own."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import without_elements

ELEMENTS = ("environment_context", "user_instructions")


class CodexCli:
    """Context blocks as seen in Codex CLI 0.169.0."""

    name = "codex_cli"

    def strip(self, text: str) -> str:
        """The text without context blocks."""
        return without_elements(text, ELEMENTS)

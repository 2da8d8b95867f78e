"""OpenClaw's wrapping: a context message, a clock in front of the words, the runtime line behind them."""

from __future__ import annotations

import re

from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import without_blocks

CLOCK = re.compile(r"\s*\[[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)? [^\]\n]{1,32}\] ?")
RUNTIME = "Runtime: agent="
FAILED_TURN = "This turn ended before a reply: "


class OpenClaw:
    """Seen in OpenClaw 2026.9.6, over all three of its provider protocols."""

    name = "openclaw"

    def strip(self, text: str) -> str:
        """Only what the user typed; ``""`` for the context message and for notes about failed turns."""
        text = without_blocks(text, "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>", "<<<END_OPENCLAW_INTERNAL_CONTEXT>>>")
        if text.startswith((RUNTIME, FAILED_TURN)):
            return ""
        clock = CLOCK.match(text)
        if clock:
            text = text[clock.end() :]
        # The runtime line is the last paragraph; an earlier one is the user quoting it.
        words, mark, line = text.rpartition(f"\n\n{RUNTIME}")
        return words if mark and "\n" not in line.strip() else text

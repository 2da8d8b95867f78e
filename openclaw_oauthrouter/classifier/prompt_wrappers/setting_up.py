"""Messages in which a coding agent sets up a conversation in its user's name: folders, files, maps of the repository, reminders of its own."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.prompt_wrappers.blocks import names_in, without_elements

ELEMENTS = ("session_context", "environment_details", "repo_map")
"""Elements of Gemini CLI, of Cline and its kin, and of others."""

_OPENINGS = lazily(
    r"""\s{0,40}(?:
      This\ is\ [^.\n]{1,60}\.\ We\ are\ setting\ up\ the\ context\ for\ our\ chat                          # Gemini CLI and its kin
    | I\ have\ \*added\ these\ files\ to\ the\ chat\*                                                       # Aider, and so on
    | Here\ are\ (?:summaries\ of\ some\ files\ present\ in\ my\ git\ repository|some\ READ\ ONLY\ files,\ provided\ for\ your\ reference)
    | I\ am\ not\ sharing\ (?:any\ files|the\ full\ contents\ of\ any\ files)
    | I\ switched\ to\ a\ new\ code\ base\.
    | \#\ (?:task_progress|TODO\ LIST|todo\ list)\ (?:[A-Z]{4,}\b|UPDATE)                                   # Cline
    )""",
    re.VERBOSE,
)
"""How such messages begin. Nothing of the user's stands in them, so all of each goes."""


class SettingUp:
    """Takes such messages away."""

    name = "setting_up"

    def strip(self, text: str) -> str:
        """The text without such elements; nothing where all of it is such a message."""
        if not names_in(text).isdisjoint(ELEMENTS):
            text = without_elements(text, ELEMENTS)
        return "" if _OPENINGS.match(text) else text

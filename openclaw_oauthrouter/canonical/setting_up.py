"""Messages in which a coding agent sets up a conversation in its user's name: folders, files, maps of the repository, reminders of its own."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily

_OPENINGS = lazily(
    r"""\s{0,40}(?:<session_context>\s{0,40})?(?:
      This\ is\ [^.\n]{1,60}\.\ We\ are\ setting\ up\ the\ context\ for\ our\ chat                          # Gemini CLI and its kin
    | I\ have\ \*added\ these\ files\ to\ the\ chat\*                                                       # Aider, and so on
    | Here\ are\ (?:summaries\ of\ some\ files\ present\ in\ my\ git\ repository|some\ READ\ ONLY\ files,\ provided\ for\ your\ reference)
    | I\ am\ not\ sharing\ (?:any\ files|the\ full\ contents\ of\ any\ files)
    | I\ switched\ to\ a\ new\ code\ base\.
    | \#\ (?:task_progress|TODO\ LIST|todo\ list)\ (?:[A-Z]{4,}\b|UPDATE)                                   # Cline
    )""",
    re.VERBOSE,
)
"""How such messages begin. Nothing of the user's stands in them."""

_EXAMPLES_END = "I switched to a new code base."
"""With this, Aider's examples end and its user's conversation begins."""


_REMINDERS = (
    "\n\nTo suggest changes to a file you MUST return the entire content of the updated file.",
    "\n\n# *SEARCH/REPLACE block* Rules:",
    "\n\n# File editing rules:",
    "\n\n# V4A Diff Format Rules",
)
"""How Aider's rules for edits begin, which it hangs on its user's words for some models."""


def sets_up(text: str) -> bool:
    """Whether a message of the user's role is one of these, rather than words of the user."""
    return _OPENINGS.match(text) is not None


def ends_examples(text: str) -> bool:
    """Whether what stands before this message were examples of a conversation rather than one."""
    return text.startswith(_EXAMPLES_END)


def without_reminder(text: str) -> str:
    """The user's words without the rules for edits that Aider hangs on them."""
    for reminder in _REMINDERS:
        text = text.partition(reminder)[0]
    return text

"""A block of ours between two marks, in any file whose comments begin with ``#``."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily

BEGIN = "# >>> oauthrouter"
END = "# <<< oauthrouter"
_BLOCK = lazily(rf"(?:(?<=\n)\n)?^[ ]*{re.escape(BEGIN)}\n.*?^[ ]*{re.escape(END)}\n?", re.DOTALL | re.MULTILINE)
"""With the blank line above it, if there is one; the end of a line of somebody else's is not ours to take."""


def put_block(text: str, body: str) -> str:
    """Put our lines at the end of the file, in place of what we put there before."""
    rest = remove_block(text)
    gap = "" if not rest or rest.endswith("\n") else "\n"
    blank = "\n" if rest else ""
    return f"{rest}{gap}{blank}{marked(body)}"


def marked(body: str, indent: str = "") -> str:
    """The lines between the marks."""
    lines = (f"{indent}{line}" if line else "" for line in (BEGIN, *body.strip("\n").split("\n"), END))
    return "\n".join(lines) + "\n"


def remove_block(text: str) -> str:
    """The text without our block."""
    return _BLOCK.sub("", text, count=1)

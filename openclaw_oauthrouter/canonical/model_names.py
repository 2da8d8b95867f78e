"""The spellings of one model's name."""

from __future__ import annotations

import re
from functools import lru_cache

OWN_PREFIX = "oauthrouter/"

_DOTTED_CLAUDE = re.compile(r"(claude-[\w-]*\d)\.(\d)")
_SNAPSHOT = re.compile(r"-(?:\d{8}|latest)$")


@lru_cache(maxsize=1024)
def normalise(name: str) -> str:
    """Without blanks around it and our own prefix, ``claude-opus-4.6`` as the vendor writes it."""
    return _DOTTED_CLAUDE.sub(r"\1-\2", name.strip().removeprefix(OWN_PREFIX))


def without_snapshot(name: str) -> str:
    """Without the date, or ``-latest``, that names one edition of a model: ``claude-opus-4-6-20260101``."""
    return _SNAPSHOT.sub("", name)

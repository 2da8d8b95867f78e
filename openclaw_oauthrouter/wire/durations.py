"""Numbers and durations as providers write them in headers: ``41.5``, ``6m0s``, ``20ms``."""

from __future__ import annotations

import re

from openclaw_oauthrouter.canonical.patterns import lazily

_DURATION = lazily(r"(?:(?P<d>[\d.]+)d)?(?:(?P<h>[\d.]+)h)?(?:(?P<m>[\d.]+)m)?(?:(?P<s>[\d.]+)s)?(?:(?P<ms>[\d.]+)ms)?", re.ASCII)
_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_LONGEST = 64
"""Characters. A header may hold thousands of digits, which no duration needs and float would read as infinity."""
_LARGEST = 1e15
"""No moment, count or duration is larger, in whatever unit."""


def parse_duration(text: str) -> float | None:
    """Seconds; ``None`` for what is no duration."""
    match = _DURATION.fullmatch(text) if len(text) <= _LONGEST else None
    if not match or not match[0]:
        return None
    try:
        return sum(float(amount) * _UNITS[unit] for unit, amount in match.groupdict().items() if amount)
    except ValueError:
        return None


def header_number(text: str | None) -> float | None:
    """The number that a header states; ``None`` for what is none, or larger than anything a header means."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < _LARGEST else None

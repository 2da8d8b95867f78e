"""A moment as programs write it in front of messages: date, time of day or both, in any order and with any language's months."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.patterns import lazily

_CLOCK = r"(?<![\d:.,])\d{1,2}(?::|\ ?[hH时時点點]\ ?)[0-5]\d(?::[0-5]\d)?(?![\d:])"
_NUMERIC_DAY = r"(?<!\d)(?:\d{4}[-/.年]\ ?\d{1,2}[-/.月]\ ?\d{1,2}|\d{1,2}[./-]\ ?\d{1,2}[./-]\ ?\d{4})(?!\d)"
_NAMED_DAY = r"(?<!\d)\d{1,2}(?:\.|st|nd|rd|th)?\ (?:de\ )?[^\W\d]{3,12}\.?,?\ (?:de\ )?\d{4}|[^\W\d]{3,12}\.?\ \d{1,2}(?:st|nd|rd|th)?,?\ \d{4}"
_EPOCH = r"(?<!\d)1\d{9}(?:\d{3})?(?!\d)"

_DIGIT = lazily(r"\d")
_YEAR = lazily(r"\d{4}")
"""What every day holds, and is sooner looked for."""
_CLOCKS = lazily(_CLOCK)
_DAY = lazily(rf"{_NUMERIC_DAY}|{_NAMED_DAY}|{_EPOCH}")


def bears_moment(text: str) -> bool:
    """Whether a short text states one moment; several times of day without a date are a span or a list."""
    if _DIGIT.search(text) is None:
        return False
    return (_YEAR.search(text) is not None and _DAY.search(text) is not None) or len(_CLOCKS.findall(text)) == 1

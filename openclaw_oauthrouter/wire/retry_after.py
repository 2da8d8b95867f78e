"""When to try again, from whatever headers a provider answers with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.wire.durations import header_number, parse_duration

_METERS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
)
"""What a provider says is left of something, and when that is full again."""

_IN_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
_WAIT_IN_WORDS = lazily(
    r"\b(?:(?:try|retry|retrying|wait|available|resets?)(?:\s+(?:it|again|your\s+request))*\s+(?:in|after|for)|wait(?:\s+at\s+least)?|retry-after)"
    r"[\s:]+(?:about\s+|~\s*)?"
    r"(?P<wait>\d[\d.]*\s*[a-z]+(?:[\s,]*(?:and\s+)?\d[\d.]*\s*[a-z]+)*)|(?P<chinese>\d+)\s*(?:秒|s)\s*(?:后|之后)",
    re.IGNORECASE | re.ASCII,
)
_WAIT_IN_BODY = lazily(
    r"""(?P<name>retry_?after|retry_?delay|resets_in_seconds|estimated_time|wait_seconds|retry_?in)_?(?P<unit>ms|milliseconds|secs?|seconds)?\\*["']\s*:\s*\\*["']?"""
    r"""(?P<wait>\d+(?:\.\d+)?)(?P<suffix>ms|s)?""",
    re.IGNORECASE | re.ASCII,
)
"""``"retry_after": 5`` and its like, however deep in whatever is wrapped around it."""

_AMOUNT = lazily(r"(\d[\d.]*)\s*([a-z]+)", re.IGNORECASE | re.ASCII)
_UNITS = (
    ("ms", 0.001),
    ("millisecond", 0.001),
    ("month", 0.0),
    ("mo", 0.0),
    ("d", 86_400.0),
    ("h", 3_600.0),
    ("m", 60.0),
    ("s", 1.0),
)
_LONGEST_MESSAGE = 4_000
_LONGEST_WAIT = 31 * 86_400.0
_YEAR_2001 = 1_000_000_000.0


def parse_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until another try makes sense.

    Read in this order: ``retry-after-ms``, ``retry-after`` (seconds, a duration, an HTTP date or a moment), and the ``…-reset`` of the
    meters that ``…-remaining`` says are used up, the longest of them.

    :param headers: lower-case names
    :param now: Unix seconds
    :return: never negative; ``None`` when the headers do not say, or say nonsense such as a year
    """
    for name in _IN_MILLISECONDS:
        milliseconds = header_number(headers.get(name))
        if milliseconds is not None:
            return _plausible(max(milliseconds / 1000, 0.0))
    said = headers.get("retry-after")
    if said is not None:
        return _plausible(_told(said, now))
    resets = [_told(headers.get(reset, ""), now) for left, reset in _METERS if header_number(headers.get(left)) == 0]
    return _plausible(max((reset for reset in resets if reset is not None), default=None))


def wait_in_body(body: bytes) -> float | None:
    """Seconds that a field of a refusal's body asks for, in whatever it is wrapped: Hugging Face's ``estimated_time``, relays' ``retry_after``."""
    found = _WAIT_IN_BODY.search(body[:_LONGEST_MESSAGE].decode("utf-8", "replace"))
    if found is None:
        return None
    unit = (found["suffix"] or found["unit"] or "s").lower()
    seconds = float(found["wait"]) * (0.001 if unit.startswith("m") else 1.0)
    return seconds if 0 < seconds <= _LONGEST_WAIT else None


def wait_in_words(message: str) -> float | None:
    """Seconds that a provider asks for in its sentence only: ``Please try again in 3.054s``, ``retry after 2 minutes``, ``in 1h5m``.

    Source: OpenAI's and Azure's rate-limit messages; Codex CLI 0.171 (``codex-api/src/sse/responses.rs``) reads the first form itself.
    """
    found = _WAIT_IN_WORDS.search(message[:_LONGEST_MESSAGE])
    if found is None:
        return None
    try:
        seconds = sum(
            float(amount) * _unit(unit.lower()) for amount, unit in _AMOUNT.findall(found["wait"] or f"{found['chinese']}s")
        )
    except ValueError:
        return None
    return seconds if 0 < seconds <= _LONGEST_WAIT else None


def _unit(word: str) -> float:
    return next((seconds for unit, seconds in _UNITS if word.startswith(unit)), 0.0)


def _told(text: str, now: float) -> float | None:
    """A duration such as ``6m0s``, ``20ms`` or ``PT5S``, bare seconds, several of them, a date, or a Unix time in seconds or milliseconds."""
    text = text.strip()
    number = header_number(text)
    if number is not None:
        if number > _YEAR_2001 * 1000:
            number /= 1000
        return max(number - now, 0.0) if number > _YEAR_2001 else max(number, 0.0)
    duration = parse_duration(text.lower().removeprefix("pt").replace(" ", "").replace("seconds", "s"))
    if duration is not None:
        return duration
    moment = _http_date(text) or _iso_date(text)
    if moment is not None:
        return max(moment - now, 0.0)
    if "," not in text:
        return None
    each = [header_number(part) for part in text.split(",")]  # a header that two of those on the way have written
    return max((max(number, 0.0) for number in each if number is not None), default=None)


def _plausible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds <= _LONGEST_WAIT else None


def _iso_date(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _http_date(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

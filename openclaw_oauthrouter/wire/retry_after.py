"""When to try again, from whatever headers a provider answers with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.wire.durations import header_number, parse_duration

_METERS = ("requests", "tokens")
_WAIT_IN_WORDS = lazily(
    r"\b(?:try|retry|retrying|wait|available|resets?)(?:\s+(?:it|again|your\s+request))*\s+(?:in|after|for)\s+(?:about\s+)?"
    r"(?P<wait>\d[\d.]*\s*[a-z]+(?:[\s,]*(?:and\s+)?\d[\d.]*\s*[a-z]+)*)",
    re.IGNORECASE | re.ASCII,
)
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

    Read in this order: ``retry-after-ms``, ``retry-after`` (seconds or an HTTP date), and the ``x-ratelimit-reset-*`` of the
    meters that ``x-ratelimit-remaining-*`` says are used up, the longest of them.

    :param headers: lower-case names
    :param now: Unix seconds
    :return: never negative; ``None`` when the headers do not say, or say nonsense
    """
    milliseconds = header_number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(milliseconds / 1000, 0.0)
    said = headers.get("retry-after")
    if said is not None:
        seconds = header_number(said)
        return _until(_http_date(said), now) if seconds is None else max(seconds, 0.0)
    resets = [_reset(headers.get(f"x-ratelimit-reset-{meter}"), now) for meter in _METERS if _is_used_up(headers, meter)]
    return max((reset for reset in resets if reset is not None), default=None)


def wait_in_words(message: str) -> float | None:
    """Seconds that a provider asks for in its sentence only: ``Please try again in 3.054s``, ``retry after 2 minutes``, ``in 1h5m``.

    Source: OpenAI's and Azure's rate-limit messages; Codex CLI 0.171 (``codex-api/src/sse/responses.rs``) reads the first form itself.
    """
    found = _WAIT_IN_WORDS.search(message[:_LONGEST_MESSAGE])
    if found is None:
        return None
    try:
        seconds = sum(float(amount) * _unit(unit.lower()) for amount, unit in _AMOUNT.findall(found["wait"]))
    except ValueError:
        return None
    return seconds if 0 < seconds <= _LONGEST_WAIT else None


def _unit(word: str) -> float:
    return next((seconds for unit, seconds in _UNITS if word.startswith(unit)), 0.0)


def _is_used_up(headers: Mapping[str, str], meter: str) -> bool:
    return header_number(headers.get(f"x-ratelimit-remaining-{meter}")) == 0


def _reset(text: str | None, now: float) -> float | None:
    """A duration such as ``6m0s`` or ``20ms``, bare seconds, or a Unix time in seconds or milliseconds."""
    number = header_number(text)
    if number is not None:
        if number > _YEAR_2001 * 1000:
            number /= 1000
        return max(number - now, 0.0) if number > _YEAR_2001 else max(number, 0.0)
    return parse_duration((text or "").strip())


def _until(moment: float | None, now: float) -> float | None:
    return None if moment is None else max(moment - now, 0.0)


def _http_date(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

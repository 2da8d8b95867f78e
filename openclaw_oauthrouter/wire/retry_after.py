"""When to try again, from whatever headers a provider answers with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from openclaw_oauthrouter.wire.durations import parse_duration

_METERS = ("requests", "tokens")
_YEAR_2001 = 1_000_000_000.0


def parse_retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until another try makes sense.

    Read in this order: ``retry-after-ms``, ``retry-after`` (seconds or an HTTP date), and the ``x-ratelimit-reset-*`` of the
    meters that ``x-ratelimit-remaining-*`` says are used up, the longest of them.

    :param headers: lower-case names
    :param now: Unix seconds
    :return: never negative; ``None`` when the headers do not say, or say nonsense
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(milliseconds / 1000, 0.0)
    said = headers.get("retry-after")
    if said is not None:
        seconds = _number(said)
        return _until(_http_date(said), now) if seconds is None else max(seconds, 0.0)
    resets = [_reset(headers.get(f"x-ratelimit-reset-{meter}"), now) for meter in _METERS if _is_used_up(headers, meter)]
    return max((reset for reset in resets if reset is not None), default=None)


def _is_used_up(headers: Mapping[str, str], meter: str) -> bool:
    return _number(headers.get(f"x-ratelimit-remaining-{meter}")) == 0


def _reset(text: str | None, now: float) -> float | None:
    """A duration such as ``6m0s`` or ``20ms``, bare seconds, or a Unix time in seconds or milliseconds."""
    number = _number(text)
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


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None

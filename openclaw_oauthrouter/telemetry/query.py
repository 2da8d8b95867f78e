"""What a reader asks of the trace, in words: ``since=15m``, ``status=5xx``, ``tier=simple``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.telemetry.filter import TraceFilter

DEFAULT_COUNT = 200
MOST = 5000

_AGO = lazily(r"(\d+(?:\.\d+)?)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MILLISECONDS_BEGIN = 100_000_000_000
"""A number as large as this is a ``ts`` in milliseconds; as seconds it would lie in the year 5138."""


def parse_count(text: str | None) -> int:
    """How many records: 1 to 5000, 200 unless said.

    :raises InvalidRequestError: anything else
    """
    if text is None:
        return DEFAULT_COUNT
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not 1 <= int(text) <= MOST:
        raise InvalidRequestError(f"'n' must be a whole number from 1 to {MOST}, not {text!r}", param="n")
    return int(text)


def parse_filter(arguments: Mapping[str, str], now: float) -> TraceFilter:
    """The filter that ``since``, ``tier``, ``model`` and ``status`` describe; those absent or empty ask for nothing.

    :param now: Unix seconds
    :raises InvalidRequestError: naming the parameter
    """
    status, status_class = _parse_status(arguments.get("status") or None)
    return TraceFilter(
        since=_parse_since(arguments.get("since") or None, now),
        tier=_parse_tier(arguments.get("tier") or None),
        model=arguments.get("model") or None,
        status=status,
        status_class=status_class,
    )


def _parse_since(text: str | None, now: float) -> float | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return now - float(ago[1]) * _SECONDS[ago[2]]
    try:
        return _moment(text)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(
            f"'since' must be a 'ts' of an event, a time such as 2026-11-22T16:00:00Z, or a span such as 15m, not {text!r}",
            param="since",
        ) from error


def _moment(text: str) -> float:
    if re.fullmatch(r"\d{1,20}(?:\.\d{1,9})?", text, re.ASCII):
        number = float(text)
        return number / 1000 if number >= _MILLISECONDS_BEGIN else number
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _parse_tier(text: str | None) -> Tier | None:
    if text is None:
        return None
    try:
        return Tier(text.upper())
    except ValueError as error:
        raise InvalidRequestError(f"'tier' must be one of {', '.join(Tier)}, not {text!r}", param="tier") from error


def _parse_status(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    if re.fullmatch(r"[1-5]\d\d", text, re.ASCII):
        return int(text), None
    if re.fullmatch(r"[1-5]xx", text.lower(), re.ASCII):
        return None, int(text[0])
    raise InvalidRequestError(f"'status' must be a status such as 429, or a class such as 5xx, not {text!r}", param="status")

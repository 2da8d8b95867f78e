"""What providers say of their limits in the headers of every answer: plan windows and API rate limits, as one kind of reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.wire.durations import header_number, parse_duration

_SAYS = lazily("limit|primary|secondary|credits")
"""A word that every header has of those that are read here; most answers carry a dozen others, and many no such header."""

_USUAL_NAME = 128
"""Characters; no header that is read here has a longer name."""

_UNIFIED = "anthropic-ratelimit-unified-"
_UNIFIED_FIELD = lazily(rf"{_UNIFIED}(?P<claim>[^-]+)-(?P<field>status|utilization|reset)")
_CODEX_FIELD = lazily(
    r"x-(?P<meter>.+)-(?P<position>primary|secondary)-(?P<field>used-percent|window-minutes|reset-at|reset-after-seconds)"
)
_API_FIELD = lazily(r"anthropic-ratelimit-(?P<meter>requests|tokens|input-tokens|output-tokens)-(?P<field>limit|remaining|reset)")
_OPENAI_FIELD = lazily(r"x-ratelimit-(?P<field>limit|remaining|reset)-(?P<meter>requests|tokens)")
_CLAIMS = (("five_hour", "5h"), ("seven_day", "7d"))
"""A verdict spells out what other headers shorten: ``seven_day_opus`` is the window ``7d_opus``."""
_LENGTH = lazily(r"(?P<count>\d+)(?P<unit>[hd])(?:_.*)?|.* (?P<minutes>\d+) min")
_UNIT_SECONDS = {"h": 3600.0, "d": 86_400.0}
_MODEL_WORDS = ("opus", "sonnet", "haiku")
_MAIN_METER = "codex"
_YEAR_2001 = 1_000_000_000.0
_YEAR_5138 = 100_000_000_000.0
"""A larger number counts milliseconds."""
_UNKNOWN_SECONDS = 86_400.0
"""For how long a reading means something that tells neither a reset nor a length."""
_YEAR_SECONDS = 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One limit, as of one answer.

    :ivar name: ``5h``, ``7d``, ``codex 300 min``, ``requests`` …
    :ivar used: share that is used up, 0 to 1 and beyond; ``None`` when not told
    :ivar resets_at: Unix seconds; ``None`` when not told
    :ivar exhausted: no further call will be served before the reset
    :ivar models: a word that the ids of the models it counts hold; ``""`` counts all
    :ivar observed_at: Unix seconds
    :ivar per_model: counted for the model that was called, as API rate limits are; plan windows count for the whole account
    :ivar extra: it is used up, and further calls are served all the same: as extra usage or from credits, in dollars
    """

    name: str
    used: float | None
    resets_at: float | None
    exhausted: bool
    models: str = ""
    observed_at: float = 0.0
    per_model: bool = False
    extra: bool = False

    @property
    def seconds(self) -> float | None:
        """Length of a plan's window; ``None`` for API rate limits and where the name does not tell."""
        told = None if self.per_model else _LENGTH.fullmatch(self.name)
        if told is None:
            return None
        return (float(told["minutes"]) * 60 if told["minutes"] else float(told["count"]) * _UNIT_SECONDS[told["unit"]]) or None

    def is_over(self, now: float) -> bool:
        """Whether its time is up: a reset that lies behind us has emptied it; without one, its length since it was told of has."""
        if self.resets_at is not None:
            return now >= self.resets_at
        return now - self.observed_at >= (self.seconds or _UNKNOWN_SECONDS)

    def counts(self, model: str, now: float) -> bool:
        """Whether it limits a model now."""
        return self.models in model.lower() and not self.is_over(now)

    def blocks(self, model: str, now: float) -> bool:
        """Whether it speaks against calling a model now; a reset that lies behind us frees, whatever was said before."""
        return self.exhausted and self.resets_at is not None and now < self.resets_at and self.models in model.lower()


def speak_of_limits(headers: Mapping[str, str]) -> bool:
    """Whether it is worth while to have an answer's headers read.

    :param headers: lower-case names
    """
    names = " ".join(headers)
    return "limit" in names or "primary" in names or "secondary" in names or "credits" in names


def read_windows(headers: Mapping[str, str], now: float, called: str = "") -> list[Reading]:
    """All limits that an answer's headers speak of.

    :param headers: lower-case names
    :param now: Unix seconds
    :param called: the model whose answer it is
    """
    told = {name: value for name, value in headers.items() if len(name) <= _USUAL_NAME and _says(name)}
    return [*_unified(told, now, called.lower()), *_codex(told, now), *_api(told, now)] if told else []


@lru_cache(maxsize=512)
def _says(name: str) -> bool:
    """Whether a header speaks of a limit. Asked of the same twenty names with each answer."""
    return _SAYS.search(name) is not None


def _grouped(headers: Mapping[str, str], pattern: re.Pattern[str], *by: str) -> dict[tuple[str, ...], dict[str, str]]:
    """Headers that match, by some groups of the pattern, then by its ``field``."""
    groups: dict[tuple[str, ...], dict[str, str]] = {}
    for header, value in headers.items():
        if match := pattern.fullmatch(header):
            groups.setdefault(match.group(*by) if len(by) > 1 else (match[by[0]],), {})[match["field"]] = value
    return groups


def _unified(headers: Mapping[str, str], now: float, called: str) -> Iterator[Reading]:
    """A Claude plan: a share of each window, and one verdict over all; extra usage may pay for a window that is full.

    The verdict is on the model that was called: that it is served says nothing of a window that counts another model.
    """
    verdict = _word(headers.get(f"{_UNIFIED}status"))
    claims = _grouped(headers, _UNIFIED_FIELD, "claim")
    claims.pop(("overage",), None)
    extra = _word(headers.get(f"{_UNIFIED}overage-status")).startswith("allowed")
    if verdict == "rejected":
        culprit = claims.setdefault((_claim(headers.get(f"{_UNIFIED}representative-claim", "plan")),), {})
        culprit["status"] = "rejected"
        culprit.setdefault("reset", headers.get(f"{_UNIFIED}reset", ""))
    for (claim,), fields in claims.items():
        models = next((word for word in _MODEL_WORDS if word in claim), "")
        full = _word(fields.get("status")) == "rejected"
        served = extra or (verdict not in ("", "rejected") and models in called)
        yield Reading(
            name=claim,
            used=_share(header_number(fields.get("utilization"))),
            resets_at=_moment(fields.get("reset"), now),
            exhausted=full and not served,
            models=models,
            observed_at=now,
            extra=full and served,
        )


def _claim(named: str) -> str:
    for spelt, short in _CLAIMS:
        if named.startswith(spelt):
            return short + named.removeprefix(spelt)
    return named


def _word(text: str | None) -> str:
    return (text or "").strip().lower()


def _share(told: float | None) -> float | None:
    """No window is less than empty."""
    return None if told is None else max(0.0, told)


def _codex(headers: Mapping[str, str], now: float) -> Iterator[Reading]:
    """A ChatGPT plan: ``primary`` and ``secondary`` are places, not lengths, so windows go by their minutes.

    A meter besides ``codex`` counts one model, the one it is named after.
    """
    has_credits = "true" in (
        headers.get("x-codex-credits-has-credits", "").lower(),
        headers.get("x-codex-credits-unlimited", "").lower(),
    )
    for (meter, position), fields in _grouped(headers, _CODEX_FIELD, "meter", "position").items():
        percent = header_number(fields.get("used-percent"))
        if percent is None:
            continue
        minutes = header_number(fields.get("window-minutes")) or 0.0
        label = headers.get(f"x-{meter}-limit-name") or meter
        yield Reading(
            name=f"{meter} {minutes:.0f} min" if minutes >= 1 else f"{meter} {position}",
            used=_share(percent / 100),
            resets_at=_moment(fields.get("reset-at") or fields.get("reset-after-seconds"), now),
            exhausted=percent >= 100 and not has_credits,
            models="" if meter == _MAIN_METER else label.strip().lower().replace(" ", "-"),
            observed_at=now,
            extra=percent >= 100 and has_credits,
        )


def _api(headers: Mapping[str, str], now: float) -> Iterator[Reading]:
    """An API key: so many requests and tokens a minute."""
    for pattern in (_API_FIELD, _OPENAI_FIELD):
        for (meter,), fields in _grouped(headers, pattern, "meter").items():
            limit, remaining = header_number(fields.get("limit")), header_number(fields.get("remaining"))
            yield Reading(
                name=meter,
                used=1 - remaining / limit if limit and remaining is not None else None,
                resets_at=_moment(fields.get("reset"), now),
                exhausted=remaining is not None and remaining <= 0,
                observed_at=now,
                per_model=True,
            )


def _moment(text: str | None, now: float) -> float | None:
    """Unix seconds or milliseconds, bare seconds from now, an RFC 3339 time, or a duration such as ``6m0s``; ``None`` for a moment out of all reason."""
    moment = _said_moment((text or "").strip(), now)
    return moment if moment is not None and abs(moment - now) < _YEAR_SECONDS else None


def _said_moment(text: str, now: float) -> float | None:
    number = header_number(text)
    if number is not None:
        number = number / 1000 if number > _YEAR_5138 else number
        return number if number > _YEAR_2001 else now + number
    seconds = parse_duration(text)
    if seconds is not None:
        return now + seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

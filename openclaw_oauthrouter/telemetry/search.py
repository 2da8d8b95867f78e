"""What a person types to find requests: ``haiku -codex tier:complex latency:>2s cost:>0.01``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from openclaw_oauthrouter.errors import InvalidRequestError

WORDS: Mapping[str, str] = {
    "tier": "tier",
    "model": "model",
    "provider": "provider",
    "client": "client",
    "agent": "agent",
    "path": "path",
    "id": "id",
    "conversation": "conversation",
    "error": "error",
}
"""Term -> column that holds its words; a part of them is enough, any case."""

OWN_WORDS = frozenset({"id", "conversation"})
"""Columns of words that every request has its own of; the others are kept once for all requests that share them."""

NUMBERS: Mapping[str, str] = {"latency": "latency", "cost": "cost", "saved": "saved", "input": "input", "output": "output"}
"""Term -> column that holds its number; ``>``, ``<``, ``>=``, ``<=`` or nothing before it."""

FLAGS: Mapping[str, str] = {"stream": "stream", "failed": "failed", "rerouted": "rerouted", "plan": "plan"}
"""Term -> column that is 0 or 1."""

TERMS = (*WORDS, "status", *NUMBERS, *FLAGS)

_TOKEN = re.compile(r'(-?)(?:([a-z]+):)?("[^"]*"|\S+)', re.IGNORECASE)
_NUMBER = re.compile(r"(>=|<=|>|<|=)?\$?(\d+(?:\.\d+)?)(ms|s|m)?")
_UNITS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0, None: 1.0}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL, with its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


def parse_search(text: str) -> list[Condition]:
    """The conditions that all must hold; an empty text asks for nothing.

    :raises InvalidRequestError: a term that means nothing, with the one that may be meant
    """
    return [_condition(*match.groups()) for match in _TOKEN.finditer(text)]


def _condition(minus: str, key: str | None, word: str) -> Condition:
    word = word.strip('"')
    found = _plain(word) if key is None else _keyed(key.lower(), word)
    return Condition(f"NOT ({found.sql})", found.parameters) if minus else found


def _plain(word: str) -> Condition:
    shared = _shared("words")
    return Condition(f"{shared} OR requests.id = ?", (_pattern(word), word))


def _keyed(key: str, word: str) -> Condition:
    makers: list[tuple[Mapping[str, str], Callable[[str, str], Condition]]] = [
        (WORDS, _words),
        (NUMBERS, _number),
        (FLAGS, _flag),
    ]
    for terms, maker in makers:
        if key in terms:
            return maker(terms[key], word)
    if key == "status":
        return _status(word)
    close = get_close_matches(key, TERMS, n=1)
    hint = f"; did you mean '{close[0]}:'?" if close else ""
    raise InvalidRequestError(f"there is no term '{key}:'{hint} (there are {', '.join(f'{term}:' for term in TERMS)})", param="q")


def _words(column: str, word: str) -> Condition:
    if column in OWN_WORDS:
        return Condition(rf"ifnull(requests.{column}, '') LIKE ? ESCAPE '\'", (_pattern(word),))
    return Condition(_shared(column), (_pattern(word),))


def _shared(column: str) -> str:
    return rf"text IN (SELECT id FROM texts WHERE {column} LIKE ? ESCAPE '\')"  # noqa: S608 - columns are named above, never by a reader


def _number(column: str, word: str) -> Condition:
    match = _NUMBER.fullmatch(word.lower())
    if match is None or (match[3] and column != "latency"):
        example = "latency:>2s" if column == "latency" else f"{column}:>0.01"
        raise InvalidRequestError(f"{word!r} is no number to compare with; write it as in {example}", param="q")
    return Condition(f"{column} {match[1] or '='} ?", (float(match[2]) * _UNITS[match[3]],))


def _flag(column: str, word: str) -> Condition:
    if word.lower() not in ("true", "false", "yes", "no"):
        raise InvalidRequestError(f"{column}: is true or false, not {word!r}", param="q")
    return Condition(f"{column} = ?", (int(word.lower() in ("true", "yes")),))


def _status(word: str) -> Condition:
    if re.fullmatch(r"[1-5]\d\d", word, re.ASCII):
        return Condition("status = ?", (int(word),))
    if re.fullmatch(r"[1-5]xx", word.lower(), re.ASCII):
        return Condition("status BETWEEN ? AND ?", (int(word[0]) * 100, int(word[0]) * 100 + 99))
    raise InvalidRequestError(f"'status' must be a status such as 429, or a class such as 5xx, not {word!r}", param="q")


def _pattern(word: str) -> str:
    escaped = word.lower().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"

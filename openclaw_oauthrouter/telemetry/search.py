"""What a person types to find requests: ``haiku -codex tier:complex latency:>2s cost:>0.01``.

The page reads the same words for the requests it holds (``dashboard/static/filter.js``); one table of cases tests both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import InvalidRequestError

SHARED_WORDS: Mapping[str, tuple[str, ...]] = {
    "tier": ("tier",),
    "model": ("model", "requested"),
    "provider": ("provider",),
    "client": ("client",),
    "agent": ("agent",),
    "path": ("path",),
    "error": ("error",),
}
"""Term -> columns of words that many requests share, kept once for all of them; a part of one is enough, any case."""

OWN_WORDS = ("id", "conversation", "session")
"""Terms, and columns, of words that every request has its own of."""

_TIME = {"": 1.0, "ms": 1.0, "s": 1000.0, "sec": 1000.0, "m": 60_000.0, "min": 60_000.0, "h": 3_600_000.0}
_TOKENS = {"": 1.0, "k": 1000.0, "m": 1_000_000.0}
_MONEY = {"": 1.0}

NUMBERS: Mapping[str, Mapping[str, float]] = {
    "latency": _TIME,
    "first": _TIME,
    "cost": _MONEY,
    "saved": _MONEY,
    "input": _TOKENS,
    "output": _TOKENS,
}
"""Term, and column, of a number -> its units; ``>``, ``<``, ``>=``, ``<=``, ``=`` or nothing before it."""

FLAGS = ("stream", "failed", "rerouted", "plan")
"""Terms, and columns, that are 0 or 1."""

EXAMPLES: Mapping[str, str] = {
    "tier": "complex",
    "model": "haiku",
    "provider": "anthropic",
    "client": "nightly",
    "agent": "claude-cli",
    "path": "messages",
    "error": "overloaded",
    "id": "0197",
    "conversation": "c-7",
    "session": "main",
    "status": "5xx",
    "latency": ">2s",
    "first": ">500ms",
    "cost": ">0.01",
    "saved": ">1",
    "input": ">10k",
    "output": ">1k",
    **dict.fromkeys(FLAGS, "true"),
}
"""Every term there is, with a value it can have."""

LEAST_BEGINNING = 4
"""Letters from which on a plain word is also looked for at the beginning of ids."""

_YES = {"true": 1, "yes": 1, "on": 1, "1": 1, "false": 0, "no": 0, "off": 0, "0": 0}
_KEY = lazily(r"([a-z]+):", re.IGNORECASE)
_NEXT = lazily(r"-?[a-z]+:|-\S", re.IGNORECASE)
_NUMBER = lazily(r"(>=|<=|>|<|=)?\s*(-?)\$?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+)\s*([a-z]*)(?=\s|$)", re.IGNORECASE | re.ASCII)
_STATUS = lazily(r"(>=|<=|>|<|=)?\s*([1-5](?:[0-9x]{0,2}))(?=\s|$)", re.IGNORECASE | re.ASCII)


@value(frozen=True, slots=True)
class Condition:
    """What a request must fit: its shared words, or what is its own; conditions in SQL, with their parameters.

    :ivar texts: over a row of ``texts``; ``None`` where shared words do not matter
    :ivar own: over a row of ``requests``; ``None`` where nothing else does
    :ivar seldom: what fits ``own`` is rare, and has an index
    :ivar failures: only failed requests fit
    """

    texts: str | None = None
    texts_values: tuple[object, ...] = ()
    own: str | None = None
    own_values: tuple[object, ...] = ()
    seldom: bool = False
    failures: bool = False
    negated: bool = False

    @property
    def sql(self) -> str:
        """Over a row of ``requests``."""
        parts = [f"text IN (SELECT id FROM texts WHERE {self.texts})"] if self.texts is not None else []  # noqa: S608 - fixed words
        parts += [self.own] if self.own is not None else []
        joined = " OR ".join(f"({part})" for part in parts)
        # What is not known fits nothing, and so fits every refusal.
        return f"NOT ifnull({joined}, 0)" if self.negated else joined

    @property
    def parameters(self) -> tuple[object, ...]:
        """Of ``sql``."""
        return (*self.texts_values, *self.own_values)


@value(frozen=True, slots=True)
class _Token:
    minus: bool
    key: str | None
    word: str
    quoted: bool = False


def parse_search(text: str) -> list[Condition]:
    """The conditions that all must hold; an empty text asks for nothing.

    :raises InvalidRequestError: a term that means nothing, with the one that may be meant
    """
    return [_condition(token) for token in _tokens(text)]


def _tokens(text: str) -> Iterator[_Token]:
    place, end = 0, len(text)
    while place < end:
        if text[place].isspace():
            place += 1
            continue
        minus = text[place] == "-" and place + 1 < end and not text[place + 1].isspace()
        place += minus
        named = _KEY.match(text, place)
        key = named[1].lower() if named else None
        if named:
            place = _value_begins(text, named.end())
        word, quoted, place = _word(text, place, key)
        yield _Token(minus, key, word, quoted)


def _value_begins(text: str, place: int) -> int:
    """Behind ``name:`` there may be blanks; but what begins another term is no value."""
    begins = place
    while begins < len(text) and text[begins].isspace():
        begins += 1
    return place if begins > place and _NEXT.match(text, begins) else begins


def _word(text: str, place: int, key: str | None) -> tuple[str, bool, int]:
    """A value, whether it was quoted, and where it ends. A quote that is still open goes to the end."""
    if place < len(text) and text[place] == '"':
        closing = text.find('"', place + 1)
        closing = len(text) if closing < 0 else closing
        return text[place + 1 : closing], True, closing + 1
    pattern = _NUMBER if key in NUMBERS else _STATUS if key == "status" else None
    found = (pattern and pattern.match(text, place)) or re.compile(r"\S*").match(text, place)
    return (found[0], False, found.end()) if found else ("", False, place)


def _condition(token: _Token) -> Condition:
    if token.key is None:
        found = _plain(token)
    elif token.key not in EXAMPLES:
        raise _unknown(token)
    elif not token.word:
        raise InvalidRequestError(f"'{token.key}:' needs a value, such as {token.key}:{EXAMPLES[token.key]}", param="q")
    else:
        found = _maker(token.key)(token.key, token)
    return replace(found, negated=True, failures=False) if token.minus else found


def _unknown(token: _Token) -> InvalidRequestError:
    close = get_close_matches(token.key or "", EXAMPLES, n=1)
    hint = f"did you mean '{close[0]}:'?" if close else f'to look for the text itself, quote it: "{token.key}:{token.word}"'
    return InvalidRequestError(
        f"there is no term '{token.key}:'; {hint} (there are {' '.join(f'{term}:' for term in EXAMPLES)})", param="q"
    )


def _maker(key: str) -> Callable[[str, _Token], Condition]:
    if key == "tier":
        return _tier
    if key == "status":
        return lambda _, token: _status(token)
    if key in SHARED_WORDS:
        return _shared
    if key in OWN_WORDS:
        return _own
    return _number if key in NUMBERS else _flag


def _plain(token: _Token) -> Condition:
    sql, values = _like(("words",), token)
    word = token.word
    if not token.quoted and re.fullmatch(r"[1-5]\d\d", word, re.ASCII):
        return Condition(sql, values, "status = ?", (int(word),))
    if len(word) < LEAST_BEGINNING:
        return Condition(sql, values)
    after = word[:-1] + chr(ord(word[-1]) + 1)
    begins = "requests.id >= ? AND requests.id < ? OR conversation >= ? AND conversation < ?"
    return Condition(sql, values, begins, (word, after, word, after), seldom=True)


def _shared(key: str, token: _Token) -> Condition:
    return Condition(*_like(SHARED_WORDS[key], token))


def _own(key: str, token: _Token) -> Condition:
    sql, values = _like((f"requests.{key}",), token)
    return Condition(own=sql, own_values=values)


def _tier(key: str, token: _Token) -> Condition:
    word = token.word.lower()
    if word == "none":
        return Condition("tier = ''")
    if "*" not in word and not any(word in tier.value.lower() for tier in Tier):
        close = get_close_matches(word, [tier.value.lower() for tier in Tier], n=1)
        hint = f"did you mean 'tier:{close[0]}'? " if close else ""
        raise InvalidRequestError(
            f"no tier is called {word!r}; {hint}(there are {', '.join(tier.value.lower() for tier in Tier)}, none)", param="q"
        )
    return _shared(key, token)


def _number(key: str, token: _Token) -> Condition:
    match = _NUMBER.fullmatch(token.word)
    unit = NUMBERS[key].get(match[4].lower()) if match else None
    if match is None or unit is None or ("$" in token.word and NUMBERS[key] is not _MONEY):
        units = ", ".join(name for name in NUMBERS[key] if name)
        said = f" (units: {units})" if units else ""
        raise InvalidRequestError(
            f"{token.word!r} is no number to compare with; write it as in {key}:{EXAMPLES[key]}{said}", param="q"
        )
    value = float(match[2] + match[3].replace(",", "")) * unit
    return Condition(own=f"requests.{key} {match[1] or '='} ?", own_values=(value,))


def _flag(key: str, token: _Token) -> Condition:
    value = _YES.get(token.word.lower())
    if value is None:
        raise InvalidRequestError(f"{key}: is true or false, not {token.word!r}", param="q")
    return Condition(own=f"requests.{key} = ?", own_values=(value,), failures=key == "failed" and value == 1)


def _status(token: _Token) -> Condition:
    if token.word.lower() == "none":
        return Condition(own="status IS NULL")
    match = _STATUS.fullmatch(token.word)
    digits = match[2].lower().ljust(3, "x") if match else ""
    if match is None or not re.fullmatch(r"[1-5](\d\d|\dx|xx)", digits):
        raise InvalidRequestError(f"'status' must be a status such as 429, or a class such as 5xx, not {token.word!r}", param="q")
    low, high = int(digits.replace("x", "0")), int(digits.replace("x", "9"))
    sign = match[1] or "="
    if sign == "=":
        return Condition(own="status BETWEEN ? AND ?", own_values=(low, high), failures=low >= 400)
    bound = {">": high, ">=": low, "<": low, "<=": high}[sign]
    return Condition(own=f"status {sign} ?", own_values=(bound,), failures=sign in (">", ">=") and bound >= 399 + (sign == ">="))


def _like(columns: tuple[str, ...], token: _Token) -> tuple[str, tuple[object, ...]]:
    """A part of one of the columns; ``*`` stands for anything, but not within quotes."""
    word = token.word.lower()
    escaped = word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    if not token.quoted and "*" in word:
        escaped = escaped.replace("*", "%") if word.strip("*") else "_"
    # SQLite's own LIKE knows the letters of ASCII only.
    named = [f"ifnull({column}, '')" if word.isascii() else f"fold({column})" for column in columns]
    sql = " OR ".join(rf"{name} LIKE ? ESCAPE '\'" for name in named)
    return sql, (f"%{escaped}%",) * len(columns)

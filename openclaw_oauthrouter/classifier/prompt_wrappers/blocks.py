"""Cutting marked blocks out of a text, the one operation all prompt wrappers share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from openclaw_oauthrouter.canonical.patterns import lazily

_NAME = lazily(r"<(/?[A-Za-z][\w.-]*)")


@lru_cache(maxsize=2)
def names_in(text: str) -> frozenset[str]:
    """What stands behind the brackets ``<`` and, with the stroke, ``</`` of a text.

    Each wrapper asks whether any of its own marks is there; one look answers all of them.
    """
    return frozenset(_NAME.findall(text)) if "<" in text else frozenset()


def without_blocks(text: str, opening: str, closing: str) -> str:
    """The text without everything from ``opening`` to the next ``closing``, marks included.

    A block that opens the text and is never closed reaches to its end: the text was cut. One that is never closed further on stays:
    somebody is talking about it rather than using it.
    """
    start = text.find(opening)
    if start < 0:
        return text
    kept: list[str] = []
    position = 0
    while start >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0:
            break
        kept.append(text[position:start])
        position = end + len(closing)
        start = text.find(opening, position)
    if start >= 0 and not text[:start].strip():
        return ""
    kept.append(text[position:])
    return "".join(kept)


def without_elements(text: str, names: tuple[str, ...]) -> str:
    """The text without the named ``<element>…</element>`` blocks."""
    if _first_words(names).isdisjoint(names_in(text)):
        return text
    for name in names:
        text = without_blocks(text, f"<{name}>", f"</{name}>")
    return text


@lru_cache(maxsize=16)
def _first_words(names: tuple[str, ...]) -> frozenset[str]:
    """Some names are of two words; of elements the first is all that ``names_in`` tells."""
    return frozenset([name.partition(" ")[0] for name in names])


def without_named_blocks(text: str, opening: re.Pattern[str], closing: str) -> str:
    """The text without every block from an opening to the next closing of the same name; in one pass, whatever is left open.

    :param opening: its first group is the name
    :param closing: with ``{}`` for the name; between that and the bracket in which it ends there may be more
    """
    kept: list[str] = []
    position = 0
    for start, _, _, end in named_blocks(text, opening, closing):
        kept.append(text[position:start])
        position = end
    kept.append(text[position:])
    return "".join(kept) if position else text


def named_blocks(text: str, opening: re.Pattern[str], closing: str) -> Iterator[tuple[int, int, int, int]]:
    """Where blocks stand, none within another: start, start and end of what they hold, end.

    Regular expressions that do this look through the whole text again for each opening that is not closed.
    """
    bracket = closing[-1]
    position = 0
    unclosed: set[str] = set()
    for found in opening.finditer(text):
        if found.start() < position or found[1] in unclosed:
            continue
        head = closing.format(found[1]).rstrip(bracket)
        inner = text.find(head, found.end())
        end = text.find(bracket, inner + len(head)) if inner >= 0 else -1
        if end < 0:
            unclosed.add(found[1])
            continue
        position = end + 1
        while text.startswith(bracket, position):
            position += 1
        yield found.start(), found.end(), inner, position

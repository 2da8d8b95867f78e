"""Cutting marked blocks out of a text, the one operation all prompt wrappers share."""

from __future__ import annotations

import re
from functools import lru_cache


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
    if "<" not in text or _any_of(names).search(text) is None:
        return text
    for name in names:
        text = without_blocks(text, f"<{name}>", f"</{name}>")
    return text


@lru_cache(maxsize=16)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    """Where one of the elements begins: one search instead of one for each of two dozen names."""
    return re.compile(f"<(?:{'|'.join(map(re.escape, names))})>")


def without_named_blocks(text: str, opening: re.Pattern[str], closing: str) -> str:
    """The text without every block from an opening to the end of the next closing of the same name.

    :param opening: its first group is the name
    :param closing: with ``{}`` for the name; ends in ``>``, up to which there may be more
    """
    kept: list[str] = []
    position = 0
    unclosed: set[str] = set()
    for found in opening.finditer(text):
        if found.start() < position or found[1] in unclosed:
            continue
        head = closing.format(found[1]).rstrip(">")
        start = text.find(head, found.end())
        end = text.find(">", start + len(head)) if start >= 0 else -1
        if end < 0:
            unclosed.add(found[1])
            continue
        kept.append(text[position : found.start()])
        position = end + 1
        while text.startswith(">", position):
            position += 1
    kept.append(text[position:])
    return "".join(kept) if position else text

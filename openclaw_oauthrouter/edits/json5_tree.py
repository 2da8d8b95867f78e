"""Finds where things stand in a JSON5 text, so that a change can leave every other character alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import json5

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import ConfigurationError

_BLANKS = lazily(r"(?:\s|//[^\n\r]*|/\*.*?\*/)*", re.DOTALL)
_STRING = lazily(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""", re.DOTALL)
_BARE = lazily(r"""[^\s,:{}\[\]"'/]+""")


Span = tuple[int, int]
"""Where something stands: ``text[start:end]``."""


@dataclass(slots=True)
class Node:
    """A value and where it stands: ``text[start:end]``.

    :ivar members: of an object, by key, in the order of the text
    :ivar items: of an array
    """

    start: int
    end: int = 0
    members: dict[str, Member] | None = None
    items: list[Node] | None = None

    def entries(self) -> list[Span]:
        """Where its members (key included) or items stand."""
        if self.members is not None:
            return [(member.start, member.value.end) for member in self.members.values()]
        return [(item.start, item.end) for item in self.items or ()]


@value(frozen=True, slots=True)
class Member:
    """One ``key: value`` of an object; ``start`` is where the key begins."""

    start: int
    value: Node


@dataclass(slots=True)
class _Scanner:
    text: str
    position: int = field(default=0)

    def blanks(self) -> None:
        match = _BLANKS.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def peek(self) -> str:
        self.blanks()
        return self.text[self.position : self.position + 1]

    def take(self, expected: str) -> None:
        if self.peek() != expected:
            line = self.text.count("\n", 0, self.position) + 1
            raise ConfigurationError(f"line {line}: {expected!r} expected")
        self.position += 1

    def word(self) -> str:
        self.blanks()
        match = _STRING.match(self.text, self.position) or _BARE.match(self.text, self.position)
        if match is None:
            line = self.text.count("\n", 0, self.position) + 1
            raise ConfigurationError(f"line {line}: a name or value expected")
        self.position = match.end()
        return match.group()


def parse(text: str) -> Node:
    """The tree of a JSON5 text.

    :raises ConfigurationError: naming the line
    """
    scanner = _Scanner(text)
    root = _value(scanner)
    if scanner.peek():
        raise ConfigurationError(f"line {text.count(chr(10), 0, scanner.position) + 1}: nothing more expected")
    return root


def skip_blanks(text: str, position: int) -> int:
    """The position of the next character that is neither blank nor comment."""
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _value(scanner: _Scanner) -> Node:
    first = scanner.peek()
    node = Node(scanner.position)
    if first == "{":
        node.members = _members(scanner)
    elif first == "[":
        node.items = _items(scanner)
    else:
        scanner.word()
    node.end = scanner.position
    return node


def _members(scanner: _Scanner) -> dict[str, Member]:
    members: dict[str, Member] = {}
    scanner.take("{")
    while scanner.peek() != "}":
        start = scanner.position
        word = scanner.word()
        scanner.take(":")
        members[str(json5.loads(word)) if word[0] in "\"'" else word] = Member(start, _value(scanner))
        if scanner.peek() != "}":
            scanner.take(",")
    scanner.take("}")
    return members


def _items(scanner: _Scanner) -> list[Node]:
    items: list[Node] = []
    scanner.take("[")
    while scanner.peek() != "]":
        items.append(_value(scanner))
        if scanner.peek() != "]":
            scanner.take(",")
    scanner.take("]")
    return items

"""What was read of a conversation's messages is not read again when its next request repeats them, as each of an agent's does."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from openclaw_oauthrouter.canonical.json import FrozenObject

_T = TypeVar("_T")

MOST_BYTES = 1 << 21
"""Of all conversations that are remembered, as JSON; in memory they take about twice as much."""

_NAMING = 3
"""Messages by whose beginnings a conversation is found again; whether it is the same is told by comparing all of them."""

_BEGINNING = 200


_SEVERAL = 4
"""Messages from which on a request is the continuation of an earlier one: a lone question is read faster than found again."""


def is_conversation(messages: object) -> bool:
    """Whether it is worth remembering, and of the right shape: whoever reads it says what is wrong with it."""
    return isinstance(messages, list) and len(messages) >= _SEVERAL and set(map(type, messages)) == {dict}


class _Known(NamedTuple, Generic[_T]):
    """
    :ivar exact: the JSON of messages that hold more than words: 1, 1.0 and ``true`` are equal, and not the same
    """

    messages: Sequence[FrozenObject]
    read: Sequence[_T]
    sizes: Sequence[int]
    exact: Sequence[bytes | None]


class KnownTurns(Generic[_T]):
    """The latest conversations, each up to its last request: messages as they came, and what they were read to.

    Nothing of what it holds may be changed.

    :param most_bytes: as JSON; a conversation of more than a quarter of it is not remembered
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._known: OrderedDict[tuple[object, ...], _Known[_T]] = OrderedDict()
        self._most_bytes = most_bytes
        self.bytes = 0

    def recall(self, messages: Sequence[FrozenObject]) -> Sequence[_T]:
        """What the first of these messages were read to; they are as many as are known."""
        known = self._known.get(_name(messages))
        return known.read[: _common(known, messages)] if known is not None else ()

    def keep(self, messages: Sequence[FrozenObject], read: Sequence[_T], same: int) -> None:
        """Remember a conversation in place of its earlier state.

        :param same: as many messages as ``recall`` has just known
        """
        name = _name(messages)
        before = self._known.get(name)
        if before is not None and same == len(messages) == len(before.messages):
            self._known.move_to_end(name)
            return
        sizes = list(before.sizes[:same]) if before is not None else []
        exact = list(before.exact[:same]) if before is not None else []
        room = self._most_bytes // 4 - sum(sizes)
        for message in messages[same:]:
            written = _written(message)
            room -= len(written) if written else room + 1
            if room < 0:
                break
            sizes.append(len(written))
            exact.append(None if _is_words(message) else written)
        self._forget(name)
        if sizes:
            self._known[name] = _Known(messages[: len(sizes)], read[: len(sizes)], sizes, exact)
            self.bytes += sum(sizes)
        while self.bytes > self._most_bytes:
            self._forget(next(iter(self._known)))

    def _forget(self, name: tuple[object, ...]) -> None:
        known = self._known.pop(name, None)
        if known is not None:
            self.bytes -= sum(known.sizes)


def _name(messages: Sequence[FrozenObject]) -> tuple[object, ...]:
    return tuple([_words_of(message.get("content")) for message in messages[:_NAMING]])


def _words_of(content: object) -> tuple[str, int] | None:
    if type(content) is list and content and type(content[0]) is dict:
        content = content[0].get("text")
    return (content[:_BEGINNING], len(content)) if type(content) is str else None


def _common(known: _Known[Any], messages: Sequence[FrozenObject]) -> int:
    """How many messages at the beginning are the same."""
    for at, (one, exact, other) in enumerate(zip(known.messages, known.exact, messages, strict=False)):
        if one is not other and (one != other or (exact is not None and exact != _written(other))):
            return at
    return min(len(known.messages), len(messages))


def _written(message: FrozenObject) -> bytes:
    """As JSON; nothing where it cannot be written."""
    try:
        return orjson.dumps(message)
    except (TypeError, ValueError, RecursionError):
        return b""


def _is_words(value: Any) -> bool:
    """Whether JSON holds nothing but strings and null, so that what is equal to it is the same."""
    if isinstance(value, dict):
        return all(map(_is_words, value.values()))
    if isinstance(value, list):
        return all(map(_is_words, value))
    return value is None or isinstance(value, str)

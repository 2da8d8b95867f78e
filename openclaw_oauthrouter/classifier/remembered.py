"""What was found out about a text, kept for when it comes again: an agent sends its whole conversation, and so every text of it, with each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_V = TypeVar("_V")

MOST_TEXTS = 512
MOST_CHARACTERS = 1_000_000


class RememberedTexts(Generic[_V]):
    """The latest texts and what is known of each; bounded in number and in characters, and gone with the process.

    :ivar get: what is known of a text; ``None`` when it is new, or was forgotten. A dictionary's own, for it is asked of every text of
        every conversation
    """

    def __init__(self, most_texts: int = MOST_TEXTS, most_characters: int = MOST_CHARACTERS) -> None:
        self._most_texts = most_texts
        self._most_characters = most_characters
        self._known: dict[str, _V] = {}
        self.get: Callable[[str], _V | None] = self._known.get
        self._characters = 0

    def __len__(self) -> int:
        return len(self._known)

    def put(self, text: str, value: _V) -> _V:
        """Remember, and forget what was put here longest ago; what is still asked for is then found out once more."""
        if text not in self._known:
            self._characters += len(text)
        self._known[text] = value
        while self._known and (len(self._known) > self._most_texts or self._characters > self._most_characters):
            forgotten = next(iter(self._known))
            del self._known[forgotten]
            self._characters -= len(forgotten)
        return value

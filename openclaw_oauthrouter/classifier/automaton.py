"""Finds all spellings of a word list in a text in one pass: with ahocorasick-rs where it is installed, else in Python with the same results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

Match = tuple[int, int, int]
"""Which spelling, where it begins, where it ends."""


class Finder(Protocol):
    """What finds spellings."""

    def find_matches_as_indexes(self, haystack: str, overlapping: bool = ...) -> Iterable[Match]: ...


def finder(spellings: Sequence[str]) -> Finder:
    """The fastest finder there is on this machine: ahocorasick-rs has no wheels for musl, and needs a compiler there."""
    try:
        from ahocorasick_rs import AhoCorasick, Implementation
    except ImportError:
        return PythonFinder(spellings)
    # Of its three forms the one that is fastest once other work has been done in between: the DFA takes 15 MB, which no cache keeps.
    compiled: Finder = AhoCorasick(spellings, implementation=Implementation.ContiguousNFA, store_patterns=False)
    return compiled


class PythonFinder:
    """The automaton of Aho and Corasick (1975): one step a character, however many spellings there are.

    Each state has the characters that lead on from it, those of the states it falls back to included, so no step is taken twice.

    :param spellings: none of them empty; one that stands there twice is found twice
    """

    def __init__(self, spellings: Sequence[str]) -> None:
        self._lengths = [len(spelling) for spelling in spellings]
        self._next: list[dict[str, int]] = [{}]
        self._found: list[tuple[int, ...]] = [()]
        for number, spelling in enumerate(spellings):
            self._found[self._grow(spelling)] += (number,)
        self._connect()

    def _grow(self, spelling: str) -> int:
        state = 0
        for character in spelling:
            following = self._next[state].get(character)
            if following is None:
                following = self._next[state][character] = len(self._next)
                self._next.append({})
                self._found.append(())
            state = following
        return state

    def _connect(self) -> None:
        """Level by level, nearest to the root first: a state's fallback is always finished before the state."""
        back, root = [0] * len(self._next), self._next[0]
        level = list(root.values())
        while level:
            deeper: list[int] = []
            for state in level:
                own, fallback = self._next[state], back[state]
                for character, child in own.items():
                    back[child] = self._next[fallback].get(character, root.get(character, 0))
                    deeper.append(child)
                self._found[state] += self._found[fallback]
                # Not the root's: what leads on from there is looked up when nothing else does.
                if fallback:
                    self._next[state] = self._next[fallback] | own
            level = deeper

    def find_matches_as_indexes(self, haystack: str, overlapping: bool = True) -> list[Match]:
        """All occurrences, by where they end; of those that end at one place the longest first.

        :param overlapping: nothing else is done here
        """
        matches: list[Match] = []
        following, found, root = self._next, self._found, self._next[0]
        state = 0
        for end, character in enumerate(haystack, 1):
            step = following[state].get(character)
            state = root.get(character, 0) if step is None else step
            if found[state]:
                matches += [(number, end - self._lengths[number], end) for number in found[state]]
        return matches

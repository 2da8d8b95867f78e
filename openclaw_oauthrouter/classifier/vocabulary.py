"""Finds every keyword list in a text with one pass, whole words only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

# Scripts that put no blanks between words, or hang particles on them: no word boundary can be asked for.
_UNBOUNDED = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]")


@dataclass(slots=True)
class _Pattern:
    """One spelling: where it counts and which of its ends must be a word's end."""

    spelling: str
    bounded_left: bool
    bounded_right: bool
    targets: list[tuple[str, str]]


class Vocabulary:
    """Named lists of keywords, matched together.

    An entry is ``"prove|proves|proved"``: spellings of one keyword, which counts once however many of them occur. A spelling that ends
    in ``*`` is a stem and matches at the beginning of a word.

    :param lists: entries by list name; a spelling may stand in several lists
    """

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        patterns: dict[str, _Pattern] = {}
        for name, entries in lists.items():
            for entry in entries:
                _add(patterns, name, entry)
        self._patterns = list(patterns.values())
        spellings = [spelling.removesuffix("*") for spelling in patterns]
        self._automaton = AhoCorasick(spellings, implementation=Implementation.DFA, store_patterns=False)

    def find(self, text: str) -> dict[str, tuple[str, ...]]:
        """Keywords of each list that occur in the text, each once and as first spelt there, in the order of the text.

        :param text: lower-case
        """
        found: dict[str, dict[str, str]] = {}
        seen: set[int] = set()
        size = len(text)
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if index in seen:
                continue
            pattern = self._patterns[index]
            if pattern.bounded_left and start and _in_word(text[start - 1]):
                continue
            if pattern.bounded_right and end < size and (_in_word(text[end]) or text[end] == "'"):
                continue
            seen.add(index)
            for name, keyword in pattern.targets:
                found.setdefault(name, {}).setdefault(keyword, pattern.spelling)
        return {name: tuple(keywords.values()) for name, keywords in found.items()}


def _add(patterns: dict[str, _Pattern], name: str, entry: str) -> None:
    spellings = entry.lower().split("|")
    keyword = spellings[0].removesuffix("*")
    for spelling in spellings:
        bare = spelling.removesuffix("*")
        right = bare == spelling and _is_bounded(bare[-1])
        pattern = patterns.setdefault(spelling, _Pattern(bare, _is_bounded(bare[0]), right, []))
        if (name, keyword) not in pattern.targets:
            pattern.targets.append((name, keyword))


def _is_bounded(character: str) -> bool:
    return _in_word(character) and not _UNBOUNDED.match(character)


def _in_word(character: str) -> bool:
    """Whether a keyword cannot begin or end beside this character."""
    return (character.isalnum() or character == "_") and not _UNBOUNDED.match(character)

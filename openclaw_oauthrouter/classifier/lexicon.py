"""The keyword lists this room ships: read once, compiled once, found in a text with one pass, whole words only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.classifier.automaton import finder
from openclaw_oauthrouter.classifier.minimum_tiers import MinimumTier, load_minimum_tiers

# Scripts that put no blanks between words, or hang particles on them: no word boundary can be asked for.
_UNBOUNDED = lazily(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]")


_LEFT, _RIGHT = 1, 2
"""Ends of a spelling that must be ends of a word, as bits."""

_ASCII_WORD = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")


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
        self._patterns = [(one.spelling, one.targets) for one in patterns.values()]
        # Apart from the rest, and small: most matches lie within other words, and are done with once that is seen.
        self._bounded = bytes([_LEFT * one.bounded_left | _RIGHT * one.bounded_right for one in patterns.values()])
        self._automaton = finder([spelling.removesuffix("*") for spelling in patterns])

    def find(self, text: str) -> dict[str, tuple[str, ...]]:
        """Keywords of each list that occur in the text, each once and as first spelt there, in the order of the text.

        :param text: lower-case
        """
        seen: dict[int, None] = {}
        size = len(text)
        bounded = self._bounded
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            ends = bounded[index]
            # That a match lies within another word is seen in the set, mostly.
            if ends & _LEFT and start:
                before = text[start - 1]
                if before in _ASCII_WORD or (before > "\x7f" and _in_word(before)):
                    continue
            if ends & _RIGHT and end < size:
                after = text[end]
                if after in _ASCII_WORD or after == "'" or (after > "\x7f" and _in_word(after)):
                    continue
            seen[index] = None
        found: dict[str, dict[str, str]] = {}
        for index in seen:
            spelling, targets = self._patterns[index]
            for name, keyword in targets:
                keywords = found.get(name)
                if keywords is None:
                    found[name] = {keyword: spelling}
                elif keyword not in keywords:
                    keywords[keyword] = spelling
        return {name: tuple(keywords.values()) for name, keywords in found.items()}


class Lexicon:
    """The lists of the dimensions and minimum tiers, and those of the conversation rules."""

    @cached_property
    def prompt(self) -> Vocabulary:
        """Lists of the dimensions, by file name, and of the minimum tiers."""
        return Vocabulary({**_lists("keywords"), **self._minimum_tiers[1]})

    @cached_property
    def conversation(self) -> Vocabulary:
        """Lists that tell a reply from a new topic."""
        return Vocabulary(_lists("conversation"))

    @property
    def minimum_tiers(self) -> tuple[MinimumTier, ...]:
        """Minimum tiers that words ask for, highest first."""
        return self._minimum_tiers[0]

    @cached_property
    def _minimum_tiers(self) -> tuple[tuple[MinimumTier, ...], dict[str, list[str]]]:
        return load_minimum_tiers(read_data("minimum_tiers.json"))


@lru_cache(maxsize=1)
def shipped_lexicon() -> Lexicon:
    """The lists this room ships, compiled once a process: a reload of the configuration need not compile them anew."""
    return Lexicon()


def read_data(*path: str) -> JsonObject:
    """A JSON file below ``data/``, as shipped in the package."""
    loaded: JsonObject = orjson.loads(files(__package__).joinpath("data", *path).read_bytes())
    return loaded


def data_names(folder: str) -> list[str]:
    """Names of the JSON files in a folder below ``data/``, sorted."""
    return sorted(entry.name for entry in files(__package__).joinpath("data", folder).iterdir() if entry.name.endswith(".json"))


def _lists(folder: str) -> dict[str, list[str]]:
    """One list a file; the languages inside it make one list."""
    return {name.removesuffix(".json"): _joined(read_data(folder, name).values()) for name in data_names(folder)}


def _joined(languages: Iterable[list[str]]) -> list[str]:
    return [entry for entries in languages for entry in entries]


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


@lru_cache(maxsize=4096)
def _in_word(character: str) -> bool:
    """Whether a keyword cannot begin or end beside this character."""
    return (character.isalnum() or character == "_") and not _UNBOUNDED.match(character)

"""All keyword lists of the default classifier, read and compiled on first use, shared by all its profiles."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from openclaw_oauthrouter.classifier.minimum_tiers import MinimumTier, load_minimum_tiers
from openclaw_oauthrouter.classifier.resources import data_names, read_data
from openclaw_oauthrouter.classifier.vocabulary import Vocabulary


class Lexicon:
    """The lists of the dimensions and floors, and those of the conversation rules."""

    @cached_property
    def prompt(self) -> Vocabulary:
        """Lists of the dimensions, by file name, and of the floors."""
        return Vocabulary({**_lists("keywords"), **self._minimum_tiers[1]})

    @cached_property
    def conversation(self) -> Vocabulary:
        """Lists that tell a reply from a new topic."""
        return Vocabulary(_lists("conversation"))

    @property
    def minimum_tiers(self) -> tuple[MinimumTier, ...]:
        """Word floors, highest first."""
        return self._minimum_tiers[0]

    @cached_property
    def _minimum_tiers(self) -> tuple[tuple[MinimumTier, ...], dict[str, list[str]]]:
        return load_minimum_tiers(read_data("floors.json"))


def _lists(folder: str) -> dict[str, list[str]]:
    """One list a file; the languages inside it make one list."""
    return {name.removesuffix(".json"): _joined(read_data(folder, name).values()) for name in data_names(folder)}


def _joined(languages: Iterable[list[str]]) -> list[str]:
    return [entry for entries in languages for entry in entries]

"""All keyword lists of the default classifier, read and compiled on first use, shared by all its profiles."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from openclaw_oauthrouter.classifier.floors import Floor, load_floors
from openclaw_oauthrouter.classifier.resources import data_names, read_data
from openclaw_oauthrouter.classifier.vocabulary import Vocabulary


class Lexicon:
    """The lists of the dimensions and floors, and those of the conversation rules."""

    @cached_property
    def prompt(self) -> Vocabulary:
        """Lists of the dimensions, by file name, and of the floors."""
        return Vocabulary({**_lists("keywords"), **self._floors[1]})

    @cached_property
    def conversation(self) -> Vocabulary:
        """Lists that tell a reply from a new topic."""
        return Vocabulary(_lists("conversation"))

    @property
    def floors(self) -> tuple[Floor, ...]:
        """Word floors, highest first."""
        return self._floors[0]

    @cached_property
    def _floors(self) -> tuple[tuple[Floor, ...], dict[str, list[str]]]:
        return load_floors(read_data("floors.json"))


def _lists(folder: str) -> dict[str, list[str]]:
    """One list a file; the languages inside it make one list."""
    return {name.removesuffix(".json"): _joined(read_data(folder, name).values()) for name in data_names(folder)}


def _joined(languages: Iterable[list[str]]) -> list[str]:
    return [entry for entries in languages for entry in entries]

"""Recognises a model by its id: which family it belongs to, which generation it is, and how able it is known to be."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value

Generation = tuple[int, ...]
"""Version numbers without trailing zeros: ``6.1`` is ``(6, 1)``; ``()`` is older than all."""

_SNAPSHOT = lazily(r"-(?:20\d{6}|20\d\d-\d\d-\d\d)$")
_MOST_NAMES = 4096
# Names may be a client's invention; no more of them are remembered.
_POINT_AS_LETTER = lazily(r"(?<=\d)p(?=\d)")


@value(frozen=True, slots=True)
class Family:
    """Models that follow one another at one price and purpose.

    :ivar rank: 0 for the vendor's smallest class to 3 for its most able one
    :ivar restricted: never chosen unasked: by invitation, or many times the usual price
    :ivar assumed_ability: of members that nobody has measured, nor any older one
    """

    name: str
    rank: int
    pattern: re.Pattern[str]
    restricted: bool
    assumed_ability: float


@value(frozen=True, slots=True)
class Place:
    """Where a model stands among its kind.

    :ivar ability: on the scale of the published ranking
    :ivar measured: the ranking holds this very model
    """

    family: str
    rank: int
    generation: Generation
    ability: float
    measured: bool
    restricted: bool


class Families:
    """All families, in the order in which they are asked.

    :param rows: the tables ``family`` of ``families.toml``
    :param classes: the table ``classes``
    :param scores: model id -> score
    """

    def __init__(
        self, rows: Iterable[Mapping[str, Any]], classes: Mapping[str, Mapping[str, Any]], scores: Mapping[str, float]
    ) -> None:
        ranks = {name: rank for rank, name in enumerate(classes)}
        self._families = [
            Family(
                row["name"],
                ranks[row["class"]],
                lazily(row["pattern"]),
                bool(row.get("restricted")),
                float(classes[row["class"]]["ability"]),
            )
            for row in rows
        ]
        self._recognised: dict[str, tuple[Family | None, Generation]] = {}
        self._ranking = scores

    @cached_property
    def _scores(self) -> Mapping[str, Sequence[tuple[Generation, float]]]:
        """Scores by family and generation; only models without a row of the catalog need them."""
        found: dict[str, list[tuple[Generation, float]]] = {}
        for model, score in self._ranking.items():
            family, generation = self._recognise(model)
            if family is not None:
                found.setdefault(family.name, []).append((generation, score))
        return {name: sorted(known) for name, known in found.items()}

    def __iter__(self) -> Iterator[Family]:
        return iter(self._families)

    def place(self, model: str, generation: str | None = None) -> Place | None:
        """Where an id stands; ``None`` when no family knows it.

        :param model: any vendor's or reseller's spelling: ``claude-haiku-5-5``, ``anthropic/claude-haiku-5.5``,
            ``accounts/fireworks/models/glm-5p3``
        :param generation: what a table says, for ids that do not tell: ``deepseek-flash``
        """
        family, found = self._recognise(model)
        if family is None:
            return None
        found = generation_of(generation) if generation else found
        ability, measured = self._ability(family, found)
        return Place(family.name, family.rank, found, ability, measured, family.restricted)

    def _recognise(self, model: str) -> tuple[Family | None, Generation]:
        found = self._recognised.get(model)
        if found is None:
            if len(self._recognised) >= _MOST_NAMES:
                self._recognised.clear()
            found = self._recognised[model] = self._match(model)
        return found

    def _match(self, model: str) -> tuple[Family | None, Generation]:
        name = bare_id(model)
        for family in self._families:
            match = family.pattern.fullmatch(name)
            if match:
                return family, generation_of(match[1] or "")
        return None, ()

    def _ability(self, family: Family, generation: Generation) -> tuple[float, bool]:
        """A generation's score; else the best of the older ones, for a successor is not made to be worse.

        Without older ones, what is assumed of the class, but no more than what the newer ones have.
        """
        known = self._scores.get(family.name, ())
        split = bisect_right(known, (generation, float("inf")))
        older, newer = known[:split], known[split:]
        if older and older[-1][0] == generation:
            return max(score for found, score in older if found == generation), True
        if older:
            return max(score for _, score in older), False
        return min([family.assumed_ability, *(score for _, score in newer)]), False


def bare_id(model: str) -> str:
    """An id without a reseller's path and the day of a snapshot, in lower case, with points for points."""
    name = model.lower().rpartition("/")[2]
    return _SNAPSHOT.sub("", _POINT_AS_LETTER.sub(".", name))


def generation_of(text: str) -> Generation:
    """The numbers of a version: ``5-5`` and ``5.5`` are the same, ``4-0`` is ``4``."""
    numbers = [int(part) for part in re.split(r"[.-]", text) if part.isdigit()]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def generation_text(generation: Sequence[int]) -> str:
    """For people: ``6.1``."""
    return ".".join(map(str, generation))


@lru_cache(maxsize=1)
def shipped_families() -> Families:
    """Those of ``families.toml``, ranked by ``ranking.toml``; read once."""
    table, ranking = read_table("families.toml"), read_table("ranking.toml")
    return Families(table["family"], table["classes"], ranking["scores"])


def read_table(name: str) -> dict[str, Any]:
    """A TOML file of this room."""
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))

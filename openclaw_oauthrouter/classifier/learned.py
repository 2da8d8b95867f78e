"""A fifteenth term learned from prompts of known difficulty: a linear score over words, pairs of words and what the text looks like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import ClassVar, NamedTuple

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures
from openclaw_oauthrouter.classifier.excerpt import letters_said, tokens_of
from openclaw_oauthrouter.classifier.lexicon import read_data

EVIDENCE = 5.0
"""Words a prompt is taken to hold beyond its own, so that one word of a short prompt does not decide alone."""

SHOWN = 3

SURFACE_FEATURES = (
    "length",
    "digits",
    "latex",
    "formula",
    "code",
    "lines",
    "questions",
    "variety",
    "word length",
    "non-ascii",
    "brackets",
    "quotes",
    "commas",
    "one line",
)
"""What a text looks like, whatever it says: names, in the order of ``surface_features``."""


_NO_MARKS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .-'"

PLACE = 24
"""Bits of a number that hold a place; all places together are less than one weight, so that sums of numbers are sums of weights."""
_ITS_PLACE = (1 << PLACE) - 1


class _Known(NamedTuple):
    """The words and pairs of the model, each by a number: its weight, and below that its place among all of them, from 1, by weight and name.

    So one look tells what a word weighs and whether it weighs more than another.

    :ivar words: number by word
    :ivar pairs: number by pair
    :ivar names: by place
    """

    words: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]
    names: Sequence[str]


@dataclass(frozen=True)
class LearnedScore:
    """-1 to 1: how much the wording resembles prompts that need a strong model. Plain Python, no I/O after the first use."""

    name: ClassVar[str] = "learnedScore"
    weight: float
    model: JsonObject = field(default_factory=lambda: read_data("learned.json"))

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Score the wording; the explanation names the words that weighed most."""
        text = features.text.lower()
        tokens = tokens_of(text)
        distinct = set(tokens)
        known = self._known
        # All of it in C, with one look for each word and pair.
        numbers = list(filter(None, map(known.words.get, distinct)))
        numbers += set(filter(None, map(known.pairs.get, pairwise(tokens))))
        # Whole numbers: their sum does not depend on the order in which a set gives them.
        by_words = (sum(numbers) >> PLACE) / self.model["scale"]
        by_surface = sum(map(float.__mul__, self._surface, surface_features(text, tokens, len(distinct), features.letters)))
        raw = self._bias + by_surface + by_words / math.sqrt(len(numbers) + EVIDENCE)
        score = math.tanh(raw)
        return DimensionScore(self.name, score, self.weight, self._signal(numbers, score))

    def _signal(self, numbers: list[int], score: float) -> str:
        """:param numbers: of what was found; are sorted."""
        numbers.sort()
        names = self._known.names
        if score >= 0:
            shown = [names[number & _ITS_PLACE] for number in numbers[: -SHOWN - 1 : -1] if number >> PLACE > 0]
        else:
            shown = [names[number & _ITS_PLACE] for number in numbers[:SHOWN] if number < 0]
        named = f" ({', '.join(shown)})" if shown else ""
        return f"learned {score:+.2f}{named}"

    @cached_property
    def _known(self) -> _Known:
        rows = sorted((weight, name) for name, weight in (self.model["words"] | self.model["pairs"]).items())
        number = {name: (weight << PLACE) + place for place, (weight, name) in enumerate(rows, 1)}
        words = {name: number[name] for name in self.model["words"]}
        pairs = {_pair(name): number[name] for name in self.model["pairs"]}
        return _Known(words, pairs, ["", *[name for _, name in rows]])

    @cached_property
    def _surface(self) -> tuple[float, ...]:
        return tuple(float(weight) for weight in self.model["surface"].values())

    @cached_property
    def _bias(self) -> float:
        return float(self.model["bias"])


@lru_cache(maxsize=4)
def shipped_term(weight: float) -> LearnedScore:
    """The term with the shipped model, whose tables are made once a process however often the configuration is read anew."""
    return LearnedScore(weight)


def _pair(words: str) -> tuple[str, str]:
    first, _, second = words.partition(" ")
    return first, second


def surface_features(text: str, tokens: Sequence[str], distinct: int, letters: float | None = None) -> tuple[float, ...]:
    """Figures of about 0 to 1 each, one for each name in ``SURFACE_FEATURES``.

    :param tokens: of the text
    :param distinct: how many different ones there are
    :param letters: length of the text as ``letters_said`` counts it, where somebody has
    """
    size = len(text) or 1
    if letters is None:
        letters = letters_said(text)
    count = len(tokens) or 1
    ascii_only = text.encode("ascii", "ignore")
    # What is counted one by one is sought where nothing else stands; of the longer marks a look there tells whether to seek them at all.
    marks = ascii_only.translate(None, _NO_MARKS)
    count_of = marks.count
    non_ascii = 1.0 - len(ascii_only) / size if text else 0.0
    digits = len(marks) - len(marks.translate(None, b"0123456789"))
    lines = count_of(b"\n")
    fences = text.count("```") if b"`" in marks else 0
    calls = text.count("()") if b"(" in marks else 0
    return (
        math.log1p(letters) / 8,
        min(1.0, digits / size * 5),
        min(1.0, count_of(b"\\") / 10),
        min(1.0, (count_of(b"$") + count_of(b"^") + count_of(b"=")) / 10),
        min(1.0, (fences * 3 + count_of(b";") + count_of(b"{") + calls + count_of(b"_")) / 15),
        math.log1p(lines) / 5,
        min(1.0, (count_of(b"?") + text.count("？")) / 3),
        distinct / count if count > 5 else 1.0,
        min(1.0, size / count / 10),
        non_ascii,
        min(1.0, (count_of(b"(") + count_of(b"[")) / size * 40),
        min(1.0, (count_of(b'"') + text.count("“")) / 6),
        min(1.0, (count_of(b",") + text.count("，") + text.count("、")) / size * 30),
        0.0 if lines else 1.0,
    )

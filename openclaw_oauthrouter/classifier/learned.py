"""A fifteenth term learned from prompts of known difficulty: a linear score over words, pairs of words and what the text looks like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
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
_ONE_OF_A_KIND = bytes.maketrans(b"123456789" + b"$^" + b"{_" + b"[", b"000000000" + b"==" + b";;" + b"(")

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
        # All of it in C, with one look for each word and pair; ``zip`` hands over all pairs in one object, ``pairwise`` makes one for each.
        numbers = list(filter(None, map(known.words.get, distinct)))
        numbers += set(filter(None, map(known.pairs.get, zip(tokens, tokens[1:], strict=False))))  # noqa: RUF007
        # Whole numbers: their sum does not depend on the order in which a set gives them.
        by_words = (sum(numbers) >> PLACE) / self.model["scale"]
        by_surface = sum(map(float.__mul__, self._surface, surface_features(text, tokens, len(distinct), features.letters)))
        raw = self._bias + by_surface + by_words / math.sqrt(len(numbers) + EVIDENCE)
        score = math.tanh(raw)
        return DimensionScore(self.name, score, self.weight, self._signal(numbers, score))

    def _signal(self, numbers: list[int], score: float) -> str:
        """:param numbers: of what was found, each different; those shown are taken out."""
        names = self._known.names
        shown = []
        most = max if score >= 0 else min
        for _ in range(min(SHOWN, len(numbers))):
            number = most(numbers)
            if (number >> PLACE > 0) if score >= 0 else (number < 0):
                shown.append(names[number & _ITS_PLACE])
                numbers.remove(number)
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
    others = len(ascii_only) < len(text)
    # What is counted is sought where nothing else stands, marks that count for the same as one.
    marks = ascii_only.translate(_ONE_OF_A_KIND, _NO_MARKS)
    count_of = marks.count
    lines = count_of(b"\n")
    code = count_of(b";")
    if b"`" in marks:
        code += text.count("```") * 3
    brackets = count_of(b"(")
    if brackets:
        code += text.count("()")
    questions, quotes, commas = count_of(b"?"), count_of(b'"'), count_of(b",")
    if others:
        questions += text.count("？")
        quotes += text.count("“")
        commas += text.count("，") + text.count("、")
    return (
        math.log1p(letters) / 8,
        _at_most_one(count_of(b"0") / size * 5),
        _at_most_one(count_of(b"\\") / 10),
        _at_most_one(count_of(b"=") / 10),
        _at_most_one(code / 15),
        math.log1p(lines) / 5,
        _at_most_one(questions / 3),
        distinct / count if count > 5 else 1.0,
        _at_most_one(size / count / 10),
        1.0 - len(ascii_only) / size if others else 0.0,
        _at_most_one(brackets / size * 40),
        _at_most_one(quotes / 6),
        _at_most_one(commas / size * 30),
        0.0 if lines else 1.0,
    )


def _at_most_one(figure: float) -> float:
    return figure if figure < 1.0 else 1.0

"""A fifteenth term learned from prompts of known difficulty: a linear score over words, pairs of words and what the text looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

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
        # Set operations run in C: only what the model knows is ever touched one by one.
        words = self._words.keys() & distinct
        pairs = self._pairs.keys() & set(pairwise(tokens))
        by_words = sum(map(self._words.__getitem__, words)) + sum(map(self._pairs.__getitem__, pairs))
        by_surface = sum(map(float.__mul__, self._surface, surface_features(text, tokens, len(distinct))))
        raw = self._bias + by_surface + by_words / math.sqrt(len(words) + len(pairs) + EVIDENCE)
        score = math.tanh(raw)
        return DimensionScore(self.name, score, self.weight, self._signal(words, pairs, score))

    def _signal(self, words: set[str], pairs: set[tuple[str, str]], score: float) -> str:
        weighed = [(self._words[word], word) for word in words] + [(self._pairs[pair], " ".join(pair)) for pair in pairs]
        weighed.sort(reverse=score >= 0)
        top = [name for weight, name in weighed[:SHOWN] if (weight > 0 if score >= 0 else weight < 0)]
        named = f" ({', '.join(top)})" if top else ""
        return f"learned {score:+.2f}{named}"

    @cached_property
    def _words(self) -> dict[str, float]:
        return {word: weight / self.model["scale"] for word, weight in self.model["words"].items()}

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], float]:
        pairs = self.model["pairs"].items()
        return {_pair(words): weight / self.model["scale"] for words, weight in pairs}

    @cached_property
    def _surface(self) -> tuple[float, ...]:
        return tuple(float(weight) for weight in self.model["surface"].values())

    @cached_property
    def _bias(self) -> float:
        return float(self.model["bias"])


def _pair(words: str) -> tuple[str, str]:
    first, _, second = words.partition(" ")
    return first, second


def surface_features(text: str, tokens: Sequence[str], distinct: int) -> tuple[float, ...]:
    """Figures of about 0 to 1 each, one for each name in ``SURFACE_FEATURES``.

    :param tokens: of the text
    :param distinct: how many different ones there are
    """
    size = len(text) or 1
    letters = letters_said(text)
    count = len(tokens) or 1
    non_ascii = 0.0 if text.isascii() else 1.0 - len(text.encode("ascii", "ignore")) / size
    lines = text.count("\n")
    return (
        math.log1p(letters) / 8,
        min(1.0, sum(map(text.count, "0123456789")) / size * 5),
        min(1.0, text.count("\\") / 10),
        min(1.0, (text.count("$") + text.count("^") + text.count("=")) / 10),
        min(1.0, (text.count("```") * 3 + text.count(";") + text.count("{") + text.count("()") + text.count("_")) / 15),
        math.log1p(lines) / 5,
        min(1.0, (text.count("?") + text.count("？")) / 3),
        distinct / count if count > 5 else 1.0,
        min(1.0, size / count / 10),
        non_ascii,
        min(1.0, (text.count("(") + text.count("[")) / size * 40),
        min(1.0, (text.count('"') + text.count("“")) / 6),
        min(1.0, (text.count(",") + text.count("，") + text.count("、")) / size * 30),
        0.0 if lines else 1.0,
    )

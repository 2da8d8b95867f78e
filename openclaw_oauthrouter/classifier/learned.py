"""A fifteenth term learned from prompts of known difficulty: a linear score over words, pairs of words and shape."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures
from openclaw_oauthrouter.classifier.resources import read_data
from openclaw_oauthrouter.classifier.shape import shape_of, tokens_of

EVIDENCE = 5.0
"""Words a prompt is taken to hold beyond its own, so that one word of a short prompt does not decide alone."""

SHOWN = 3


@dataclass(frozen=True)
class LearnedScore:
    """-1 to 1: how much the wording resembles prompts that need a strong model. Plain Python, no I/O after the first use."""

    name: ClassVar[str] = "learnedScore"
    weight: float
    model: JsonObject = field(default_factory=lambda: read_data("learned.json"))

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Judge the wording; the explanation names the words that weighed most."""
        text = features.text.lower()
        tokens = tokens_of(text)
        distinct = set(tokens)
        # Set operations run in C: only what the model knows is ever touched one by one.
        words = self._words.keys() & distinct
        pairs = self._pairs.keys() & set(pairwise(tokens))
        by_words = sum(map(self._words.__getitem__, words)) + sum(map(self._pairs.__getitem__, pairs))
        by_shape = sum(map(float.__mul__, self._shape, shape_of(text, tokens, len(distinct))))
        raw = self._bias + by_shape + by_words / math.sqrt(len(words) + len(pairs) + EVIDENCE)
        score = math.tanh(raw)
        return DimensionScore(self.name, score, self.weight, self._signal(words, pairs, score))

    def _signal(self, words: set[str], pairs: set[tuple[str, str]], score: float) -> str:
        direction = 1.0 if score >= 0 else -1.0
        weighed = [(self._words[word], word) for word in words] + [(self._pairs[pair], " ".join(pair)) for pair in pairs]
        top = sorted(((weight * direction, name) for weight, name in weighed if weight * direction > 0), reverse=True)[:SHOWN]
        named = f" ({', '.join(name for _, name in top)})" if top else ""
        return f"learned {score:+.2f}{named}"

    @cached_property
    def _words(self) -> dict[str, float]:
        return {word: weight / self.model["scale"] for word, weight in self.model["words"].items()}

    @cached_property
    def _pairs(self) -> dict[tuple[str, str], float]:
        pairs = self.model["pairs"].items()
        return {_pair(words): weight / self.model["scale"] for words, weight in pairs}

    @cached_property
    def _shape(self) -> tuple[float, ...]:
        return tuple(float(weight) for weight in self.model["shape"].values())

    @cached_property
    def _bias(self) -> float:
        return float(self.model["bias"])


def _pair(words: str) -> tuple[str, str]:
    first, _, second = words.partition(" ")
    return first, second

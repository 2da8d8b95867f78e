"""The fourteen dimensions of the default classifier: ten keyword lists as one table, and four with code of their own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import ClassVar

from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures
from openclaw_oauthrouter.canonical.value import derive, value
from openclaw_oauthrouter.classifier.excerpt import letters_in, letters_said
from openclaw_oauthrouter.interfaces import Dimension

SHOWN = 3
"""Keywords that an explanation quotes."""


@value(frozen=True, slots=True)
class KeywordDimension:
    """Scores by how many different keywords of one list the text holds.

    :ivar keywords: name of the list
    :ivar label: its name in explanations
    :ivar steps: score for one hit, for two, and so on; the last holds for any more
    :ivar weight: share in the total score
    :ivar nothing: what it says of a text without a hit, which most texts are
    """

    name: str
    keywords: str
    label: str
    steps: tuple[float, ...]
    weight: float = 0.0
    nothing: DimensionScore = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        derive(self, "nothing", DimensionScore(self.name, 0.0, self.weight))

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Score one aspect; no hit is 0 and leaves no trace in the explanation."""
        hits = features.keywords.get(self.keywords)
        if not hits:
            return self.nothing
        score = self.steps[min(len(hits), len(self.steps)) - 1]
        return DimensionScore(self.name, score, self.weight, f"{self.label} ({', '.join(hits[:SHOWN])})")


KEYWORD_DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        KeywordDimension("codePresence", "code", "code", (0.5, 0.8, 1.0)),
        KeywordDimension("reasoningMarkers", "reasoning", "reasoning", (0.7, 1.0)),
        KeywordDimension("technicalTerms", "technical", "technical", (0.4, 0.7, 1.0)),
        KeywordDimension("creativeMarkers", "creative", "creative", (0.5, 0.7)),
        KeywordDimension("imperativeVerbs", "imperative", "imperative", (0.3, 0.5, 0.8)),
        KeywordDimension("constraintCount", "constraints", "constraints", (0.3, 0.5, 0.7)),
        KeywordDimension("outputFormat", "format", "format", (0.4, 0.7)),
        KeywordDimension("referenceComplexity", "references", "references", (0.3, 0.5)),
        # One negation is ordinary speech; several are conditions.
        KeywordDimension("negationComplexity", "negation", "negation", (0.0, 0.3, 0.5)),
        KeywordDimension("domainSpecificity", "domain", "domain-specific", (0.5, 0.8)),
    )
}
"""Weights come from the fit; the lists are ``data/keywords/<list>.json``."""


@value(frozen=True, slots=True)
class TokenCount:
    """Length, the most reliable single sign of difficulty: -1 for a word, 0 for a sentence or two, 1 for a page.

    Letters of dense scripts count for several. It measures the excerpt: beyond a page, length says how much was pasted rather than how
    hard the task is.
    """

    MIDDLE: ClassVar[float] = math.log(151)
    HALF_RANGE: ClassVar[float] = 3.0
    LETTERS_PER_TOKEN: ClassVar[int] = 4

    name: ClassVar[str] = "tokenCount"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Score the length."""
        letters = features.letters if features.letters is not None else letters_said(features.text)
        score = max(-1.0, min(1.0, (math.log1p(letters) - self.MIDDLE) / self.HALF_RANGE))
        tokens = math.ceil(letters / self.LETTERS_PER_TOKEN)
        signal = f"short ({tokens} tokens)" if score < -0.3 else f"long ({tokens} tokens)" if score > 0.3 else None
        return DimensionScore(self.name, score, self.weight, signal)


@value(frozen=True, slots=True)
class SimpleIndicators:
    """Small talk and questions one looks up: -1 for a greeting or a short factual question, fading to 0 the longer the prompt is."""

    keywords: ClassVar[str] = "simple"
    FADED: ClassVar[float] = 400.0  # letters at which "what is" no longer says anything about the prompt as a whole

    name: ClassVar[str] = "simpleIndicators"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Score how much of the prompt is simple."""
        hits = features.keywords.get("simple", ())
        share = max(0.0, 1.0 - letters_in(features.text) / self.FADED) if hits else 0.0
        if not share:
            return DimensionScore(self.name, 0.0, self.weight)
        return DimensionScore(self.name, -share, self.weight, f"simple ({', '.join(hits[:SHOWN])})")


@value(frozen=True, slots=True)
class MultiStepPatterns:
    """Two words of sequence, or a numbered list of at least two lines; "1.5 litres" and a lone "then" are neither."""

    FIRST_LINE: ClassVar[re.Pattern[str]] = re.compile(r"\s{0,3}(?:\d{1,2}[.)]|step \d)\s", re.IGNORECASE)
    FURTHER_LINE: ClassVar[re.Pattern[str]] = re.compile(r"\n\s{0,3}(?:\d{1,2}[.)]|step \d)(?=\s)", re.IGNORECASE)
    """Begins with a character that is searched for quickly; ``^`` would be tried at each."""

    name: ClassVar[str] = "multiStepPatterns"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Score whether there is a sequence."""
        words = len(features.keywords.get("steps", ()))
        text = features.text
        first = self.FIRST_LINE.match(text)
        numbered = (
            len(self.FURTHER_LINE.findall(text)) if first is None else 1 + len(self.FURTHER_LINE.findall(text, first.end() - 1))
        )
        steps = max(words, numbered)
        if steps < 2:
            return DimensionScore(self.name, 0.0, self.weight)
        return DimensionScore(self.name, 0.5 if steps < 4 else 1.0, self.weight, "multi-step")


@value(frozen=True, slots=True)
class QuestionComplexity:
    """Counts question marks of any script; the first two are free."""

    MARKS: ClassVar[str] = "?？؟"

    name: ClassVar[str] = "questionComplexity"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Score the number of questions."""
        count = sum(map(features.text.count, self.MARKS))
        if count < 3:
            return DimensionScore(self.name, 0.0, self.weight)
        return DimensionScore(self.name, min(1.0, count / 6), self.weight, f"{count} questions")


DIMENSION_NAMES = (
    "tokenCount",
    "codePresence",
    "reasoningMarkers",
    "technicalTerms",
    "creativeMarkers",
    "simpleIndicators",
    "multiStepPatterns",
    "questionComplexity",
    "imperativeVerbs",
    "constraintCount",
    "outputFormat",
    "referenceComplexity",
    "negationComplexity",
    "domainSpecificity",
)
"""In the order in which explanations name them, and in which the fitted weights are stored."""

BUILT_IN = (KeywordDimension, TokenCount, SimpleIndicators, MultiStepPatterns, QuestionComplexity)
"""Classes of these dimensions: each reads the text and its keywords, and nothing else of a request."""

_WITH_CODE = {dimension.name: dimension for dimension in (TokenCount, SimpleIndicators, MultiStepPatterns, QuestionComplexity)}


def builtin_dimensions(weights: Mapping[str, float]) -> tuple[Dimension, ...]:
    """The fourteen, in the order explanations name them.

    :param weights: by dimension name
    """
    return tuple(_dimension(name, weights[name]) for name in DIMENSION_NAMES)


def _dimension(name: str, weight: float) -> Dimension:
    if name in _WITH_CODE:
        return _WITH_CODE[name](weight)
    return replace(KEYWORD_DIMENSIONS[name], weight=weight)

"""``rules-v1``: the classifier of the TypeScript OAuthRouter, bit for bit, for those who migrate.

It matches substrings of the last user message as it was sent, counts Chinese characters as quarter tokens, and can reach COMPLEX only
through images or sheer size. Its cost grows with the text. ``rules`` mends all of that; this one stays as it is on purpose.
"""

from __future__ import annotations

import math
from functools import cached_property

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.routing import Classification, DimensionScore, RequestFeatures, Tier
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.classifier.lexicon import read_data

# What ECMAScript's \s, \d and . mean, spelt out.
_SPACE = "\\t\\n\\v\\f\\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_STEP = lazily("step [0-9]")
_LIST_ITEM = lazily(f"[0-9]\\.[{_SPACE}]")
_LINE_END = lazily("[\n\r\u2028\u2029]")

SURE = 0.85
SURE_SCORE = 0.3
UNSURE = 0.5


@value(frozen=True, slots=True)
class _KeywordDimension:
    """Counts how many keywords a text contains, as substrings, repeated entries included."""

    name: str
    label: str
    low: int
    high: int
    low_score: float
    high_score: float
    weight: float
    keywords: tuple[tuple[str, str], ...]

    @classmethod
    def load(cls, row: JsonObject) -> _KeywordDimension:
        keywords = tuple((word, word.lower()) for word in row["keywords"])
        return cls(**{**row, "keywords": keywords})

    def hits(self, text: str) -> list[str]:
        return [word for word, lowered in self.keywords if lowered in text]

    def score(self, text: str) -> DimensionScore:
        hits = self.hits(text)
        if len(hits) < self.low:
            return DimensionScore(self.name, 0.0, self.weight)
        score = self.high_score if len(hits) >= self.high else self.low_score
        return DimensionScore(self.name, score, self.weight, f"{self.label} ({', '.join(hits[:3])})")


class RulesV1:
    """Fourteen dimensions over the last user message; unsure answers become MEDIUM."""

    name = "rules-v1"

    def classify(self, features: RequestFeatures) -> Classification:
        """Classify the last user message the way the original does, minimum tiers for images and size included."""
        prompt = features.raw_last_user_text
        tokens = math.ceil((_utf16_length(prompt) + 1) / 4)
        limit = self._data["tokens"]["force_complex"]
        if tokens > limit:
            return Classification(Tier.COMPLEX, 0.0, 0.95, self.name, f"Input exceeds {limit} tokens")
        classified = self._by_words(prompt, tokens)
        if features.raw_last_user_images and classified.tier.rank < Tier.COMPLEX.rank:
            note = f"upgraded to {Tier.COMPLEX} (image content)"
            return _replace_tier(classified, Tier.COMPLEX, note)
        return classified

    @cached_property
    def _data(self) -> JsonObject:
        return read_data("rules_v1.json")

    @cached_property
    def _keyword_dimensions(self) -> tuple[_KeywordDimension, ...]:
        return tuple(_KeywordDimension.load(row) for row in self._data["keyword_dimensions"])

    @cached_property
    def _reasoning(self) -> _KeywordDimension:
        return next(dimension for dimension in self._keyword_dimensions if dimension.name == "reasoningMarkers")

    def _by_words(self, prompt: str, tokens: int) -> Classification:
        words = prompt.lower()
        dimensions = self._dimensions(f" {words}", prompt, tokens)
        score = 0.0
        for dimension in dimensions:
            score += dimension.score * dimension.weight
        signals = ", ".join(dimension.signal for dimension in dimensions if dimension.signal)
        reasoning = f"score={_number(score)} | {signals}"
        tier, confidence = self._decide(score, len(self._reasoning.hits(words)))
        if tier is None:
            tier, confidence = Tier.MEDIUM, UNSURE
            reasoning += f" | ambiguous -> default: {tier}"
        return Classification(tier, score, confidence, self.name, reasoning, dimensions)

    def _dimensions(self, text: str, prompt: str, tokens: int) -> tuple[DimensionScore, ...]:
        """In the original's order, on which the last bit of the sum depends."""
        by_keywords = [dimension.score(text) for dimension in self._keyword_dimensions]
        weights = self._data["weights"]
        length = _token_count(tokens, self._data["tokens"], weights["tokenCount"])
        steps = _multi_step(text, weights["multiStepPatterns"])
        questions = _questions(prompt, weights["questionComplexity"])
        return (length, *by_keywords[:5], steps, questions, *by_keywords[5:])

    def _decide(self, score: float, reasoning_words: int) -> tuple[Tier | None, float]:
        if reasoning_words >= 2:
            return Tier.REASONING, max(self._confidence(max(score, SURE_SCORE)), SURE)
        bounds = self._data["boundaries"]
        tier = Tier.SIMPLE
        for name, start in bounds.items():
            if score >= start:
                tier = Tier(name)
        confidence = self._confidence(_distance(tier, score, list(bounds.values())))
        return (tier if confidence >= self._data["threshold"] else None), confidence

    def _confidence(self, distance: float) -> float:
        return 1 / (1 + math.exp(-self._data["steepness"] * distance))


def _distance(tier: Tier, score: float, starts: list[float]) -> float:
    """To the nearer of the two boundaries of the tier's own band."""
    below = starts[tier.rank - 1 : tier.rank] if tier.rank else []
    above = starts[tier.rank : tier.rank + 1]
    return min(abs(score - start) for start in (*below, *above))


def _token_count(tokens: int, limits: JsonObject, weight: float) -> DimensionScore:
    if tokens < limits["short"]:
        return DimensionScore("tokenCount", -1.0, weight, f"short ({tokens} tokens)")
    if tokens > limits["long"]:
        return DimensionScore("tokenCount", 1.0, weight, f"long ({tokens} tokens)")
    return DimensionScore("tokenCount", 0.0, weight)


def _multi_step(text: str, weight: float) -> DimensionScore:
    if _first_then(text) or _STEP.search(text) or _LIST_ITEM.search(text):
        return DimensionScore("multiStepPatterns", 0.5, weight, "multi-step")
    return DimensionScore("multiStepPatterns", 0.0, weight)


def _first_then(text: str) -> bool:
    """``/first.*then/``, without that expression's quadratic worst case."""
    for line in _LINE_END.split(text) if "first" in text else ():
        start = line.find("first")
        if start >= 0 and line.find("then", start + 5) >= 0:
            return True
    return False


def _questions(prompt: str, weight: float) -> DimensionScore:
    count = prompt.count("?")
    if count > 3:
        return DimensionScore("questionComplexity", 0.5, weight, f"{count} questions")
    return DimensionScore("questionComplexity", 0.0, weight)


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _number(value: float) -> str:
    """As JavaScript prints it."""
    return str(int(value)) if value == int(value) else repr(value)


def _replace_tier(classified: Classification, tier: Tier, note: str) -> Classification:
    return Classification(
        tier,
        classified.score,
        classified.confidence,
        classified.method,
        f"{classified.reasoning} | {note}",
        classified.dimensions,
        (note,),
    )

"""Several questions in one prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures

MARKS = "?？؟"


@dataclass(frozen=True, slots=True)
class QuestionComplexity:
    """Counts question marks of any script; the first two are free."""

    name: ClassVar[str] = "questionComplexity"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Judge the number of questions."""
        count = sum(features.text.count(mark) for mark in MARKS)
        if count < 3:
            return DimensionScore(self.name, 0.0, self.weight)
        return DimensionScore(self.name, min(1.0, count / 6), self.weight, f"{count} questions")

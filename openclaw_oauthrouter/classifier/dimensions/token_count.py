"""Length, the most reliable single sign of difficulty, on a continuous scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures
from openclaw_oauthrouter.classifier.view import letters_said

MIDDLE = math.log(151)
HALF_RANGE = 3.0
LETTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class TokenCount:
    """-1 for a word, 0 for a sentence or two, 1 for a page; letters of dense scripts count for several.

    It measures the bounded view: beyond a page, length says how much was pasted rather than how hard the task is.
    """

    name: ClassVar[str] = "tokenCount"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Judge the length."""
        letters = letters_said(features.text)
        score = max(-1.0, min(1.0, (math.log1p(letters) - MIDDLE) / HALF_RANGE))
        tokens = math.ceil(letters / LETTERS_PER_TOKEN)
        signal = f"short ({tokens} tokens)" if score < -0.3 else f"long ({tokens} tokens)" if score > 0.3 else None
        return DimensionScore(self.name, score, self.weight, signal)

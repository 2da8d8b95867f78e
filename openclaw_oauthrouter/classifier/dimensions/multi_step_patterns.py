"""Tasks told as a sequence of steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures

_NUMBERED = re.compile(r"^\s{0,3}(?:\d{1,2}[.)]|step \d)\s", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MultiStepPatterns:
    """Two words of sequence, or a numbered list of at least two lines; "1.5 litres" and a lone "then" are neither."""

    name: ClassVar[str] = "multiStepPatterns"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Judge whether there is a sequence."""
        words = len(features.keywords.get("steps", ()))
        numbered = len(_NUMBERED.findall(features.text))
        steps = max(words, numbered)
        if steps < 2:
            return DimensionScore(self.name, 0.0, self.weight)
        return DimensionScore(self.name, 0.5 if steps < 4 else 1.0, self.weight, "multi-step")

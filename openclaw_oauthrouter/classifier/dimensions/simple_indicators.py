"""Small talk and questions one looks up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures
from openclaw_oauthrouter.classifier.dimensions.keyword import SHOWN
from openclaw_oauthrouter.classifier.view import letters_in

FADED = 400.0
"""Letters at which "what is" no longer says anything about the prompt as a whole."""


@dataclass(frozen=True, slots=True)
class SimpleIndicators:
    """-1 for a greeting or a short factual question, fading to 0 the longer the prompt is."""

    name: ClassVar[str] = "simpleIndicators"
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Judge how much of the prompt is simple."""
        hits = features.keywords.get("simple", ())
        share = max(0.0, 1.0 - letters_in(features.text) / FADED) if hits else 0.0
        if not share:
            return DimensionScore(self.name, 0.0, self.weight)
        return DimensionScore(self.name, -share, self.weight, f"simple ({', '.join(hits[:SHOWN])})")

"""What most dimensions are: a keyword list and what each further hit adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures

SHOWN = 3


@dataclass(frozen=True, slots=True)
class KeywordDimension:
    """Scores by how many different keywords of one list the text holds.

    :cvar keywords: name of the list
    :cvar label: its name in explanations
    :cvar steps: score for one hit, for two, and so on; the last holds for any more
    :ivar weight: share in the total score
    """

    name: ClassVar[str]
    keywords: ClassVar[str]
    label: ClassVar[str]
    steps: ClassVar[tuple[float, ...]]
    weight: float

    def score(self, features: RequestFeatures) -> DimensionScore:
        """Judge one aspect; no hit is 0 and leaves no trace in the explanation."""
        hits = features.keywords.get(self.keywords, ())
        if not hits:
            return DimensionScore(self.name, 0.0, self.weight)
        score = self.steps[min(len(hits), len(self.steps)) - 1]
        return DimensionScore(self.name, score, self.weight, f"{self.label} ({', '.join(hits[:SHOWN])})")

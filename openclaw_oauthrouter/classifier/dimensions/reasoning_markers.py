"""Words that ask for proof and rigour."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class ReasoningMarkers(KeywordDimension):
    """Proof, theorem, derivation and the like."""

    __slots__ = ()
    name = "reasoningMarkers"
    keywords = "reasoning"
    label = "reasoning"
    steps = (0.7, 1.0)

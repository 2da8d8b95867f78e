"""The vocabulary of systems and software engineering."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class TechnicalTerms(KeywordDimension):
    """Algorithms, architecture, infrastructure."""

    __slots__ = ()
    name = "technicalTerms"
    keywords = "technical"
    label = "technical"
    steps = (0.4, 0.7, 1.0)

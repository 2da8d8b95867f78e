"""Things the answer must not do."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class NegationComplexity(KeywordDimension):
    """One negation is ordinary speech; several are conditions."""

    __slots__ = ()
    name = "negationComplexity"
    keywords = "negation"
    label = "negation"
    steps = (0.0, 0.3, 0.5)

"""Pointers to material the answer has to take into account."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class ReferenceComplexity(KeywordDimension):
    """The code, the docs, the text above."""

    __slots__ = ()
    name = "referenceComplexity"
    keywords = "references"
    label = "references"
    steps = (0.3, 0.5)

"""Conditions the answer has to meet."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class ConstraintCount(KeywordDimension):
    """At most, at least, exactly, within."""

    __slots__ = ()
    name = "constraintCount"
    keywords = "constraints"
    label = "constraints"
    steps = (0.3, 0.5, 0.7)

"""Verbs that ask for something to be made."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class ImperativeVerbs(KeywordDimension):
    """Build, design, fix, analyse."""

    __slots__ = ()
    name = "imperativeVerbs"
    keywords = "imperative"
    label = "imperative"
    steps = (0.3, 0.5, 0.8)

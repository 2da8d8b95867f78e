"""Requests to invent or to write prose."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class CreativeMarkers(KeywordDimension):
    """Stories, poems, essays, played roles."""

    __slots__ = ()
    name = "creativeMarkers"
    keywords = "creative"
    label = "creative"
    steps = (0.5, 0.7)

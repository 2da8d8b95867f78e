"""A prescribed shape of the answer."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class OutputFormat(KeywordDimension):
    """JSON, tables, lists, templates."""

    __slots__ = ()
    name = "outputFormat"
    keywords = "format"
    label = "format"
    steps = (0.4, 0.7)

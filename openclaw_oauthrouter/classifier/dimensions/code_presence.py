"""Code, or talk about code, in the prompt."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class CodePresence(KeywordDimension):
    """Names of language constructs and of programming languages."""

    __slots__ = ()
    name = "codePresence"
    keywords = "code"
    label = "code"
    steps = (0.5, 0.8, 1.0)

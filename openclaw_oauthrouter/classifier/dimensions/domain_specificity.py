"""The vocabulary of specialists."""

from __future__ import annotations

from openclaw_oauthrouter.classifier.dimensions.keyword import KeywordDimension


class DomainSpecificity(KeywordDimension):
    """Sciences, mathematics, law, medicine."""

    __slots__ = ()
    name = "domainSpecificity"
    keywords = "domain"
    label = "domain-specific"
    steps = (0.5, 0.8)

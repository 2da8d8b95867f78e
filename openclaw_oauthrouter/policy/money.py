"""Dollars to whole micro-dollars, and what a call of a certain size costs at most."""

from __future__ import annotations

from math import ceil

from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.value import value


def microdollars(dollars: float) -> int:
    """Millionths of a US dollar, rounded to the nearest."""
    return round(dollars * 1_000_000)


@value(frozen=True, slots=True)
class Rate:
    """What the parts of one call cost at most, in micro-dollars.

    :ivar fixed: the prompt: one that is written to the cache costs more than one that is not, and whether it will be is not known
    :ivar per_token: each token of the answer
    """

    fixed: int
    per_token: float

    def of(self, output_tokens: int) -> int:
        """The whole call, with an answer of so many tokens."""
        return self.fixed + ceil(output_tokens * self.per_token)


FREE = Rate(0, 0.0)


def rate_of(price: Price, input_tokens: int) -> Rate:
    """At a price that holds for the call; prices are dollars per million tokens, so tokens times price are micro-dollars."""
    at = price.under(input_tokens) if price.conditions else price
    return Rate(ceil(input_tokens * max(at.input, at.cache_write or 0.0)), at.output)

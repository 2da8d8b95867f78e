"""Dollars to whole micro-dollars, and what a call may cost at most."""

from __future__ import annotations

from math import ceil

from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import Estimate


def microdollars(dollars: float) -> int:
    """Millionths of a US dollar, rounded to the nearest."""
    return round(dollars * 1_000_000)


def highest_cost(estimate: Estimate, price: Price | None) -> int:
    """What the estimate may cost, in micro-dollars; 0 without a price.

    Prices are dollars per million tokens, so tokens times price are micro-dollars. A prompt that is written to the cache costs more
    than one that is not, and whether it will be is not known beforehand.
    """
    if price is None:
        return 0
    input_price = max(price.input, price.cache_write or 0.0)
    return ceil(estimate.input_tokens * input_price + estimate.output_tokens * price.output)

"""What a model costs: the user's or a plugin's word, the catalog, else the genai-prices tables."""

from __future__ import annotations

from collections.abc import Callable

from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo, Price
from openclaw_oauthrouter.canonical.usage import Usage

_VENDORS = {"openai-codex": "openai"}


class Prices:
    """Looks a price up once per model.

    :param ask_plugins: the hook ``oauthrouter_price_model``; ``None`` where there are no plugins
    """

    def __init__(self, ask_plugins: Callable[[ModelInfo], Price | None] | None = None) -> None:
        self._ask_plugins = ask_plugins
        self._known: dict[str, Price | None] = {}

    def price(self, info: ModelInfo) -> Price | None:
        """US dollars per million tokens; ``None`` when nobody knows."""
        if info.name not in self._known:
            asked = self._ask_plugins(info) if self._ask_plugins else None
            self._known[info.name] = asked or info.price or _published_price(info)
        return self._known[info.name]

    def estimate(self, info: ModelInfo, estimate: Estimate) -> float:
        """US dollars a request is expected to cost; 0 when the price is not known."""
        price = self.price(info)
        if price is None:
            return 0.0
        return (estimate.input_tokens * price.input + estimate.output_tokens * price.output) / 1e6

    def actual(self, info: ModelInfo, usage: Usage) -> float | None:
        """US dollars an answer did cost, cache reads and writes at their own prices; ``None`` when the price is not known."""
        price = self.price(info)
        return None if price is None else cost_of(usage, price)


def cost_of(usage: Usage, price: Price) -> float:
    """US dollars. Anthropic bills one-hour cache writes at twice the input price (five-minute ones at 1.25 times)."""
    read = usage.cache_read_input_tokens
    hour = usage.cache_creation_1h_input_tokens
    written = usage.cache_creation_input_tokens - hour
    fresh = max(usage.input_tokens - read - written - hour, 0)
    return (
        fresh * price.input
        + read * (price.input if price.cache_read is None else price.cache_read)
        + written * (price.input if price.cache_write is None else price.cache_write)
        + hour * price.input * 2
        + usage.output_tokens * price.output
    ) / 1e6


def _published_price(info: ModelInfo) -> Price | None:
    # Imported late: it costs a quarter of a second, and the shipped cards cover the common models.
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    def per_million(**tokens: int) -> float:
        vendor = _VENDORS.get(info.provider, info.provider)
        return float(calc_price(Tokens(**tokens), model_ref=info.id, provider_id=vendor).total_price) * 1000

    try:
        return Price(
            per_million(input_tokens=1000, output_tokens=0),
            per_million(input_tokens=0, output_tokens=1000),
            per_million(input_tokens=1000, cache_read_tokens=1000),
            per_million(input_tokens=1000, cache_write_tokens=1000),
        )
    except LookupError:
        return None

"""What genai-prices publishes of one model, compiled once for each set of conditions it can be asked under."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.pricing import US_ONLY_FACTOR, Price, PriceCondition, cost_of
from openclaw_oauthrouter.canonical.usage import Usage

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo as PublishedModel
    from genai_prices.types import ModelPrice

_NAMES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "web_search": "web_searches_kcount",
    "file_search": "storage_searches_kcount",
    "code_execution": "code_executions_kcount",
    "input_audio": "input_audio_mtok",
    "output_audio": "output_audio_mtok",
}
"""Ours -> the library's, all in the same units."""

_US_ONLY_SINCE = (4, 6)
"""Anthropic's first version that costs more when it must be served in the US (platform.claude.com, data residency)."""

_CLAUDE = lazily(r"claude-[a-z]+-(?P<major>\d+)(?:-(?P<minor>\d{1,2}))?")


class PublishedPrice:
    """One model's prices at its vendor; a ``Tariff``.

    The library chooses the prices that hold for a service tier, a speed, a date and an hour of the day; what it chose is kept as plain
    numbers until the next hour, so that a request costs a look-up.

    :param us_only: factor on token prices for inference that must stay in the US
    :param own: the vendor's own model; what another resells has its plain prices only
    """

    def __init__(self, model: PublishedModel, us_only: float = 1.0, *, own: bool = True) -> None:
        self._model = model
        self._us_only = us_only
        self._own = own
        self._by_time = isinstance(model.prices, list) or any(one.constraint for one in model.price_variants or ())
        self._compiled: dict[tuple[str | None, str | None], Price] = {}
        self._hour = -1

    def price(self, service_tier: str | None, speed: str | None, moment: float) -> Price:
        """What holds at a moment (Unix seconds), the sizes of prompts still as conditions."""
        hour = int(moment // 3600) if self._by_time else 0
        if hour != self._hour:
            self._compiled.clear()
            self._hour = hour
        key = (service_tier, speed)
        found = self._compiled.get(key)
        if found is None:
            if len(self._compiled) > _MOST_CONTEXTS:
                self._compiled.clear()
            found = self._compiled[key] = self._compile(service_tier, speed, moment)
        return found

    def cost(self, usage: Usage, moment: float) -> float:
        """US dollars of an answer."""
        return cost_of(usage, self.price(usage.service_tier, usage.speed, moment))

    def _compile(self, service_tier: str | None, speed: str | None, moment: float) -> Price:
        context = {}
        if service_tier == "batch":
            context["processing"] = "batch"
        elif service_tier is not None:
            context["service_tier"] = service_tier
        if speed is not None:
            context["speed"] = speed
        at = datetime.fromtimestamp(moment, UTC)
        return _as_price(self._model.get_prices(at, context if self._own and context else None), self._us_only)


_MOST_CONTEXTS = 64
"""Tiers and speeds are words of a provider: no more of them are kept than this."""


def find_published(vendor: str, model: str, url: str | None, snapshot: DataSnapshot | None = None) -> PublishedPrice | None:
    """The published prices of a model; ``None`` when there are none.

    :param vendor: the provider's name, tried first
    :param url: the provider's address, tried next
    :param snapshot: prices other than those of the installed package
    """
    # Imported late: it takes a quarter of a second.
    from genai_prices.data_snapshot import get_snapshot

    prices = snapshot or get_snapshot()
    tries: list[Callable[[], tuple[Any, Any]]] = [lambda: prices.find_provider_model(model, None, vendor, None)]
    if url is not None:
        tries.append(lambda: prices.find_provider_model(model, None, None, url))
    for attempt in tries:
        try:
            provider, found = attempt()
        except LookupError:
            continue
        if not _has_price(found.prices):
            continue
        own = any(found is model for model in provider.models)
        return PublishedPrice(found, _us_only(provider.id, found.id), own=own)
    return None


def _has_price(prices: Any) -> bool:
    """A model of which nothing is published but its name has no price, and not the price nothing."""
    every = [one.prices for one in prices] if isinstance(prices, list) else [prices]
    return any(getattr(one, "input_mtok", None) is not None or getattr(one, "output_mtok", None) is not None for one in every)


def _us_only(provider: str, model: str) -> float:
    found = _CLAUDE.fullmatch(model) if provider == "anthropic" else None
    since = (int(found["major"]), int(found["minor"] or 0)) if found else (0, 0)
    return US_ONLY_FACTOR if since >= _US_ONLY_SINCE else 1.0


def _as_price(published: ModelPrice, us_only: float) -> Price:
    figures = {ours: getattr(published, theirs, None) for ours, theirs in _NAMES.items()}
    starts = sorted({tier.start for figure in figures.values() for tier in getattr(figure, "tiers", ())})
    conditions = tuple(PriceCondition(_flat(figures, above=start, us_only=us_only), above_input_tokens=start) for start in starts)
    return _flat(figures, above=None, us_only=us_only, conditions=conditions)


def _flat(figures: dict[str, Any], *, above: int | None, us_only: float, conditions: tuple[PriceCondition, ...] = ()) -> Price:
    """The figures for prompts longer than ``above`` tokens."""
    numbers = {name: _at_size(figure, above) for name, figure in figures.items() if figure is not None}
    numbers.setdefault("input", 0.0)
    numbers.setdefault("output", 0.0)
    if "cache_write" in numbers:
        # Where an hour's writes have no price of their own they cost what other writes do.
        numbers.setdefault("cache_write_1h", numbers["cache_write"])
    return Price(**numbers, us_only=us_only, conditions=conditions)


def _at_size(figure: Any, above: int | None) -> float:
    value = getattr(figure, "base", figure)
    for tier in getattr(figure, "tiers", ()):
        if above is not None and tier.start <= above:
            value = tier.price
    return float(value)

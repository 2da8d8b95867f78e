"""What genai-prices publishes of one model, compiled once for each set of conditions it can be asked under.

What of it matters here is a ``PublishedModel``, which is data: the library itself takes a tenth of a second and eleven megabytes, so what
it says of the catalog's models lies beside the catalog (``policy/price_file.py``), and it is asked only for others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.pricing import US_ONLY_FACTOR, Price, PriceCondition, cost_of
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot

_NAMES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "web_searches_kcount": "web_search",
    "storage_searches_kcount": "file_search",
    "code_executions_kcount": "code_execution",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
}
"""The library's -> ours, all in the same units."""

_US_ONLY_SINCE = (4, 6)
"""Anthropic's first version that costs more when it must be served in the US (platform.claude.com, data residency)."""

_CLAUDE = lazily(r"claude-[a-z]+-(?P<major>\d+)(?:-(?P<minor>\d{1,2}))?")

Figures = dict[str, list[tuple[int, float]]]
"""Prices by our names: each from a number of input tokens on, the first from 0."""


@value(frozen=True, slots=True)
class PublishedPrices:
    """Figures and when they hold.

    :ivar since: first day in UTC, ``YYYY-MM-DD``
    :ivar hours: from one time of the day in UTC to before another, ``HH:MM:SS``; the second may be on the next day
    :ivar when: words of the call (``service_tier``, ``speed``, ``processing``) that all must be so
    """

    figures: Figures
    since: str | None = None
    hours: tuple[str, str] | None = None
    when: dict[str, str] = field(default_factory=dict)

    def holds(self, at: datetime) -> bool:
        """Whether this is a moment (UTC) at which they do."""
        if self.since is not None:
            return at.date().isoformat() >= self.since
        if self.hours is None:
            return True
        start, end = self.hours
        now = at.time().isoformat("seconds")
        return start <= now < end if start <= end else now >= start or now < end


@value(frozen=True, slots=True)
class PublishedModel:
    """What is published of one model at its vendor.

    :ivar prices: the last that holds counts, the first where none does
    :ivar variants: figures that take the place of others under their conditions, the first that holds
    :ivar us_only: factor on token prices for inference that must stay in the US
    """

    prices: list[PublishedPrices]
    variants: list[PublishedPrices] = field(default_factory=list)
    us_only: float = 1.0

    @property
    def by_time(self) -> bool:
        """Whether the prices depend on the hour."""
        return any(one.since or one.hours for one in (*self.prices, *self.variants))

    def figures(self, at: datetime, words: Mapping[str, str]) -> Figures:
        """The figures of a call at a moment (UTC)."""
        found = next((one for one in reversed(self.prices) if one.holds(at)), self.prices[0]).figures
        for variant in reversed(self.variants):
            if words and variant.holds(at) and variant.when.items() <= words.items():
                found = {**found, **variant.figures}
        return found


class PublishedPrice:
    """One model's prices; a ``Tariff``. What holds now is kept as plain numbers until the next hour, so that a request costs a look-up."""

    def __init__(self, model: PublishedModel) -> None:
        self._model = model
        self._by_time = model.by_time
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
        words = {}
        if service_tier == "batch":
            words["processing"] = "batch"
        elif service_tier is not None:
            words["service_tier"] = service_tier
        if speed is not None:
            words["speed"] = speed
        at = datetime.fromtimestamp(moment, UTC)
        return _as_price(self._model.figures(at, words), self._model.us_only)


_MOST_CONTEXTS = 64
"""Tiers and speeds are words of a provider: no more of them are kept than this."""


def find_published(vendor: str, model: str, url: str | None, prices: DataSnapshot | None = None) -> PublishedModel | None:
    """What the library knows of a model; ``None`` when it has no price.

    :param vendor: the provider's name, tried first
    :param url: the provider's address, tried next
    :param prices: others than those of the installed package
    """
    if prices is None:
        from genai_prices.data_snapshot import get_snapshot

        prices = get_snapshot()
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
        # What another resells has its plain prices only.
        own = any(found is one for one in provider.models)
        several = found.prices if isinstance(found.prices, list) else None
        return PublishedModel(
            [_taken(one.prices, one.constraint) for one in several] if several else [_taken(found.prices)],
            [_taken(one.prices, one.constraint, one.when) for one in found.price_variants or ()] if own else [],
            _us_only(provider.id, found.id),
        )
    return None


def _taken(prices: Any, constraint: Any = None, when: Mapping[str, str] | None = None) -> PublishedPrices:
    figures = {ours: _steps(figure) for theirs, ours in _NAMES.items() if (figure := getattr(prices, theirs, None)) is not None}
    start, end = getattr(constraint, "start_time", None), getattr(constraint, "end_time", None)
    day = getattr(constraint, "start_date", None)
    return PublishedPrices(
        figures,
        day.isoformat() if day is not None else None,
        (_in_utc(start), _in_utc(end)) if start is not None and end is not None else None,
        dict(when or {}),
    )


def _steps(figure: Any) -> list[tuple[int, float]]:
    return [
        (0, float(getattr(figure, "base", figure))),
        *((tier.start, float(tier.price)) for tier in getattr(figure, "tiers", ())),
    ]


def _in_utc(moment: time) -> str:
    if moment.tzinfo is not None:
        moment = datetime.combine(datetime(1970, 1, 2, tzinfo=UTC), moment).astimezone(UTC).time()
    return moment.replace(tzinfo=None).isoformat("seconds")


def _has_price(prices: Any) -> bool:
    """A model of which nothing is published but its name has no price, and not the price nothing."""
    every = [one.prices for one in prices] if isinstance(prices, list) else [prices]
    return any(getattr(one, "input_mtok", None) is not None or getattr(one, "output_mtok", None) is not None for one in every)


def _us_only(provider: str, model: str) -> float:
    found = _CLAUDE.fullmatch(model) if provider == "anthropic" else None
    since = (int(found["major"]), int(found["minor"] or 0)) if found else (0, 0)
    return US_ONLY_FACTOR if since >= _US_ONLY_SINCE else 1.0


def _as_price(figures: Figures, us_only: float) -> Price:
    starts = sorted({start for steps in figures.values() for start, _ in steps[1:]})
    conditions = tuple(PriceCondition(_flat(figures, above=start, us_only=us_only), above_input_tokens=start) for start in starts)
    return _flat(figures, above=0, us_only=us_only, conditions=conditions)


def _flat(figures: Figures, *, above: int, us_only: float, conditions: tuple[PriceCondition, ...] = ()) -> Price:
    """The figures for prompts longer than ``above`` tokens."""
    numbers = {name: [price for start, price in steps if start <= above][-1] for name, steps in figures.items()}
    numbers.setdefault("input", 0.0)
    numbers.setdefault("output", 0.0)
    if "cache_write" in numbers:
        # Where an hour's writes have no price of their own they cost what other writes do.
        numbers.setdefault("cache_write_1h", numbers["cache_write"])
    return Price(**numbers, us_only=us_only, conditions=conditions)

"""What a model costs: the user's or a plugin's word, else what is published; unknown is ``None``, never nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.pricing import ExpectedCost, MeasuredCost, Price, cost_of
from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.catalog.published_prices import PublishedModel, PublishedPrice, find_published


class Tariff(Protocol):
    """All prices of one model."""

    def price(self, service_tier: str | None, speed: str | None, moment: float) -> Price:
        """What holds at a moment (Unix seconds) for a service tier and speed."""

    def cost(self, usage: Usage, moment: float) -> float:
        """US dollars of an answer."""


@value(frozen=True, slots=True)
class StatedPrice:
    """A price the user or a plugin states; a ``Tariff``."""

    stated: Price

    def price(self, service_tier: str | None, speed: str | None, moment: float) -> Price:
        """See ``Tariff``; conditions on the prompt's length stay with it."""
        return self.stated

    def cost(self, usage: Usage, moment: float) -> float:
        """See ``Tariff``."""
        return cost_of(usage, self.stated, _hour_of_day(moment))


@value(frozen=True, slots=True)
class PriceSource:
    """Where a provider's models are looked up.

    :ivar vendor: its name in the published tables
    :ivar url: its address, by which those tables may know it
    :ivar free: an endpoint on the user's own machines: what nobody states a price for costs nothing there
    """

    vendor: str
    url: str | None = None
    free: bool = False


class Prices:
    """Looks a model's prices up once.

    :param ask_plugins: the hook ``oauthrouter_price_model``; ``None`` where there are no plugins
    :param sources: where to look for the models of a provider; its own name where it is not among them
    :param clock: for prices that depend on the hour
    :param published: what is published of a model, by its vendor's name, its id and the provider's address; the library when absent
    """

    def __init__(
        self,
        ask_plugins: Callable[[ModelInfo], Price | None] | None = None,
        *,
        sources: Mapping[str, PriceSource] | None = None,
        clock: Clock,
        published: Callable[[str, str, str | None], PublishedModel | None] = find_published,
    ) -> None:
        self._ask_plugins = ask_plugins
        self._sources = sources or {}
        self._clock = clock
        self._published = published
        self._known: dict[str, Tariff | None] = {}
        self._hour = -1
        self._this_hour: dict[str, Price | None] = {}

    def tariff(self, info: ModelInfo) -> Tariff | None:
        """All prices of a model; ``None`` when nobody knows any."""
        name = info.name
        try:
            return self._known[name]
        except KeyError:
            if len(self._known) >= _MOST_MODELS:
                self._known.clear()
            found = self._known[name] = self._find(info)
            return found

    def is_stated(self, info: ModelInfo) -> bool:
        """Whether the user, a plugin or the endpoint's address says what a model costs."""
        return isinstance(self.tariff(info), StatedPrice)

    def price(self, info: ModelInfo) -> Price | None:
        """US dollars per million tokens, without special terms; ``None`` when nobody knows."""
        return self.prices([info], None)[0]

    def prices(self, infos: Sequence[ModelInfo], input_tokens: int | None) -> list[Price | None]:
        """The same of several models.

        :param input_tokens: of a prompt; what is dearer for long ones comes as it is for this one. ``None`` leaves such conditions open
        """
        moment = self._clock()
        hour = int(moment // 3600)
        if hour != self._hour:
            self._this_hour.clear()
            self._hour = hour
        known = self._this_hour
        found: list[Price | None] = []
        for info in infos:
            name = info.name
            price = known.get(name)
            if price is None and name not in known:
                price = self._look_up(info, moment)
            if price is not None and price.conditions and input_tokens is not None:
                price = price.under(input_tokens, hour=_hour_of_day(moment))
            found.append(price)
        return found

    def _look_up(self, info: ModelInfo, moment: float) -> Price | None:
        tariff = self.tariff(info)
        if len(self._this_hour) >= _MOST_MODELS:
            self._this_hour.clear()
        price = self._this_hour[info.name] = tariff.price(None, None, moment) if tariff else None
        return price

    def expected(self, info: ModelInfo, estimate: Estimate) -> ExpectedCost | None:
        """US dollars a call is expected to cost; ``None`` when the price is not known."""
        return self.expected_of(info, estimate.input_tokens, estimate.output_tokens)

    def expected_of(self, info: ModelInfo, input_tokens: int, output_tokens: int) -> ExpectedCost | None:
        """US dollars of tokens that a call is expected to use; ``None`` when the price is not known."""
        (price,) = self.prices((info,), input_tokens)
        if price is None:
            return None
        return ExpectedCost((input_tokens * price.input + output_tokens * price.output) / 1e6)

    def actual(self, info: ModelInfo, usage: Usage, moment: float | None = None) -> MeasuredCost | None:
        """US dollars an answer did cost under all its conditions; ``None`` when the price is not known.

        What the provider itself says it billed holds before any published price, not before one that is stated here.

        :param moment: when the call was made, Unix seconds; now when ``None``
        """
        tariff = self.tariff(info)
        billed = usage.provider_cost
        if billed is not None and not isinstance(tariff, StatedPrice) and (billed or tariff is None):
            return MeasuredCost(billed)
        return None if tariff is None else MeasuredCost(tariff.cost(usage, self._clock() if moment is None else moment))

    def at_list(self, info: ModelInfo, usage: Usage, moment: float | None = None) -> MeasuredCost | None:
        """US dollars that these tokens cost at a model, whoever answered; ``None`` when its price is not known."""
        tariff = self.tariff(info)
        return None if tariff is None else MeasuredCost(tariff.cost(usage, self._clock() if moment is None else moment))

    def dearest(self, infos: Iterable[ModelInfo]) -> Price | None:
        """The highest price among models, by what a token in and a token out cost together."""
        known = [price for info in infos if (price := self.price(info)) is not None]
        return max(known, key=lambda price: price.input + price.output, default=None)

    def _find(self, info: ModelInfo) -> Tariff | None:
        stated = (self._ask_plugins(info) if self._ask_plugins else None) or info.price
        if stated is not None:
            return StatedPrice(stated)
        source = self._sources.get(info.provider) or PriceSource(info.provider)
        if source.free:
            return StatedPrice(Price(0.0, 0.0))
        published = self._published(source.vendor, info.id, source.url)
        return None if published is None else PublishedPrice(published)


def _hour_of_day(moment: float) -> int:
    return int(moment % 86_400 // 3600)


_MOST_MODELS = 2000
"""Names of models may be a client's invention; no more of them are remembered than this."""

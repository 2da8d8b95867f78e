"""What a model costs and under which conditions, and the sum for one answer; estimates and measurements are different types."""

from __future__ import annotations

from typing import NewType

from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.canonical.value import value

ExpectedCost = NewType("ExpectedCost", float)
"""US dollars a call is expected to cost, before the fact."""

MeasuredCost = NewType("MeasuredCost", float)
"""US dollars an answer did cost, by the usage that was reported."""

US_ONLY_FACTOR = 1.1
"""What Anthropic multiplies token prices by for inference that stays in the US (``usage.inference_geo``)."""


@value(frozen=True, slots=True)
class Price:
    """Prices of one model: US dollars per million tokens, and per thousand uses of the provider's own tools.

    A figure that is ``None`` is not charged apart: cached tokens then cost as others do, a tool's uses cost nothing.

    :ivar cache_write: written for the provider's usual time (Anthropic: five minutes)
    :ivar cache_write_1h: written for an hour; twice the input price when ``None``, as Anthropic has it
    :ivar web_search: a thousand searches of the web by the provider
    :ivar file_search: a thousand searches of stored files by the provider
    :ivar code_execution: a thousand runs of code by the provider
    :ivar us_only: factor on token prices for inference that must stay in the US
    :ivar conditions: other prices, each under its condition; the last that is met holds
    """

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None
    web_search: float | None = None
    file_search: float | None = None
    code_execution: float | None = None
    input_audio: float | None = None
    output_audio: float | None = None
    us_only: float = 1.0
    conditions: tuple[PriceCondition, ...] = ()

    @property
    def written_for_an_hour(self) -> float:
        """US dollars per million tokens that are written to the cache for an hour."""
        return self.input * 2 if self.cache_write_1h is None else self.cache_write_1h

    @property
    def free(self) -> bool:
        """Whether no call can cost anything."""
        figures = (self.input, self.output, self.cache_write, self.web_search, self.file_search, self.code_execution)
        return not any(figures) and all(condition.price.free for condition in self.conditions)

    def under(self, input_tokens: int, service_tier: str | None = None, speed: str | None = None, hour: int = 0) -> Price:
        """The prices of a call under its conditions.

        :param input_tokens: of the whole prompt
        :param hour: of the day in UTC, 0 to 23
        """
        met = self
        for condition in self.conditions:
            if condition.met_by(input_tokens, service_tier, speed, hour):
                met = condition.price
        return met


@value(frozen=True, slots=True)
class PriceCondition:
    """Prices that hold when everything that is stated here is so.

    :ivar above_input_tokens: the prompt is longer than this; all its tokens then cost the other price
    :ivar service_tier: as billed: ``priority``, ``flex``, ``batch``, ``fast``
    :ivar speed: ``fast``
    :ivar hours: from one hour of the day (UTC) to before another; may go over midnight
    """

    price: Price
    above_input_tokens: int | None = None
    service_tier: str | None = None
    speed: str | None = None
    hours: tuple[int, int] | None = None

    def met_by(self, input_tokens: int, service_tier: str | None, speed: str | None, hour: int) -> bool:
        """Whether a call is one of those it is for."""
        return (
            (self.above_input_tokens is None or input_tokens > self.above_input_tokens)
            and (self.service_tier is None or self.service_tier == service_tier)
            and (self.speed is None or self.speed == speed)
            and (self.hours is None or _within(hour, *self.hours))
        )


def _within(hour: int, first: int, end: int) -> bool:
    return first <= hour < end if first <= end else hour >= first or hour < end


def cost_of(usage: Usage, price: Price, hour: int = 0) -> float:
    """US dollars of one answer.

    :param hour: of the day in UTC, for prices that depend on it
    """
    if price.conditions:
        price = price.under(usage.input_tokens, usage.service_tier, usage.speed, hour)
    if usage.cache_read_input_tokens or usage.cache_creation_input_tokens or usage.input_audio_tokens:
        micro = _input_cost(usage, price)
    else:
        micro = usage.input_tokens * price.input
    micro += _output_cost(usage, price) if usage.output_audio_tokens else usage.output_tokens * price.output
    if usage.inference_geo == "us":
        micro *= price.us_only
    if usage.web_search_requests or usage.file_search_requests or usage.code_execution_requests:
        return micro / 1e6 + _tools_cost(usage, price) / 1e3
    return micro / 1e6


def _tools_cost(usage: Usage, price: Price) -> float:
    return (
        usage.web_search_requests * (price.web_search or 0.0)
        + usage.file_search_requests * (price.file_search or 0.0)
        + usage.code_execution_requests * (price.code_execution or 0.0)
    )


def _input_cost(usage: Usage, price: Price) -> float:
    read = usage.cache_read_input_tokens
    hour = min(usage.cache_creation_1h_input_tokens, usage.cache_creation_input_tokens)
    written = usage.cache_creation_input_tokens - hour
    fresh = max(usage.input_tokens - read - written - hour, 0)
    cost = fresh * price.input
    if read:
        cost += read * (price.input if price.cache_read is None else price.cache_read)
    if written:
        cost += written * (price.input if price.cache_write is None else price.cache_write)
    if hour:
        cost += hour * price.written_for_an_hour
    if usage.input_audio_tokens and price.input_audio is not None:
        cost += min(usage.input_audio_tokens, fresh) * (price.input_audio - price.input)
    return cost


def _output_cost(usage: Usage, price: Price) -> float:
    cost = usage.output_tokens * price.output
    if usage.output_audio_tokens and price.output_audio is not None:
        cost += min(usage.output_audio_tokens, usage.output_tokens) * (price.output_audio - price.output)
    return cost

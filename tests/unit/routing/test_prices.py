"""What models cost, held against the published tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from genai_prices import Usage as Tokens
from genai_prices import calc_price

from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo, Price
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.routing.catalog import shipped_models
from openclaw_oauthrouter.routing.prices import Prices, cost_of

PRICED = [info for info in shipped_models() if info.price is not None]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""Some vendors charge less at night."""

VENDORS = {"openai-codex": "openai", "openai-chatgpt": "openai"}


@pytest.mark.parametrize("info", PRICED, ids=lambda info: info.name)
def test_a_shipped_price_is_the_published_one(info: ModelInfo) -> None:
    def published(**tokens: int) -> float:
        vendor = VENDORS.get(info.provider, info.provider)
        price = calc_price(Tokens(**tokens), model_ref=info.id, provider_id=vendor, genai_request_timestamp=NOON)
        return round(float(price.total_price) * 1000, 6)

    assert info.price is not None
    try:
        expected = [
            published(input_tokens=1000, output_tokens=0),
            published(input_tokens=0, output_tokens=1000),
            published(input_tokens=1000, cache_read_tokens=1000),
            published(input_tokens=1000, cache_write_tokens=1000),
        ]
    except LookupError:
        pytest.skip("the published tables do not know it")
    said = [info.price.input, info.price.output]
    # A card without a cache price charges the input price, as the tables do.
    said += [info.price.input if extra is None else extra for extra in (info.price.cache_read, info.price.cache_write)]
    assert said == pytest.approx(expected)


def test_most_cards_have_a_price() -> None:
    assert len(PRICED) >= 20


CACHED = Price(input=10, output=50, cache_read=1, cache_write=12.5)


@pytest.mark.parametrize(
    ("usage", "price", "dollars"),
    [
        (Usage(1_000_000, 0), CACHED, 10),
        (Usage(0, 1_000_000), CACHED, 50),
        (Usage(1_000_000, 0, cache_read_input_tokens=1_000_000), CACHED, 1),
        (Usage(1_000_000, 0, cache_creation_input_tokens=1_000_000), CACHED, 12.5),
        (Usage(1_000_000, 0, cache_creation_input_tokens=1_000_000, cache_creation_1h_input_tokens=1_000_000), CACHED, 20),
        (Usage(1_000_000, 0, cache_read_input_tokens=500_000, cache_creation_input_tokens=300_000), CACHED, 0.5 + 3.75 + 2),
        (Usage(1_000_000, 0, cache_read_input_tokens=1_000_000), Price(10, 50), 10),
        (Usage(1_000_000, 0, cache_creation_input_tokens=1_000_000), Price(10, 50), 10),
        (Usage(1_000_000, 0, cache_read_input_tokens=1_000_000), Price(10, 50, cache_read=0), 0),
        (Usage(5, 0, cache_read_input_tokens=10), Price(10, 50, cache_read=0), 0),
        (Usage(0, 100, reasoning_output_tokens=80), Price(10, 10), 0.001),
    ],
)
def test_cache_reads_and_writes_have_prices_of_their_own(usage: Usage, price: Price, dollars: float) -> None:
    assert cost_of(usage, price) == pytest.approx(dollars)


def test_plugins_are_asked_first_then_the_card_then_the_tables_and_only_once() -> None:
    asked: list[str] = []

    def ask(info: ModelInfo) -> Price | None:
        asked.append(info.name)
        return Price(7, 7) if info.id == "mine" else None

    prices = Prices(ask)
    assert prices.price(ModelInfo("x", "mine", price=Price(1, 1))) == Price(7, 7)
    assert prices.price(ModelInfo("x", "carded", price=Price(1, 1))) == Price(1, 1)
    published = prices.price(ModelInfo("openai-codex", "gpt-5.1-codex"))
    assert published is not None
    assert published.input == pytest.approx(1.25)
    assert prices.price(ModelInfo("x", "mine")) == Price(7, 7)
    assert asked == ["x/mine", "x/carded", "openai-codex/gpt-5.1-codex"]


def test_what_nobody_knows_costs_nothing_in_advance_and_none_afterwards() -> None:
    unknown = ModelInfo("my-endpoint", "home-made")
    assert Prices().estimate(unknown, Estimate(1000, 1000)) == 0.0
    assert Prices().actual(unknown, Usage(1000, 1000)) is None


def test_a_price_of_zero_is_a_price() -> None:
    free = ModelInfo("my-endpoint", "home-made", price=Price(0, 0))
    assert Prices().actual(free, Usage(1000, 1000)) == 0.0
    assert Prices(lambda info: Price(0, 0)).price(ModelInfo("anthropic", "claude-haiku-4-5")) == Price(0, 0)

"""What models cost, held against genai-prices under every condition that an invoice knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from genai_prices import Usage as Tokens
from genai_prices import calc_price

from openclaw_oauthrouter.canonical.pricing import Price, PriceCondition, cost_of
from openclaw_oauthrouter.canonical.routing import Estimate, ModelInfo, RoutingDecision, Tier
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.catalog.models import build_catalog
from openclaw_oauthrouter.config.providers import ProviderSettings
from openclaw_oauthrouter.routing.price_sources import is_own_machine, price_sources
from openclaw_oauthrouter.routing.prices import Prices, PriceSource
from tests.unit.routing.world import HUGE, SMALL, World

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEAK = datetime(2026, 11, 23, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Invoice:
    """What one answer used, in our words, and how genai-prices is told of it."""

    name: str
    usage: Usage
    context: Mapping[str, str] = field(default_factory=dict)
    moment: datetime = NOON
    models: tuple[str, ...] = (
        "anthropic/claude-haiku-5-5",
        "anthropic/claude-opus-5-5",
        "openai/gpt-6.1-sol",
        "google/gemini-2.5-pro",
    )

    def tokens(self) -> Tokens:
        usage = self.usage
        counts = {
            "cache_read_tokens": usage.cache_read_input_tokens,
            "cache_write_tokens": usage.cache_creation_input_tokens,
            "cache_write_1h_tokens": usage.cache_creation_1h_input_tokens,
            "web_searches": usage.web_search_requests,
            "storage_searches": usage.file_search_requests,
        }
        return Tokens(
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, **{name: n for name, n in counts.items() if n}
        )


CLAUDE = ("anthropic/claude-haiku-4-5", "anthropic/claude-haiku-5-5", "anthropic/claude-opus-5-5", "anthropic/claude-sonnet-4-6")
GPT = ("openai/gpt-6.1-sol", "openai/gpt-5.4-mini", "openai/gpt-4o", "openai-codex/gpt-5.4")
INVOICES = [
    Invoice("short", Usage(1200, 340)),
    Invoice("nothing at all", Usage(0, 0)),
    Invoice("at the edge of a long prompt", Usage(100_000, 10)),
    Invoice("beyond 100k", Usage(100_001, 1000)),
    Invoice("beyond 200k", Usage(200_001, 1000)),
    Invoice("at 272k", Usage(272_000, 1000)),
    Invoice("beyond 272k", Usage(300_000, 1000)),
    Invoice("cache read", Usage(50_000, 700, cache_read_input_tokens=48_000)),
    Invoice("cache read of a long prompt", Usage(400_000, 700, cache_read_input_tokens=380_000)),
    Invoice("cache written for five minutes", Usage(50_000, 7, cache_creation_input_tokens=40_000)),
    Invoice(
        "cache written for an hour",
        Usage(50_000, 7, cache_creation_input_tokens=40_000, cache_creation_1h_input_tokens=40_000),
        models=CLAUDE,
    ),
    Invoice(
        "cache written for both, and read",
        Usage(
            150_000, 7, cache_read_input_tokens=60_000, cache_creation_input_tokens=40_000, cache_creation_1h_input_tokens=15_000
        ),
        models=CLAUDE,
    ),
    Invoice("reasoning", Usage(90, 9000, reasoning_output_tokens=8800)),
    Invoice("web searches", Usage(9000, 700, web_search_requests=7)),
    Invoice("file searches", Usage(9000, 700, file_search_requests=3), models=("openai/gpt-6.1-sol",)),
    Invoice("fast mode", Usage(300_000, 1000, speed="fast"), {"speed": "fast"}, models=CLAUDE),
    Invoice("standard speed", Usage(3000, 1000, speed="standard"), {"speed": "standard"}, models=CLAUDE),
    Invoice("priority", Usage(3000, 1000, service_tier="priority"), {"service_tier": "priority"}, models=GPT),
    Invoice("priority, long", Usage(300_000, 1000, service_tier="priority"), {"service_tier": "priority"}, models=GPT),
    Invoice("flex", Usage(3000, 1000, service_tier="flex", cache_read_input_tokens=2000), {"service_tier": "flex"}, models=GPT),
    Invoice("default tier", Usage(3000, 1000, service_tier="default"), {"service_tier": "default"}, models=GPT),
    Invoice("batch", Usage(3000, 1000, service_tier="batch"), {"processing": "batch"}, models=CLAUDE + GPT),
    Invoice("off-peak", Usage(3000, 1000, cache_read_input_tokens=1000), models=("deepseek/deepseek-v4-flash",)),
    Invoice("peak hours", Usage(3000, 1000), moment=PEAK, models=("deepseek/deepseek-v4-flash",)),
    Invoice(
        "before a price changed",
        Usage(3000, 1000),
        moment=datetime(2026, 8, 1, tzinfo=UTC),
        models=("deepseek/deepseek-v4-flash",),
    ),
]
CASES = [pytest.param(invoice, model, id=f"{invoice.name}: {model}") for invoice in INVOICES for model in invoice.models]


def prices(**more: object) -> Prices:
    return Prices(sources=price_sources({}), clock=NOON.timestamp, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("invoice", "model"), CASES)
def test_prices_actual_is_what_genai_prices_computes(invoice: Invoice, model: str) -> None:
    provider, _, name = model.partition("/")
    vendor = {"openai-codex": "openai"}.get(provider, provider)
    expected = calc_price(
        invoice.tokens(),
        model_ref=name,
        provider_id=vendor,
        genai_request_timestamp=invoice.moment,
        price_context=dict(invoice.context) or None,
    )
    cost = prices().actual(ModelInfo(provider, name), invoice.usage, invoice.moment.timestamp())
    assert cost == pytest.approx(float(expected.total_price), abs=1e-12, rel=1e-9)


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        ("openai/gpt-6.1-sol", Usage(300_000, 1000), 1.215),
        ("openai/gpt-6.1-sol", Usage(300_000, 1000, service_tier="priority"), 2.43),
        ("anthropic/claude-haiku-5-5", Usage(300_000, 1000), 0.1525),
        ("anthropic/claude-opus-5-5", Usage(300_000, 1000, speed="fast"), 2.44),
        ("anthropic/claude-opus-5-5", Usage(300_000, 1000, inference_geo="us"), 1.22 * 1.1),
        ("anthropic/claude-haiku-4-5", Usage(1_000_000, 0, inference_geo="us"), 1.0),
        ("anthropic/claude-haiku-4-5", Usage(0, 0, web_search_requests=3), 0.03),
    ],
)
def test_prices_actual_is_the_vendors_invoice(model: str, usage: Usage, dollars: float) -> None:
    provider, _, name = model.partition("/")
    assert prices().actual(ModelInfo(provider, name), usage) == pytest.approx(dollars)


def test_prices_follow_the_hour_without_being_looked_up_again() -> None:
    asked = prices()
    info = ModelInfo("deepseek", "deepseek-v4-flash")
    noon, peak, later = (asked.actual(info, Usage(1_000_000, 0), at.timestamp()) for at in (NOON, PEAK, NOON))
    assert noon == later != peak
    assert asked.tariff(info) is asked.tariff(info)


CACHED = Price(input=10, output=50, cache_read=1, cache_write=12.5)
CONDITIONAL = Price(
    1,
    2,
    conditions=(
        PriceCondition(Price(10, 20), above_input_tokens=100),
        PriceCondition(Price(3, 4), service_tier="priority"),
        PriceCondition(Price(7, 8), speed="fast", above_input_tokens=100),
        PriceCondition(Price(0.5, 0.5), hours=(22, 6)),
    ),
)
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("usage", "price", "hour", "dollars"),
    [
        (Usage(MILLION, 0), CACHED, 0, 10),
        (Usage(0, MILLION), CACHED, 0, 50),
        (Usage(MILLION, 0, cache_read_input_tokens=MILLION), CACHED, 0, 1),
        (Usage(MILLION, 0, cache_creation_input_tokens=MILLION), CACHED, 0, 12.5),
        (Usage(MILLION, 0, cache_creation_input_tokens=MILLION, cache_creation_1h_input_tokens=MILLION), CACHED, 0, 20),
        (Usage(MILLION, 0, cache_read_input_tokens=500_000, cache_creation_input_tokens=300_000), CACHED, 0, 0.5 + 3.75 + 2),
        (Usage(MILLION, 0, cache_read_input_tokens=MILLION), Price(10, 50), 0, 10),
        (Usage(MILLION, 0, cache_creation_input_tokens=MILLION), Price(10, 50), 0, 10),
        (Usage(MILLION, 0, cache_read_input_tokens=MILLION), Price(10, 50, cache_read=0), 0, 0),
        (Usage(5, 0, cache_read_input_tokens=10), Price(10, 50, cache_read=0), 0, 0),
        (Usage(0, 100, reasoning_output_tokens=80), Price(10, 10), 0, 0.001),
        (Usage(MILLION, 0, input_audio_tokens=400_000), Price(10, 50, input_audio=100), 0, 6 + 40),
        (Usage(0, 0, code_execution_requests=2), Price(1, 1, code_execution=30), 0, 0.06),
        (Usage(100, MILLION), CONDITIONAL, 12, 2.0001),
        (Usage(101, MILLION), CONDITIONAL, 12, 20.00101),
        (Usage(100, MILLION, service_tier="priority"), CONDITIONAL, 12, 4.0003),
        (Usage(100, MILLION, speed="fast"), CONDITIONAL, 12, 2.0001),
        (Usage(101, MILLION, speed="fast"), CONDITIONAL, 12, 8.000707),
        (Usage(100, MILLION), CONDITIONAL, 23, 0.50005),
        (Usage(100, MILLION), CONDITIONAL, 5, 0.50005),
        (Usage(100, MILLION), CONDITIONAL, 6, 2.0001),
    ],
)
def test_cost_of_applies_every_stated_figure_and_condition(usage: Usage, price: Price, hour: int, dollars: float) -> None:
    assert cost_of(usage, price, hour) == pytest.approx(dollars)


def test_prices_asks_plugins_then_settings_then_the_tables_and_only_once() -> None:
    asked: list[str] = []

    def ask(info: ModelInfo) -> Price | None:
        asked.append(info.name)
        return Price(7, 7) if info.id == "mine" else None

    known = prices(ask_plugins=ask)
    assert known.price(ModelInfo("x", "mine", price=Price(1, 1))) == Price(7, 7)
    assert known.price(ModelInfo("x", "stated", price=Price(1, 1))) == Price(1, 1)
    published = known.price(ModelInfo("openai-codex", "gpt-5.1-codex"))
    assert published is not None
    assert published.input == pytest.approx(1.25)
    assert known.price(ModelInfo("x", "mine")) == Price(7, 7)
    assert asked == ["x/mine", "x/stated", "openai-codex/gpt-5.1-codex"]


@pytest.mark.parametrize("name", ["my-endpoint/home-made", "openai/gpt-5.4-mni", "anthropic/claude-hiaku"])
def test_prices_unknown_is_none_and_never_zero(name: str) -> None:
    provider, _, model = name.partition("/")
    unknown = ModelInfo(provider, model)
    assert prices().expected(unknown, Estimate(1000, 1000)) is None
    assert prices().actual(unknown, Usage(1000, 1000)) is None
    assert prices().price(unknown) is None


def test_prices_zero_is_a_price() -> None:
    free = ModelInfo("my-endpoint", "home-made", price=Price(0, 0))
    assert prices().actual(free, Usage(1000, 1000)) == 0.0
    assert Price(0, 0).free
    assert not Price(0, 0, conditions=(PriceCondition(Price(1, 0), above_input_tokens=5),)).free


@pytest.mark.parametrize(
    ("info", "reported", "dollars"),
    [
        (ModelInfo("openrouter", "no/such-model"), 0.5, 0.5),
        (ModelInfo("openrouter", "no/such-model"), 0.0, 0.0),
        (ModelInfo("anthropic", "claude-haiku-4-5"), 0.5, 0.5),
        (ModelInfo("anthropic", "claude-haiku-4-5"), 0.0, 1.0),
        (ModelInfo("x", "stated", price=Price(3, 0)), 0.5, 3.0),
    ],
)
def test_prices_actual_takes_the_providers_own_figure_unless_a_price_is_stated(
    info: ModelInfo, reported: float, dollars: float
) -> None:
    assert prices().actual(info, Usage(MILLION, 0, provider_cost=reported)) == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://127.0.0.1:11434/v1", True),
        ("http://[::1]:8080", True),
        ("http://localhost:1234", True),
        ("http://192.168.1.20:8000/v1", True),
        ("http://10.1.2.3", True),
        ("http://169.254.1.1", True),
        ("http://gpu-box.local:8000", True),
        ("http://ollama:11434", True),
        ("http://[fd00::1]:1", True),
        ("https://api.example.com", False),
        ("https://8.8.8.8/v1", False),
        ("https://localhost.example.com", False),
        ("https://127.0.0.1.example.com", False),
    ],
)
def test_is_own_machine_goes_by_the_address(url: str, own: bool) -> None:
    assert is_own_machine(url) is own


@pytest.mark.parametrize(
    ("name", "settings", "source"),
    [
        ("ollama", ProviderSettings(api_base="http://127.0.0.1:11434/v1"), (True, "ollama")),
        ("openai", ProviderSettings(api_base="http://127.0.0.1:9100"), (False, "openai")),
        ("anthropic", ProviderSettings(api_base="http://127.0.0.1:9100"), (False, "anthropic")),
        ("openai-codex", ProviderSettings(api_base="http://127.0.0.1:9100"), (False, "openai")),
        ("deepseek", ProviderSettings(api_base="http://10.0.0.1"), (False, "deepseek")),
        ("relay", ProviderSettings(api_base="https://relay.example.com"), (False, "relay")),
        ("claude-work", ProviderSettings(kind="anthropic"), (False, "anthropic")),
    ],
)
def test_price_sources_only_own_endpoints_on_own_machines_are_free(
    name: str, settings: ProviderSettings, source: tuple[bool, str]
) -> None:
    found = price_sources({name: settings})[name]
    assert (found.free, found.vendor) == source


def test_prices_of_an_endpoint_on_the_own_machine_are_zero_unless_stated() -> None:
    known = Prices(sources={"ollama": PriceSource("ollama", "http://127.0.0.1", free=True)}, clock=NOON.timestamp)
    assert known.actual(ModelInfo("ollama", "qwen"), Usage(1000, 1000)) == 0.0
    stated = ProviderSettings.model_validate(
        {"api_base": "http://127.0.0.1", "models": [{"id": "paid", "input_price": 1.0, "output_price": 2.0}]}
    )
    info = build_catalog({"ollama": stated})["ollama", "paid"]
    assert known.actual(info, Usage(MILLION, 0)) == pytest.approx(1.0)


def test_prices_by_the_address_where_the_name_says_nothing() -> None:
    sources = price_sources({"relay": ProviderSettings(api_base="https://api.deepseek.com/v1")})
    known = Prices(sources=sources, clock=NOON.timestamp)
    assert known.price(ModelInfo("relay", "deepseek-chat")) is not None


class TestBaselineCost:
    def decision(self, tier: Tier | None) -> RoutingDecision:
        return RoutingDecision(
            "alpha/small", tier, 1.0, "rules", "", baseline_model="alpha/huge", cost_estimate=9.0, baseline_cost=99.0
        )

    @pytest.mark.parametrize("answered", [SMALL, HUGE])
    def test_baseline_cost_prices_the_same_tokens_whoever_answered(self, answered: ModelInfo) -> None:
        router = World().router()
        usage = Usage(2000, 100, cache_read_input_tokens=1000)
        cost = router.prices.actual(answered, usage)
        baseline = router.baseline_cost(self.decision(Tier.SIMPLE), answered, cost, usage, 0.0)
        assert baseline == pytest.approx((1000 * 5 + 1000 * 0.5 + 100 * 25) / 1e6)

    def test_baseline_cost_is_none_where_the_client_chose_or_a_price_is_unknown(self) -> None:
        router = World().router()
        assert (
            router.baseline_cost(self.decision(None), SMALL, router.prices.actual(SMALL, Usage(1, 1)), Usage(1, 1), 0.0) is None
        )
        assert router.baseline_cost(self.decision(Tier.SIMPLE), ModelInfo("x", "y"), None, Usage(1, 1), 0.0) is None


def test_prices_stated_in_the_settings_may_have_conditions() -> None:
    said = {
        "id": "m",
        "input_price": 1.0,
        "output_price": 2.0,
        "cache_read_price": 0.1,
        "web_search_price": 10,
        "price_conditions": [
            {"above_input_tokens": 1000, "input_price": 5, "output_price": 6},
            {"service_tier": "priority", "input_price": 9, "output_price": 9},
            {"hours": [0, 6], "input_price": 0.5, "output_price": 0.5},
        ],
    }
    settings = ProviderSettings.model_validate({"api_base": "https://llm.example.com", "models": [said]})
    info = build_catalog({"x": settings})["x", "m"]
    noon, night = NOON.timestamp(), NOON.timestamp() - 10 * 3600
    cases = [
        (Usage(1000, MILLION, cache_read_input_tokens=1000), noon, 2.0001),
        (Usage(1001, MILLION), noon, 6.005005),
        (Usage(10, MILLION, service_tier="priority"), noon, 9.00009),
        (Usage(10, MILLION), night, 0.500005),
        (Usage(0, 0, web_search_requests=3), noon, 0.03),
    ]
    known = Prices(clock=NOON.timestamp)
    assert [known.actual(info, usage, moment) for usage, moment, _ in cases] == pytest.approx([cost for *_, cost in cases])


def test_settings_with_half_a_price_are_refused() -> None:
    with pytest.raises(ValueError, match="input_price and output_price, or neither"):
        ProviderSettings.model_validate({"models": [{"id": "m", "input_price": 1.0}]})


@pytest.mark.parametrize(
    "stated",
    [
        Price(3, 15),
        Price(3, 15, conditions=(PriceCondition(Price(6, 22.5), above_input_tokens=200_000),)),
        Price(3, 15, conditions=(PriceCondition(Price(1, 2), hours=(0, 14)), PriceCondition(Price(4, 5), hours=(14, 24)))),
    ],
)
@pytest.mark.parametrize("tokens", [(0, 0), (1000, 500), (200_001, 7)])
@pytest.mark.parametrize("hour", [13, 14])
def test_prices_expected_is_the_cost_of_such_an_answer(stated: Price, tokens: tuple[int, int], hour: int) -> None:
    now = hour * 3600.0 + 5.0
    for info in (ModelInfo("x", "m", price=stated), ModelInfo("anthropic", "claude-sonnet-4-5")):
        known = Prices(clock=lambda: now)
        assert known.expected(info, Estimate(*tokens)) == known.actual(info, Usage(*tokens), now)


@pytest.mark.parametrize(("hour", "expected"), [(13, Price(1, 2)), (14, Price(4, 5)), (23, Price(4, 5))])
def test_prices_of_candidates_are_those_of_the_hour_and_of_the_prompts_length(hour: int, expected: Price) -> None:
    hours = (PriceCondition(Price(1, 2), hours=(0, 14)), PriceCondition(Price(4, 5), hours=(14, 24)))
    long = Price(3, 15, conditions=(PriceCondition(Price(6, 22.5), above_input_tokens=1000),))
    infos = [
        ModelInfo("x", "m", price=Price(3, 15, conditions=hours)),
        ModelInfo("x", "long", price=long),
        ModelInfo("nobody", "knows"),
    ]
    known = Prices(clock=lambda: hour * 3600.0 + 5.0)
    assert known.prices(infos, 1000) == [expected, long, None]
    assert known.prices(infos, 1001) == [expected, Price(6, 22.5), None]
    assert known.prices(infos, None) == [infos[0].price, long, None]

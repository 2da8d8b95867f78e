"""What the sum takes of prompt caches: what a request asks of them, what writing costs, and what answers tell against what was assumed."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import CacheMark, TextPart
from openclaw_oauthrouter.canonical.conversation import CachedPrompt, Conversation
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import CandidateCost, ModelInfo, Price, RouteHints, TaskState, Tier
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.routing.stickiness import after_answer, cache_use
from tests.unit.routing.world import FakeProvider, World

NOW = 1_000_000.0
HOUR, MINUTES = CacheMark("1h"), CacheMark("5m")


def request(dialect: str = "anthropic_messages", turns: int = 1, **marks: CacheMark) -> ChatRequest:
    words = [Message("system", (TextPart("S"), TextPart("S", marks.get("system"))))]
    words += [Message("user", (TextPart("U"),)) for _ in range(turns)]
    words.append(Message("user", (TextPart("U", marks.get("last")), TextPart("U"))))
    return ChatRequest(dialect, "auto", tuple(words), tools=(Tool("a"), Tool("b", cache=marks.get("tool"))))


@pytest.mark.parametrize("turns", [1, 2, 3, 50])
@pytest.mark.parametrize(
    ("dialect", "marks", "expected"),
    [
        ("anthropic_messages", {}, "none"),
        ("anthropic_messages", {"system": MINUTES}, "5m"),
        ("anthropic_messages", {"last": MINUTES}, "5m"),
        ("anthropic_messages", {"tool": MINUTES}, "5m"),
        ("anthropic_messages", {"system": HOUR}, "1h"),
        ("anthropic_messages", {"system": HOUR, "last": MINUTES}, "1h"),
        ("anthropic_messages", {"tool": HOUR}, "1h"),
        ("openai_chat_completions", {}, "5m"),  # the gateway's own marks
        ("openai_responses", {}, "5m"),
        ("openai_chat_completions", {"system": HOUR}, "1h"),
    ],
)
def test_cache_use_is_what_the_request_asks_for(dialect: str, marks: dict[str, Any], expected: str, turns: int) -> None:
    assert cache_use(request(dialect, turns, **marks)) == expected


# ------------------------------------------------------------------ what it costs


@pytest.mark.parametrize(
    ("provider", "price", "asked", "counted"),
    [
        ("anthropic", Price(4, 20, 0.4, 5.0), request(last=MINUTES), Price(4, 20, 0.4, 5.0)),
        ("anthropic", Price(4, 20, 0.4, 5.0), request(last=HOUR), Price(4, 20, 0.4, 8.0)),
        ("anthropic", Price(4, 20, 0.4, 5.0, 7.0), request(last=HOUR), Price(4, 20, 0.4, 7.0)),
        ("anthropic", Price(4, 20, 0.4, 5.0), request(), Price(4, 20)),
        ("anthropic", Price(4, 20, 0.4, 5.0), request("openai_responses"), Price(4, 20, 0.4, 5.0)),
        ("openai", Price(2, 10, 0.2, 2.5), request(), Price(2, 10, 0.2, 2.5)),  # keeps every prompt unasked
        ("openai-chatgpt", Price(2, 10, 0.2, 2.5), request(last=HOUR), Price(2, 10, 0.2, 2.5)),
        ("local", Price(0, 0), request(last=HOUR), Price(0, 0)),
        ("local", Price(1, 4), request(), Price(1, 4)),
    ],
)
def test_cost_writing_to_a_cache_costs_what_the_request_asks_for(
    provider: str, price: Price, asked: ChatRequest, counted: Price
) -> None:
    info = ModelInfo(provider, "m", 200_000, 8000, price=price)
    tiers = {tier: {"primary": f"{provider}/m"} for tier in Tier}
    world = World(
        providers={provider: FakeProvider(provider, (info,))}, usable={provider}, settings={"tiers": tiers}, tokens=10_000
    )
    decision = world.router().route(asked, RouteHints(), None).decision
    cost, forecast = decision.candidates[0].cost, decision.forecast
    assert isinstance(cost, CandidateCost)
    assert forecast is not None
    assert cost.price == counted
    written = counted.input if counted.cache_write is None else counted.cache_write
    assert cost.turn == round(10_000 * written + forecast.output_tokens * counted.output)


# ------------------------------------------------------------------ told against assumed


def talk(provider: str, *answers: tuple[float, int, int], credentials: str = "") -> list[int]:
    """What is taken to be cached after each answer: at a moment, with a prompt of so many tokens, of which so many were read."""
    info = ModelInfo(provider, "m")
    known: Conversation | None = None
    found = []
    for number, (moment, tokens, read) in enumerate(answers):
        credential = credentials[number] if credentials else None
        known = after_answer(known, TaskState(Tier.COMPLEX), info, Usage(tokens, 10, read), NOW + moment, credential)
        found.append(known.caches[info.name].tokens)
    return found


@pytest.mark.parametrize(
    ("answers", "assumed"),
    [
        ([(0, 5000, 0), (60, 6000, 4900), (120, 7000, 5900)], [5000, 6000, 7000]),
        ([(0, 5000, 0), (60, 6000, 0)], [5000, 0]),  # it should have read five thousand
        ([(0, 5000, 0), (60, 6000, 0), (120, 7000, 0), (180, 8000, 0)], [5000, 0, 0, 0]),
        ([(0, 5000, 0), (60, 6000, 0), (120, 7000, 5900)], [5000, 0, 7000]),  # it tells otherwise
        ([(0, 5000, 0), (700, 6000, 0)], [5000, 6000]),  # its time was over
        ([(0, 500, 0), (60, 2000, 0), (120, 3000, 1900)], [0, 2000, 3000]),  # too short to be kept at first
        ([(0, 9000, 0), (60, 3000, 0)], [9000, 3000]),  # compacted
    ],
)
def test_cache_that_reads_nothing_is_believed_until_it_tells_otherwise(
    answers: list[tuple[float, int, int]], assumed: list[int]
) -> None:
    for provider in ("openai", "openai-codex", "openai-chatgpt", "azure"):
        assert talk(provider, *answers) == assumed


def test_cache_of_another_account_is_no_miss() -> None:
    answers = [(0, 5000, 0), (60, 6000, 0), (120, 7000, 0)]
    assert talk("openai-codex", *answers, credentials="abb") == [5000, 6000, 0]


def test_cache_of_a_provider_that_keeps_what_it_is_asked_to_is_what_it_tells() -> None:
    assert talk("anthropic", (0, 5000, 0), (60, 6000, 0), (120, 7000, 5900)) == [0, 0, 5900]


def test_cache_left_behind_is_kept_while_it_lives() -> None:
    caches = {"a/m": CachedPrompt(9000, NOW, 300.0), "b/m": CachedPrompt(9000, NOW - 400, 300.0)}
    known = Conversation(Tier.COMPLEX, "a/m", NOW, caches)
    after = after_answer(known, TaskState(Tier.COMPLEX), ModelInfo("c", "m"), Usage(9000, 10, 0, 9000), NOW + 60)
    assert {name: cache.tokens_at(NOW + 60) for name, cache in after.caches.items()} == {"a/m": 9000, "c/m": 9000}

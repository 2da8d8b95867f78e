"""The sum of the decision: what each of its parts is, and what it decides."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.conversation import CachedPrompt, Conversation
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.routing import Payment, PlanWindow, RouteHints, Tier, TurnForecast
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.routing.cost import (
    HIGHEST_SHADOW,
    IDLE_SHADOW,
    SHORTFALL,
    UNKNOWN_SHADOW,
    candidate_cost,
    forecast_of,
    list_price,
    remaining_calls,
    shadow_price,
)
from tests.unit.routing.world import World, asking

NOW = 1_000_000.0
HOURS = 3600.0
PRICE = Price(3.0, 15.0, 0.3, 3.75)


def plan(used: float, gone: float, hours: float = 5) -> Payment:
    """A plan with one window, a share of which is used and a share of whose time is gone."""
    seconds = hours * HOURS
    return Payment(by_plan=True, windows=(PlanWindow("5h", used, seconds, NOW + (1 - gone) * seconds),))


def forecast(**changes: object) -> TurnForecast:
    fields = {"needed": Tier.COMPLEX, "input_tokens": 10_000, "output_tokens": 500, "growth_tokens": 800, "turns": 4.0, **changes}
    return TurnForecast(**fields)  # type: ignore[arg-type]


# ------------------------------------------------------------------ shadow prices


def test_shadow_price_of_a_paid_key_is_its_price() -> None:
    assert shadow_price(Payment(), NOW) == 1.0


def test_shadow_price_of_a_plan_nobody_has_told_of_is_small() -> None:
    assert shadow_price(Payment(by_plan=True), NOW) == UNKNOWN_SHADOW


@pytest.mark.parametrize(
    ("used", "gone", "expected"),
    [
        (0.03, 0.5, IDLE_SHADOW),
        (0.4, 0.5, IDLE_SHADOW),  # on its even pace, near enough
        (0.7, 0.95, IDLE_SHADOW),  # would expire unused
        (0.9, 0.5, HIGHEST_SHADOW),
        (0.99, 0.5, HIGHEST_SHADOW),
        (0.99, 0.99, (IDLE_SHADOW, 0.5)),  # minutes before the reset
        (0.5, 0.5, (IDLE_SHADOW, HIGHEST_SHADOW)),
        (0.02, 0.01, IDLE_SHADOW),  # the first minutes tell nothing of the pace
    ],
)
def test_shadow_price_follows_share_used_against_time_gone(used: float, gone: float, expected: object) -> None:
    found = shadow_price(plan(used, gone), NOW)
    if isinstance(expected, tuple):
        assert expected[0] < found < expected[1]
    else:
        assert found == pytest.approx(expected)


def test_shadow_price_rises_with_use_and_never_reaches_a_paid_keys() -> None:
    prices = [shadow_price(plan(used / 100, 0.5), NOW) for used in range(101)]
    assert prices == sorted(prices)
    assert max(prices) < 1.0


def test_shadow_price_is_that_of_the_scarcest_window() -> None:
    both = Payment(by_plan=True, windows=(*plan(0.1, 0.5).windows, *plan(0.95, 0.5, 168).windows))
    assert shadow_price(both, NOW) == shadow_price(plan(0.95, 0.5, 168), NOW)


def test_window_forecast_says_when_it_runs_out() -> None:
    [window] = plan(0.8, 0.5).windows
    runs_out = window.runs_out_at(NOW)
    assert runs_out is not None
    assert runs_out == pytest.approx(NOW + 0.2 / 0.8 * 2.5 * HOURS)
    assert plan(0.3, 0.5).windows[0].runs_out_at(NOW) is None
    assert PlanWindow("x", 0.9).runs_out_at(NOW) is None


def test_shadow_price_of_what_a_plan_bills_in_dollars_is_the_price() -> None:
    window = PlanWindow("5h", 1.2, 5 * HOURS, NOW + 2 * HOURS, extra=True)
    assert shadow_price(Payment(by_plan=True, windows=(window, *plan(0.1, 0.5, 168).windows)), NOW) == 1.0


@pytest.mark.parametrize(("hours_left", "elapsed"), [(5, 0.0), (5.2, 0.0), (2.5, 0.5), (0, 1.0), (-3, 1.0), (100, 0.5)])
def test_window_that_has_longer_to_run_than_it_lasts_tells_nothing_of_its_pace(hours_left: float, elapsed: float) -> None:
    window = PlanWindow("5h", 0.6, 5 * HOURS, NOW + hours_left * HOURS)
    assert window.elapsed(NOW) == pytest.approx(elapsed)
    assert hours_left != 100 or window.runs_out_at(NOW) is None


@pytest.mark.parametrize("used", [0.0, -0.4])
def test_window_that_is_empty_does_not_run_out(used: float) -> None:
    assert plan(used, 0.5).windows[0].runs_out_at(NOW) is None


# ------------------------------------------------------------------ parts


def test_list_price_reads_what_is_cached_and_writes_the_rest() -> None:
    turn, coming = list_price(forecast(turns=0), PRICE, 8_000)
    assert (turn, coming) == (round(8_000 * 0.3 + 2_000 * 3.75 + 500 * 15), 0)
    without_cache = Price(3.0, 15.0)
    assert list_price(forecast(turns=0), without_cache, 8_000)[0] == 10_000 * 3 + 500 * 15


def test_list_price_of_coming_turns_grows_with_the_prompt() -> None:
    per_turn = 500 * 15 + 800 * 3.75
    _, one = list_price(forecast(turns=1), PRICE, 0)
    _, four = list_price(forecast(turns=4), PRICE, 0)
    assert one == round(10_000 * 0.3 + per_turn)
    assert four == round(4 * ((10_000 + 800 * 1.5) * 0.3 + per_turn))


def test_list_price_never_reads_more_than_the_prompt() -> None:
    assert list_price(forecast(), PRICE, 50_000) == list_price(forecast(), PRICE, 10_000)


@pytest.mark.parametrize(
    ("rank", "lift", "steps"),
    [(2, 0, 0), (3, 0, 0), (1, 0, 1), (0, 0, 2), (2, 0.4, 0.4), (3, 0.4, 0), (1, 0.4, 1.4), (1, -0.75, 0.25), (2, -0.75, 0)],
)
def test_shortfall_counts_the_tiers_below_the_one_needed(rank: int, lift: float, steps: float) -> None:
    cost = candidate_cost(forecast(lift=lift), PRICE, cached_tokens=0, shadow=1.0, rank=rank, place=0, stake=1000)
    assert cost.shortfall == round(steps * 3.0 * 1000)


def test_total_is_the_sum_of_whole_microdollars() -> None:
    cost = candidate_cost(forecast(), PRICE, cached_tokens=123, shadow=0.3, rank=1, place=2, stake=777_777)
    parts = (cost.turn, cost.coming, cost.window, cost.shortfall, cost.preference)
    assert all(isinstance(part, int) for part in parts)
    assert cost.total == sum(parts)
    assert cost.window == round(-0.7 * (cost.turn + cost.coming))


def test_forecast_learns_from_the_conversation() -> None:
    known = Conversation(Tier.MEDIUM, "a/b", NOW, output_tokens=123.4, growth_tokens=456.7)
    settings = RoutingSettings()
    told = forecast_of(Tier.MEDIUM, 9000, 4096, settings=settings, profile="economy", known=known, turns=3)
    assert (told.output_tokens, told.growth_tokens, told.shortfall) == (123, 457, SHORTFALL["economy"])
    capped = forecast_of(Tier.MEDIUM, 9000, 50, settings=settings, profile="balanced", known=None, turns=3)
    assert capped.output_tokens == 50
    own = RoutingSettings(shortfall_price=0.0, preference_price=0.0)
    free = forecast_of(Tier.MEDIUM, 9000, 50, settings=own, profile="quality", known=None, turns=3)
    assert (free.shortfall, free.preference) == (0.0, 0.0)


def test_remaining_calls_never_end_before_the_task_does() -> None:
    expected = [remaining_calls(calls) for calls in range(200)]
    assert expected == sorted(expected, reverse=True)
    assert min(expected) > 10


# ------------------------------------------------------------------ what it decides


def decided(world: World, conversation: str | None = None, **request: object) -> str:
    return world.router().route(asking(**request), RouteHints(), conversation).decision.model  # type: ignore[arg-type]


def test_cost_plan_below_its_pace_is_taken_before_a_paid_key_for_what_it_serves_as_well() -> None:
    world = World(tier=Tier.SIMPLE)
    assert decided(world) == "alpha/small"
    world.payments["beta"] = plan(0.03, 0.5)
    world.now = NOW
    assert decided(world) == "beta/middle"


def test_cost_plan_is_not_taken_for_what_it_does_not_serve() -> None:
    world = World(tier=Tier.REASONING, payments={"beta": plan(0.03, 0.5)}, now=NOW)
    assert decided(world) == "alpha/huge"


@pytest.mark.parametrize(
    ("profile", "model"), [("economy", "beta/middle"), ("balanced", "alpha/large"), ("quality", "alpha/large")]
)
def test_cost_profile_says_what_going_below_the_tier_is_worth(profile: str, model: str) -> None:
    world = World(settings={"profile": profile}, tier=Tier.COMPLEX, payments={"beta": plan(0.03, 0.5)}, now=NOW)
    assert decided(world) == model


@pytest.mark.parametrize(("used", "model"), [(0.1, "alpha/large"), (0.9, "beta/strong"), (0.99, "beta/strong")])
def test_cost_of_two_plans_the_less_scarce_serves(used: float, model: str) -> None:
    world = two_plans(used, 0.1)
    assert decided(world) == model


def test_cost_with_both_plans_scarce_the_primary_serves() -> None:
    assert decided(two_plans(0.99, 0.99)) == "alpha/large"


def two_plans(alpha: float, beta: float) -> World:
    from openclaw_oauthrouter.canonical.routing import ModelInfo
    from tests.unit.routing.world import MIDDLE, TIERS, FakeProvider, providers

    strong = ModelInfo("beta", "strong", 1_000_000, 8_000, price=Price(2.5, 14, 0.25, 3))
    tiers = {**TIERS, "COMPLEX": {"primary": "alpha/large", "fallback": ["beta/strong"]}}
    return World(
        settings={"tiers": tiers},
        providers={**providers(), "beta": FakeProvider("beta", (MIDDLE, strong))},
        tier=Tier.COMPLEX,
        payments={"alpha": plan(alpha, 0.5), "beta": plan(beta, 0.5)},
        now=NOW,
    )


def test_cost_stronger_tiers_model_is_borrowed_only_where_that_saves_half_the_work() -> None:
    """The plan has a model of a stronger tier only; at list price that is five times as dear as the tier's own, which a key pays."""
    world = World(tier=Tier.SIMPLE, usable={"alpha", "beta"}, payments={"beta": plan(0.03, 0.5)}, now=NOW)
    assert decided(world) == "beta/middle"
    world.payments["beta"] = plan(0.6, 0.5)
    assert decided(world) == "alpha/small"


def test_models_paid_alike_keep_the_configured_order_whatever_they_cost() -> None:
    tiers = {
        "SIMPLE": {"primary": "alpha/small"},
        "MEDIUM": {"primary": "alpha/small"},
        "COMPLEX": {"primary": "alpha/huge", "fallback": ["alpha/small"]},
        "REASONING": {"primary": "alpha/huge"},
    }
    assert decided(World(settings={"tiers": tiers}, tier=Tier.COMPLEX)) == "alpha/huge"
    cheapest = World(settings={"tiers": tiers, "preference_price": 0}, tier=Tier.COMPLEX)
    assert decided(cheapest) == "alpha/small"


def test_cost_cache_counts_while_it_lives_and_not_after() -> None:
    world = World(tokens=100_000, tier=Tier.SIMPLE, now=NOW)
    router = world.router()
    conversations = router.conversations
    conversations.remember("c", Conversation(Tier.SIMPLE, "beta/middle", NOW, {"beta/middle": CachedPrompt(100_000, NOW)}))
    assert router.route(asking(), RouteHints(), "c").decision.model == "beta/middle"
    world.now = NOW + 301
    assert router.route(asking(), RouteHints(), "c").decision.model == "alpha/small"


def test_cost_cache_left_behind_still_counts_on_the_way_back() -> None:
    """The conversation was at another model for a turn; the first one's cache is still warm."""
    caches = {"alpha/large": CachedPrompt(90_000, NOW - 60), "alpha/huge": CachedPrompt(100_000, NOW)}
    world = World(tokens=100_000, tier=Tier.COMPLEX, now=NOW)
    router = world.router()
    router.conversations.remember("c", Conversation(Tier.COMPLEX, "alpha/huge", NOW, caches))
    first = router.route(asking(), RouteHints(), "c").decision.candidates[0]
    assert first.info.id == "large"
    assert first.cost is not None
    assert first.cost.cached_tokens == 90_000


def test_cost_every_compared_candidate_carries_its_sum_and_the_least_comes_first() -> None:
    decision = World(tier=Tier.MEDIUM).router().route(asking(), RouteHints(), None).decision
    totals = [candidate.cost.total for candidate in decision.candidates if candidate.cost]
    assert len(totals) == 4
    assert totals == sorted(totals)
    assert decision.forecast is not None
    assert decision.stake > 0


def test_cost_what_happened_in_flight_moves_a_task_only_when_the_sum_says_so() -> None:
    from openclaw_oauthrouter.canonical.routing import Flight

    def moved(trouble: float, *, calls: int = 30, **settings: object) -> str:
        flying = {"flight": Flight(calls=calls), "agent": True}
        world = World(
            settings=settings, tier=Tier.MEDIUM, turn="continues", trouble=trouble, features=flying, tokens=20_000, now=NOW
        )
        router = world.router()
        cached = {"beta/middle": CachedPrompt(19_000, NOW)}
        router.conversations.remember("c", Conversation(Tier.MEDIUM, "beta/middle", NOW, cached))
        decision = router.route(asking(), RouteHints(), "c").decision
        router.answered("c", decision, decision.candidates[0].info, Usage(20_000, 100))
        return decision.model

    assert moved(0.3) == "beta/middle"
    assert moved(0.9) == "alpha/large"
    assert moved(0.9, calls=5) == "beta/middle"
    assert moved(0.9, in_flight=False) == "beta/middle"
    assert moved(0.9, shortfall_price=0.1) == "beta/middle"

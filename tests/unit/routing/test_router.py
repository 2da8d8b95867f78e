"""From a request to the models that will be tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import BlobPart
from openclaw_oauthrouter.canonical.request import Tool
from openclaw_oauthrouter.canonical.routing import Candidate, ModelInfo, RouteHints, RoutingDecision, Tier
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.config.upstream import FallbackCandidateSettings, RateLimitFallbackSettings
from openclaw_oauthrouter.errors import CredentialNotFound, InvalidRequestError, ModelNotFoundError
from tests.unit.routing.world import HUGE, LARGE, MIDDLE, SMALL, TIERS, FakeProvider, World, asking, providers

NO_HINTS = RouteHints()
GAMMA = FakeProvider("gamma", (ModelInfo("gamma", "spare", 2_000_000),))
FALLBACK = RateLimitFallbackSettings(
    enabled=True, from_providers=("alpha",), chain=(FallbackCandidateSettings(provider="gamma", default_model="spare"),)
)


def decide(world: World, request: Any = None, hints: RouteHints = NO_HINTS) -> RoutingDecision:
    return world.router().route(request or asking(), hints, None).decision


def names(decision: RoutingDecision) -> list[str]:
    return [candidate.info.name for candidate in decision.candidates]


# ------------------------------------------------------------------ tiers and borrowing


@pytest.mark.parametrize(
    ("tier", "models"),
    [
        (Tier.SIMPLE, ["alpha/small", "beta/middle", "alpha/large", "alpha/huge"]),
        (Tier.MEDIUM, ["beta/middle", "alpha/large", "alpha/huge", "alpha/small"]),
        (Tier.REASONING, ["alpha/huge", "alpha/large", "beta/middle", "alpha/small"]),
    ],
)
def test_router_tiers_own_models_come_first_then_borrowed_ones(tier: Tier, models: list[str]) -> None:
    decision = decide(World(tier=tier))
    assert names(decision) == models
    assert (decision.model, decision.tier) == (models[0], tier)
    assert decision.candidates[0].reason == f"{tier} primary"
    assert decision.skipped == ()


def test_router_what_cannot_serve_is_skipped_with_the_reason() -> None:
    world = World(usable={"alpha"}, settings={"exclude": ["alpha/small"]})
    decision = decide(world)
    assert names(decision) == ["alpha/large", "alpha/huge"]
    assert [(skip.model, skip.reason) for skip in decision.skipped] == [
        ("alpha/small", "excluded by routing.exclude"),
        ("beta/middle", "no credential for beta"),
    ]


def test_router_model_out_of_order_is_passed_over_for_its_tiers_next() -> None:
    tiers = {**TIERS, "SIMPLE": {"primary": "alpha/small", "fallback": ["beta/middle"]}}
    decision = decide(World(settings={"tiers": tiers}, down={"alpha/small": "cooling down"}))
    assert (decision.model, decision.candidates[0].reason) == ("beta/middle", "SIMPLE fallback 1")
    assert decision.skipped[0].reason == "cooling down"


def test_router_tier_may_name_a_provider_that_is_not_there() -> None:
    decision = decide(World(settings={"tiers": {**TIERS, "SIMPLE": {"primary": "nobody/x"}}}))
    assert decision.model == "beta/middle"
    assert decision.skipped[0].reason == "no provider of that name is configured"


def test_router_in_the_end_any_listed_model_serves() -> None:
    world = World(providers=providers(GAMMA), usable={"gamma"})
    assert replace(decide(world).candidates[0], cost=None) == Candidate(GAMMA.listed[0], Tier.SIMPLE, "listed by gamma")


@pytest.mark.parametrize(
    ("info", "request_"),
    [
        (replace(SMALL, images=False), asking("auto", BlobPart("image", "image/png", "aGk="))),
        (replace(SMALL, tools=False), asking("auto", tools=(Tool("f"),))),
        (replace(SMALL, context_window=500), asking()),
    ],
)
def test_router_model_that_is_not_up_to_the_request_is_passed_over(info: ModelInfo, request_: Any) -> None:
    world = World(providers={**providers(), "alpha": FakeProvider("alpha", (info, LARGE, HUGE))})
    assert decide(world, request_).model == "beta/middle"


def test_router_without_any_credential_it_says_what_to_do() -> None:
    with pytest.raises(CredentialNotFound, match="add a credential"):
        decide(World(usable=set()))


def test_router_prompt_that_no_window_holds_is_told_as_such() -> None:
    tight = replace(SMALL, context_window=1000)
    world = World(providers={"alpha": FakeProvider("alpha", (tight,)), "beta": FakeProvider("beta")}, tokens=5000)
    world.usable = {"alpha"}
    with pytest.raises(InvalidRequestError, match=r"about 5000 tokens.*alpha/small: .*its window of 1000") as caught:
        decide(world)
    assert (caught.value.status_code, caught.value.code) == (400, "context_length_exceeded")
    assert "beta" not in caught.value.message


def test_router_request_that_no_model_is_up_to_names_the_reasons() -> None:
    blind = replace(SMALL, images=False, context_window=1000)
    world = World(providers={"alpha": FakeProvider("alpha", (blind,))}, usable={"alpha"})
    with pytest.raises(InvalidRequestError, match="alpha/small: cannot see images") as caught:
        decide(world, asking("auto", BlobPart("image", "image/png", "aGk=")))
    assert (caught.value.status_code, caught.value.code) == (400, None)
    excluding = replace(world, settings={"exclude": ["alpha/small"]}, tokens=5000)
    with pytest.raises(InvalidRequestError, match=r"alpha/small: excluded by routing\.exclude") as caught:
        decide(excluding)
    assert caught.value.code is None
    with pytest.raises(CredentialNotFound, match="no model of gamma is known"):
        decide(World(providers={"gamma": FakeProvider("gamma", any_model=True)}, usable={"gamma"}))


def test_router_where_everything_is_out_of_order_the_provider_has_the_last_word() -> None:
    decision = decide(World(down={"alpha": "cooling down", "beta": "cooling down"}))
    assert names(decision) == ["alpha/small", "beta/middle", "alpha/large", "alpha/huge"]
    assert decision.skipped[0].reason == "cooling down"


def test_router_price_and_its_baseline_are_told() -> None:
    decision = decide(World(tokens=100_000))
    assert decision.cost_estimate == pytest.approx(0.1 + 500 * 5e-6)
    assert decision.baseline_cost == pytest.approx(0.5 + 500 * 25e-6)
    assert decision.baseline_model == "alpha/huge"
    assert decision.savings == pytest.approx(0.8)
    assert decide(World(tier=Tier.REASONING)).savings == 0.0
    assert decide(World(settings={"baseline": "alpha/large"})).baseline_model == "alpha/large"


def test_router_immense_limit_on_the_answer_is_not_taken_for_its_length() -> None:
    modest, immense = (decide(World(), asking(max_output_tokens=limit)) for limit in (4096, 128_000))
    assert modest.cost_estimate == immense.cost_estimate


# ------------------------------------------------------------------ hints and limits


@pytest.mark.parametrize(
    ("settings", "hints", "tier"),
    [
        ({}, RouteHints(tier=Tier.REASONING), Tier.REASONING),
        ({}, RouteHints(max_tier=Tier.SIMPLE), Tier.SIMPLE),
        ({}, RouteHints(max_tier=Tier.REASONING), Tier.COMPLEX),
        ({"max_tier": "MEDIUM"}, NO_HINTS, Tier.MEDIUM),
        ({"max_tier": "MEDIUM"}, RouteHints(max_tier=Tier.SIMPLE), Tier.SIMPLE),
        ({"max_tier": "MEDIUM"}, RouteHints(tier=Tier.REASONING), Tier.MEDIUM),
    ],
)
def test_hints_and_limits(settings: dict[str, Any], hints: RouteHints, tier: Tier) -> None:
    assert decide(World(tier=Tier.COMPLEX, settings=settings), hints=hints).tier == tier


@pytest.mark.parametrize(
    ("settings", "hints", "model", "profile"),
    [
        ({}, NO_HINTS, "auto", "balanced"),
        ({"profile": "quality"}, NO_HINTS, "auto", "quality"),
        ({"profile": "quality"}, NO_HINTS, "auto-economy", "economy"),
        ({"profile": "quality"}, RouteHints(profile="balanced"), "auto-economy", "balanced"),
    ],
)
def test_router_header_beats_the_id_and_the_id_beats_the_configuration(
    settings: dict[str, Any], hints: RouteHints, model: str, profile: str
) -> None:
    world = World(settings=settings)
    decide(world, asking(model), hints)
    assert world.seen == [(None, profile)]


# ------------------------------------------------------------------ the client's own choice


def test_router_model_the_client_names_is_the_only_candidate_even_when_it_is_out_of_order() -> None:
    world = World(down={"alpha": "cooling down"}, settings={"exclude": ["alpha/small"]})
    decision = decide(world, asking("alpha/small"))
    assert decision.candidates == (Candidate(SMALL, reason="chosen by the client"),)
    assert (decision.method, decision.tier) == ("explicit", None)
    assert world.seen == []
    with pytest.raises(ModelNotFoundError):
        decide(world, asking("alpha/none"))


def test_router_named_model_falls_back_only_where_that_is_on_and_only_on_its_statuses() -> None:
    world = World(providers=providers(GAMMA), fallback=FALLBACK)
    decision = decide(world, asking("alpha/small"))
    assert names(decision) == ["alpha/small", "gamma/spare"]
    assert decision.candidates[1].only_on == (429, 529)
    assert names(decide(world, asking("beta/middle"))) == ["beta/middle"]


def test_auto_gets_the_fallback_behind_its_own_candidates_once() -> None:
    world = World(providers=providers(GAMMA), fallback=FALLBACK)
    assert names(decide(world))[-1] == "gamma/spare"
    listed = World(providers=providers(GAMMA), fallback=FALLBACK, usable={"alpha", "beta", "gamma"})
    assert names(decide(listed)).count("gamma/spare") == 1


def test_router_plugin_may_replace_the_decision_and_it_is_priced_anew() -> None:
    def revise(request: Any, decision: RoutingDecision) -> RoutingDecision:
        return replace(decision, model="beta/middle", candidates=(Candidate(MIDDLE, reason="plugin"),), cost_estimate=-1)

    decision = World(tokens=1_000_000).router(revise=revise).route(asking(), NO_HINTS, None).decision
    assert decision.model == "beta/middle"
    assert decision.cost_estimate == pytest.approx(2.0 + 500 * 10e-6)


# ------------------------------------------------------------------ keeping a model


def second_turn(
    world: World, first: Tier, then: Tier, *, cached: int = 0, answered_by: ModelInfo | None = None
) -> RoutingDecision:
    """Route a turn, let it be answered, route the next."""
    router = world.router()
    world.tier = first
    decision = router.route(asking(), NO_HINTS, "c").decision
    router.answered(
        "c", decision, answered_by or decision.candidates[0].info, Usage(world.tokens, 10, cache_read_input_tokens=cached)
    )
    world.tier = then
    return router.route(asking(), NO_HINTS, "c").decision


def test_router_classifier_is_told_the_previous_tier() -> None:
    world = World()
    second_turn(world, Tier.MEDIUM, Tier.SIMPLE)
    assert world.seen == [(None, "balanced"), (Tier.MEDIUM, "balanced")]


def test_router_large_cached_prompt_keeps_its_model() -> None:
    decision = second_turn(World(tokens=100_000), Tier.MEDIUM, Tier.SIMPLE, cached=99_000)
    assert decision.model == "beta/middle"
    assert decision.candidates[0].reason.startswith("kept")
    assert decision.tier == Tier.SIMPLE
    assert names(decision).count("beta/middle") == 1


@pytest.mark.parametrize("cached", [0, 10_000])
def test_router_what_is_not_cached_enough_moves_to_the_cheaper_model(cached: int) -> None:
    assert second_turn(World(tokens=100_000), Tier.MEDIUM, Tier.SIMPLE, cached=cached).model == "alpha/small"


def test_router_harder_turn_always_moves_up() -> None:
    assert second_turn(World(tokens=100_000), Tier.SIMPLE, Tier.REASONING, cached=100_000).model == "alpha/huge"


@pytest.mark.parametrize(("cached", "model"), [(99_000, "alpha/large"), (0, "alpha/small")])
def test_router_fallback_that_answered_keeps_the_conversation_while_its_cache_pays(cached: int, model: str) -> None:
    """The primary is well again; the conversation may be in the fallback's cache."""
    decision = second_turn(World(tokens=100_000), Tier.SIMPLE, Tier.SIMPLE, answered_by=LARGE, cached=cached)
    assert decision.model == model


def test_router_kept_model_must_still_be_able_to_serve() -> None:
    world = World(tokens=100_000)
    router = world.router()
    world.tier = Tier.MEDIUM
    decision = router.route(asking(), NO_HINTS, "c").decision
    router.answered("c", decision, MIDDLE, Usage(100_000, 10, cache_read_input_tokens=100_000))
    world.down["beta"] = "cooling down"
    assert router.route(asking(), NO_HINTS, "c").decision.model == "alpha/large"


def test_stickiness_can_be_switched_off_and_ends_after_an_idle_time() -> None:
    assert (
        second_turn(World(tokens=100_000, settings={"sticky": False}), Tier.MEDIUM, Tier.SIMPLE, cached=99_000).model
        == "alpha/small"
    )
    world = World(tokens=100_000)
    router = world.router()
    world.tier = Tier.MEDIUM
    decision = router.route(asking(), NO_HINTS, "c").decision
    router.answered("c", decision, MIDDLE, Usage(100_000, 10, cache_read_input_tokens=100_000))
    world.now += router.settings.sticky_seconds + 1
    world.tier = Tier.SIMPLE
    assert router.route(asking(), NO_HINTS, "c").decision.model == "alpha/small"


def test_router_named_models_answer_is_not_remembered() -> None:
    world = World()
    router = world.router()
    decision = router.route(asking("alpha/huge"), NO_HINTS, "c").decision
    router.answered("c", decision, HUGE, Usage(1000, 10))
    assert router.route(asking(), NO_HINTS, "c").decision.model == "alpha/small"


def test_router_trace_gets_the_features_without_the_users_words() -> None:
    routed = World(tokens=77).router().route(asking(), NO_HINTS, None)
    recorded = routed.recorded()
    assert recorded is not None
    assert recorded["input_tokens"] == 77
    assert "text" not in recorded
    assert World().router().route(asking("alpha/small"), NO_HINTS, None).recorded() is None

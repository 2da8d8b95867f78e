"""``route()``: the classification engine by itself."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from openclaw_oauthrouter import DEFAULT_ROUTING_CONFIG, RoutingDecision, route
from openclaw_oauthrouter.errors import ConfigurationError


@pytest.mark.parametrize(
    ("prompt", "tier", "model"),
    [
        ("What is the capital of France?", "SIMPLE", "anthropic/claude-haiku-5-5"),
        ("Prove that sqrt(2) is irrational", "REASONING", "anthropic/claude-opus-5-5"),
    ],
)
def test_standalone_prompt_gets_a_tier_and_its_primary(prompt: str, tier: str, model: str) -> None:
    decision = route(prompt)
    assert isinstance(decision, RoutingDecision)
    assert (decision.tier, decision.model) == (tier, model)
    assert decision.classification is not None
    assert decision.reasoning
    assert 0 <= decision.confidence <= 1


def test_costs_are_those_of_the_model_and_the_baseline() -> None:
    decision = route("What is the capital of France?", max_output_tokens=1_000_000)
    assert decision.baseline_model == "anthropic/claude-opus-5-5"
    assert decision.cost_estimate == pytest.approx(0.5, rel=1e-3)
    assert decision.baseline_cost == pytest.approx(20.0, rel=1e-3)
    assert decision.savings == pytest.approx(0.975, rel=1e-3)


def test_prices_may_be_given() -> None:
    given = {"anthropic/claude-haiku-5-5": {"inputPrice": 0.0, "outputPrice": 10.0}}
    decision = route("hi", max_output_tokens=1_000_000, model_pricing=given)
    assert decision.cost_estimate == pytest.approx(10.0)
    assert decision.baseline_cost == pytest.approx(20.0, rel=1e-3)


def test_standalone_system_prompt_costs_but_does_not_count_as_difficulty() -> None:
    plain, with_system = route("hi"), route("hi", "You prove theorems step by step. " * 200)
    assert plain.tier == with_system.tier
    assert with_system.cost_estimate > plain.cost_estimate


def test_standalone_configuration_may_be_changed_or_be_a_mapping() -> None:
    changed = DEFAULT_ROUTING_CONFIG.model_copy(update={"baseline": "anthropic/claude-sonnet-4-6"})
    assert route("hi", config=changed).baseline_model == "anthropic/claude-sonnet-4-6"
    assert route("hi", config={"tiers": {"SIMPLE": {"primary": "mine/x"}}}).model == "mine/x"
    assert route("hi", config={"classifier": "rules-v1"}).method == "rules-v1"
    with pytest.raises(ValidationError):
        route("hi", config={"profile": "cheap"})


def test_standalone_highest_tier_allowed_is_kept_to() -> None:
    decision = route("Prove that sqrt(2) is irrational", config={"max_tier": "SIMPLE"})
    assert (decision.tier, decision.model) == ("SIMPLE", "anthropic/claude-haiku-5-5")
    assert route("hi", config={"max_tier": "COMPLEX"}).tier == "SIMPLE"


def test_standalone_classifier_it_does_not_have_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'nosuch'.*use rules or rules-v1"):
        route("hi", config={"classifier": "nosuch"})

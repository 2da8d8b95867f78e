"""Tiers, hints, fallback maps, and why a model cannot serve."""

from __future__ import annotations

from datetime import date

import pytest

from openclaw_oauthrouter.canonical.content import BlobPart, TextPart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.request import Tool
from openclaw_oauthrouter.canonical.routing import ModelInfo, RouteHints, Tier
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.config.upstream import FallbackCandidateSettings, RateLimitFallbackSettings
from openclaw_oauthrouter.errors import ConfigurationError, InvalidRequestError
from openclaw_oauthrouter.routing.eligibility import Eligibility, Requirements, requirements_of
from openclaw_oauthrouter.routing.fallback import DEFAULT_CHAIN, fallback_candidates
from openclaw_oauthrouter.routing.hints import hints_of
from openclaw_oauthrouter.routing.tiers import RULES_V1_COMPLEX, borrowing_order, build_chains
from tests.unit.routing.world import TODAY, FakeProvider, asking

SIMPLE, MEDIUM, COMPLEX, REASONING = Tier


# ------------------------------------------------------------------ tiers


@pytest.mark.parametrize(
    ("tier", "order"),
    [
        (SIMPLE, [SIMPLE, MEDIUM, COMPLEX, REASONING]),
        (MEDIUM, [MEDIUM, COMPLEX, REASONING, SIMPLE]),
        (COMPLEX, [COMPLEX, REASONING, MEDIUM, SIMPLE]),
        (REASONING, [REASONING, COMPLEX, MEDIUM, SIMPLE]),
    ],
)
def test_a_tier_borrows_from_stronger_ones_first(tier: Tier, order: list[Tier]) -> None:
    assert borrowing_order(tier) == order


def test_plugins_override_tiers_and_the_last_registered_wins() -> None:
    # pluggy hands over answers last registered first.
    chains = build_chains(RoutingSettings(), [{"SIMPLE": ["b/late"]}, {"SIMPLE": ["a/early"], "MEDIUM": ["a/one", "a/two"]}])
    assert chains[SIMPLE] == ("b/late",)
    assert chains[MEDIUM] == ("a/one", "a/two")
    assert chains[REASONING][0] == "anthropic/claude-opus-4-6"


@pytest.mark.parametrize("wrong", [{"HUGE": ["a/b"]}, {"SIMPLE": []}])
def test_a_plugins_wrong_tier_is_the_operators_to_mend(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigurationError, match="SIMPLE, MEDIUM, COMPLEX, REASONING"):
        build_chains(RoutingSettings(), [wrong])


def test_the_first_classifier_keeps_its_own_complex_model_unless_tiers_are_configured() -> None:
    assert build_chains(RoutingSettings(classifier="rules-v1"))[COMPLEX][0] == RULES_V1_COMPLEX
    own = RoutingSettings.model_validate({"classifier": "rules-v1", "tiers": {"COMPLEX": {"primary": "a/b"}}})
    assert build_chains(own)[COMPLEX] == ("a/b",)


# ------------------------------------------------------------------ hints


def test_hints_are_read_in_any_case() -> None:
    headers = {"x-oauthrouter-tier": " reasoning ", "x-oauthrouter-profile": "economy", "x-oauthrouter-max-tier": "Complex"}
    assert hints_of(headers) == RouteHints(REASONING, "economy", COMPLEX)
    assert hints_of({}) == RouteHints()


@pytest.mark.parametrize("header", ["x-oauthrouter-tier", "x-oauthrouter-profile", "x-oauthrouter-max-tier"])
def test_a_wrong_hint_names_what_exists(header: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        hints_of({header: "HUGE"})
    assert refused.value.param == header
    assert "economy" in refused.value.message or "SIMPLE" in refused.value.message


# ------------------------------------------------------------------ fallback maps

CODEX, DEEPSEEK = FakeProvider("openai-codex", any_model=True), FakeProvider("deepseek", any_model=True)
BOTH = {"openai-codex": CODEX, "deepseek": DEEPSEEK}
ON = RateLimitFallbackSettings(enabled=True)


@pytest.mark.parametrize(
    ("model", "codex", "deepseek"),
    [
        ("claude-haiku-4-5", "gpt-5.1-codex-mini", "deepseek-chat"),
        ("claude-sonnet-4-6", "gpt-5.1-codex-mini", "deepseek-chat"),
        ("claude-opus-4-6", "gpt-5.3-codex", "deepseek-reasoner"),
        ("claude-fable-5", "gpt-5.1-codex-mini", "deepseek-chat"),
    ],
)
def test_the_originals_maps(model: str, codex: str, deepseek: str) -> None:
    candidates = list(fallback_candidates(ModelInfo("anthropic", model), ON, BOTH))  # type: ignore[arg-type]
    assert [candidate.info.name for candidate in candidates] == [f"openai-codex/{codex}", f"deepseek/{deepseek}"]
    assert {candidate.only_on for candidate in candidates} == {(429, 529)}
    assert len(DEFAULT_CHAIN) == 2


@pytest.mark.parametrize(
    ("key", "found"),
    [("anthropic/claude-haiku-4-5", True), ("claude-haiku-4-5", True), ("haiku", True), ("opus", False)],
)
def test_a_map_takes_full_names_ids_and_family_words(key: str, found: bool) -> None:
    settings = RateLimitFallbackSettings(
        enabled=True, on_status_codes=(503,), chain=(FallbackCandidateSettings(provider="deepseek", model_map={key: "x"}),)
    )
    candidates = list(fallback_candidates(ModelInfo("anthropic", "claude-haiku-4-5"), settings, BOTH))  # type: ignore[arg-type]
    assert [(candidate.info.name, candidate.only_on) for candidate in candidates] == ([("deepseek/x", (503,))] if found else [])


@pytest.mark.parametrize(
    ("info", "settings", "there"),
    [
        (ModelInfo("anthropic", "claude-haiku-4-5"), RateLimitFallbackSettings(), BOTH),
        (ModelInfo("deepseek", "deepseek-chat"), ON, BOTH),
        (ModelInfo("anthropic", "claude-haiku-4-5"), ON, {}),
    ],
)
def test_no_fallback_when_off_or_for_another_provider_or_with_nobody_there(
    info: ModelInfo, settings: RateLimitFallbackSettings, there: dict[str, FakeProvider]
) -> None:
    assert list(fallback_candidates(info, settings, there)) == []  # type: ignore[arg-type]


# ------------------------------------------------------------------ servable

CARD = ModelInfo("alpha", "small", 1000, images=False, documents=False, tools=False, retires=TODAY)
OPEN = ModelInfo("alpha", "open")


def eligibility_of(
    *, usable: bool = True, blocked: str | None = None, excluded: str = "", today: date | None = date(2026, 1, 1)
) -> Eligibility:
    names = frozenset({excluded} - {""})
    return Eligibility(lambda _: usable, lambda _, __: blocked, names, (lambda: today) if today else None)


@pytest.mark.parametrize(
    ("eligibility", "requirements", "reason"),
    [
        (eligibility_of(), Requirements(), None),
        (eligibility_of(excluded="alpha/small"), Requirements(), "excluded"),
        (eligibility_of(excluded="small"), Requirements(), "excluded"),
        (eligibility_of(today=TODAY), Requirements(), "retired by its provider on 2026-11-22"),
        (eligibility_of(today=date(2026, 11, 21)), Requirements(), None),
        (eligibility_of(today=None), Requirements(), None),
        (eligibility_of(usable=False), Requirements(), "no credential for alpha"),
        (eligibility_of(), Requirements(images=True), "images"),
        (eligibility_of(), Requirements(documents=True), "documents"),
        (eligibility_of(), Requirements(tools=True), "tools"),
        (eligibility_of(), Requirements(1000), None),
        (eligibility_of(), Requirements(1001), "window of 1000"),
        (eligibility_of(blocked="cooling down"), Requirements(), "cooling down"),
    ],
)
def test_why_a_model_cannot_serve(eligibility: Eligibility, requirements: Requirements, reason: str | None) -> None:
    found = eligibility.why_not(CARD, requirements)
    assert found is None if reason is None else reason in (found or "")


def test_a_card_that_says_nothing_serves_anything() -> None:
    assert eligibility_of().why_not(OPEN, Requirements(10**7, images=True, documents=True, tools=True)) is None


def test_needs_are_read_off_the_parts_even_inside_a_tools_answer() -> None:
    image, document = BlobPart("image", "image/png", "aGk="), UriPart("document", "https://example.com/x.pdf")
    assert requirements_of(asking("auto", TextPart("hi")), 7) == Requirements(7)
    assert requirements_of(asking("auto", image, tools=(Tool("f"),)), 0) == Requirements(images=True, tools=True)
    assert requirements_of(asking("auto", ToolCallResponsePart("1", (document,))), 0) == Requirements(documents=True)

"""Tiers, hints, fallback maps, and why a model cannot serve."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.content import BlobPart, FilePart, TextPart, ToolCallResponsePart, UriPart
from openclaw_oauthrouter.canonical.pricing import Price
from openclaw_oauthrouter.canonical.request import ResponseFormat, Tool
from openclaw_oauthrouter.canonical.routing import ModelInfo, RouteHints, RoutingDecision, Tier
from openclaw_oauthrouter.catalog.models import placed
from openclaw_oauthrouter.config.routing import RoutingSettings
from openclaw_oauthrouter.config.upstream import FallbackCandidateSettings, RateLimitFallbackSettings
from openclaw_oauthrouter.errors import ConfigurationError, CredentialNotFound, InvalidRequestError
from openclaw_oauthrouter.routing.eligibility import Eligibility, Requirements, requirements_of
from openclaw_oauthrouter.routing.fallback import fallback_candidates
from openclaw_oauthrouter.routing.hints import hints_of
from openclaw_oauthrouter.routing.tier_report import tier_report
from openclaw_oauthrouter.routing.tiers import borrowing_order, named_tiers
from tests.unit.routing.world import TIERS, TODAY, FakeProvider, World, asking, providers

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
def test_choosing_tier_borrows_from_stronger_ones_first(tier: Tier, order: list[Tier]) -> None:
    assert borrowing_order(tier) == order


def test_plugins_override_tiers_and_the_last_registered_wins() -> None:
    # pluggy hands over answers last registered first.
    named = named_tiers(RoutingSettings(), [{"SIMPLE": ["b/late"]}, {"SIMPLE": ["a/early"], "MEDIUM": ["a/one", "a/two"]}])
    assert {tier: tiers.models for tier, tiers in named.items()} == {SIMPLE: ("b/late",), MEDIUM: ("a/one", "a/two")}


@pytest.mark.parametrize("wrong", [{"HUGE": ["a/b"]}, {"SIMPLE": []}])
def test_choosing_plugins_wrong_tier_is_the_operators_to_mend(wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigurationError, match="SIMPLE, MEDIUM, COMPLEX, REASONING"):
        named_tiers(RoutingSettings(), [wrong])


def test_named_tiers_are_those_of_the_configuration_and_the_others_are_computed() -> None:
    assert named_tiers(RoutingSettings()) == {}
    own = named_tiers(RoutingSettings.model_validate({"tiers": {"COMPLEX": {"primary": "a/b", "fallback": ["a/c"]}}}))
    assert {tier: named.models for tier, named in own.items()} == {COMPLEX: ("a/b", "a/c")}


def test_named_tiers_original_is_the_first_editions_table() -> None:
    named = named_tiers(RoutingSettings.model_validate({"tiers": "original"}))
    assert {tier: tiers.models for tier, tiers in named.items()} == {
        SIMPLE: ("anthropic/claude-haiku-4-5",),
        MEDIUM: ("openai-codex/gpt-5.2-codex",),
        COMPLEX: ("anthropic/claude-sonnet-4-5",),
        REASONING: ("anthropic/claude-opus-4-6",),
    }


def test_choosing_first_classifier_keeps_its_own_table_unless_tiers_are_configured() -> None:
    kept = named_tiers(RoutingSettings(classifier="rules-v1"))
    assert kept[SIMPLE].models == ("anthropic/claude-haiku-4-5",)
    assert kept[COMPLEX].models == ("anthropic/claude-sonnet-4-6",)
    own = RoutingSettings.model_validate({"classifier": "rules-v1", "tiers": {"COMPLEX": {"primary": "a/b"}}})
    assert named_tiers(own)[COMPLEX].models == ("a/b",)


# ------------------------------------------------------------------ hints


def test_hints_are_read_in_any_case() -> None:
    headers = {"x-oauthrouter-tier": " reasoning ", "x-oauthrouter-profile": "economy", "x-oauthrouter-max-tier": "Complex"}
    assert hints_of(headers) == RouteHints(REASONING, "economy", COMPLEX)
    assert hints_of({}) == RouteHints()


@pytest.mark.parametrize("header", ["x-oauthrouter-tier", "x-oauthrouter-profile", "x-oauthrouter-max-tier"])
def test_choosing_wrong_hint_names_what_exists(header: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        hints_of({header: "HUGE"})
    assert refused.value.param == header
    assert "economy" in refused.value.message or "SIMPLE" in refused.value.message


# ------------------------------------------------------------------ fallback maps

CODEX, DEEPSEEK = FakeProvider("openai-codex", any_model=True), FakeProvider("deepseek", any_model=True)
BOTH = {"openai-codex": CODEX, "deepseek": DEEPSEEK}
ON = RateLimitFallbackSettings(enabled=True)


def model(provider: str, name: str, generation: tuple[int, ...], price: float, **fields: Any) -> ModelInfo:
    return placed(ModelInfo(provider, name, generation=generation, list_price=Price(price, 5 * price), **fields))


SERVED = {
    "openai-codex": FakeProvider(
        "openai-codex",
        (
            model("openai-codex", "gpt-6-luna", (6,), 0.1),
            model("openai-codex", "gpt-6.1-terra", (6, 1), 1),
            model("openai-codex", "gpt-6.1-sol", (6, 1), 2),
            model("openai-codex", "gpt-6.2-sol", (6, 2), 2, retires=TODAY),
        ),
    ),
    "deepseek": FakeProvider("deepseek", (model("deepseek", "deepseek-v4-flash", (4,), 0.3),)),
}


@pytest.mark.parametrize(
    ("limited", "codex"),
    [
        ("claude-haiku-4-5", "gpt-6-luna"),
        ("claude-sonnet-4-6", "gpt-6.1-terra"),
        ("claude-opus-4-6", "gpt-6.1-sol"),
        ("claude-fable-5", "gpt-6.1-sol"),
        ("nobody-knows-it", "gpt-6.1-terra"),
    ],
)
def test_choosing_without_a_chain_a_model_of_the_same_class_stands_in(limited: str, codex: str) -> None:
    candidates = list(fallback_candidates(ModelInfo("anthropic", limited), ON, SERVED, TODAY))  # type: ignore[arg-type]
    assert [candidate.info.name for candidate in candidates] == [f"openai-codex/{codex}", "deepseek/deepseek-v4-flash"]
    assert {candidate.only_on for candidate in candidates} == {(429, 529)}


@pytest.mark.parametrize(
    ("key", "found"),
    [("anthropic/claude-haiku-4-5", True), ("claude-haiku-4-5", True), ("haiku", True), ("opus", False)],
)
def test_choosing_map_takes_full_names_ids_and_family_words(key: str, found: bool) -> None:
    settings = RateLimitFallbackSettings(
        enabled=True, on_status_codes=(503,), chain=(FallbackCandidateSettings(provider="deepseek", model_map={key: "x"}),)
    )
    candidates = list(fallback_candidates(ModelInfo("anthropic", "claude-haiku-4-5"), settings, BOTH))  # type: ignore[arg-type]
    assert [(candidate.info.name, candidate.only_on) for candidate in candidates] == ([("deepseek/x", (503,))] if found else [])


@pytest.mark.parametrize(
    ("info", "settings", "there"),
    [
        (ModelInfo("anthropic", "claude-haiku-4-5"), RateLimitFallbackSettings(), BOTH),
        (ModelInfo("deepseek", "deepseek-chat"), ON, SERVED),
        (ModelInfo("anthropic", "claude-haiku-4-5"), ON, {}),
    ],
)
def test_choosing_no_fallback_when_off_or_for_another_provider_or_with_nobody_there(
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
def test_choosing_why_a_model_cannot_serve(eligibility: Eligibility, requirements: Requirements, reason: str | None) -> None:
    found = eligibility.why_not(CARD, requirements)
    assert found is None if reason is None else reason in (found or "")


def test_choosing_model_info_that_says_nothing_serves_anything() -> None:
    assert eligibility_of().why_not(OPEN, Requirements(10**7, images=True, documents=True, tools=True)) is None


def test_requirements_are_read_off_the_parts_even_inside_a_tools_answer() -> None:
    image, document = BlobPart("image", "image/png", "aGk="), UriPart("document", "https://example.com/x.pdf")
    assert requirements_of(asking("auto", TextPart("hi")), 7) == Requirements(7)
    assert requirements_of(asking("auto", image, tools=(Tool("f"),)), 0) == Requirements(images=True, tools=True)
    assert requirements_of(asking("auto", ToolCallResponsePart("1", (document,))), 0) == Requirements(documents=True)
    assert requirements_of(asking("auto", FilePart("document", "file-1")), 0) == Requirements(documents=True)
    assert requirements_of(asking("auto", BlobPart("audio", "audio/wav", "aGk=")), 0) == Requirements(audio=True)
    shaped = asking(response_format=ResponseFormat("json_schema", {}))
    assert requirements_of(shaped, 0) == Requirements(structured_output="json_schema")
    assert requirements_of(asking(response_format=ResponseFormat("text")), 0) == Requirements()


def test_choosing_model_that_keeps_to_no_shape_is_passed_over_while_there_is_another() -> None:
    shaped = asking(response_format=ResponseFormat("json_schema", {}))
    world = World(tier=Tier.SIMPLE)

    def decided(*keeping: str) -> tuple[str, list[str]]:
        router = world.router()
        keep = replace(router.eligibility, shapes=lambda info: ("json_schema",) if info.id in keeping else ("json_object",))
        routed = replace(router, choosing=replace(router.choosing, eligibility=keep)).route(shaped, RouteHints(), None)
        return routed.decision.model, [skip.reason for skip in routed.decision.skipped]

    assert decided("middle") == ("beta/middle", ["cannot keep to a shape of the answer (json_schema)"])
    assert decided() == ("alpha/small", [])


def test_choosing_stops_of_a_fallback_have_to_be_up_to_the_request_too() -> None:
    blind = FakeProvider("gamma", (ModelInfo("gamma", "spare", images=False),))
    chain = (FallbackCandidateSettings(provider="gamma", default_model="spare"),)
    world = World(
        providers=providers(blind), fallback=RateLimitFallbackSettings(enabled=True, from_providers=("alpha",), chain=chain)
    )
    for model in ("auto", "alpha/small"):
        for parts, there in (((), True), ((BlobPart("image", "image/png", "aGk="),), False)):
            decision = world.router().route(asking(model, *parts), RouteHints(), None).decision
            assert ("gamma/spare" in [candidate.info.name for candidate in decision.candidates]) is there


# ------------------------------------------------------------------ models of which tables contradict one another

IMAGE = BlobPart("image", "image/png", "aGk=")
DOUBTED = ModelInfo("gamma", "doubted", 200_000, images=None, documents=None, audio=None, price=Price(1, 5))
SEES, READS_NOTHING = (
    ModelInfo("delta", "sees", 200_000, price=Price(1, 5)),
    ModelInfo("delta", "blind", images=False, documents=False, audio=False),
)


def decided(world: World, model: str, *parts: Any) -> RoutingDecision:
    return world.router().route(asking(model, *parts), RouteHints(), None).decision


def world_of(*chain: str, down: dict[str, str] | None = None) -> World:
    tiers = {**TIERS, "SIMPLE": {"primary": chain[0], "fallback": list(chain[1:])}}
    others = FakeProvider("gamma", (DOUBTED,)), FakeProvider("delta", (SEES, READS_NOTHING))
    usable = {"alpha", "beta", "gamma", "delta"}
    return World(providers=providers(*others), settings={"tiers": tiers}, usable=usable, down=down or {})


@pytest.mark.parametrize(
    ("chain", "down", "first", "doubted_in_chain"),
    [
        (("gamma/doubted", "delta/sees"), {}, "delta/sees", False),
        (("delta/sees", "gamma/doubted"), {}, "delta/sees", False),
        (("delta/sees", "gamma/doubted"), {"delta/sees": "cooling down"}, "beta/middle", False),
        (("gamma/doubted", "delta/sees"), {"delta/sees": "cooling down"}, "beta/middle", False),
        (("gamma/doubted", "delta/blind"), {}, "gamma/doubted", True),
        (("gamma/doubted",), {}, "gamma/doubted", True),
    ],
)
@pytest.mark.parametrize("part", [IMAGE, BlobPart("document", "application/pdf", "aGk="), BlobPart("audio", "audio/wav", "aGk=")])
def test_find_leaves_doubtful_models_out_where_the_tier_names_a_sure_one(
    chain: tuple[str, ...], down: dict[str, str], first: str, doubted_in_chain: bool, part: BlobPart
) -> None:
    decision = decided(world_of(*chain, down=down), "auto", part)
    names = [candidate.info.name for candidate in decision.candidates]
    assert (names[0], "gamma/doubted" in names) == (first, doubted_in_chain)
    assert ("gamma/doubted" in [skip.model for skip in decision.skipped]) is not doubted_in_chain or down
    text = decided(world_of(*chain, down=down), "auto")
    assert "gamma/doubted" in [candidate.info.name for candidate in text.candidates]


def test_find_waits_for_a_sure_model_rather_than_ask_a_doubtful_one() -> None:
    everything = {"alpha": "cooling down", "beta": "cooling down", "delta": "cooling down"}
    decision = decided(world_of("gamma/doubted", "delta/sees", down=everything), "auto", IMAGE)
    assert decision.model == "delta/sees"
    assert "gamma/doubted" in [skip.model for skip in decision.skipped]


@pytest.mark.parametrize("model", ["auto", "alpha/small"])
def test_rate_limit_fallback_takes_an_image_only_to_sure_models(model: str) -> None:
    chain = tuple(
        FallbackCandidateSettings(provider=name, default_model=id_) for name, id_ in (("gamma", "doubted"), ("delta", "sees"))
    )
    fallback = RateLimitFallbackSettings(enabled=True, from_providers=("alpha",), chain=chain)
    world = replace(world_of("alpha/small"), fallback=fallback)
    for parts, there in (((), True), ((IMAGE,), False)):
        names = [candidate.info.name for candidate in decided(world, model, *parts).candidates]
        assert ("gamma/doubted" in names, "delta/sees" in names) == (there, True)


def test_rate_limit_fallback_of_a_doubtful_model_may_be_doubtful_too() -> None:
    chain = (FallbackCandidateSettings(provider="gamma", default_model="doubted"),)
    fallback = RateLimitFallbackSettings(enabled=True, from_providers=("epsilon",), chain=chain)
    other = FakeProvider("epsilon", (replace(DOUBTED, provider="epsilon"),))
    world = World(providers=providers(other, FakeProvider("gamma", (DOUBTED,))), fallback=fallback, usable={"epsilon", "gamma"})
    assert [candidate.info.name for candidate in decided(world, "epsilon/doubted", IMAGE).candidates] == [
        "epsilon/doubted",
        "gamma/doubted",
    ]


# ------------------------------------------------------------------ providers of which no model is known


def test_find_says_that_a_list_of_models_has_not_come() -> None:
    world = World(providers={"house": FakeProvider("house")}, usable={"house"})
    with pytest.raises(CredentialNotFound, match="no model of house is known: no list of models has come yet") as refused:
        world.router().choosing.find(SIMPLE, Requirements())
    assert (refused.value.code, refused.value.retry_after) == ("no_models", 15.0)
    report = tier_report(world.router())
    assert any("No model of house is known yet" in note for note in report["notes"])


def test_find_takes_no_notice_of_silent_providers_beside_others() -> None:
    world = World(providers=providers(FakeProvider("house")), usable={"alpha", "house"})
    assert world.router().choosing.find(SIMPLE, Requirements()).candidates

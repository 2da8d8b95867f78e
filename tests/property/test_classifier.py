"""What must hold of the default classifier for any text at all."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.content import TextPart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.routing import RequestFeatures, Tier
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.lexicon import Lexicon, data_names, read_data
from openclaw_oauthrouter.classifier.parameters import Parameters, tier_at
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.rules import Rules
from openclaw_oauthrouter.classifier.rules_v1 import RulesV1

WORDS = st.sampled_from(
    [
        "hi",
        "prove",
        "that",
        "the",
        "theorem",
        "design",
        "a",
        "distributed",
        "system",
        "what",
        "is",
        "json",
        "定理",
        "код",
        "fix",
        "it",
        "```",
        "?",
        "1.",
        "yes",
    ]
)
TEXTS = st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=60).map(" ".join))
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)
FINITE = st.floats(-10, 10)

patient = settings(deadline=None)
"""The first example loads the data files; how fast the rest is belongs to the benchmarks."""


@cache
def rules() -> Rules:
    return Rules(builtin_dimensions(Parameters.load(learned=True).weights))


@cache
def lexicon() -> Lexicon:
    return Lexicon()


@cache
def english_words() -> dict[str, list[str]]:
    """Spellings of each list that match as whole words only: made of letters, and no stem in any language."""
    found = {}
    for file in data_names("keywords"):
        languages = read_data("keywords", file)
        spellings = {spelling for entries in languages.values() for entry in entries for spelling in entry.split("|")}
        english = {spelling for entry in languages["en"] for spelling in entry.split("|")}
        found[file.removesuffix(".json")] = sorted(word for word in english if word.isalpha() and f"{word}*" not in spellings)
    return found


def said(text: str, previous: Tier | None = None) -> RequestFeatures:
    request = ChatRequest("test", "auto", (Message("user", (TextPart(text),)),))
    return features_of(request, prompt_wrappers=builtin_prompt_wrappers(), previous_tier=previous)


@patient
@given(TEXTS)
def test_classifier_any_text_has_a_tier_a_confidence_and_a_reason(text: str) -> None:
    classified = rules().classify(said(text))
    assert isinstance(classified.tier, Tier)
    assert 0 <= classified.confidence <= 1
    assert classified.reasoning.startswith("score=")
    assert rules().classify(said(text)) == classified


@patient
@given(TEXTS)
def test_classifier_tier_is_where_the_score_lies(text: str) -> None:
    classified = rules().classify(said(text))
    assert classified.tier is tier_at(classified.score, rules().cut_points)


@patient
@given(FINITE, FINITE, st.tuples(FINITE, FINITE, FINITE))
def test_classifier_higher_score_never_means_a_lower_tier(one: float, other: float, cuts: tuple[float, float, float]) -> None:
    low, high = sorted((one, other))
    assert tier_at(low, cuts).rank <= tier_at(high, cuts).rank


@patient
@given(st.data(), LETTERS, LETTERS)
def test_classifier_keyword_inside_a_longer_word_is_not_found(data: st.DataObject, before: str, after: str) -> None:
    name = data.draw(st.sampled_from(sorted(english_words())))
    word = data.draw(st.sampled_from(english_words()[name]))
    longer = data.draw(st.sampled_from([before + word, word + after, before + word + after]))
    found = lexicon().prompt.find(longer).get(name, ())
    assert word not in found


@patient
@given(TEXTS, TEXTS)
def test_saying_it_twice_counts_no_keyword_twice(one: str, other: str) -> None:
    text = f"{one} {other}".lower()
    found = lexicon().prompt.find(f"{text} {text}")
    assert all(len(set(hits)) == len(hits) for hits in found.values())


@patient
@given(TEXTS, st.sampled_from(Tier), st.sampled_from(["yes", "go ahead", "continue", "why?", "好的", "да", "ok now fix it"]))
def test_classifier_follow_up_never_falls(task: str, tier: Tier, reply: str) -> None:
    messages = (Message("user", (TextPart(task),)), Message("assistant", (TextPart("…"),)), Message("user", (TextPart(reply),)))
    found = features_of(ChatRequest("test", "auto", messages), prompt_wrappers=builtin_prompt_wrappers(), previous_tier=tier)
    assert rules().classify(found).tier.rank >= tier.rank


@patient
@given(TEXTS, st.sampled_from(Tier))
def test_tool_results_never_fall(text: str, tier: Tier) -> None:
    found = replace(said(text, tier), is_tool_result_turn=True, has_assistant_turn=True)
    assert rules().classify(found).tier.rank >= tier.rank


@patient
@given(TEXTS)
def test_profiles_never_cross(text: str) -> None:
    ranks = [rules().for_profile(name).classify(said(text)).tier.rank for name in ("economy", "balanced", "quality")]
    assert ranks == sorted(ranks)


@patient
@given(st.text(max_size=200))
def test_wrapping_changes_nothing(text: str) -> None:
    words = said(text).text
    wrapped = f"[Sun 2026-11-22 15:06 UTC] {words}\n\nRuntime: agent=main | host=laptop"
    assert said(wrapped).text == words or not words


@patient
@given(TEXTS)
def test_classifier_compatible_classifier_takes_any_text(text: str) -> None:
    classified = RulesV1().classify(said(text))
    assert classified.tier is not Tier.COMPLEX
    assert 0.5 <= classified.confidence <= 1


@pytest.mark.parametrize("size", [8_000, 100_000, 1_000_000])
def test_classifier_what_is_read_is_bounded(size: int) -> None:
    found = said("word " * (size // 5))
    assert len(found.text) <= 3_100
    assert found.text_length == size - 1

"""The compatibility classifier gives what the original was recorded to give."""

from __future__ import annotations

from typing import Any

import pytest

from openclaw_oauthrouter.canonical.routing import RequestFeatures, Tier
from openclaw_oauthrouter.classifier.features import features_of
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.rules_v1 import RulesV1

from .requests import captured
from .shared_data import SHARED, shared_json


def recorded_cases() -> list[Any]:
    if not SHARED.joinpath("conformance").exists():
        return []
    return [case for case in shared_json("conformance", "cases", "routing.json")["cases"] if case["recorded"]["tier"]]


def features(text: str, images: int = 0) -> RequestFeatures:
    return RequestFeatures(text, len(text), raw_last_user_text=text, raw_last_user_images=images)


@pytest.mark.parametrize("case", recorded_cases(), ids=lambda case: case["id"])
def test_recorded_case(case: dict[str, Any]) -> None:
    classified = RulesV1().classify(
        features_of(captured({"tools": [], **case["request"]}), prompt_wrappers=builtin_prompt_wrappers())
    )
    assert classified.tier == case["expect"]["tier"]
    assert classified.confidence == pytest.approx(case["expect"]["confidence"], abs=0.0005)
    assert classified.reasoning == case["recorded"]["reasoning"]


def test_rules_v1_only_size_and_images_reach_complex() -> None:
    classifier = RulesV1()
    assert classifier.classify(features("word " * 80_001)).tier is Tier.COMPLEX
    assert classifier.classify(features("word " * 79_999)).tier is not Tier.COMPLEX
    assert classifier.classify(features("hi", images=1)).tier is Tier.COMPLEX


def test_confidence_stays_that_of_the_tier_before_the_image_rule() -> None:
    classifier = RulesV1()
    assert classifier.classify(features("hi", images=1)).confidence == classifier.classify(features("hi")).confidence


def test_length_is_counted_in_utf16_units() -> None:
    assert "short (2 tokens)" in RulesV1().classify(features("𝕏𝕏")).reasoning


def test_substrings_and_repeated_entries_count_as_in_the_original() -> None:
    classifier = RulesV1()
    assert classifier.classify(features("Please proofread and improve this note.")).tier is Tier.REASONING
    assert classifier.classify(features("什么是定理？")).tier is Tier.REASONING

"""Texts that come again are not read again, and what is remembered of them is bounded."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.content import TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import DimensionScore, RequestFeatures, Tier
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.features import Unwrapped, features_of
from openclaw_oauthrouter.classifier.flight import flight_of
from openclaw_oauthrouter.classifier.flight_reader import FlightReader
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.classifier.remembered import RememberedTexts
from openclaw_oauthrouter.classifier.rules import Rules

from .requests import said

TASK = "Fix the parser: quotes that nest are read as two tokens. Keep the public API and add tests."
RESULTS = (
    ("pytest -q", "3 failed, 12 passed\n<returncode>1"),
    ("sed -i 's/a/b/' p.py", "<returncode>0"),
    ("pytest -q", "Traceback (most recent call last):\n  File 'p.py'\n<returncode>1"),
    ("pytest -q", "15 passed in 0.2s\n<returncode>0"),
    ("cat p.py", "x" * 5000),
)


def run(length: int) -> ChatRequest:
    messages = [Message("user", (TextPart(f"<system-reminder>be brief</system-reminder>{TASK}"),))]
    for number in range(length):
        command, printed = RESULTS[number % len(RESULTS)]
        messages.append(Message("assistant", (TextPart("Let me see."), ToolCallPart(f"c{number}", "bash", command))))
        messages.append(Message("user", (ToolCallResponsePart(f"c{number}", (TextPart(printed),)),)))
    return ChatRequest("test", "auto", tuple(messages), tools=(Tool("bash"),))


def test_remembered_texts_are_bounded_and_the_oldest_goes_first() -> None:
    texts: RememberedTexts[int] = RememberedTexts(most_texts=3, most_characters=10)
    for number, text in enumerate(("aa", "bb", "cc")):
        texts.put(text, number)
    assert texts.get("aa") == 0
    texts.put("dd", 3)
    assert [texts.get(text) for text in ("aa", "bb", "cc", "dd")] == [None, 1, 2, 3]
    texts.put("e" * 9, 4)
    assert [texts.get(text) for text in ("bb", "cc", "dd", "e" * 9)] == [None, None, None, 4]
    texts.put("f" * 11, 5)
    assert len(texts) == 0, "what is too long alone is not kept"


@pytest.mark.parametrize("length", [0, 1, 4, 13])
def test_features_of_a_conversation_are_the_same_the_second_time(length: int) -> None:
    wrappers = builtin_prompt_wrappers()
    unwrapped = Unwrapped(wrappers)
    for steps in range(length + 1):
        fresh = features_of(run(steps), prompt_wrappers=wrappers)
        assert features_of(run(steps), unwrapped=unwrapped) == fresh
        assert features_of(run(steps), unwrapped=unwrapped) == fresh
    assert fresh.text == TASK


def test_flight_reader_does_not_remember_an_error_flag_of_a_text() -> None:
    reader = FlightReader()
    for is_error in (True, False, True):
        part = ToolCallResponsePart("c", (TextPart("done"),), is_error=is_error)
        messages = [Message("assistant", (ToolCallPart("c", "bash", "pytest"),)), Message("user", (part,))]
        flight = flight_of(messages, reader)
        assert flight is not None
        assert (flight.failures, flight.passing) == ((1, False) if is_error else (0, None))


def test_rules_ask_a_dimension_of_a_third_party_each_time() -> None:
    class Counting:
        name, weight, asked = "counting", 1.0, 0

        def score(self, features: RequestFeatures) -> DimensionScore:
            self.asked += 1
            return DimensionScore(self.name, 1.0 if features.tool_names else -1.0, self.weight)

    counting = Counting()
    rules = Rules([*builtin_dimensions(Parameters.load(learned=True).weights), counting])
    tiers = [rules.classify(said("what is git", tools=(Tool("x"),) if tools else ())).score for tools in (True, False, True)]
    assert counting.asked == 3
    assert tiers[0] == tiers[2] > tiers[1]


def test_rules_score_the_same_words_the_same_in_every_profile() -> None:
    rules = Rules(builtin_dimensions(Parameters.load(learned=True).weights))
    economy = rules.for_profile("economy")
    first = rules.classify(said(TASK))
    assert economy.classify(said(TASK)).score == rules.classify(said(TASK)).score == first.score
    assert first.tier in Tier

"""Expectations of how long answers are, against what a plain sort of the latest says."""

from __future__ import annotations

from math import ceil
from random import Random

import pytest

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.policy.expectations import Expectations


@pytest.mark.parametrize(("conversation", "kept"), [("c", 8), (None, 64)])
def test_expectations_are_quantiles_of_the_latest_answers(conversation: str | None, kept: int) -> None:
    expectations, random, told = Expectations(), Random(7), []
    for _ in range(200):
        told.append(random.choice((random.randrange(5000), 17)))
        expectations.learn(conversation, "p/m", Tier.MEDIUM, told[-1])
        latest = sorted(told[-kept:])
        if len(latest) >= 4:
            for ask, share in ((expectations.median, 0.5), (expectations.likely, 0.9)):
                assert ask(conversation, "p/m", Tier.MEDIUM) == latest[ceil(len(latest) * share) - 1]


def test_expectations_go_by_the_model_until_a_conversation_tells_enough() -> None:
    expectations = Expectations()
    assert expectations.median("c", "p/m", None) == 1000
    for tokens in (1, 2, 3, 4):
        expectations.learn(None, "p/m", None, tokens)
    for tokens in (50, 50, 50):
        expectations.learn("c", "p/other", None, tokens)
    assert expectations.median("c", "p/m", None) == 2
    expectations.learn("c", "p/other", None, 60)
    assert (expectations.median("c", "p/m", None), expectations.likely("c", "p/m", None)) == (50, 60)


def test_expectations_forget_what_was_not_used_for_longest() -> None:
    expectations = Expectations()
    for number in range(600):
        for tokens in (5, 5, 5, 5):
            expectations.learn(None, f"p/{number}", None, tokens)
    assert expectations.median(None, "p/0", None) == 1000
    assert expectations.median(None, "p/599", None) == 5

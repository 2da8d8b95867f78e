"""Refusals that come back word for word for other requests."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.errors import UpstreamStatusError
from openclaw_oauthrouter.health.repetitions import MOST_REMEMBERED, Repetitions


def refusal(words: str) -> UpstreamStatusError:
    error = UpstreamStatusError(words, status_code=400)
    error.upstream_status = 400
    return error


def test_repetition_is_noticed_between_refusals_of_another_kind() -> None:
    seen = Repetitions()
    said = [seen.again("p", "m", refusal(words), key) for words, key in (("a", 1), ("b", 2), ("a", 3), ("b", 2), ("b", 4))]
    assert said == [False, False, True, False, True]


def test_repetition_of_the_same_request_proves_nothing() -> None:
    seen = Repetitions()
    assert not any(seen.again("p", "m", refusal("a"), 1) for _ in range(3))


@pytest.mark.parametrize(
    "words",
    [
        "a (request id: {})",
        "a request_id={}",
        "a. Request id: {}",
        '{{"message": "a", "request_id": "{}"}}',
        "a [trace-id: {}]",
        "a, cf-ray: {}-FRA",
        "a for item rs_{}",
        "a req_{}",
        "a at 2026-11-2{}T10:00:00Z",
    ],
)
def test_ids_and_moments_are_no_difference(words: str) -> None:
    seen = Repetitions()
    first, second = ("3", "4") if "2026" in words else ("2026112902x7b", "9f31c04d77a2")
    assert not seen.again("p", "m", refusal(words.format(first)), 1)
    assert seen.again("p", "m", refusal(words.format(second)), 2)


def test_figures_are_a_difference() -> None:
    seen = Repetitions()
    assert not seen.again("p", "m", refusal("messages.3: must not be empty"), 1)
    assert not seen.again("p", "m", refusal("messages.4: must not be empty"), 2)


def test_refusals_are_forgotten_with_an_answer_and_beyond_their_number() -> None:
    seen = Repetitions()
    seen.again("p", "m", refusal("a"), 1)
    seen.forget("p", "m")
    assert not seen.again("p", "m", refusal("a"), 2)
    for number in range(MOST_REMEMBERED):
        seen.again("p", "m", refusal(f"other {number}!"), number)
    assert not seen.again("p", "m", refusal("a"), 3)

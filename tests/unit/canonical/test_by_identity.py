"""What is remembered of objects by identity: found again, and bounded in number and in bytes."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.by_identity import by_identity
from openclaw_oauthrouter.canonical.tool_names import LONGEST_KEPT, _kept_name, wire_name
from openclaw_oauthrouter.classifier.features import _MOST_KEPT_NAMES, _kept_acts, acts


class Listed(list[Any]):
    """A list that can be watched."""


def kept_alive(sizes: list[int], *, most: int = 64, most_bytes: int = 10_000) -> list[int]:
    """Which of lists with so many characters are still alive when all were asked for, by their place."""
    remembering = by_identity(most, most_bytes)(len)
    watched = []
    for size in sizes:
        listed = Listed(["x" * size])
        assert remembering(listed) == 1
        watched.append(weakref.ref(listed))
        del listed
    gc.collect()
    return [place for place, one in enumerate(watched) if one() is not None]


def test_by_identity_asks_once_for_the_same_object_and_again_for_an_equal_one() -> None:
    asked: list[object] = []

    @by_identity(4)
    def tell(value: list[str], more: int) -> int:
        asked.append(value)
        return len(value) + more

    one = ["a"]
    assert [tell(one, 1), tell(one, 1), tell(one, 2), tell(["a"], 1)] == [2, 2, 3, 2]
    assert asked == [["a"]] * 3


@pytest.mark.parametrize(
    ("sizes", "alive"),
    [
        ([10] * 70, list(range(6, 70))),  # as many as may be
        ([2000] * 12, [8, 9, 10, 11]),  # as much as may be: four times 2,004 bytes
        ([2600, 10], [1]),  # one that is more than a quarter is not worth the others
        ([10_000_000], []),
    ],
)
def test_by_identity_is_bounded(sizes: list[int], alive: list[int]) -> None:
    assert kept_alive(sizes) == alive


def test_by_identity_does_not_keep_what_is_no_json() -> None:
    deep: list[Any] = []
    for _ in range(2000):
        deep = [deep]
    watched = Listed([deep])
    assert by_identity(4)(len)(watched) == 1
    gone = weakref.ref(watched)
    del watched
    gc.collect()
    assert gone() is None


def test_wire_name_of_a_long_name_is_not_remembered() -> None:
    before = _kept_name.cache_info().currsize
    name = "long" * LONGEST_KEPT
    assert wire_name(name) == wire_name(name)
    assert len(wire_name(name)) == 64
    assert _kept_name.cache_info().currsize == before


def test_acts_of_many_names_is_not_remembered() -> None:
    before = _kept_acts.cache_info().currsize
    assert acts(("bash", "x" * _MOST_KEPT_NAMES))
    assert _kept_acts.cache_info().currsize == before

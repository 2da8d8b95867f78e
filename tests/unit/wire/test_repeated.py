"""Lists that come again are the same object, and what is remembered of them is bounded."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.wire.repeated import MOST_LISTS, Repeated


def test_repeated_gives_the_list_that_came_first() -> None:
    repeated = Repeated()
    first = repeated.same([{"name": "weather"}])
    assert first == [{"name": "weather"}]
    assert repeated.same([{"name": "weather"}]) is first


@pytest.mark.parametrize(
    ("sizes", "bytes_left", "lists"),
    [
        ([200] * 10, 816, 4),  # 204 bytes each, of a thousand
        ([300], 0, 0),  # one that is more than a quarter
        ([1] * 3 + [246] * 4, 1000, 4),
    ],
)
def test_repeated_is_bounded_in_bytes(sizes: list[int], bytes_left: int, lists: int) -> None:
    repeated = Repeated(1000)
    for place, size in enumerate(sizes):
        repeated.same([chr(ord("a") + place) * size])
    assert (repeated.bytes, len(repeated._known)) == (bytes_left, lists)


def test_repeated_is_bounded_in_number() -> None:
    repeated = Repeated()
    for number in range(2 * MOST_LISTS):
        repeated.same([number])
    assert len(repeated._known) == MOST_LISTS

"""Interleaved parts, one after the other."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.events import PartDelta, PartFinished, PartStarted
from openclaw_oauthrouter.canonical.part_order import PartEvent, PartOrder


def opened(index: int) -> PartEvent:
    return PartStarted(index, "text")


def grown(index: int, text: str = "x") -> PartEvent:
    return PartDelta(index, text)


closed = PartFinished


@pytest.mark.parametrize(
    ("given", "at_once", "at_the_end"),
    [
        ([opened(0), grown(0), closed(0), opened(1)], [opened(0), grown(0), closed(0), opened(1)], [closed(1)]),
        ([opened(0), opened(1), grown(1), grown(0)], [opened(0), grown(0)], [closed(0), opened(1), grown(1), closed(1)]),
        (
            [opened(0), opened(1), opened(2), closed(2), grown(1), closed(0), grown(1), closed(1)],
            [opened(0), closed(0), opened(1), grown(1), grown(1), closed(1), opened(2), closed(2)],
            [],
        ),
        ([grown(7), closed(7)], [], []),
        ([opened(0), closed(0), grown(0), closed(0)], [opened(0), closed(0)], []),
        (
            [opened(0), grown(0), opened(0), grown(0), closed(0)],
            [opened(0), grown(0), closed(0), opened(0), grown(0), closed(0)],
            [],
        ),
        ([opened(0), opened(1), opened(1), closed(1)], [opened(0)], [closed(0), opened(1), closed(1), opened(1), closed(1)]),
    ],
)
def test_order(given: list[PartEvent], at_once: list[PartEvent], at_the_end: list[PartEvent]) -> None:
    order = PartOrder()
    assert [out for event in given for out in order.receive(event)] == at_once
    assert list(order.release()) == at_the_end
    assert list(order.release()) == []

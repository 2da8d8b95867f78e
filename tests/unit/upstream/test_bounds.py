"""An answer that repeats itself is ended at the same piece, however many pieces come together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_oauthrouter.canonical.events import PartDelta, PartDeltas
from openclaw_oauthrouter.errors import UpstreamProtocolError
from openclaw_oauthrouter.upstream import bounds


def _ended(reads: list[list[str]], *, together: bool) -> bool:
    watch = bounds.Bounds()
    try:
        for texts in reads:
            for event in [PartDeltas(0, texts, "".join(texts))] if together else [PartDelta(0, text) for text in texts]:
                watch.deltas(event)
    except UpstreamProtocolError:
        return True
    return False


@given(st.lists(st.lists(st.sampled_from("aab"), min_size=1, max_size=12), max_size=4))
def test_bounds_counts_repetitions_across_reads(reads: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "MOST_REPETITIONS", 5)
        assert _ended(reads, together=True) == _ended(reads, together=False)

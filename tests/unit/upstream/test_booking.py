"""A call that failed is booked by its failure."""

from __future__ import annotations

import asyncio

import pytest

from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.trace import Attempt
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.errors import (
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamContextError,
    UpstreamOverloadedError,
    UpstreamProtocolError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)
from openclaw_oauthrouter.upstream.booking import book_failure
from openclaw_oauthrouter.upstream.sending import NOT_SENT
from tests.unit.upstream.world import Reservation

NOTHING, REFUSED = "given back", None
PROMPT = Usage(100, 0, estimated=True)


@pytest.mark.parametrize(
    ("error", "status", "booked"),
    [
        (UpstreamConnectionError("refused", code=NOT_SENT), None, NOTHING),
        (UpstreamStatusError("bad request", status_code=400), 400, REFUSED),
        (UpstreamRateLimitError("slow down"), 429, REFUSED),
        (UpstreamBillingError("pay"), 402, REFUSED),
        (UpstreamContextError("too long"), 400, REFUSED),
        (UpstreamOverloadedError("busy"), 529, REFUSED),
        (UpstreamStatusError("broken", status_code=500), 500, REFUSED),
        (UpstreamProtocolError("no JSON"), 502, REFUSED),
        (UpstreamOverloadedError("busy, said within a stream"), 200, REFUSED),
        (UpstreamTimeout("silent"), None, PROMPT),
        (UpstreamTimeout("silent after its head"), 200, PROMPT),
        (UpstreamConnectionError("reset", code="upstream_connection"), None, PROMPT),
        (UpstreamProtocolError("cut"), 200, PROMPT),
        (asyncio.CancelledError(), None, PROMPT),
        (asyncio.CancelledError(), 200, PROMPT),
        (RuntimeError("a bug of ours"), 200, PROMPT),
    ],
    ids=lambda value: getattr(value, "message", None) or str(value),
)
async def test_book_failure_by_what_the_provider_can_have_done(error: BaseException, status: int | None, booked: object) -> None:
    reservation, attempt = Reservation(), Attempt("p", "m", None, "u", status=status, sent=True)
    await book_failure(reservation, attempt, error, ModelInfo("p", "m"), 100, cost_of)
    if booked == NOTHING:
        assert reservation.given_back
        assert not reservation.booked
    else:
        assert reservation.booked == [(booked, 100.0 if booked else 0.0)]
        assert attempt.booked == (100.0 if booked else 0.0)


async def test_book_failure_counts_what_a_cut_answer_had_written() -> None:
    reservation = Reservation()
    attempt = Attempt("p", "m", None, "u", status=200, sent=True, usage=Usage(90, 1), characters=400)
    await book_failure(reservation, attempt, UpstreamTimeout("idle"), ModelInfo("p", "m"), 100, cost_of)
    assert reservation.booked == [(Usage(90, 100, estimated=True), 190.0)]


async def test_book_failure_before_anything_was_sent_gives_all_back() -> None:
    reservation = Reservation()
    await book_failure(reservation, Attempt("p", "m", None, ""), asyncio.CancelledError(), ModelInfo("p", "m"), 100, cost_of)
    assert reservation.given_back


def cost_of(_: ModelInfo, usage: Usage) -> MeasuredCost:
    return MeasuredCost(float(usage.input_tokens + usage.output_tokens))

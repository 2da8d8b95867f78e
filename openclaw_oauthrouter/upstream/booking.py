"""What a call is booked at that failed before its answer reached the client: by its failure, not by what was expected."""

from __future__ import annotations

from collections.abc import Callable

from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.canonical.trace import Attempt
from openclaw_oauthrouter.canonical.usage import Usage, usage_of_interrupted
from openclaw_oauthrouter.errors import UpstreamConnectionError, UpstreamError, UpstreamProtocolError, UpstreamTimeout
from openclaw_oauthrouter.interfaces import Reservation
from openclaw_oauthrouter.upstream.sending import NOT_SENT

CostOf = Callable[[ModelInfo, Usage], MeasuredCost | None]

_BROKEN_OFF = (UpstreamConnectionError, UpstreamTimeout, UpstreamProtocolError)
"""Failures that do not say whether the provider went on working; all others are its own refusal."""


async def book_failure(
    reservation: Reservation, attempt: Attempt, error: BaseException, info: ModelInfo, input_tokens: int, cost_of: CostOf
) -> None:
    """Settle or release, whichever the failure asks for.

    A provider that was not reached has done nothing. One that refused counts as a request and costs nothing. One that was reached and
    then broke off, was given up, or lost its client has read the prompt at least, and may bill what it had written.

    :param error: any exception: cancellation is a client that left
    :param input_tokens: the estimate, used where the provider had not reported yet
    """
    if not attempt.sent or (isinstance(error, UpstreamError) and error.code == NOT_SENT):
        await reservation.release()
        return
    usage = None if _is_refusal(attempt, error) else usage_of_interrupted(attempt.usage, input_tokens, attempt.characters)
    cost = MeasuredCost(0.0) if usage is None else cost_of(info, usage)
    attempt.booked = cost
    await reservation.settle(usage, cost)


def _is_refusal(attempt: Attempt, error: BaseException) -> bool:
    if attempt.status is not None and attempt.status >= 400:
        return True
    return isinstance(error, UpstreamError) and not isinstance(error, _BROKEN_OFF)

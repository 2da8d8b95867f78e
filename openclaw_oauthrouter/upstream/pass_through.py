"""Other ``/v1`` paths (embeddings, transcriptions, files, batches, …): the body goes on untouched but for the model's name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Any

import httpx
import orjson

from openclaw_oauthrouter.canonical.passed_request import PassedRequest
from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage, token_count
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import (
    InvalidRequestError,
    UpstreamBillingError,
    UpstreamConnectionError,
    UpstreamError,
    UpstreamRateLimitError,
    UpstreamTimeout,
)
from openclaw_oauthrouter.interfaces import PassThrough
from openclaw_oauthrouter.upstream.attempt import Target
from openclaw_oauthrouter.upstream.booking import book_failure
from openclaw_oauthrouter.upstream.deadline import Deadline
from openclaw_oauthrouter.upstream.failover import Failover
from openclaw_oauthrouter.upstream.sending import Limits, read_error, read_pieces, read_whole, send

_TAIL_BYTES = 1 << 16
"""Of a stream, in which its last event is looked for: that is where the usage stands."""

_ILL = (UpstreamConnectionError, UpstreamTimeout, UpstreamRateLimitError, UpstreamBillingError)
"""Failures that concern chat as well; a key or a model that is refused on one of these paths may serve it all the same."""

PriceOf = Callable[[ModelInfo, Usage], MeasuredCost | None]
"""US dollars that a usage costs."""


@value(frozen=True, slots=True)
class Call:
    """One request to be passed on.

    :ivar provider: its name
    :ivar info: the model that is paid for; ``None`` where nothing is (a list of files)
    :ivar estimate: of what it will use
    """

    provider: str
    request: PassedRequest
    info: ModelInfo | None = None
    estimate: Estimate = field(default_factory=lambda: Estimate(0, 0))


@value(frozen=True, slots=True)
class Passed:
    """A provider's answer, as it comes.

    :ivar whole: all of it, where that is short and complete; otherwise it comes in ``pieces``
    """

    status: int
    content_type: str
    whole: bytes | None
    pieces: AsyncIterator[bytes]


@asynccontextmanager
async def pass_through(upstream: Failover, call: Call, record: RequestRecord, price: PriceOf) -> AsyncGenerator[Passed, None]:
    """Send one request to its provider; inside, its answer is there to be read, and on leaving what it used is booked.

    :raises InvalidRequestError: the provider has no such paths
    :raises UpstreamError: it refused, or could not be reached
    """
    target, request = await _addressed(upstream, call)
    info, estimate = call.info, call.estimate
    reservation = None
    if info is not None:
        reservation = await upstream.spend.reserve(target.candidate, estimate, record.client, by_plan=target.by_plan, exact=True)
        record.budget_warnings = reservation.warnings
    attempt = Attempt(
        target.provider.name, target.candidate.info.id, target.credential_name, str(request.url.copy_with(query=None))
    )
    record.attempts.append(attempt)
    started, told = upstream.clock(), _Told()
    try:
        async with _sent(upstream, target, request, attempt, told) as passed:
            yield passed
    except BaseException as error:
        attempt.outcome = type(error).__name__
        attempt.reason = error.message if isinstance(error, UpstreamError) else None
        if reservation is not None and info is not None:
            await book_failure(reservation, attempt, error, info, estimate.input_tokens, upstream.cost_of)
        raise
    finally:
        attempt.seconds = upstream.clock() - started
    attempt.outcome = "ok"
    if reservation is not None and info is not None:
        usage = told.usage() or Usage(input_tokens=estimate.input_tokens, estimated=True)
        record.usage, record.cost = usage, price(info, usage)
        record.paid_by = "plan" if target.by_plan else "api"
        await reservation.settle(usage, record.cost)


async def _addressed(upstream: Failover, call: Call) -> tuple[Target, httpx.Request]:
    provider = upstream.providers[call.provider]
    if not isinstance(provider, PassThrough) or not provider.passes(call.request.path):
        raise InvalidRequestError(
            f"{call.provider} serves no /v1/{call.request.path}; choose a model of a provider that does", param="model"
        )
    credentials = upstream.credentials
    wants_credential = provider.needs_credential or credentials.available(provider.name) or credentials.paused(provider.name)
    found = await upstream.credentials.resolve(provider.name) if wants_credential else ()
    info = call.info or ModelInfo(call.provider, "")
    target = Target(Candidate(info), provider, upstream.dialects[provider.dialect], found[0] if found else None)
    return target, provider.pass_through(call.request, target.credential)


@asynccontextmanager
async def _sent(
    upstream: Failover, target: Target, request: httpx.Request, attempt: Attempt, told: _Told
) -> AsyncGenerator[Passed, None]:
    sender, provider, model = upstream.sender, target.provider.name, target.candidate.info.id
    limits = Limits(sender.timeouts, Deadline.after(sender.timeouts.total))
    attempt.sent = True
    sender.mark(request)
    try:
        incoming = await send(sender.transport, request, provider, limits)
        try:
            attempt.status, headers = incoming.status, incoming.headers
            upstream.health.observe_headers(provider, target.credential_name, headers, model=model)
            if incoming.status >= 400:
                raise await read_error(incoming, target.dialect)
            content_type = headers.get("content-type", "application/octet-stream")
            # What comes packed may grow beyond all limits; it is looked at whole, or not at all.
            is_whole = "content-encoding" in headers or (
                content_type.startswith("application/json") and "files/" not in request.url.path
            )
            whole = told.hear(await read_whole(incoming)) if is_whole else None
            yield Passed(incoming.status, content_type, whole, told.listening(read_pieces(incoming)))
        finally:
            await incoming.aclose()
    except _ILL as error:
        upstream.health.failed(provider, model, target.credential_name, error)
        raise


class _Told:
    """Keeps the end of an answer, where it says what it used."""

    def __init__(self) -> None:
        self._tail = b""

    def hear(self, chunk: bytes) -> bytes:
        self._tail = (self._tail + chunk)[-_TAIL_BYTES:] if self._tail or len(chunk) < _TAIL_BYTES else chunk
        return chunk

    async def listening(self, pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
        try:
            async for chunk in pieces:
                yield self.hear(chunk)
        finally:
            await pieces.aclose()

    def usage(self) -> Usage | None:
        """What the answer reports; embeddings and completions do so as Chat Completions does, newer paths as Responses."""
        if b'"usage"' not in self._tail:
            return None
        for line in [self._tail, *reversed(self._tail.splitlines())]:
            found = _usage(line.removeprefix(b"data:").strip())
            if found is not None:
                return found
        return None


def _usage(text: bytes) -> Usage | None:
    try:
        told: Any = orjson.loads(text)
    except ValueError:
        return None
    usage = told.get("usage") if isinstance(told, dict) else None
    if not isinstance(usage, dict):
        return None
    return Usage(
        input_tokens=token_count(usage, "prompt_tokens") or token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "completion_tokens") or token_count(usage, "output_tokens"),
    )

"""Other ``/v1`` paths (embeddings, moderations, …): the body goes on untouched but for the model's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage, token_count
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
from openclaw_oauthrouter.upstream.sending import Limits, read_error, read_whole, send

BYTES_PER_TOKEN = 4
_OUTPUT_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")

_ILL = (UpstreamConnectionError, UpstreamTimeout, UpstreamRateLimitError, UpstreamBillingError)
"""Failures that concern chat as well; a key or a model that is refused on one of these paths may serve it all the same."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A provider's answer, as it came."""

    status: int
    content_type: str
    body: bytes


async def pass_through(
    upstream: Failover,
    path: str,
    body: JsonObject,
    info: ModelInfo,
    size: int,
    record: RequestRecord,
    price: Callable[[ModelInfo, Usage], MeasuredCost | None],
) -> Passed:
    """Send one request to the model's provider.

    :param size: bytes of the client's body, for the budget
    :param price: what a usage costs, US dollars
    :raises InvalidRequestError: the provider has no such paths
    :raises UpstreamError: it refused, or could not be reached
    """
    target, request = await _addressed(upstream, path, body, info)
    estimate = Estimate(size // BYTES_PER_TOKEN, max(token_count(body, name) for name in _OUTPUT_LIMITS))
    reservation = await upstream.spend.reserve(target.candidate, estimate, record.client, by_plan=target.by_plan, exact=True)
    record.budget_warnings = reservation.warnings
    attempt = Attempt(target.provider.name, info.id, target.credential_name, str(request.url))
    record.attempts.append(attempt)
    started = upstream.clock()
    try:
        passed = await _sent(upstream, target, request, attempt)
    except BaseException as error:
        attempt.outcome = type(error).__name__
        attempt.reason = error.message if isinstance(error, UpstreamError) else None
        await book_failure(reservation, attempt, error, info, estimate.input_tokens, upstream.cost_of)
        raise
    finally:
        attempt.seconds = upstream.clock() - started
    attempt.outcome = "ok"
    usage = _usage(passed) or Usage(input_tokens=estimate.input_tokens, estimated=True)
    record.usage, record.cost = usage, price(info, usage)
    record.paid_by = "plan" if target.by_plan else "api"
    await reservation.settle(usage, record.cost)
    return passed


async def _addressed(upstream: Failover, path: str, body: JsonObject, info: ModelInfo) -> tuple[Target, httpx.Request]:
    provider = upstream.providers[info.provider]
    if not isinstance(provider, PassThrough):
        raise InvalidRequestError(
            f"{info.provider} serves no /v1/{path}; choose a model of an OpenAI-compatible provider", param="model"
        )
    wants_credential = provider.needs_credential or upstream.credentials.available(provider.name)
    found = await upstream.credentials.resolve(provider.name) if wants_credential else ()
    target = Target(Candidate(info), provider, upstream.dialects[provider.dialect], found[0] if found else None)
    return target, provider.pass_through(path, {**body, "model": info.id}, target.credential)


async def _sent(upstream: Failover, target: Target, request: httpx.Request, attempt: Attempt) -> Passed:
    sender, provider, model = upstream.sender, target.provider.name, target.candidate.info.id
    limits = Limits(sender.timeouts, Deadline.after(sender.timeouts.total))
    attempt.sent = True
    sender.mark(request)
    try:
        incoming = await send(sender.transport, request, provider, limits)
        try:
            attempt.status = incoming.status
            upstream.health.observe_headers(provider, target.credential_name, incoming.headers, model=model)
            if incoming.status >= 400:
                raise await read_error(incoming, target.dialect)
            answer = await read_whole(incoming)
        finally:
            await incoming.aclose()
    except _ILL as error:
        upstream.health.failed(provider, model, target.credential_name, error)
        raise
    return Passed(incoming.status, incoming.headers.get("content-type", "application/octet-stream"), answer)


def _usage(passed: Passed) -> Usage | None:
    """What the answer reports; embeddings and completions do so as Chat Completions does, newer paths as Responses."""
    if not passed.content_type.startswith("application/json"):
        return None
    try:
        told: Any = orjson.loads(passed.body)
    except ValueError:
        return None
    usage = told.get("usage") if isinstance(told, dict) else None
    if not isinstance(usage, dict):
        return None
    return Usage(
        input_tokens=token_count(usage, "prompt_tokens") or token_count(usage, "input_tokens"),
        output_tokens=token_count(usage, "completion_tokens") or token_count(usage, "output_tokens"),
    )

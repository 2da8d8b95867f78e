"""Other ``/v1`` paths (embeddings, moderations, …): the body goes on untouched but for the model's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.routing import Estimate, Hop, ModelCard
from openclaw_oauthrouter.canonical.trace import Attempt, RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.errors import InvalidRequestError, UpstreamError
from openclaw_oauthrouter.interfaces import PassThrough
from openclaw_oauthrouter.upstream.deadline import Deadline
from openclaw_oauthrouter.upstream.failover import Failover
from openclaw_oauthrouter.upstream.sending import Limits, lower_headers, read_error, read_whole, send

BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Passed:
    """A provider's answer, as it came."""

    status: int
    content_type: str
    body: bytes


async def pass_through(
    upstream: Failover, path: str, body: JsonObject, card: ModelCard, size: int, record: RequestRecord
) -> Passed:
    """Send one request to the model's provider.

    :param size: bytes of the client's body, for the budget
    :raises InvalidRequestError: the provider has no such paths
    :raises UpstreamError: it refused, or could not be reached
    """
    provider = upstream.providers[card.provider]
    if not isinstance(provider, PassThrough):
        raise InvalidRequestError(
            f"{card.provider} serves no /v1/{path}; choose a model of an OpenAI-compatible provider", param="model"
        )
    wants_credential = provider.needs_credential or upstream.credentials.available(provider.name)
    found = await upstream.credentials.resolve(provider.name) if wants_credential else ()
    credential = found[0] if found else None
    estimate = Estimate(size // BYTES_PER_TOKEN, 0)
    reservation = await upstream.spend.reserve(Hop(card), estimate, record.client)
    request = provider.pass_through(path, {**body, "model": card.id}, credential)
    attempt = Attempt(provider.name, card.id, credential.name if credential else None, str(request.url))
    record.attempts.append(attempt)
    sender, dialect = upstream.sender, upstream.dialects[provider.dialect]
    limits = Limits(sender.timeouts, Deadline.after(sender.timeouts.total))
    try:
        async with send(sender.transport, request, provider.name, limits) as response:
            attempt.status = response.status_code
            if response.status_code >= 400:
                raise await read_error(response, dialect, provider.name, limits)
            answer = await read_whole(response, provider.name, limits)
            headers = lower_headers(response)
    except BaseException as error:
        attempt.outcome = type(error).__name__
        attempt.reason = error.message if isinstance(error, UpstreamError) else None
        await reservation.release()
        raise
    attempt.outcome = "ok"
    await reservation.settle(Usage(input_tokens=estimate.input_tokens), 0.0)
    return Passed(response.status_code, _content_type(headers), answer)


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "application/octet-stream")

"""What a batch may cost is known before it is started: its requests are looked through, held against lists and budgets, and booked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.passed_request import KEPT_ID, PassedRequest
from openclaw_oauthrouter.canonical.pricing import MeasuredCost
from openclaw_oauthrouter.canonical.routing import Candidate, Estimate, ModelInfo
from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.canonical.usage import Usage, token_count
from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.upstream.failover import Failover
from openclaw_oauthrouter.upstream.pass_through import Call, PriceOf, pass_through

SHARE = 0.5
"""Of the list price: what OpenAI and Anthropic both take for requests in batches."""

UNSTATED_OUTPUT = 1000
"""Tokens that a request is taken to be answered with which names no limit."""

_OUTPUT_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_BYTES_PER_TOKEN = 4
_MOST_OF_ONE_LINE = 64 << 20

Chosen = Callable[[str], ModelInfo]
"""The model of a full name.

:raises ModelNotFoundError: nobody serves it
"""


@dataclass(slots=True)
class _Requests:
    """What a batch asks for.

    :ivar expected: tokens, by model
    """

    chosen: Chosen
    provider: str
    expected: dict[ModelInfo, Estimate] = field(default_factory=dict)

    def add(self, body: object, where: str, size: int) -> ModelInfo:
        """Count one request.

        :raises InvalidRequestError: it is none, or asks for the model of another provider
        """
        model = body.get("model") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(model, str) or not model:
            raise InvalidRequestError(f"{where} of the batch names no model")
        info = self.chosen(model if model.startswith(f"{self.provider}/") else f"{self.provider}/{model}")
        if info.provider != self.provider:
            raise InvalidRequestError(f"{where} of the batch asks for {model[:80]!r}, which {self.provider} does not serve")
        so_far = self.expected.get(info, Estimate(0, 0))
        output = max(token_count(body, name) for name in _OUTPUT_LIMITS) or UNSTATED_OUTPUT
        self.expected[info] = Estimate(so_far.input_tokens + size // _BYTES_PER_TOKEN, so_far.output_tokens + output)
        return info


@asynccontextmanager
async def booked_batch(
    upstream: Failover, call: Call, record: RequestRecord, chosen: Chosen, price: PriceOf
) -> AsyncGenerator[Call, None]:
    """The call that starts a batch, with its cost set aside; on leaving that is booked, or given back if it was not started.

    What its answers really used, the gateway never sees: the estimate stays.

    :param call: a POST to ``batches`` or ``messages/batches``
    :raises InvalidRequestError: it does not say what is to be done
    :raises PolicyError: a list or a budget forbids it
    """
    requests = _Requests(chosen, call.provider)
    body = _object(call.request.body)
    if call.request.path == "batches":
        await _look_through_file(upstream, call, record, requests, price, body.get("input_file_id"))
    else:
        call = replace(call, request=replace(call.request, body=_named(body, requests)))
    held = []
    try:
        for info, estimate in requests.expected.items():
            held.append((info, estimate, await upstream.spend.reserve(Candidate(info), estimate, record.client, exact=True)))
        yield call
    except BaseException:
        for _, _, reservation in held:
            await reservation.release()
        raise
    total = 0.0
    for info, estimate, reservation in held:
        usage = Usage(estimate.input_tokens, estimate.output_tokens, estimated=True)
        full = price(info, usage)
        cost = None if full is None else MeasuredCost(full * SHARE)
        total += cost or 0.0
        await reservation.settle(usage, cost)
    record.cost = MeasuredCost(total)


def _object(body: bytes) -> JsonObject:
    try:
        value: Any = orjson.loads(body)
    except ValueError as error:
        raise InvalidRequestError(f"the body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidRequestError(f"the body must be a JSON object, not {type(value).__name__}")
    return value


def _named(body: JsonObject, requests: _Requests) -> bytes:
    """Anthropic's batch, whose requests stand in it, with the provider's names of their models."""
    listed = body.get("requests")
    if not isinstance(listed, list) or not listed:
        raise InvalidRequestError("'requests' must be a list of requests", param="requests")
    changed = []
    for number, entry in enumerate(listed, 1):
        params = entry.get("params") if isinstance(entry, dict) else None
        info = requests.add(params, f"request {number}", len(orjson.dumps(params)))
        changed.append({**entry, "params": {**(params or {}), "model": info.id}})
    return orjson.dumps({**body, "requests": changed})


async def _look_through_file(
    upstream: Failover, call: Call, record: RequestRecord, requests: _Requests, price: PriceOf, file_id: object
) -> None:
    """OpenAI's batch, whose requests stand in a file that the provider keeps; what is no request, the provider itself refuses."""
    if not isinstance(file_id, str) or not KEPT_ID.fullmatch(file_id):
        raise InvalidRequestError("'input_file_id' must name a file", param="input_file_id")
    asked = PassedRequest("GET", f"files/{file_id}/content", headers=call.request.headers)
    async with pass_through(upstream, Call(call.provider, asked), record, price) as passed:
        number = 0
        async for line in _lines(passed.pieces):
            number += 1
            try:
                entry: Any = orjson.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                requests.add(entry.get("body"), f"line {number}", len(line))


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > _MOST_OF_ONE_LINE:
            raise InvalidRequestError("a line of the batch's file is too long to be looked through", param="input_file_id")
    if rest.strip():
        yield rest

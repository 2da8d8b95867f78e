"""Asks providers which models they serve; whatever comes back, it is a list of models or a reason why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

import httpx

from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.catalog.listings import (
    MAX_BYTES,
    EmptyListingError,
    ListedModel,
    ListingError,
    read_details,
    read_listing,
)
from openclaw_oauthrouter.interfaces import ListsModels

MOST_DETAILS = 64
"""Models of a local server that are asked for one by one."""

ASKED_SECONDS = 10.0
"""For a whole list, from connecting to its last byte."""


async def fetch_models(
    transport: httpx.AsyncBaseTransport, provider: ListsModels, credential: Credential | None, seconds: float = ASKED_SECONDS
) -> list[ListedModel]:
    """A provider's chat models.

    :param seconds: for all of it together
    :raises ListingError: there is no list to be had; says why, without a secret and without quoting what came
    """
    try:
        async with asyncio.timeout(seconds):
            return await _fetch(transport, provider, credential)
    except TimeoutError:
        raise ListingError(f"it did not answer within {seconds:g} s") from None
    except httpx.HTTPError as error:
        raise ListingError(f"it cannot be reached ({type(error).__name__})") from None
    except ValueError as error:
        # A header or an address that cannot be sent.
        raise ListingError(f"it cannot be asked ({type(error).__name__})") from None


async def _fetch(transport: httpx.AsyncBaseTransport, provider: ListsModels, credential: Credential | None) -> list[ListedModel]:
    refusal: ListingError | None = None
    for request in provider.list_requests(credential):
        try:
            models = read_listing(await _body(transport, request))
        except ListingError as error:
            # The first address is the better one; what it says counts if no other answers. An empty list is an answer.
            if refusal is None or isinstance(error, EmptyListingError):
                refusal = error
            continue
        return await _detailed(transport, provider, models)
    raise refusal or ListingError("it has no list of models")


async def _detailed(
    transport: httpx.AsyncBaseTransport, provider: ListsModels, models: Sequence[ListedModel]
) -> list[ListedModel]:
    """Windows and abilities where a server tells them model by model."""
    found: list[ListedModel] = []
    for model in models[:MOST_DETAILS]:
        request = provider.detail_request(model.id)
        if request is None:
            return list(models)
        try:
            details = read_details(await _body(transport, request))
        except ListingError:
            found.append(model)
            continue
        if details is None:
            continue
        said = {name: value for name, value in details.items() if value is not None}
        found.append(replace(model, **said))
    return [*found, *models[MOST_DETAILS:]]


async def _body(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> bytes:
    request.headers["accept-encoding"] = "identity"
    request.extensions.setdefault("timeout", {"connect": 5.0, "pool": 1.0})
    response = await transport.handle_async_request(request)
    try:
        if response.status_code != HTTPStatus.OK:
            status = response.status_code
            raise ListingError(f"it answered {status} {_phrase(status)}".rstrip(), status)
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > MAX_BYTES:
                raise ListingError(f"its list has more than {MAX_BYTES // 1024 // 1024} MB")
            parts.append(part)
        return b"".join(parts)
    finally:
        await response.aclose()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""

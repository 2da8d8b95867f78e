"""The ASGI types, and reading a request's headers and body within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from openclaw_oauthrouter.errors import InvalidRequestError, RequestTimeoutError, RequestTooLargeError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client hung up."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case; repeated ones joined by a comma.

    Those with more than printable ASCII are left out: some go on to a provider, and nobody has agreed what else would mean there.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if not (value.isascii() and value.isprintable()):
            continue
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int, seconds: float) -> bytes:
    """The whole body.

    :raises RequestTooLargeError: more than ``limit`` bytes, said or sent
    :raises RequestTimeoutError: not here within ``seconds``
    :raises ClientGone: the client hung up
    """
    _check_declared(headers, limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                body += message.get("body", b"")
                if len(body) > limit:
                    raise _too_large(limit)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise RequestTimeoutError(f"the request's body did not arrive within {seconds:g} s; send it faster or smaller") from None


def _check_declared(headers: Mapping[str, str], limit: int) -> None:
    declared = headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    encoding = headers.get("content-encoding", "identity")
    if encoding not in ("", "identity"):
        raise InvalidRequestError(f"the body is encoded as {encoding!r}; send it uncompressed", param="content-encoding")


def _too_large(limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(f"the request's body is larger than {limit} bytes (server.max_body_bytes)")

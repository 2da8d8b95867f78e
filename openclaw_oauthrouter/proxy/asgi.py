"""The ASGI types, and reading a request's headers and body within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from openclaw_oauthrouter.canonical.flow import Wait
from openclaw_oauthrouter.errors import (
    InvalidRequestError,
    RequestTimeoutError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
)
from openclaw_oauthrouter.wire.encodings import UnknownCoding, Unpacker, UnpackingError, UnpacksTooLarge, content_coding

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
SendNow = Callable[[Message], Wait | None]

ON_DISCONNECT = "oauthrouter.on_disconnect"
"""Extension of the scope: a function that takes what to call when the client leaves (or ``None``); saves a task that waits for it."""

ADMITTED = "oauthrouter.admitted"
"""Extension of the scope: a function to call once the client has shown a token; strangers' connections are the first to go when room is short."""

ARRIVED = "oauthrouter.arrived"
"""Extension of the scope: a function that tells whether all of the body is here, so that nobody need wait for it."""

AT_ONCE = "oauthrouter.at_once"
"""Extension of the scope: ``send`` without a wait of its own; it returns what to wait for before more is sent, or ``None``."""

STOPPING = "the gateway stops"
"""Message of the cancellation of a request that runs longer than a gateway may that was told to stop."""


def waiting(send: Send) -> SendNow:
    """``send`` for whoever does not wait by itself."""
    return lambda message: partial(send, message)


def admitted(scope: Scope) -> None:
    """The client of a request has shown a token, or a session."""
    told = scope.get("extensions", {}).get(ADMITTED)
    if told is not None:
        told()


_STEPS_AT_ONCE = 16
"""Steps of unpacking, of 64 KiB each, before others have their turn: about a millisecond."""


class ClientGone(Exception):
    """The client hung up."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case; repeated ones joined by a comma.

    Those with more than printable ASCII are left out: some go on to a provider, and nobody has agreed what else would mean there.
    """
    fields: Headers = scope["headers"]
    # All at once: a header or two more are no dearer then.
    text = b"\n".join([part for field in fields for part in field]).decode("latin-1")
    parts = text.split("\n")
    headers = dict(zip(parts[::2], parts[1::2], strict=False))
    if len(headers) == len(fields) and len(parts) == 2 * len(fields) and text.isascii() and "".join(parts).isprintable():
        return headers
    headers = {}
    for raw_name, raw_value in fields:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if not (value.isascii() and value.isprintable()):
            continue
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int, seconds: float, *, arrived: bool = False) -> bytes:
    """The whole body, unpacked.

    :param arrived: all of it is here already
    :raises RequestTooLargeError: more than ``limit`` bytes, said, sent or unpacked
    :raises UnsupportedMediaTypeError: packed in a way that is not known here
    :raises InvalidRequestError: not what its coding says
    :raises RequestTimeoutError: not here within ``seconds``
    :raises ClientGone: the client hung up
    """
    _check_declared(headers, limit)
    unpacker = unpacker_for(headers.get("content-encoding", ""), limit)
    if arrived:
        body = await _gathered(receive, limit)
    else:
        try:
            async with asyncio.timeout(seconds):
                body = await _gathered(receive, limit)
        except TimeoutError:
            late = f"the request's body did not arrive within {seconds:g} s; send it faster or smaller"
            raise RequestTimeoutError(late) from None
    return body if unpacker is None else await unpack(unpacker, body, limit)


async def _gathered(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return piece if len(pieces) == 1 else b"".join(pieces)


def unpacker_for(header: str, limit: int) -> Unpacker | None:
    """What unpacks a request's body; ``None`` when it comes as it is.

    :param header: ``content-encoding``
    :param limit: bytes of the unpacked body
    :raises UnsupportedMediaTypeError: nothing does
    """
    try:
        coding = content_coding(header)
        return Unpacker(coding, limit) if coding else None
    except UnknownCoding as error:
        raise UnsupportedMediaTypeError(str(error), param="content-encoding") from None


async def unpack(unpacker: Unpacker, packed: bytes, limit: int) -> bytes:
    """A whole body, unpacked a step at a time so that others are served meanwhile.

    :raises RequestTooLargeError: more than ``limit`` bytes
    :raises InvalidRequestError: not what its coding says
    """
    body = bytearray()
    try:
        for number, piece in enumerate(unpacker.feed(packed)):
            body += piece
            if number % _STEPS_AT_ONCE == _STEPS_AT_ONCE - 1:
                await asyncio.sleep(0)
        unpacker.finish()
    except UnpacksTooLarge:
        raise _too_large(limit) from None
    except UnpackingError as error:
        raise InvalidRequestError(str(error), param="content-encoding") from None
    return bytes(body)


def _check_declared(headers: Mapping[str, str], limit: int) -> None:
    declared = headers.get("content-length")
    if declared is not None and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> RequestTooLargeError:
    return RequestTooLargeError(f"the request's body is larger than {limit} bytes, unpacked (server.max_body_bytes)")

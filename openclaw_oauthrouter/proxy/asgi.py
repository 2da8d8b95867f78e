"""The ASGI types, and reading a request's headers and body within limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

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

CLIENT = "oauthrouter.client"
"""Extension of the scope: the ``Client`` (``proxy/client.py``), who can be spoken with directly."""

STOPPING = "the gateway stops"
"""Message of the cancellation of a request that runs longer than a gateway may that was told to stop."""


def admitted(scope: Scope) -> None:
    """The client of a request has shown a token, or a session: strangers' connections are the first to go when room is short."""
    client = scope.get("extensions", {}).get(CLIENT)
    if client is not None:
        client.admitted()


_STEPS_AT_ONCE = 16
"""Steps of unpacking, of 64 KiB each, before others have their turn: about a millisecond."""


class ClientGone(Exception):
    """The client hung up."""


def headers_of(fields: Headers) -> dict[str, str]:
    """A request's headers, names in lower case; repeated ones joined by a comma.

    Those with more than printable ASCII are left out: some go on to a provider, and nobody has agreed what else would mean there.

    :param fields: with their names in lower case
    """
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


async def read_body(receive: Receive, fields: Headers, coding: str, limit: int, seconds: float, whole: bytes | None) -> bytes:
    """The whole body, unpacked.

    :param coding: ``content-encoding``
    :param whole: all of it, as it was sent, where it is here already
    :raises RequestTooLargeError: more than ``limit`` bytes, said, sent or unpacked
    :raises UnsupportedMediaTypeError: packed in a way that is not known here
    :raises InvalidRequestError: not what its coding says
    :raises RequestTimeoutError: not here within ``seconds``
    :raises ClientGone: the client hung up
    """
    for name, value in fields:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise too_large(limit)
    unpacker = unpacker_for(coding, limit)
    if whole is None:
        try:
            async with asyncio.timeout(seconds):
                whole = await _gathered(receive, limit)
        except TimeoutError:
            late = f"the request's body did not arrive within {seconds:g} s; send it faster or smaller"
            raise RequestTimeoutError(late) from None
    return whole if unpacker is None else await unpack(unpacker, whole, limit)


def bounded(receive: Receive, limit: int) -> Receive:
    """The same messages, but the body ends with the piece that makes it larger than ``limit`` bytes; who reads it refuses it by its size.

    For an application that keeps what comes until it has the whole. What comes behind the end is thrown away.
    """
    size = 0

    async def next_message() -> Message:
        nonlocal size
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return message
            if size <= limit:
                size += len(message.get("body", b""))
                return message if size <= limit else {**message, "more_body": False}

    return next_message


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
            raise too_large(limit)
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
        raise too_large(limit) from None
    except UnpackingError as error:
        raise InvalidRequestError(str(error), param="content-encoding") from None
    return bytes(body)


def too_large(limit: int) -> RequestTooLargeError:
    """The refusal of a body beyond its limit."""
    return RequestTooLargeError(f"the request's body is larger than {limit} bytes, unpacked (server.max_body_bytes)")

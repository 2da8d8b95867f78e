"""Sends one request and reads its answer, within time limits; every failure becomes an ``UpstreamError``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx
import orjson

from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed, ResponseFinished
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.config.upstream import TimeoutSettings
from openclaw_oauthrouter.errors import (
    GatewayBusyError,
    Refusal,
    UpstreamConnectionError,
    UpstreamEndpointError,
    UpstreamError,
    UpstreamProtocolError,
)
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.upstream.deadline import Deadline
from openclaw_oauthrouter.upstream.idle import IdleTimeout
from openclaw_oauthrouter.upstream.redaction import REDACTED, blotted, secrets_of
from openclaw_oauthrouter.wire.encodings import CODINGS, Unpacker, UnpackingError, content_coding
from openclaw_oauthrouter.wire.retry_after import wait_in_words

MAX_ERROR_BYTES = 1 << 20
MAX_ANSWER_BYTES = 64 << 20

MOST_WAIT_FOR_CONNECTION = 1.0
"""Seconds that a request waits for a connection of the pool: longer than that, whoever asked does better to come again."""

CLOSING_SECONDS = 1.0
"""How long an answer that is complete may take to end; whoever ends in time has its connection used again."""

NOT_SENT = "upstream_unreachable"
"""Code of an ``UpstreamConnectionError`` that says the provider was never reached, so nothing can have been billed."""


_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


_WRITABLE_LEVELS = 250

_NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What a dialect may raise over JSON that its vendor would never send."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call may take: each step of it, and the request it belongs to."""

    steps: TimeoutSettings
    deadline: Deadline


@asynccontextmanager
async def send(
    transport: httpx.AsyncBaseTransport, request: httpx.Request, provider: str, limits: Limits
) -> AsyncGenerator[httpx.Response, None]:
    """Send a request and hold its response open; leaving closes the connection if the answer was not read to its end.

    :raises UpstreamError: no answer
    :raises GatewayBusyError: all the connections that a provider may have are in use
    """
    steps = limits.steps
    request.extensions["timeout"] = {"connect": steps.connect, "pool": MOST_WAIT_FOR_CONNECTION}
    with _translated(provider):
        try:
            async with asyncio.timeout_at(limits.deadline.within(steps.first_byte)):
                response = await transport.handle_async_request(request)
        except TimeoutError:
            raise limits.deadline.time_out(provider, f"{provider} did not answer within {steps.first_byte:g} s") from None
    try:
        if 300 <= response.status_code < 400:
            raise _redirected(response, provider)
        yield response
    finally:
        await _close(response)


def _redirected(response: httpx.Response, provider: str) -> UpstreamEndpointError:
    """A redirect is not followed: the credential is for the address that was configured."""
    asked, location = response.request.url, response.headers.get("location", "")
    try:
        there = asked.join(location).copy_with(query=None, fragment=None, username=None, password=None)
        where = f"to {there}" if location else "to nowhere"
    except httpx.InvalidURL:
        where = "to an address that is none"
    return UpstreamEndpointError(
        f"{provider} redirects {asked.copy_with(query=None)} {where}; redirects are not followed: correct its api_base",
        provider=provider,
        upstream_status=response.status_code,
    )


async def read_error(response: httpx.Response, dialect: Dialect, provider: str, limits: Limits) -> UpstreamError:
    """The refusal that an answer with status 400 or more carries."""
    try:
        body = await _read(response, provider, limits, MAX_ERROR_BYTES)
    except UpstreamError:
        body = b""
    headers = lower_headers(response)
    try:
        error = dialect.decode_error(response.status_code, headers, body)
    except _NOT_UNDERSTOOD:
        error = dialect.decode_error(response.status_code, headers, b"")
    error.provider = provider
    if not isinstance(error, UpstreamEndpointError):  # whatever stands at a wrong address, a client of the dialect cannot read it
        error.refusal = Refusal(body, response.status_code)
    _tell(error, response, dialect)
    return error


def read_frames(
    response: httpx.Response, dialect: Dialect, provider: str, limits: Limits, stamp: Callable[[Frame], Frame]
) -> AsyncGenerator[Frame, None]:
    """An answer as frames: many when the upstream streams, one when it does not.

    :param stamp: has the last word on each
    """
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return _stream(response, dialect, provider, limits, stamp)
    return _whole(response, dialect, provider, limits, stamp)


async def read_whole(response: httpx.Response, provider: str, limits: Limits) -> bytes:
    """An answer's body, whatever it is."""
    return await _read(response, provider, limits, MAX_ANSWER_BYTES)


def lower_headers(response: httpx.Response) -> Mapping[str, str]:
    """The answer's headers, names in lower case."""
    return {name.lower(): value for name, value in response.headers.items()}


async def _whole(
    response: httpx.Response, dialect: Dialect, provider: str, limits: Limits, stamp: Callable[[Frame], Frame]
) -> AsyncGenerator[Frame, None]:
    body = await _read(response, provider, limits, MAX_ANSWER_BYTES)
    try:
        frame = Frame(body, tuple(dialect.decode_response(_parsed(body))))
    except UpstreamError as error:
        error.refusal = Refusal(body)
        _tell(error, response, dialect)
        raise
    except _NOT_UNDERSTOOD as error:
        kind = response.headers.get("content-type", "no content type")
        raise UpstreamProtocolError(
            f"{provider} answered with something that is not its own protocol ({kind})", provider=provider
        ) from error
    yield stamp(_without_secrets(frame, response, dialect))


def _without_secrets(frame: Frame, response: httpx.Response, dialect: Dialect) -> Frame:
    """A frame that does not tell of the credential that a provider may quote in its failure."""
    failure = frame.events[-1] if frame.events else None
    if not isinstance(failure, ResponseFailed):
        return frame
    _tell(failure.error, response, dialect)
    return Frame(_blotted_bytes(frame.raw, response.request), frame.events)


def _tell(error: UpstreamError, response: httpx.Response, dialect: Dialect) -> None:
    """Complete an error: no credential in it, the wait that only its sentence names, and whose words these are."""
    error.message = blotted(error.message, secrets_of(response.request))
    error.args = (error.message,)
    if error.retry_after is None:
        error.retry_after = wait_in_words(error.message)
    if error.refusal is not None:
        body = _blotted_bytes(error.refusal.body, response.request)
        error.refusal = Refusal(body, error.refusal.status, dialect.name, lower_headers(response))


def _blotted_bytes(raw: bytes, request: httpx.Request) -> bytes:
    for secret in secrets_of(request):
        raw = raw.replace(secret.encode(), REDACTED.encode())
    return raw


def _parsed(body: bytes) -> JsonObject:
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    if body.count(b"[") + body.count(b"{") > _WRITABLE_LEVELS:
        orjson.dumps(value)  # a TypeError here is one less on the way to the client: more levels can be read than written
    return value


async def _stream(
    response: httpx.Response, dialect: Dialect, provider: str, limits: Limits, stamp: Callable[[Frame], Frame]
) -> AsyncGenerator[Frame, None]:
    decoder = dialect.stream_decoder()
    cut: UpstreamError | None = None
    finished = False
    seconds = limits.steps.idle
    try:
        async with IdleTimeout(limits.deadline, seconds) as idle:
            async for chunk in _body(response, MAX_ANSWER_BYTES):
                # Only the upstream's silence counts, not the time a client needs to take what it was sent.
                idle.heard()
                frame = decoder.receive(chunk)
                if frame.plain:
                    yield frame
                else:
                    yield stamp(_without_secrets(frame, response, dialect))
                    finished = finished or _finishes(frame)
                idle.listen(CLOSING_SECONDS if finished else seconds)
    except TimeoutError:
        cut = limits.deadline.time_out(provider, f"{provider} fell silent for {seconds:g} s in the middle of its answer")
    except UnpackingError as error:
        cut = _not_unpacked(provider, error)
    except (httpx.HTTPError, OSError) as error:
        cut = UpstreamConnectionError(
            f"{provider} dropped the connection in the middle of its answer ({type(error).__name__})", provider=provider
        )
    if finished:
        return
    if cut is not None:
        raise cut
    yield stamp(_without_secrets(decoder.finish(), response, dialect))


def _finishes(frame: Frame) -> bool:
    return any(isinstance(event, ResponseFinished) for event in frame.events)


async def _read(response: httpx.Response, provider: str, limits: Limits, limit: int) -> bytes:
    body = bytearray()
    seconds = limits.steps.first_byte
    with _translated(provider):
        try:
            async with asyncio.timeout_at(limits.deadline.within(seconds)):
                async for chunk in _body(response, limit):
                    body += chunk
                    if len(body) > limit:
                        raise UpstreamProtocolError(f"{provider}'s answer is larger than {limit} bytes", provider=provider)
        except TimeoutError:
            raise limits.deadline.time_out(provider, f"{provider} did not finish its answer within {seconds:g} s") from None
        except UnpackingError as error:
            raise _not_unpacked(provider, error) from None
    return bytes(body)


def _body(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes, unpacked if need be.

    :param limit: bytes of a packed body, unpacked
    :raises UnpackingError: while it is read
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - an async transport has no other
    # Nearly every answer comes unpacked because we ask for nothing else.
    header = response.headers.get("content-encoding")
    return _unpacked(response.stream, header, limit) if header else aiter(response.stream)


async def _unpacked(chunks: AsyncIterable[bytes], header: str, limit: int) -> AsyncGenerator[bytes, None]:
    coding = content_coding(header)
    if coding not in CODINGS:
        # Some write a charset there. What is not unpacked cannot grow, and if it is packed it will not be understood.
        async for chunk in chunks:
            yield chunk
        return
    unpacker = Unpacker(coding, limit)
    async for chunk in chunks:
        for piece in unpacker.feed(chunk):
            yield piece
            await asyncio.sleep(0)  # a chunk may stand for megabytes, and others wait


def _not_unpacked(provider: str, error: UnpackingError) -> UpstreamProtocolError:
    return UpstreamProtocolError(f"{provider}'s answer cannot be unpacked: {error}", provider=provider)


async def _close(response: httpx.Response) -> None:
    try:
        await response.aclose()
    except (httpx.HTTPError, OSError):
        return  # it is gone either way


@contextmanager
def _translated(provider: str) -> Iterator[None]:
    try:
        yield
    except httpx.PoolTimeout as error:
        raise GatewayBusyError(f"the gateway has no free connection to {provider}: {error}") from None
    except _NOT_SENT as error:
        raise UpstreamConnectionError(
            f"{provider} cannot be reached: {_words(error)}", provider=provider, code=NOT_SENT
        ) from error
    except (httpx.HTTPError, OSError) as error:
        raise UpstreamConnectionError(f"the connection to {provider} failed: {_words(error)}", provider=provider) from error


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__

"""Sends one request and reads its answer, within time limits; every failure becomes an ``UpstreamError``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import suppress
from functools import lru_cache

import httpx
import orjson

from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.response import WholeAnswer
from openclaw_oauthrouter.canonical.value import value
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
from openclaw_oauthrouter.upstream.http_answer import Answered, HttpAnswer
from openclaw_oauthrouter.upstream.idle import StepTimer
from openclaw_oauthrouter.upstream.redaction import REDACTED, blotted, secrets_of
from openclaw_oauthrouter.wire.encodings import CODINGS, Unpacker, UnpackingError, content_coding
from openclaw_oauthrouter.wire.retry_after import wait_in_body, wait_in_words

MAX_ERROR_BYTES = 1 << 20
MAX_ANSWER_BYTES = 64 << 20

MOST_WAIT_FOR_CONNECTION = 1.0
"""Seconds that a request waits for a connection of the pool: longer than that, whoever asked does better to come again."""

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

_USUAL_NAME = 64
"""Bytes of a header's name that is worth remembering."""

_NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What a dialect may raise over JSON that its vendor would never send."""


@value(frozen=True, slots=True)
class Limits:
    """How long a call may take: each step of it, and the request it belongs to."""

    steps: TimeoutSettings
    deadline: Deadline


class Incoming:
    """An answer whose head has come.

    :ivar headers: names in lower case
    :ivar timer: of the call's steps
    """

    __slots__ = ("headers", "limits", "provider", "response", "status", "timer")

    def __init__(self, response: httpx.Response, provider: str, limits: Limits, timer: StepTimer) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = lower_headers(response)
        self.provider = provider
        self.limits = limits
        self.timer = timer

    @property
    def streams(self) -> bool:
        """Whether the answer comes as events."""
        return self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def stream(self) -> httpx.AsyncByteStream:
        """The body as the transport brings it."""
        assert isinstance(self.response.stream, httpx.AsyncByteStream)  # noqa: S101 - an async transport has no other
        return self.response.stream

    def body(self, limit: int) -> AsyncIterator[bytes]:
        """The body as it comes, unpacked if need be.

        :param limit: bytes of a packed body, unpacked
        :raises UnpackingError: while it is read
        """
        # Nearly every answer comes unpacked because we ask for nothing else.
        header = self.headers.get("content-encoding")
        return _unpacked(self.stream, header, limit) if header else aiter(self.stream)

    def here(self, limit: int) -> bytes | None:
        """The whole body, if it has come and is neither packed nor longer than ``limit``: then there is nothing to wait for."""
        stream = self.response.stream
        return stream.whole(limit) if isinstance(stream, HttpAnswer) and "content-encoding" not in self.headers else None

    async def aclose(self) -> None:
        """Close the connection, unless the answer was read to its end."""
        self.timer.stop()
        stream = self.response.stream
        if isinstance(stream, HttpAnswer):
            stream.leave()
            return
        # Not the response's own method: it would close the same stream, at a dozen times the cost.
        with suppress(httpx.HTTPError, OSError):  # it is gone either way
            await self.stream.aclose()


async def send(transport: httpx.AsyncBaseTransport, request: httpx.Request, provider: str, limits: Limits) -> Incoming:
    """Send a request and wait for the head of its answer; whoever called closes that.

    :raises UpstreamError: no answer
    :raises GatewayBusyError: all the connections that a provider may have are in use
    """
    steps = limits.steps
    request.extensions["timeout"] = {"connect": steps.connect, "pool": MOST_WAIT_FOR_CONNECTION}
    timer = StepTimer(limits.deadline)
    timer.listen(steps.first_byte)
    try:
        response = await transport.handle_async_request(request)
    except BaseException as error:
        late = isinstance(error, asyncio.CancelledError) and timer.ran_out()
        timer.stop()
        if late:
            raise limits.deadline.time_out(provider, f"{provider} did not answer within {steps.first_byte:g} s") from None
        if isinstance(error, (httpx.HTTPError, OSError)):
            raise _connection_failure(error, provider) from error
        raise
    timer.heard()
    incoming = Incoming(response, provider, limits, timer)
    if 300 <= incoming.status < 400:
        await incoming.aclose()
        raise _redirected(response, provider)
    return incoming


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


async def read_error(incoming: Incoming, dialect: Dialect) -> UpstreamError:
    """The refusal that an answer with status 400 or more carries."""
    try:
        body = await read_whole(incoming, MAX_ERROR_BYTES)
    except UpstreamError:
        body = b""
    try:
        error = dialect.decode_error(incoming.status, incoming.headers, body)
    except _NOT_UNDERSTOOD:
        error = dialect.decode_error(incoming.status, incoming.headers, b"")
    error.provider = incoming.provider
    if not isinstance(error, UpstreamEndpointError):  # whatever stands at a wrong address, a client of the dialect cannot read it
        error.refusal = Refusal(body, incoming.status)
    _tell(error, incoming, dialect)
    return error


def lower_headers(response: httpx.Response) -> Mapping[str, str]:
    """The answer's headers, names in lower case; those that come several times joined by commas."""
    found: dict[str, str] = {}
    for raw_name, raw_value in response.raw_headers if isinstance(response, Answered) else response.headers.raw:
        name = _name(raw_name) if len(raw_name) <= _USUAL_NAME else raw_name.decode("latin-1").lower()
        try:
            value = raw_value.decode("utf-8")
        except UnicodeDecodeError:
            value = raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


@lru_cache(maxsize=512)
def _name(raw: bytes) -> str:
    """A provider's answers have the same twenty names all the time."""
    return raw.decode("latin-1").lower()


async def read_frame(incoming: Incoming, dialect: Dialect, stamp: Callable[[Frame], Frame]) -> Frame:
    """An answer that does not stream, as one frame.

    :param stamp: has the last word on it
    """
    body = await read_whole(incoming)
    try:
        told = dialect.decode_response(_parsed(body))
    except UpstreamError as error:
        error.refusal = Refusal(body)
        _tell(error, incoming, dialect)
        raise
    except _NOT_UNDERSTOOD as error:
        kind = incoming.headers.get("content-type", "no content type")
        raise UpstreamProtocolError(
            f"{incoming.provider} answered with something that is not its own protocol ({kind})", provider=incoming.provider
        ) from error
    if type(told) is WholeAnswer:
        return stamp(Frame(body, told))
    return stamp(without_secrets(Frame(body, tuple(told)), incoming, dialect))


def without_secrets(frame: Frame, incoming: Incoming, dialect: Dialect) -> Frame:
    """A frame that does not tell of the credential that a provider may quote in its failure."""
    failure = frame.told[-1] if frame.told else None
    if not isinstance(failure, ResponseFailed):
        return frame
    _tell(failure.error, incoming, dialect)
    return Frame(_blotted_bytes(frame.raw, incoming.response.request), frame.told)


def _tell(error: UpstreamError, incoming: Incoming, dialect: Dialect) -> None:
    """Complete an error: no credential in it, the wait that only its sentence names, and whose words these are."""
    request = incoming.response.request
    error.message = blotted(error.message, secrets_of(request))
    error.args = (error.message,)
    if error.retry_after is None:
        error.retry_after = wait_in_words(error.message) or (wait_in_body(error.refusal.body) if error.refusal else None)
    if error.refusal is not None:
        body = _blotted_bytes(error.refusal.body, request)
        error.refusal = Refusal(body, error.refusal.status, dialect.name, incoming.headers)


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


async def read_whole(incoming: Incoming, limit: int = MAX_ANSWER_BYTES) -> bytes:
    """An answer's body, whatever it is.

    :param limit: in bytes
    :raises UpstreamError: it is longer, or broke off
    """
    provider, timer, seconds = incoming.provider, incoming.timer, incoming.limits.steps.first_byte
    here = incoming.here(limit)
    if here is not None:
        timer.stop()
        return here
    pieces: list[bytes] = []
    size = 0
    timer.listen(seconds)
    try:
        async for chunk in incoming.body(limit):
            pieces.append(chunk)
            size += len(chunk)
            if size > limit:
                raise UpstreamProtocolError(f"{provider}'s answer is larger than {limit} bytes", provider=provider)
    except asyncio.CancelledError:
        if not timer.ran_out():
            raise
        late = f"{provider} did not finish its answer within {seconds:g} s"
        raise incoming.limits.deadline.time_out(provider, late) from None
    except UnpackingError as error:
        raise not_unpacked(provider, error) from None
    except (httpx.HTTPError, OSError) as error:
        raise _connection_failure(error, provider) from error
    finally:
        timer.stop()
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def read_pieces(incoming: Incoming) -> AsyncGenerator[bytes, None]:
    """An answer's body as it comes, whatever it is and however large.

    :raises UpstreamError: it broke off, or the provider fell silent
    """
    provider, timer, seconds = incoming.provider, incoming.timer, incoming.limits.steps.idle
    timer.listen(seconds)
    try:
        async for chunk in incoming.body(MAX_ANSWER_BYTES):
            timer.heard()
            yield chunk
            timer.listen(seconds)
    except asyncio.CancelledError:
        if not timer.ran_out():
            raise
        late = f"{provider} fell silent for {seconds:g} s in the middle of its answer"
        raise incoming.limits.deadline.time_out(provider, late) from None
    except UnpackingError as error:
        raise not_unpacked(provider, error) from None
    except (httpx.HTTPError, OSError) as error:
        raise _connection_failure(error, provider) from error
    finally:
        timer.stop()


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


def not_unpacked(provider: str, error: UnpackingError) -> UpstreamProtocolError:
    return UpstreamProtocolError(f"{provider}'s answer cannot be unpacked: {error}", provider=provider)


def _connection_failure(error: httpx.HTTPError | OSError, provider: str) -> GatewayBusyError | UpstreamConnectionError:
    if isinstance(error, httpx.PoolTimeout):
        return GatewayBusyError(f"the gateway has no free connection to {provider}: {error}")
    if isinstance(error, _NOT_SENT):
        return UpstreamConnectionError(f"{provider} cannot be reached: {_words(error)}", provider=provider, code=NOT_SENT)
    return UpstreamConnectionError(f"the connection to {provider} failed: {_words(error)}", provider=provider)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__

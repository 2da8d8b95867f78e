"""One call of one upstream: encode, reserve, send, and hold the answer until its first content is here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import httpx

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.credential import Credential
from openclaw_oauthrouter.canonical.events import (
    FinishReason,
    Frame,
    PartDelta,
    PartDeltas,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.fitting import fit
from openclaw_oauthrouter.canonical.own_copy import leaves_contents, own_copy
from openclaw_oauthrouter.canonical.request import ChatRequest, EncodedRequest
from openclaw_oauthrouter.canonical.response import WholeAnswer
from openclaw_oauthrouter.canonical.routing import Candidate
from openclaw_oauthrouter.canonical.trace import VIA, Attempt
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.catalog.accepts import with_accepts
from openclaw_oauthrouter.config.upstream import TimeoutSettings
from openclaw_oauthrouter.errors import UpstreamError, UpstreamProtocolError
from openclaw_oauthrouter.interfaces import Dialect, Health, Provider
from openclaw_oauthrouter.post import Post
from openclaw_oauthrouter.upstream.bounds import Bounds
from openclaw_oauthrouter.upstream.deadline import Deadline
from openclaw_oauthrouter.upstream.frame_stream import FrameStream
from openclaw_oauthrouter.upstream.origins import Origins
from openclaw_oauthrouter.upstream.proxies import is_own
from openclaw_oauthrouter.upstream.sending import Incoming, Limits, read_error, read_frame, send

TRACE_CONTEXT = ("traceparent", "tracestate")
"""W3C Trace Context: passed on, so that a trace does not end here."""

_CONTENT = (PartDelta, PartDeltas, ResponseFinished)


class Target:
    """Where one call goes.

    :ivar credential_name: names the credential in traces and in what is known of health
    :ivar by_plan: a subscription pays: the provider's, or that of the account that a token signs in to
    :ivar origin: who will have made the opaque reasoning of this call's answer
    """

    __slots__ = ("by_plan", "candidate", "credential", "credential_name", "dialect", "origin", "provider")

    def __init__(self, candidate: Candidate, provider: Provider, dialect: Dialect, credential: Credential | None) -> None:
        self.candidate = candidate
        self.provider = provider
        self.dialect = dialect
        self.credential = credential
        self.credential_name: str | None = None
        self.by_plan, account = provider.subscription, ""
        if credential is not None:
            self.credential_name = credential.name
            self.by_plan = self.by_plan or credential.kind != "api_key"
            account = credential.account_id or credential.name
        self.origin = f"{provider.name}/{account}"


@dataclass(slots=True)
class Answer:
    """An upstream's answer whose first content has come; later frames come as they arrive.

    :ivar rest: ``None`` when ``first`` is all of it
    :ivar headers: of the upstream's answer, lower-case names
    :ivar streamed: the upstream streams; otherwise one frame holds its whole body
    :ivar usage: the last usage seen, also when the stream broke off
    :ivar begun: content was seen
    :ivar finish_reason: why the answer ended; ``None`` as long as its end was not seen
    """

    target: Target
    encoded: EncodedRequest
    first: list[Frame]
    rest: FrameStream | None
    headers: Mapping[str, str]
    attempt: Attempt
    streamed: bool
    incoming: Incoming
    usage: Usage | None = None
    begun: bool = False
    finish_reason: FinishReason | None = None
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def characters(self) -> int:
        """Text, reasoning and tool arguments that came."""
        return self.bounds.characters

    async def aclose(self) -> None:
        """Close the upstream connection; unless the answer was read to its end, the provider stops generating."""
        await self.incoming.aclose()

    def see(self, frame: Frame) -> None:
        """Take note of a frame of ``first`` or ``rest``, in their order; of a plain one ``bounds`` alone need see the events.

        :raises UpstreamProtocolError: the answer does not end
        """
        told = frame.told
        if type(told) is WholeAnswer:
            self._see_whole(told)
            return
        for event in told:
            if type(event) is PartDelta or type(event) is PartDeltas:
                self.begun = True
                self.bounds.deltas(event)
            elif type(event) is UsageReported:
                self.usage = event.usage
            elif type(event) is ResponseFinished:
                self.finish_reason = event.finish_reason

    def _see_whole(self, answer: WholeAnswer) -> None:
        for words in answer.words:
            self.begun = True
            self.bounds.deltas(PartDelta(0, words))
        self.usage = answer.usage
        self.finish_reason = answer.response.finish_reason


@dataclass(frozen=True, slots=True)
class Sender:
    """Makes calls; knows nothing of routes.

    :ivar instance: this gateway's own mark
    """

    transport: httpx.AsyncBaseTransport
    timeouts: TimeoutSettings
    health: Health
    origins: Origins
    clock: Clock
    instance: str = ""

    async def call(self, request: ChatRequest, target: Target, attempt: Attempt, deadline: Deadline) -> Answer:
        """Send a request and wait for its first content.

        :raises UpstreamError: no content came; nothing has reached the client
        :raises InvalidRequestError: the request cannot be said in the upstream's dialect
        """
        started = self.clock()
        try:
            return await self._call(request, target, attempt, Limits(self.timeouts, deadline))
        except UpstreamError as error:
            error.provider = error.provider or target.provider.name
            attempt.status = error.upstream_status or attempt.status
            attempt.outcome, attempt.reason = type(error).__name__, error.message
            raise
        finally:
            attempt.seconds = self.clock() - started

    async def _call(self, request: ChatRequest, target: Target, attempt: Attempt, limits: Limits) -> Answer:
        info, provider = target.candidate.info, target.provider
        foreign = self.origins.foreign(request, target.origin)
        own = replace(request, foreign_opaque=foreign) if foreign else request
        info = with_accepts(info, target.dialect.name)
        own, fitted = fit(own, info, target.dialect.name)
        plain = target.dialect.encode_request(own, info)
        plain = replace(plain, notes=(*fitted, *plain.notes)) if fitted else plain
        if not leaves_contents(provider):
            plain = replace(plain, body=own_copy(plain.body))
        encoded = provider.prepare(own, plain, target.credential)
        if target.dialect.name != provider.dialect:
            encoded = replace(encoded, dialect=target.dialect.name)
        http_request = provider.build_request(own, encoded, target.credential)
        attempt.url = http_request.address.shown if isinstance(http_request, Post) else str(http_request.url).partition("?")[0]
        for name in TRACE_CONTEXT:
            if name in request.headers:
                _say(http_request, name, request.headers[name])
        self.mark(http_request, request.headers.get(VIA))
        self.health.calling(provider.name, info.id, target.credential_name)
        attempt.sent = True
        incoming = await send(self.transport, http_request, provider.name, limits)
        frames: FrameStream | None = None
        try:
            attempt.status = incoming.status
            self.health.observe_headers(provider.name, target.credential_name, incoming.headers, model=info.id)
            if incoming.status >= 400:
                raise await read_error(incoming, target.dialect)
            stamp = partial(self.origins.stamped, origin=target.origin)
            if incoming.streams:
                frames = FrameStream(incoming, target.dialect, stamp)
                first = await (_beginning(frames, attempt) if request.stream else _whole(frames, attempt))
            else:
                first = [await read_frame(incoming, target.dialect, stamp)]
                _take_note(first[0], attempt, whole=not request.stream)
        except BaseException:
            await incoming.aclose()
            raise
        attempt.outcome = "ok"
        return Answer(target, encoded, first, frames, incoming.headers, attempt, incoming.streams, incoming)

    def mark(self, request: httpx.Request, before: str | None = None) -> None:
        """Let this gateway know a request again, should its provider's address lead back here; vendors need not see it.

        :param before: what gateways on the way here have written
        """
        if self.instance and (before or request.url.scheme == "http" or is_own(request.url.host)):
            _say(request, VIA, f"{before}, {self.instance}" if before else self.instance)


def _say(request: httpx.Request, name: str, value: str) -> None:
    if isinstance(request, Post):
        request.say(name, value)
    else:
        request.headers[name] = value


async def _beginning(frames: AsyncIterator[Frame], attempt: Attempt) -> list[Frame]:
    """Read until the answer says something. What fails before that has not reached the client, so another upstream can still answer."""
    seen: list[Frame] = []
    bounds = Bounds()
    async for frame in frames:
        bounds.before_content(frame)
        if frame.told or b"data:" in frame.raw:  # comments say that the provider still works; the client hears that from us
            seen.append(frame)
        for event in frame.told:
            _note(attempt, event)
            if isinstance(event, ResponseFailed):
                raise event.error
            if isinstance(event, _CONTENT) or (isinstance(event, PartStarted) and event.kind != "text"):
                return seen
    return seen


def _note(attempt: Attempt, event: StreamEvent | PartDeltas) -> None:
    """What an answer used that may yet fail before it reaches the client."""
    if isinstance(event, (PartDelta, PartDeltas)):
        attempt.characters += len(event.text)
    elif isinstance(event, UsageReported):
        attempt.usage = event.usage


async def _whole(frames: AsyncIterator[Frame], attempt: Attempt) -> list[Frame]:
    """Read a streamed answer to its end, for a client that gets it whole."""
    seen: list[Frame] = []
    bounds = Bounds()
    finished = False
    async for frame in frames:
        if not frame.told and b"data:" not in frame.raw:
            bounds.before_content(frame)  # comments
            continue
        bounds.keep(frame)
        seen.append(frame)
        for event in frame.told:
            _note(attempt, event)
            if isinstance(event, ResponseFailed):
                raise event.error
            if isinstance(event, (PartDelta, PartDeltas)):
                bounds.deltas(event)
            finished = finished or isinstance(event, ResponseFinished)
    if not finished:
        raise UpstreamProtocolError("the provider's answer is incomplete")
    return seen


def _take_note(frame: Frame, attempt: Attempt, *, whole: bool) -> None:
    """What one frame brought that is all of the answer.

    :param whole: the client gets it in one piece, so it has to be one
    """
    Bounds().keep(frame)
    told = frame.told
    if type(told) is WholeAnswer:
        attempt.characters += sum(map(len, told.words))
        attempt.usage = told.usage or attempt.usage
        return
    finished = False
    for event in told:
        if isinstance(event, (PartDelta, PartDeltas, UsageReported)):
            _note(attempt, event)
        elif isinstance(event, ResponseFailed):
            raise event.error
        elif isinstance(event, ResponseFinished):
            finished = True
    if whole and not finished:
        raise UpstreamProtocolError("the provider's answer is incomplete")

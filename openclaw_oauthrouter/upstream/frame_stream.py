"""A streamed answer as frames, one for each network read: asked for one by one, or handed on in the step in which they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import httpx

from openclaw_oauthrouter.canonical.events import Frame, ResponseFinished
from openclaw_oauthrouter.canonical.flow import Take, Wait, taken
from openclaw_oauthrouter.errors import UpstreamConnectionError, UpstreamError
from openclaw_oauthrouter.interfaces import Dialect
from openclaw_oauthrouter.upstream.sending import MAX_ANSWER_BYTES, Incoming, not_unpacked, without_secrets
from openclaw_oauthrouter.wire.encodings import UnpackingError

CLOSING_SECONDS = 1.0
"""How long an answer that is complete may take to end; whoever ends in time has its connection used again."""

_BROKEN = (asyncio.CancelledError, UnpackingError, httpx.HTTPError, OSError)


class FrameStream:
    """Iterate it up to some frame, then ``deliver`` the others.

    Only the upstream's silence counts against its time, not what a client needs to take what it was sent.

    :param stamp: has the last word on each frame
    """

    def __init__(self, incoming: Incoming, dialect: Dialect, stamp: Callable[[Frame], Frame]) -> None:
        self._incoming = incoming
        self._dialect = dialect
        self._stamp = stamp
        self._decoder = dialect.stream_decoder()
        self._body = incoming.body(MAX_ANSWER_BYTES)
        self._timer = incoming.timer
        self._patience = incoming.limits.steps.idle
        self._finished = False
        self._over = False

    def __aiter__(self) -> FrameStream:
        return self

    async def __anext__(self) -> Frame:
        """The next frame.

        :raises UpstreamError: the answer broke off
        """
        if self._over:
            raise StopAsyncIteration
        self._timer.listen(self._patience)
        try:
            chunk = await anext(self._body)
        except StopAsyncIteration:
            last = self._last()
            if last is None:
                raise
            return last
        except _BROKEN as error:
            self._break_off(error)
            raise StopAsyncIteration from None
        self._timer.heard()
        frame = self._decoder.receive(chunk)
        return frame if frame.plain else self._seen(frame)

    async def deliver(self, take: Take[Frame]) -> None:
        """Hand on all frames that are left.

        :raises UpstreamError: the answer broke off
        """
        if self._over:
            return
        self._timer.listen(self._patience)
        try:
            await _deliver(self._body, self._handing_on(take))
        except _Takers as failure:
            raise failure.error from failure.error.__cause__
        except _BROKEN as error:
            self._break_off(error)
        else:
            last = self._last()
            if last is not None:
                await taken(take(last))
        finally:
            self._timer.stop()

    def _handing_on(self, take: Take[Frame]) -> Take[bytes]:
        receive, timer = self._decoder.receive, self._timer
        now = timer.now

        def hand_on(chunk: bytes) -> Wait | None:
            frame = receive(chunk)
            wait = take(frame if frame.plain else self._seen(frame))
            if wait is not None:
                timer.heard()
                return partial(self._wait, wait)
            if frame.plain:
                timer.since = now()
            else:
                timer.listen(self._patience)
            return None

        return hand_on

    async def _wait(self, wait: Wait) -> None:
        try:
            await wait()
        except (httpx.HTTPError, OSError) as error:
            raise _Takers(error) from None
        self._timer.listen(self._patience)

    def _seen(self, frame: Frame) -> Frame:
        """A frame that holds more than words, as it goes on."""
        if not self._finished and any(isinstance(event, ResponseFinished) for event in frame.told):
            self._finished = True
            self._patience = CLOSING_SECONDS
        return self._stamp(without_secrets(frame, self._incoming, self._dialect))

    def _last(self) -> Frame | None:
        """The connection has ended: what its end means."""
        self._over = True
        self._timer.stop()
        return None if self._finished else self._stamp(without_secrets(self._decoder.finish(), self._incoming, self._dialect))

    def _break_off(self, error: BaseException) -> None:
        self._over = True
        cut = self._cut(error)
        self._timer.stop()
        if not self._finished:
            raise cut from None

    def _cut(self, error: BaseException) -> UpstreamError:
        provider, limits = self._incoming.provider, self._incoming.limits
        if isinstance(error, asyncio.CancelledError):
            if not self._timer.ran_out():
                raise error
            silent = f"{provider} fell silent for {limits.steps.idle:g} s in the middle of its answer"
            return limits.deadline.time_out(provider, silent)
        if isinstance(error, UnpackingError):
            return not_unpacked(provider, error)
        words = f"{provider} dropped the connection in the middle of its answer ({type(error).__name__})"
        return UpstreamConnectionError(words, provider=provider)


class _Takers(Exception):
    """A failure of whoever takes the frames; not the upstream's, though of a kind that the upstream's are of."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


async def _deliver(body: AsyncIterator[bytes], take: Take[bytes]) -> None:
    """Hand on what is left of a body: in the step in which it comes, where the body can do that."""
    deliver = getattr(body, "deliver", None)
    if deliver is not None:
        await deliver(take)
        return
    async for chunk in body:
        await taken(take(chunk))

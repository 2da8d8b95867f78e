"""The time one request may take in all: every candidate, every wait, and the stream to its end."""

from __future__ import annotations

import asyncio

from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import UpstreamTimeout

CODE = "request_time_limit"
"""Code of an ``UpstreamTimeout`` that blames the request's whole time rather than one provider."""


@value(frozen=True, slots=True)
class Deadline:
    """When a request has to be over.

    :ivar at: time of the event loop
    :ivar seconds: what was allowed (``upstream.timeouts.total``)
    """

    at: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """So many seconds from now; call it within the event loop."""
        return cls(asyncio.get_running_loop().time() + seconds, seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; 0 or less when it is over."""
        return self.at - asyncio.get_running_loop().time()

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0

    def within(self, seconds: float) -> float:
        """The event loop's time ``seconds`` from now, or the end of the request's whole time if that comes first."""
        return min(asyncio.get_running_loop().time() + seconds, self.at)

    def time_out(self, provider: str, otherwise: str) -> UpstreamTimeout:
        """What to say when a time limit has ended.

        :param otherwise: the message if it was the step's own limit
        """
        if not self.passed:
            return UpstreamTimeout(otherwise, provider=provider)
        return UpstreamTimeout(
            f"the request took longer than {self.seconds:g} s in all (upstream.timeouts.total)", code=CODE, provider=provider
        )

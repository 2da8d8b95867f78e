"""Remembers who made which opaque reasoning, so that none is ever sent to anybody else."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace

from openclaw_oauthrouter.canonical.content import Opaque
from openclaw_oauthrouter.canonical.events import Frame, PartFinished, PartStarted
from openclaw_oauthrouter.canonical.opaque import seals_in
from openclaw_oauthrouter.canonical.request import ChatRequest
from openclaw_oauthrouter.canonical.response import WholeAnswer

_SEALED = (PartStarted, PartFinished)
NONE: frozenset[str] = frozenset()


class Origins:
    """The makers of the most recent opaque strings, by digest.

    A client of another dialect carries the maker along (``canonical.opaque.seal``); one of the same dialect sends the vendor's bare string
    back, and only this memory tells that its conversation has moved to another provider or account since.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._makers: OrderedDict[bytes, str] = OrderedDict()

    def foreign(self, request: ChatRequest, origin: str) -> frozenset[str]:
        """The opaque strings of a request that ``origin`` did not make."""
        sealed = request.overview.opaque
        return frozenset([one.data for one in sealed if (one.origin or self._maker(one) or origin) != origin]) if sealed else NONE

    def _maker(self, opaque: Opaque) -> str | None:
        return next((maker for seal in seals_in(opaque) if (maker := self._makers.get(_digest(seal)))), None)

    def stamped(self, frame: Frame, origin: str) -> Frame:
        """A frame with its maker written into every opaque part."""
        if frame.plain or (type(frame.told) is WholeAnswer and not frame.told.sealed):
            return frame
        if not [event for event in frame.told if type(event) in _SEALED and event.opaque]:  # type: ignore[union-attr]
            return frame
        events = (self._stamp(event, origin) if isinstance(event, (PartStarted, PartFinished)) else event for event in frame.told)
        return Frame(frame.raw, tuple(events))

    def _stamp(self, event: PartStarted | PartFinished, origin: str) -> PartStarted | PartFinished:
        if event.opaque is None:
            return event
        for seal in seals_in(event.opaque):
            self._makers[_digest(seal)] = origin
        while len(self._makers) > self._capacity:
            self._makers.popitem(last=False)
        return replace(event, opaque=replace(event.opaque, origin=origin))


def _digest(data: str) -> bytes:
    return hashlib.blake2b(data.encode("utf-8", "replace"), digest_size=16).digest()

"""Panels that count: they take requests summed up, so that a request costs them next to nothing."""

from __future__ import annotations

from openclaw_oauthrouter.canonical.request_sums import RequestSums, sums_of
from openclaw_oauthrouter.canonical.trace import RequestRecord


class CountingPanel:
    """A ``Panel`` to which it does not matter in which order requests came."""

    name: str
    title: str

    def update(self, record: RequestRecord) -> None:
        """Count a single record. The feed does so only with panels that have an ``update`` of their own."""
        self.count(sums_of(record))

    def count(self, sums: RequestSums) -> None:
        """Count requests that ended alike."""
        raise NotImplementedError

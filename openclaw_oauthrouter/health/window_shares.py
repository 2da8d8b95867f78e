"""What single calls use up of a plan's windows: vendors tell how full a window is, not what a call took, so that is learnt from both.

Between two readings of a window, calls of a known list price were made and the window filled by so much: that much of it goes for a
dollar. Other programs on the same plan make a call look dearer than it is; many readings even out the vendors' whole per cents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openclaw_oauthrouter.canonical.routing import WindowShare
from openclaw_oauthrouter.health.windows import Reading

MOST_HOLDERS = 256
MOST_WINDOWS = 32
"""Of one holder; a provider may name ever new ones."""
ENOUGH = 1.0
"""Once so many windows' worth was seen, what was seen first counts for half: vendors change what a plan holds."""
SAME_RESET_SECONDS = 120.0
"""Resets that lie no further apart than this are one window's: some vendors tell them in seconds from now."""


@dataclass(slots=True)
class _Meter:
    """One window of one account.

    :ivar waiting: US dollars of list price called for since the last reading
    :ivar dollars: those whose effect was seen
    :ivar risen: by which share the window filled meanwhile
    """

    reading: Reading
    used: float
    waiting: float = 0.0
    dollars: float = 0.0
    risen: float = 0.0

    def take(self, reading: Reading, used: float) -> None:
        before, after = self.reading.resets_at, reading.resets_at
        same = before is None or after is None or abs(after - before) <= SAME_RESET_SECONDS
        if same and used >= self.used:
            self.risen += used - self.used
            self.dollars += self.waiting
        self.reading, self.used, self.waiting = reading, used, 0.0
        if self.risen > ENOUGH:
            self.risen, self.dollars = self.risen / 2, self.dollars / 2

    def share(self, dollars: float) -> float | None:
        return dollars * self.risen / self.dollars if self.risen > 0 and self.dollars > 0 else None


class WindowShares:
    """Learns from readings and calls, by account; bounded, and begun anew with the process."""

    def __init__(self) -> None:
        self._meters: dict[tuple[str, str], dict[str, _Meter]] = {}

    def observe(self, provider: str, credential: str | None, readings: Sequence[Reading]) -> None:
        """Take what an answer said of its account's windows; rate limits of API keys are no windows."""
        for reading in readings:
            if reading.used is None or reading.per_model:
                continue
            meters = self._of(provider, credential)
            meter = meters.get(reading.name)
            if meter is None:
                if len(meters) >= MOST_WINDOWS:
                    del meters[next(iter(meters))]
                meters[reading.name] = _Meter(reading, reading.used)
            else:
                meter.take(reading, reading.used)

    def charge(self, provider: str, credential: str | None, model: str, dollars: float, now: float) -> tuple[WindowShare, ...]:
        """Take note of a call, and say what it is taken to have used up.

        :param dollars: what the API would have charged
        :returns: each window that counts the model; a share of ``None`` is not known yet
        """
        told = []
        for name, meter in self._meters.get((provider, credential or ""), {}).items():
            if meter.reading.counts(model, now):
                meter.waiting += dollars
                told.append(WindowShare(name, meter.used, meter.share(dollars)))
        return tuple(told)

    def _of(self, provider: str, credential: str | None) -> dict[str, _Meter]:
        key = (provider, credential or "")
        if key not in self._meters and len(self._meters) >= MOST_HOLDERS:
            del self._meters[next(iter(self._meters))]
        return self._meters.setdefault(key, {})

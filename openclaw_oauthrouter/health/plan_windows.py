"""Which credential has used up a window, and until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.health.cooldowns import MOST_AHEAD_SECONDS, MOST_SUBJECTS, PROBE_SECONDS, Probes
from openclaw_oauthrouter.health.windows import Reading

LONGEST_PAUSE_SECONDS = 900.0
"""A window's reset is told beforehand and rarely comes earlier, so it is worth fewer calls in vain than other failures."""

MOST_WINDOWS = 32
"""Of one holder."""

_FORGET_SECONDS = 8 * 86_400.0
_LONGEST_SECONDS = 40 * 86_400.0
"""Some limits count by the month; a reset that lies further ahead is a wrong clock's."""


_NONE: Mapping[str, Reading] = {}


class Holder(NamedTuple):
    """Whose limit it is.

    :ivar credential: ``""`` for a provider that needs none
    :ivar model: ``""`` when the limit was not reported for one model
    """

    provider: str
    credential: str
    model: str


class PlanWindows:
    """The last reading of each window of each holder.

    :ivar used_up: holders that may have a window used up: nearly always none, and then nobody need ask
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._readings: dict[Holder, dict[str, Reading]] = {}
        self.used_up: set[Holder] = set()
        self._probes = Probes(LONGEST_PAUSE_SECONDS)

    def observe(self, provider: str, credential: str | None, model: str | None, readings: Sequence[Reading]) -> bool:
        """Take readings; ``True`` when they show that a window of the whole account that was used up is open again."""
        reopened = False
        for reading in readings:
            holder = Holder(provider, credential or "", (model or "") if reading.per_model else "")
            known = self._readings_of(holder)
            before = known.get(reading.name)
            if before is not None and before.exhausted and not reading.exhausted:
                self._probes.forget((holder, reading.name))
                reopened = reopened or not reading.per_model
            self._keep(holder, reading)
        return reopened

    def answered(self, provider: str, credential: str | None, model: str) -> bool:
        """A call went through: windows that it probed are open, whatever they said before.

        So are those reported a minute ago or earlier; a call that ends sooner may have begun before the window was used up.
        """
        now = self._clock()
        freed = False
        for holder, reading in self._blocking(provider, credential, model):
            probed = self._probes.is_under_way((holder, reading.name), reading.observed_at)
            if probed or now - reading.observed_at >= PROBE_SECONDS:
                self._readings[holder][reading.name] = replace(reading, exhausted=False, observed_at=now)
                self._probes.forget((holder, reading.name))
                freed = True
        return freed

    def blocked(self, provider: str, credential: str | None, model: str, beyond: float = 0.0) -> str | None:
        """Why not to call now.

        :param beyond: only what lasts longer than so many seconds
        """
        blocking = self._blocking(provider, credential, model)
        now = self._clock() if blocking else 0.0
        for holder, reading in blocking:
            if not self._probes.due((holder, reading.name), reading.observed_at, now):
                left = (reading.resets_at or now) - now
                if left < beyond:
                    continue
                return f"the {reading.name} limit of {holder.credential or provider} is used up for another {left:.0f} s"
        return None

    def calling(self, provider: str, credential: str | None, model: str) -> None:
        """A call is made; nobody else need look until it is known how it went."""
        now = self._clock()
        for holder, reading in self._blocking(provider, credential, model):
            self._probes.start((holder, reading.name), reading.observed_at, now)

    def telling(self, provider: str, credential: str | None, model: str) -> list[Reading]:
        """The windows of a plan that count a model and say how much of them is used; API rate limits are none."""
        now = self._clock()
        readings = self._readings.get(Holder(provider, credential or "", ""), {})
        return [reading for reading in readings.values() if reading.used is not None and reading.counts(model, now)]

    def model_alone_used_up(self, provider: str, credential: str | None, model: str) -> bool:
        """Whether what is used up counts this model and some others, while the account as a whole is served."""
        blocking = [reading for _, reading in self._blocking(provider, credential, model) if not reading.per_model]
        return bool(blocking) and all(reading.models for reading in blocking)

    def told_at(self, provider: str, credential: str | None) -> float:
        """When the windows of a plan were last told of; 0 for never."""
        readings = self._readings.get(Holder(provider, credential or "", ""), _NONE)
        return max((reading.observed_at for reading in readings.values()), default=0.0)

    def items(self) -> Iterator[tuple[Holder, Reading]]:
        """Every reading that is not too old to mean anything."""
        now = self._clock()
        for holder, readings in self._readings.items():
            for reading in readings.values():
                if now - reading.observed_at < _FORGET_SECONDS and (reading.resets_at is not None or not reading.is_over(now)):
                    yield holder, reading

    def merge(self, holder: Holder, reading: Reading) -> None:
        """Take over what others know if it is newer, and can be: not from tomorrow, nor with a reset in a year."""
        now = self._clock()
        if reading.observed_at > now + MOST_AHEAD_SECONDS or (reading.resets_at or 0.0) - reading.observed_at > _LONGEST_SECONDS:
            return
        known = self._readings_of(holder)
        before = known.get(reading.name)
        if before is None or reading.observed_at > before.observed_at:
            self._keep(holder, reading)

    def _readings_of(self, holder: Holder) -> dict[str, Reading]:
        if holder not in self._readings and len(self._readings) >= MOST_SUBJECTS:
            oldest = next(iter(self._readings))
            self.used_up.discard(oldest)
            for name in self._readings.pop(oldest):
                self._probes.forget((oldest, name))
        return self._readings.setdefault(holder, {})

    def _keep(self, holder: Holder, reading: Reading) -> None:
        """A provider names its windows, and may name ever new ones: the one named first is forgotten then."""
        known = self._readings[holder]
        if reading.name not in known and len(known) >= MOST_WINDOWS:
            oldest = next(iter(known))
            del known[oldest]
            self._probes.forget((holder, oldest))
        known[reading.name] = reading
        if reading.exhausted:
            self.used_up.add(holder)
        elif holder in self.used_up and not any(other.exhausted for other in known.values()):
            self.used_up.discard(holder)

    def _blocking(self, provider: str, credential: str | None, model: str) -> list[tuple[Holder, Reading]]:
        if not self.used_up:
            return []
        found = []
        for holder in (Holder(provider, credential or "", model), Holder(provider, credential or "", "")):
            for reading in self._readings.get(holder, _NONE).values():
                if reading.exhausted and reading.blocks(model, self._clock()):
                    found.append((holder, reading))
        return found

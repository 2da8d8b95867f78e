"""What is left alone for a while after it failed, and the single request that may look whether it is well again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from openclaw_oauthrouter.canonical.clock import Clock
from openclaw_oauthrouter.canonical.failure import FailureRule
from openclaw_oauthrouter.canonical.value import value
from openclaw_oauthrouter.errors import Scope, UpstreamError

PROBE_SECONDS = 60.0
"""What failed is tried this often by a real request, so that its recovery is noticed within it."""

MOST_SUBJECTS = 1000
"""A client may ask for any number of models that do not exist; the oldest are forgotten."""

MOST_AHEAD_SECONDS = 60.0
"""How far the clocks of two machines may stand apart; what was learnt later than that has not happened."""

_LONGEST_SECONDS = 8 * 86_400.0
"""No plan window is longer than a week; a longer Retry-After is nonsense."""


class Subject(NamedTuple):
    """What can be out of order.

    :ivar name: model id or credential name; ``""`` for a provider
    """

    scope: Scope
    provider: str
    name: str = ""


@value(frozen=True, slots=True)
class Cooling:
    """One subject's state; kept after ``until`` so that the next failure doubles.

    :ivar failures: incidents in a row; 0 after a success
    :ivar since: start of the present cooldown, Unix seconds
    :ivar until: its end; 0 after a success
    :ivar reason: for people
    :ivar told: the provider itself named the end
    :ivar status: what a client is told meanwhile, if nobody else can serve
    :ivar code: the reason for machines, and
    :ivar kind: its ``error_type``
    :ivar retryable: whether another try may help
    """

    failures: int
    since: float
    until: float
    reason: str
    told: bool = False
    status: int = 503
    code: str = ""
    kind: str = "server_error"
    retryable: bool = True


class Probes:
    """Lets single requests through to what is blocked for long: after a minute, then after pauses that double.

    :param longest_pause: seconds; the doubling ends here
    """

    def __init__(self, longest_pause: float = PROBE_SECONDS) -> None:
        self._longest_pause = longest_pause
        self._pauses: dict[object, float] = {}
        self._started: dict[object, float] = {}

    def due(self, key: object, blocked_since: float, now: float) -> bool:
        """Whether the next request may look; asking changes nothing."""
        began = max(self._started.get(key, blocked_since), blocked_since)
        # A clock that was set back must not make anybody wait for it to come round again.
        return not 0 <= now - began < self._pauses.get(key, PROBE_SECONDS)

    def start(self, key: object, blocked_since: float, now: float) -> None:
        """A call is made: the probe, if one is due."""
        if self.due(key, blocked_since, now):
            self._started[key] = now
            self._pauses[key] = min(2 * self._pauses.get(key, PROBE_SECONDS), self._longest_pause)

    def is_under_way(self, key: object, blocked_since: float) -> bool:
        """Whether a probe was let through since the block began."""
        return self._started.get(key, 0.0) > blocked_since

    def forget(self, key: object) -> None:
        """It works again: the next block starts with a minute."""
        self._pauses.pop(key, None)
        self._started.pop(key, None)


class Cooldowns:
    """Cooldowns by subject, counted on a clock that nobody sets; wall-clock times come and go with ``items`` and ``merge`` only.

    :param clock: Unix seconds
    :param steady: seconds of a clock that only runs forward; ``clock`` when absent
    :ivar states: what was ever left alone; where there is nothing, nobody need ask
    """

    def __init__(self, clock: Clock, steady: Clock | None = None) -> None:
        self._wall = clock
        self._clock = steady or clock
        self.states: dict[Subject, Cooling] = {}
        self._probes = Probes()

    def begin(self, subject: Subject, rule: FailureRule, error: UpstreamError) -> bool:
        """Leave a subject alone as long as the rule says; ``False`` when it says nothing.

        Requests that were under way together fail together: that is one incident and doubles nothing.
        """
        if rule.cooldown is None:
            return False
        now = self._clock()
        known = self.states.get(subject)
        same_incident = known is not None and now < known.until and not self._probes.is_under_way(subject, known.since)
        failures = known.failures if known is not None else 0
        failures = max(failures, 1) if same_incident else failures + 1
        seconds = min(rule.cooldown.seconds * 2.0 ** min(failures - 1, 32), rule.cooldown.most_seconds)
        # A wait of no length, or one that is over, is none: what was refused a moment ago is not asked at once by the next request.
        told = rule.cooldown.evidence == "retry_after" and error.retry_after is not None and error.retry_after > 0
        if told and error.retry_after is not None:
            seconds = min(error.retry_after, _LONGEST_SECONDS)
        until = now + seconds
        if same_incident and known is not None:
            until = max(until, known.until)
        if known is None:
            self._make_room()
        reason = f"{rule.happened} ({error.message[:200]})"
        self.states[subject] = Cooling(
            failures, now, until, reason, told, error.status_code, error.code or "", error.error_type, error.retryable
        )
        return True

    def clear(self, subject: Subject) -> bool:
        """The subject works; ``False`` when nothing spoke against it."""
        known = self.states.get(subject)
        if known is None or known.failures == 0:
            return False
        self.states[subject] = Cooling(0, self._clock(), 0.0, "")
        self._probes.forget(subject)
        return True

    def blocked(self, subject: Subject) -> str | None:
        """Why not to call now; ``None`` once the time is over, and while a probe is due."""
        known = self.states.get(subject)
        now = self._clock()
        if known is None or now >= known.until or self._probes.due(subject, known.since, now):
            return None
        return f"{_words(subject)} is left alone for another {known.until - now:.0f} s: {known.reason}"

    def of(self, subject: Subject) -> Cooling | None:
        """The cooldown that runs now."""
        known = self.states.get(subject)
        return known if known is not None and self._clock() < known.until else None

    def left(self, cooling: Cooling) -> float:
        """Seconds until a cooldown ends."""
        return cooling.until - self._clock()

    def told(self, subject: Subject) -> tuple[float, Cooling] | None:
        """How long the provider itself asked to be left alone from now on; ``None`` when it did not, or a probe is due."""
        known = self.states.get(subject)
        now = self._clock()
        if known is None or not known.told or now >= known.until or self._probes.due(subject, known.since, now):
            return None
        return known.until - now, known

    def calling(self, subject: Subject) -> None:
        """A call is made; nobody else need look until it is known how it went."""
        known = self.states.get(subject)
        now = self._clock()
        if known is not None and now < known.until:
            self._probes.start(subject, known.since, now)

    def items(self) -> Iterator[tuple[Subject, Cooling]]:
        """Everything known in Unix seconds, forgotten subjects left out."""
        now, ahead = self._clock(), self._wall() - self._clock()
        return ((subject, _moved(state, ahead)) for subject, state in self.states.items() if now - state.since < _LONGEST_SECONDS)

    def merge(self, subject: Subject, state: Cooling) -> None:
        """Take over what others know if it is newer; times that cannot be, such as a failure of tomorrow, are nonsense."""
        wall = self._wall()
        if state.since > wall + MOST_AHEAD_SECONDS or state.until - state.since > _LONGEST_SECONDS:
            return
        theirs = _moved(state, self._clock() - wall)
        known = self.states.get(subject)
        # The way to Unix seconds and back costs a fraction of a microsecond, which is no news.
        if known is None or theirs.since > known.since + 0.001:
            if known is None:
                self._make_room()
            self.states[subject] = theirs

    def _make_room(self) -> None:
        """Forget the oldest, and its probes with it."""
        if len(self.states) >= MOST_SUBJECTS:
            oldest = min(self.states, key=lambda subject: self.states[subject].since)
            del self.states[oldest]
            self._probes.forget(oldest)


def _moved(state: Cooling, seconds: float) -> Cooling:
    if not seconds:
        return state
    return replace(state, since=state.since + seconds, until=state.until + seconds if state.until else 0.0)


def _words(subject: Subject) -> str:
    return f"{subject.scope} {subject.name or subject.provider!s}"

"""What has happened in an agent's task so far, read off its tool calls and their results, and how likely it is to fail as it goes.

The chance of failure is a small logistic score fitted on real runs (``data/agents.json``). It says nothing of what another model would
make of the task; it only tells runs that go well from runs that go in circles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from operator import attrgetter

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.request import Message
from openclaw_oauthrouter.canonical.routing import Flight
from openclaw_oauthrouter.classifier.flight_reader import Call, FlightReader, Result, Step, Words, steps_of
from openclaw_oauthrouter.classifier.lexicon import read_data

RECENT = 5

LATELY = 10
"""Results by which it is told whether a task goes in circles."""

_Pair = tuple[Call, Result]

_WORDS, _TESTS, _EDITS = map(attrgetter, ("words", "tests", "edits"))
_CHARACTERS, _FAILED_ONE, _HAS_TRACEBACK = map(attrgetter, ("characters", "failed", "traceback"))


def flight_of(messages: Sequence[Message], reader: FlightReader | None = None) -> Flight | None:
    """Read the messages since the task was set.

    Gone through with each request of a task, so in a few passes over lists rather than step by step.

    :param reader: remembers what it has read before
    :returns: ``None`` when no tool was called
    """
    reader = reader or FlightReader()
    steps: list[Step] = []
    for message in messages:
        known = (message.seen or message.glance).steps
        steps += _remembered(message, reader) if known is None else known
    calls = [step for step in steps if type(step) is Call]
    if not calls:
        return None
    results = [step for step in steps if type(step) is Result]
    pairs = list(zip(calls, results, strict=True)) if len(calls) == len(results) else _pairs_of(steps)
    repeats = len(calls) - len(set(map(_WORDS, calls)))
    failed = list(map(_FAILED_ONE, results))
    edits, tests = sum(map(_EDITS, calls)), sum(map(_TESTS, calls))
    same_failures, same_answers = _same_again(pairs, reader) if repeats else (0, 0)
    return Flight(
        calls=len(calls),
        failures=sum(failed),
        recent_failures=sum(failed[-RECENT:]),
        tracebacks=sum(map(_HAS_TRACEBACK, results)),
        repeats=repeats,
        edits=edits,
        tests=tests,
        untested_edits=_untested_edits(calls) if edits else 0,
        passing=_passing(pairs, reader) if tests else None,
        output_characters=sum(map(_CHARACTERS, results)),
        gave_up=_times_given_up(steps),
        late_failures=sum(failed[-LATELY:]),
        same_failures=same_failures,
        same_answers=same_answers,
    )


def _pairs_of(steps: Sequence[Step]) -> list[_Pair]:
    """Calls with their results, where not every call has one; what the assistant says ends the wait for them."""
    found: list[_Pair] = []
    waiting: list[Call] = []
    for step in steps:
        if isinstance(step, Call):
            waiting.append(step)
        elif isinstance(step, Words):
            waiting = []
        elif waiting:
            found.append((waiting.pop(0), step))
    return found


def _untested_edits(calls: Sequence[Call]) -> int:
    count = 0
    for call in reversed(calls):
        if call.tests:
            break
        count += call.edits
    return count


def _passing(pairs: Sequence[_Pair], reader: FlightReader) -> bool | None:
    """Whether the tests passed when they last ran and said so."""
    verdicts = (reader.passed(result) for call, result in reversed(pairs) if call.tests)
    return next((passed for passed in verdicts if passed is not None), None)


def _times_given_up(steps: Sequence[Step]) -> int:
    """Among the assistant's latest words; none if its last do not give up."""
    said = (step.gave_up for step in reversed(steps) if type(step) is Words)
    return 1 + sum(islice(said, RECENT - 1)) if next(said, False) else 0


def _same_again(pairs: Sequence[_Pair], reader: FlightReader) -> tuple[int, int]:
    """Of the latest results, those that brought what the same call had brought before: failures, and others."""
    failures = others = 0
    before = {call.words: result.ends for call, result in pairs[:-LATELY]}
    for call, result in pairs[-LATELY:]:
        ends = before.get(call.words)
        if ends is not None and reader.same(ends, result.ends):
            failures += result.failed
            others += not result.failed and not reader.waits(call)
        before[call.words] = result.ends
    return failures, others


def _remembered(message: Message, reader: FlightReader) -> tuple[Step, ...]:
    steps = message.glance.steps = tuple(steps_of(message, reader))
    return steps


TROUBLE_FEATURES = (
    "calls",
    "failing",
    "recently failing",
    "tracebacks",
    "repeats",
    "edits",
    "tests",
    "untested edits",
    "prompt",
    "output",
)
"""Names, in the order of ``trouble_features``."""


def trouble_features(flight: Flight, input_tokens: int) -> tuple[float, ...]:
    """Figures of about 0 to 1 each, one for each name in ``TROUBLE_FEATURES``."""
    calls = max(1, flight.calls)
    return (
        math.log1p(calls) / 5,
        flight.failures / calls,
        flight.recent_failures / RECENT,
        flight.tracebacks / calls,
        flight.repeats / calls,
        flight.edits / calls,
        flight.tests / calls,
        min(1.0, flight.untested_edits / 8),
        math.log1p(input_tokens) / 12,
        math.log1p(flight.output_characters / calls) / 10,
    )


@dataclass(frozen=True)
class Trouble:
    """The fitted score."""

    data: JsonObject = field(default_factory=lambda: read_data("agents.json"))

    GAVE_UP = 0.3
    """Added when the model itself says that it cannot go on; too rare in the recorded runs to be fitted, like all that follows."""
    GAVE_UP_AGAIN = 0.1
    """Added for each time that it has said so shortly before."""
    PASSING = -0.1
    """Added when the last tests passed and nothing was edited since."""
    FAILURE = 0.05
    """Added for each failure beyond five among the latest ten results."""
    SAME_FAILURE = 0.1
    """Added for each of the latest ten results that is the same failure again: whoever runs in circles repeats itself, and so do those who
    try again what they have mended; only what comes of it tells them apart."""
    SAME_ANSWER = 0.06
    """Added for each of them that is the same answer again, though no failure."""

    def chance(self, flight: Flight, input_tokens: int) -> float:
        """0 to 1: chance that the task fails if it goes on as until now."""
        raw, weighed = self._fitted
        for figure, (weight, low, high) in zip(trouble_features(flight, input_tokens), weighed, strict=True):
            raw += weight * (low if figure < low else high if figure > high else figure)
        chance = 1 / (1 + math.exp(-raw))
        if flight.gave_up:
            chance += self.GAVE_UP + self.GAVE_UP_AGAIN * (flight.gave_up - 1)
        if flight.passing and not flight.untested_edits:
            chance += self.PASSING
        if flight.late_failures > LATELY // 2:
            chance += self.FAILURE * (flight.late_failures - LATELY // 2)
        if flight.same_failures or flight.same_answers:
            chance += self.SAME_FAILURE * flight.same_failures + self.SAME_ANSWER * flight.same_answers
        return min(1.0, max(0.0, chance))

    @cached_property
    def _fitted(self) -> tuple[float, tuple[tuple[float, float, float], ...]]:
        """Bias; the weight of each figure, and the bounds within which it was seen: what lies beyond them counts no more than they do."""
        fit = self.data["trouble"]
        weighed = [(fit["weights"][name], *fit["seen"][name]) for name in TROUBLE_FEATURES]
        return float(fit["bias"]), tuple((float(weight), float(low), float(high)) for weight, low, high in weighed)

"""What has happened in an agent's task so far, read off its tool calls and their results, and how likely it is to fail as it goes.

The chance of failure is a small logistic score fitted on real runs (``data/agents.json``). It says nothing of what another model would
make of the task; it only tells runs that go well from runs that go in circles.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from openclaw_oauthrouter.canonical.content import TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import Message
from openclaw_oauthrouter.canonical.routing import Flight
from openclaw_oauthrouter.classifier.lexicon import read_data
from openclaw_oauthrouter.classifier.remembered import RememberedTexts

ENDS = 400
"""Characters at either end of a result in which its outcome stands."""

RECENT = 5

OBSERVATION = lazily(
    r"\s*(?:<(?:returncode|output|observation|tool_response|tool_result|function_results|stdout|stderr|warning)>"
    r"|\[?(?:observation|command output|execution result|exit code|stdout|stderr|output)\]?\s*[:\n]"
    r"|your last command|the command (?:timed out|exited))",
    re.IGNORECASE,
)
"""How what a command printed begins, where an agent sends it as the user's words."""

_EXIT = lazily(
    r"(?:<returncode>|exit(?:ed with)?(?: code| status)?[:= ]+|return(?:ed)?(?: code)?[:= ]+|\"exit_code\": ?)\s*(-?\d+)", re.I
)
_FAILED = lazily(r"^\s*(?:error|fatal|traceback|bash: |sh: |command not found)", re.IGNORECASE)
_TRACEBACK = lazily(r"Traceback \(most recent call last\)|^\s+at \S+ ?\(.+:\d+|panicked at|^goroutine \d+", re.MULTILINE)
_EDIT_TOOL = lazily(r"edit|write|patch|replace|insert|create_file", re.IGNORECASE)
_EDIT_COMMAND = lazily(
    r"\bsed -i|\bapply_patch\b|\bgit apply\b|\bpatch -p|cat\s*>+|\btee\s|<<\s*'?EOF|>\s*\S+\.(?:py|ts|js|go|rs|c|java|rb)\b"
)
_TEST_COMMAND = lazily(
    r"\bpytest\b|\bunittest\b|\btox\b|\bnox\b|runtests\.py|\b(?:npm|pnpm|yarn|bun)(?: run)? test|\bcargo (?:test|nextest)|\bgo test"
    r"|\bmake (?:test|check)|\bmvn .*test|\bgradlew? .*test|\bctest\b|\brspec\b|\bjest\b|\bvitest\b|\bphpunit\b",
)
_TESTS_FAILED = lazily(r"\b[1-9]\d* (?:failed|errors?|failing)\b|^FAILED|\bFAILURES?\b|AssertionError|not ok \d", re.MULTILINE)
_TESTS_PASSED = lazily(
    r"\b[1-9]\d* (?:passed|passing)\b|^OK$|\bok\b\s+\S+\s+[\d.]+s|test result: ok|All tests passed", re.MULTILINE
)
_GAVE_UP = lazily(
    r"\bI(?:'m| am) (?:unable|not able) to\b|\bI (?:cannot|can't|could not|couldn't) (?:proceed|continue|complete|solve|fix|figure|find a way)"
    r"|\bI(?:'m| am) stuck\b|\bI give up\b",
    re.IGNORECASE,
)
_FENCED = lazily(r"```[\w-]*\n(.*?)```", re.DOTALL)


class _Outcome(NamedTuple):
    """What a result says of its call.

    :ivar tests: whether tests passed, if it was they that ran; ``None`` when that cannot be told
    """

    failed: bool
    traceback: bool
    tests: bool | None


class FlightReader:
    """Reads the parts of conversations, and remembers what it read in them: each call of an agent brings all earlier ones along."""

    def __init__(self) -> None:
        self._calls: RememberedTexts[tuple[bool, bool]] = RememberedTexts()
        self._results: RememberedTexts[_Outcome] = RememberedTexts(_MOST_RESULTS, _MOST_RESULTS * 2 * ENDS)
        self._answers: RememberedTexts[tuple[bool, tuple[str, ...]]] = RememberedTexts()

    def call(self, arguments: str) -> tuple[bool, bool]:
        """Whether a command runs tests, and whether it changes files."""
        head = arguments[:2000]
        found = self._calls.get(head)
        if found is None:
            tests = bool(_TEST_COMMAND.search(head))
            found = self._calls.put(head, (tests, not tests and bool(_EDIT_COMMAND.search(head))))
        return found

    def step(self, tool: str, arguments: str) -> _Call:
        """A call of a tool; its name too tells whether it changes files."""
        tests, edits = self.call(arguments)
        return _Call((tool, arguments), tests, edits or (not tests and _EDIT_TOOL.search(tool) is not None))

    def answer_of(self, text: str, *, is_error: bool) -> _Result:
        """What a tool answered."""
        outcome = self.result(text)
        tests = False if is_error else outcome.tests
        return _Result(len(text), is_error or outcome.failed, outcome.traceback, tests)

    def result(self, text: str) -> _Outcome:
        """What a result says, by its ends."""
        ends = _ends(text)
        found = self._results.get(ends)
        if found is None:
            code = _EXIT.search(ends)
            failed = int(code[1]) != 0 if code else bool(_FAILED.match(ends))
            passed = True if _TESTS_PASSED.search(ends) or code else None
            verdict = False if failed or _TESTS_FAILED.search(ends) else passed
            found = self._results.put(ends, _Outcome(failed, bool(_TRACEBACK.search(ends)), verdict))
        return found

    def answer(self, text: str) -> tuple[bool, tuple[str, ...]]:
        """Whether an assistant's words give up, and the commands in them."""
        looked_at = text if len(text) <= _LONGEST_ANSWER else f"{text[:4000]}{text[-ENDS:]}"
        found = self._answers.get(looked_at)
        if found is None:
            found = self._answers.put(looked_at, (bool(_GAVE_UP.search(_ends(text))), tuple(_FENCED.findall(text[:4000]))))
        return found


_MOST_RESULTS = 4096

_LONGEST_ANSWER = 4400
"""Characters; of longer ones what is read stands in their beginning and their end."""


class _Call(NamedTuple):
    """A tool was called.

    :ivar words: name and arguments
    """

    words: tuple[str, str]
    tests: bool
    edits: bool


class _Result(NamedTuple):
    """A tool, or a command, has answered.

    :ivar tests: as ``_Outcome.tests``
    """

    characters: int
    failed: bool
    traceback: bool
    tests: bool | None


class _Words(NamedTuple):
    """The assistant has said something."""

    gave_up: bool


_Step = _Call | _Result | _Words


@dataclass(slots=True)
class _Log:
    """Counts while the steps are gone through."""

    seen: set[tuple[str, str]] = field(default_factory=set)
    outcomes: list[bool] = field(default_factory=list)
    calls: int = 0
    repeats: int = 0
    edits: int = 0
    tests: int = 0
    untested_edits: int = 0
    tracebacks: int = 0
    characters: int = 0
    testing: bool = False
    passing: bool | None = None
    gave_up: bool = False

    def take(self, step: _Step) -> None:
        if isinstance(step, _Call):
            self._call(step)
        elif isinstance(step, _Result):
            self._result(step)
        else:
            self.gave_up = step.gave_up

    def _call(self, step: _Call) -> None:
        self.calls += 1
        self.repeats += step.words in self.seen
        self.seen.add(step.words)
        self.testing = step.tests
        if step.tests:
            self.tests += 1
            self.untested_edits = 0
        elif step.edits:
            self.edits += 1
            self.untested_edits += 1

    def _result(self, step: _Result) -> None:
        self.characters += step.characters
        self.outcomes.append(step.failed)
        self.tracebacks += step.traceback
        if self.testing:
            self.passing = self.passing if step.tests is None else step.tests
            self.testing = False


def flight_of(messages: Sequence[Message], reader: FlightReader | None = None) -> Flight | None:
    """Read the messages since the task was set.

    :param reader: remembers what it has read before
    :returns: ``None`` when no tool was called
    """
    if not messages:
        return None
    reader, log = reader or FlightReader(), _Log()
    for message in messages:
        seen = message.glance
        steps = seen.steps
        if steps is None:
            steps = seen.steps = tuple(_steps_of(message, reader))
        for step in steps:
            log.take(step)
    if not log.calls:
        return None
    return Flight(
        calls=log.calls,
        failures=sum(log.outcomes),
        recent_failures=sum(log.outcomes[-RECENT:]),
        tracebacks=log.tracebacks,
        repeats=log.repeats,
        edits=log.edits,
        tests=log.tests,
        untested_edits=log.untested_edits,
        passing=log.passing,
        output_characters=log.characters,
        gave_up=log.gave_up,
    )


def _steps_of(message: Message, reader: FlightReader) -> Iterator[_Step]:
    for part in message.parts:
        if isinstance(part, ToolCallPart):
            yield reader.step(part.name, part.arguments)
        elif isinstance(part, ToolCallResponsePart):
            texts = [item.text for item in part.content if isinstance(item, TextPart)]
            yield reader.answer_of(texts[0] if len(texts) == 1 else "\n".join(texts), is_error=part.is_error)
        elif isinstance(part, TextPart):
            if message.role == "assistant":
                gave_up, commands = reader.answer(part.text)
                yield _Words(gave_up)
                for command in commands:
                    yield reader.step("", command)
            elif message.role == "user" and OBSERVATION.match(part.text):
                yield reader.answer_of(part.text, is_error=False)


def _ends(text: str) -> str:
    return text if len(text) <= 2 * ENDS else f"{text[:ENDS]}\n{text[-ENDS:]}"


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
    """Added when the model itself says that it cannot go on; too rare in the recorded runs to be fitted."""
    PASSING = -0.1
    """Added when the last tests passed and nothing was edited since, likewise."""

    def chance(self, flight: Flight, input_tokens: int) -> float:
        """0 to 1: chance that the task fails if it goes on as until now."""
        weights, bias = self._weights
        raw = bias + sum(map(float.__mul__, weights, trouble_features(flight, input_tokens)))
        chance = 1 / (1 + math.exp(-raw))
        chance += self.GAVE_UP * flight.gave_up
        chance += self.PASSING * (flight.passing is True and not flight.untested_edits)
        return min(1.0, max(0.0, chance))

    @cached_property
    def _weights(self) -> tuple[tuple[float, ...], float]:
        fit = self.data["trouble"]
        return tuple(float(fit["weights"][name]) for name in TROUBLE_FEATURES), float(fit["bias"])


def signs_of(flight: Flight) -> Iterator[str]:
    """What stands out, in words."""
    yield f"{flight.calls} calls"
    if flight.recent_failures >= 2:
        yield f"{flight.recent_failures} of the last {RECENT} failed"
    if flight.repeats:
        yield f"{flight.repeats} repeated"
    if flight.tracebacks:
        yield f"{flight.tracebacks} tracebacks"
    if flight.untested_edits >= 3:
        yield f"{flight.untested_edits} edits untested"
    if flight.passing is not None:
        yield "tests pass" if flight.passing else "tests fail"
    if flight.gave_up:
        yield "the model says it cannot go on"

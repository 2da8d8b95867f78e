"""What has happened in an agent's task so far, read off its tool calls and their results, and how likely it is to fail as it goes.

The chance of failure is a small logistic score fitted on real runs (``data/agents.json``). It says nothing of what another model would
make of the task; it only tells runs that go well from runs that go in circles.
"""

from __future__ import annotations

import math
import re
from collections import deque
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

LATELY = 10
"""Results by which it is told whether a task goes in circles."""

OBSERVATION = lazily(
    r"\s*(?:<(?:returncode|output|observation|tool_response|tool_result|function_results|stdout|stderr|warning)>"
    r"|\[?(?:observation|command output|execution result|exit code|stdout|stderr|output)\]?\s*[:\n]"
    r"|your last command|the command (?:timed out|exited))",
    re.IGNORECASE,
)
"""How what a command printed begins, where an agent sends it as the user's words."""

_EXIT = lazily(
    # In a line of its own, for files and help texts speak of exit codes too: "Exit code 1", "(Command exited with code 1)".
    r"^[\W_]{0,3}(?:[\w-]+:? ){0,5}?"
    r"(?:exit(?:ed|s)?[ _-]?(?:with )?(?:an? )?(?:exit )?(?:code|status|value)|exited with|return(?:ed)?[ _-]?code|returned non-zero exit status)"
    r"(?: of)?(?::\s*|\s+)(-?\d+)(?: beendet)?(?=\s*(?:$|[)\].,:;]))"
    r"|^<returncode>(-?\d+)<"
    r"|^\w{0,4}make(?:\[\d+\])?: \*\*\* .* (\d+)$",
    re.IGNORECASE | re.MULTILINE,
)
"""How what ran a command tells its exit: Claude Code, Codex CLI, OpenClaw, OpenCode, Gemini CLI, Cline, mini-SWE-agent, shells, make."""
_JSON_EXIT = lazily(r"\"(?:exit_?code|return_?code|exit_?status)\"\s*:\s*(-?\d+)", re.IGNORECASE)
_JSON_FAILED = lazily(
    r"\"is_?error\"\s*:\s*true|\"(?:ok|success)\"\s*:\s*false|\"status\"\s*:\s*\"(?:failed|failure|error|errored)\""
    r"|^\{\s*\"error\"\s*:\s*[\"{]",
    re.IGNORECASE,
)
_FAILED = lazily(
    r"\s*(?:<tool_use_error>|traceback \(|(?:\w+: )?command not found"
    r"|(?:[\w.]+ )?(?:[\w.]*(?:error|exception)|fatal|fehler|erreur|errore|erro|błąd|hata|fout|fel|fejl|virhe|chyba|ошибка|помилка|错误|錯誤|エラー|오류|خطأ|lỗi)"
    r"(?:\[\w+\]|\(\w+\))?\s?[:：]"
    r"|error (?:executing|running|calling|invoking|while)\b"
    r"|(?:/\w+/)*(?:ba|z|da|k|fi|c)?sh: |'?[\w.-]+'? is not recognized as )",
    re.IGNORECASE,
)
"""How a result begins that says nothing of an exit and failed."""
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
    r"\bI(?:'m| am|’m) (?:unable|not able) to\b"
    r"|\bI (?:still )?(?:cannot|can't|can’t|could not|couldn't|couldn’t) (?:seem to )?"
    r"(?:proceed|continue|complete|solve|fix|figure|find (?:a way|the (?:cause|reason|bug|problem))|resolve|make (?:it|this) work|get (?:it|this) to)"
    r"|\bI(?:'m| am|’m) (?:stuck|at a loss|out of ideas)\b|\bI give up\b"
    # The same in other languages.
    r"|\bich (?:kann|konnte|komme)\b[^.\n]{0,80}\bnicht (?:lösen|beheben|finden|fortfahren|abschließen|weiter|herausfinden|reproduzieren)"
    r"|\bes ist mir nicht (?:möglich|gelungen)|\bich (?:stecke fest|gebe auf)\b"
    r"|\bje (?:ne (?:peux|parviens|réussis) pas|n['’]arrive pas|suis (?:bloqué|incapable))|\bj['’]abandonne\b"
    r"|\bno (?:puedo|consigo|logro|he podido) (?:resolver|arreglar|continuar|completar|encontrar|solucionar)|\bestoy atascad[oa]\b|\bme rindo\b"
    r"|\bnão (?:consigo|consegui|posso) (?:resolver|corrigir|continuar|concluir|encontrar)|\bnon (?:riesco|posso) (?:a )?(?:risolvere|correggere|continuare)"
    r"|не (?:могу|удалось|удаётся|получается) (?:решить|исправить|продолжить|найти)|я застрял|сдаюсь"
    r"|我?(?:无法|無法|不能|没能|沒能)(?:继续|繼續|解决|解決|完成|修复|修復|找到原因)|(?:解決|修正|続行|続ける|完了)[^。\n]{0,8}できません|(?:해결|수정|계속|완료)할 수 없",
    re.IGNORECASE,
)
_FENCED = lazily(r"```[\w-]*\n(.*?)```", re.DOTALL)


_WAITS = lazily(r"\bsleep\b|wait|poll|watch|status|tail\b|stdin|_output|TaskOutput|BashOutput|\bps\b|health", re.IGNORECASE)
"""A call that looks whether something is done may bring the same answer for as long as it is not."""
_TIMES = lazily(
    r"\b\d+(?:\.\d+)? ?(?:ms|µs|s|secs?|seconds|m)\b|\b\d\d:\d\d:\d\d(?:[.,]\d+)?|\b0x[0-9a-f]+|\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b",
    re.IGNORECASE,
)
"""What differs between two runs of one command that come to the same."""


class _Outcome(NamedTuple):
    """What a result says of its call.

    :ivar tests: whether tests passed, if it was they that ran; ``None`` when that cannot be told
    :ivar ends: what it was told by
    """

    failed: bool
    traceback: bool
    tests: bool | None
    ends: str


class FlightReader:
    """Reads the parts of conversations, and remembers what it read in them: each call of an agent brings all earlier ones along."""

    def __init__(self) -> None:
        self._calls: RememberedTexts[tuple[bool, bool, bool]] = RememberedTexts()
        self._timeless: RememberedTexts[str] = RememberedTexts()
        self._results: RememberedTexts[_Outcome] = RememberedTexts(_MOST_RESULTS, _MOST_RESULTS * 2 * ENDS)
        self._answers: RememberedTexts[tuple[bool, tuple[str, ...]]] = RememberedTexts()

    def call(self, arguments: str) -> tuple[bool, bool, bool]:
        """Whether a command runs tests, whether it changes files, and whether it looks if something is done."""
        head = arguments[:2000]
        found = self._calls.get(head)
        if found is None:
            tests = bool(_TEST_COMMAND.search(head))
            edits = not tests and bool(_EDIT_COMMAND.search(head))
            found = self._calls.put(head, (tests, edits, bool(_WAITS.search(head))))
        return found

    def step(self, tool: str, arguments: str) -> _Call:
        """A call of a tool; its name too tells whether it changes files."""
        tests, edits, waits = self.call(arguments)
        edits = edits or (not tests and _EDIT_TOOL.search(tool) is not None)
        return _Call((tool, arguments), tests, edits, waits or _WAITS.search(tool) is not None)

    def answer_of(self, text: str, *, is_error: bool) -> _Result:
        """What a tool answered."""
        outcome = self.result(text)
        tests = False if is_error else outcome.tests
        return _Result(len(text), is_error or outcome.failed, outcome.traceback, tests, outcome.ends)

    def result(self, text: str) -> _Outcome:
        """What a result says, by its ends."""
        ends = _ends(text)
        found = self._results.get(ends)
        if found is None:
            code = _exit_of(ends)
            failed = code != 0 if code is not None else _says_it_failed(ends)
            passed = True if _TESTS_PASSED.search(ends) or code is not None else None
            verdict = False if failed or _TESTS_FAILED.search(ends) else passed
            found = self._results.put(ends, _Outcome(failed, bool(_TRACEBACK.search(ends)), verdict, ends))
        return found

    def same(self, one: str, other: str) -> bool:
        """Whether two answers come to the same, times and addresses aside."""
        return one == other or (
            abs(len(one) - len(other)) <= _TIMES_DIFFER and self._without_times(one) == self._without_times(other)
        )

    def _without_times(self, ends: str) -> str:
        found = self._timeless.get(ends)
        return found if found is not None else self._timeless.put(ends, _TIMES.sub("", ends))

    def answer(self, text: str) -> tuple[bool, tuple[str, ...]]:
        """Whether an assistant's words give up, and the commands in them."""
        looked_at = text if len(text) <= _LONGEST_ANSWER else f"{text[:4000]}{text[-ENDS:]}"
        found = self._answers.get(looked_at)
        if found is None:
            found = self._answers.put(looked_at, (bool(_GAVE_UP.search(_ends(text))), tuple(_FENCED.findall(text[:4000]))))
        return found


def _exit_of(ends: str) -> int | None:
    """The exit code that a result tells; ``None`` where it tells none."""
    if ends.lstrip()[:1] in ("{", "["):
        told = _JSON_EXIT.search(ends)
        return int(told[1]) if told else None
    code = _EXIT.search(ends)
    return int(code[1] or code[2] or code[3]) if code else None


def _says_it_failed(ends: str) -> bool:
    """Whether a result without an exit code failed."""
    begins = ends.lstrip()[:1]
    return bool(_JSON_FAILED.search(ends)) if begins == "{" or begins == "[" else bool(_FAILED.match(ends))


_MOST_RESULTS = 4096

_TIMES_DIFFER = 16
"""Characters by which two answers may differ in length that come to the same."""

_LONGEST_ANSWER = 4400
"""Characters; of longer ones what is read stands in their beginning and their end."""


class _Call(NamedTuple):
    """A tool was called.

    :ivar words: name and arguments
    :ivar waits: it looks whether something is done
    """

    words: tuple[str, str]
    tests: bool
    edits: bool
    waits: bool


class _Result(NamedTuple):
    """A tool, or a command, has answered.

    :ivar tests: as ``_Outcome.tests``
    :ivar ends: likewise
    """

    characters: int
    failed: bool
    traceback: bool
    tests: bool | None
    ends: str


class _Words(NamedTuple):
    """The assistant has said something."""

    gave_up: bool


_Step = _Call | _Result | _Words


class _Answered(NamedTuple):
    """A call's result beside the one that the same call brought before; ``before`` is ``None`` the first time."""

    failed: bool
    waits: bool
    ends: str
    before: str | None


@dataclass(slots=True)
class _Log:
    """Counts while the steps are gone through."""

    answers: dict[tuple[str, str], str | None] = field(default_factory=dict)
    outcomes: list[bool] = field(default_factory=list)
    lately: deque[_Answered] = field(default_factory=lambda: deque(maxlen=LATELY))
    said: deque[bool] = field(default_factory=lambda: deque(maxlen=RECENT))
    open: deque[_Call] = field(default_factory=deque)
    calls: int = 0
    repeats: int = 0
    edits: int = 0
    tests: int = 0
    untested_edits: int = 0
    tracebacks: int = 0
    characters: int = 0
    testing: bool = False
    passing: bool | None = None

    def take(self, step: _Step) -> None:
        if isinstance(step, _Call):
            self._call(step)
        elif isinstance(step, _Result):
            self._result(step)
        else:
            self.said.append(step.gave_up)
            self.open.clear()

    def _call(self, step: _Call) -> None:
        self.calls += 1
        self.repeats += step.words in self.answers
        self.answers.setdefault(step.words, None)
        self.open.append(step)
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
        if self.open:
            call = self.open.popleft()
            self.lately.append(_Answered(step.failed, call.waits, step.ends, self.answers[call.words]))
            self.answers[call.words] = step.ends
        if self.testing:
            self.passing = self.passing if step.tests is None else step.tests
            self.testing = False

    def same_again(self, reader: FlightReader) -> tuple[int, int]:
        """Of the latest results, those that brought what the same call had brought before: failures, and others."""
        same = [one for one in self.lately if one.before is not None and reader.same(one.ends, one.before)]
        return sum(one.failed for one in same), sum(not one.failed and not one.waits for one in same)


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
    same_failures, same_answers = log.same_again(reader)
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
        gave_up=sum(log.said) if log.said and log.said[-1] else 0,
        late_failures=sum(log.outcomes[-LATELY:]),
        same_failures=same_failures,
        same_answers=same_answers,
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
        weights, lowest, highest, bias = self._fitted
        figures = map(min, map(max, trouble_features(flight, input_tokens), lowest), highest)
        raw = bias + sum(map(float.__mul__, weights, figures))
        chance = 1 / (1 + math.exp(-raw))
        chance += self.GAVE_UP * bool(flight.gave_up) + self.GAVE_UP_AGAIN * max(0, flight.gave_up - 1)
        chance += self.PASSING * (flight.passing is True and not flight.untested_edits)
        chance += self.FAILURE * max(0, flight.late_failures - LATELY // 2)
        chance += self.SAME_FAILURE * flight.same_failures + self.SAME_ANSWER * flight.same_answers
        return min(1.0, max(0.0, chance))

    @cached_property
    def _fitted(self) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], float]:
        """Weights, and within which bounds each figure was seen; what lies beyond them was never seen, so it counts no more than they do."""
        fit = self.data["trouble"]
        seen = [fit["seen"][name] for name in TROUBLE_FEATURES]
        weights = tuple(float(fit["weights"][name]) for name in TROUBLE_FEATURES)
        return weights, tuple(float(low) for low, _ in seen), tuple(float(high) for _, high in seen), float(fit["bias"])

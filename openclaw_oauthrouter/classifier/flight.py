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
from itertools import islice
from operator import attrgetter
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
_EXIT_HINTS = ("xit", "eturn", "XIT", "***")
"""One of these is in whatever tells of an exit."""
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
_GIVES_UP = (
    (
        (
            "unable",
            "not able",
            "cannot",
            "can't",
            "can’t",
            "could not",
            "couldn",
            "stuck",
            "at a loss",
            "out of ideas",
            "give up",
        ),
        lazily(
            r"\bI(?:(?:'m| am|’m) (?:unable|not able|stuck|at a loss|out of ideas)\b| give up\b"
            r"| (?:still )?(?:cannot|can['’]t|could not|couldn['’]t) (?:seem to )?(?:proceed|continue|complete|solve|fix|figure|resolve"
            r"|find (?:a way|the (?:cause|reason|bug|problem))|make (?:it|this) work|get (?:it|this) to))",
            re.IGNORECASE,
        ),
    ),
    (
        ("nicht ", "stecke fest", "gebe auf"),
        lazily(
            r"\bich (?:(?:kann|konnte|komme)\b[^.\n]{0,80}\bnicht (?:lösen|beheben|finden|fortfahren|abschließen|weiter|herausfinden"
            r"|reproduzieren)|stecke fest|gebe auf)|\bes ist mir nicht (?:möglich|gelungen)",
            re.IGNORECASE,
        ),
    ),
    (
        ("je n", "suis bloqu", "incapable", "abandonne"),
        lazily(
            r"\bj(?:e (?:ne (?:peux|parviens|réussis) pas|n['’]arrive pas|suis (?:bloqué|incapable))|['’]abandonne)\b",
            re.IGNORECASE,
        ),
    ),
    (
        ("no puedo", "no consigo", "no logro", "no he podido", "atascad", "me rindo"),
        lazily(
            r"\bno (?:puedo|consigo|logro|he podido) (?:resolver|arreglar|continuar|completar|encontrar|solucionar|corregir)"
            r"|\bestoy atascad[oa]\b|\bme rindo\b",
            re.IGNORECASE,
        ),
    ),
    (
        ("não cons", "não posso", "non riesco", "non posso"),
        lazily(
            r"\bnão (?:consigo|consegui|posso) (?:resolver|corrigir|continuar|concluir|encontrar)"
            r"|\bnon (?:riesco|posso) (?:a )?(?:risolvere|correggere|continuare|trovare)",
            re.IGNORECASE,
        ),
    ),
    (
        ("не могу", "не уда", "не получ", "застрял", "сдаюсь"),
        lazily(
            r"не (?:могу|удалось|удаётся|удается|получается) (?:решить|исправить|продолжить|найти)|я застрял|сдаюсь",
            re.IGNORECASE,
        ),
    ),
    (
        ("无法", "無法", "不能", "没能", "沒能"),
        lazily(r"(?:无法|無法|不能|没能|沒能)(?:继续|繼續|解决|解決|完成|修复|修復|找到原因)"),
    ),
    (("できません",), lazily(r"(?:解決|修正|続行|続ける|完了)[^。\n]{0,8}できません")),
    (("할 수 없",), lazily(r"(?:해결|수정|계속|완료)할 수 없")),
)
"""How a model says in some languages that it cannot go on; before it, what is in all that says so: without that it is found out sooner."""
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
        self._calls: RememberedTexts[tuple[bool, bool]] = RememberedTexts()
        self._timeless: RememberedTexts[str] = RememberedTexts()
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
            found = self._answers.put(looked_at, (_gives_up(_ends(text)), tuple(_FENCED.findall(text[:4000]))))
        return found


def _exit_of(ends: str) -> int | None:
    """The exit code that a result tells; ``None`` where it tells none."""
    if ends.lstrip()[:1] in ("{", "["):
        told = _JSON_EXIT.search(ends)
        return int(told[1]) if told else None
    if not _has_one(ends, _EXIT_HINTS):
        return None
    code = _EXIT.search(ends)
    return int(code[1] or code[2] or code[3]) if code else None


def _has_one(text: str, hints: Sequence[str]) -> bool:
    return any(hint in text for hint in hints)


def _gives_up(ends: str) -> bool:
    """Whether an assistant says that it cannot go on."""
    lower = ends.lower()
    return any(_has_one(lower, hints) and pattern.search(ends) is not None for hints, pattern in _GIVES_UP)


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
    """

    words: tuple[str, str]
    tests: bool
    edits: bool


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


_Pair = tuple[_Call, _Result]

_WORDS, _TESTS, _EDITS = map(attrgetter, ("words", "tests", "edits"))
_CHARACTERS, _FAILED_ONE, _HAS_TRACEBACK = map(attrgetter, ("characters", "failed", "traceback"))


def flight_of(messages: Sequence[Message], reader: FlightReader | None = None) -> Flight | None:
    """Read the messages since the task was set.

    Gone through with each request of a task, so in a few passes over lists rather than step by step.

    :param reader: remembers what it has read before
    :returns: ``None`` when no tool was called
    """
    reader = reader or FlightReader()
    steps: list[_Step] = []
    for message in messages:
        known = (message.seen or message.glance).steps
        steps += _remembered_steps(message, reader) if known is None else known
    calls = [step for step in steps if type(step) is _Call]
    if not calls:
        return None
    results = [step for step in steps if type(step) is _Result]
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
        passing=_passing(pairs) if tests else None,
        output_characters=sum(map(_CHARACTERS, results)),
        gave_up=_times_given_up(steps),
        late_failures=sum(failed[-LATELY:]),
        same_failures=same_failures,
        same_answers=same_answers,
    )


def _pairs_of(steps: Sequence[_Step]) -> list[_Pair]:
    """Calls with their results, where not every call has one; what the assistant says ends the wait for them."""
    found: list[_Pair] = []
    waiting: list[_Call] = []
    for step in steps:
        if isinstance(step, _Call):
            waiting.append(step)
        elif isinstance(step, _Words):
            waiting = []
        elif waiting:
            found.append((waiting.pop(0), step))
    return found


def _untested_edits(calls: Sequence[_Call]) -> int:
    count = 0
    for call in reversed(calls):
        if call.tests:
            break
        count += call.edits
    return count


def _passing(pairs: Sequence[_Pair]) -> bool | None:
    """Whether the tests passed when they last ran and said so."""
    return next((result.tests for call, result in reversed(pairs) if call.tests and result.tests is not None), None)


def _times_given_up(steps: Sequence[_Step]) -> int:
    """Among the assistant's latest words; none if its last do not give up."""
    said = (step.gave_up for step in reversed(steps) if type(step) is _Words)
    return 1 + sum(islice(said, RECENT - 1)) if next(said, False) else 0


def _same_again(pairs: Sequence[_Pair], reader: FlightReader) -> tuple[int, int]:
    """Of the latest results, those that brought what the same call had brought before: failures, and others."""
    failures = others = 0
    before = {call.words: result.ends for call, result in pairs[:-LATELY]}
    for call, result in pairs[-LATELY:]:
        ends = before.get(call.words)
        if ends is not None and reader.same(ends, result.ends):
            failures += result.failed
            others += not result.failed and not any(_WAITS.search(text[:2000]) for text in call.words)
        before[call.words] = result.ends
    return failures, others


def _remembered_steps(message: Message, reader: FlightReader) -> tuple[_Step, ...]:
    steps = message.glance.steps = tuple(_steps_of(message, reader))
    return steps


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

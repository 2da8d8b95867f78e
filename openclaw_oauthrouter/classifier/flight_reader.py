"""What an agent's tool calls, their results and its own words say: what failed, what ran tests or changed files, and who gave up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from openclaw_oauthrouter.canonical.content import TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.request import Message
from openclaw_oauthrouter.classifier.remembered import RememberedTexts

ENDS = 400
"""Characters at either end of a result in which its outcome stands."""

_READ = 2000
"""Characters at the beginning of a call's arguments that are read."""

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
_EDIT_TOOL = lazily(
    r"\A(?!.*(?:todo|stdin|memory|memories|plan|task|goal|status|comment|issue|message|mail|view))"
    r".*(?:edit|write|patch|replace|insert|create_?file|delete_?file|rename)",
    re.IGNORECASE | re.DOTALL,
)
"""Tools that change files; lists of things to do, and what is typed into a running program, are none."""
_ONLY_VIEWS = lazily(r"\"command\":\s*\"view\"")
"""One tool of Anthropic's does both."""
_EDIT_COMMAND = lazily(
    r"\bsed -i|\bapply_patch\b|\bgit apply\b|\bpatch -p|cat\s*>+|\btee\s|<<\s*'?EOF|>\s*\S+\.(?:py|ts|js|go|rs|c|java|rb)\b"
)
_TEST_COMMAND = lazily(
    r"\bpytest\b|\bunittest\b|\btox\b|\bnox\b|runtests\.py|\b(?:npm|pnpm|yarn|bun)(?: run)? test|\bcargo (?:test|nextest)|\bgo test"
    r"|\bmake (?:test|check)|\bmvn .*(?:test|verify)|\bgradlew? .*(?:test|check)|\bctest\b|\brspec\b|\bjest\b|\bvitest\b|\bphpunit\b|\bmocha\b"
    r"|\b(?:dotnet|swift|mix|rake|bazel|deno|flutter|dart|stack|cabal|sbt|lein|just|hatch|nx|turbo run|turbo|playwright|rails|artisan|zig build) test"
    r"|manage\.py test|node --test|\bginkgo\b|\bcypress run|\bscripts?/test|\./test\S*\.sh",
)
_TESTS_FAILED = lazily(
    r"\b[1-9]\d* (?:failed|failures?|errors?|failing)\b|^FAILED|^--- FAIL|^FAIL\b|\bFAILURES?\b|AssertionError|not ok \d|Failures: [1-9]|Failed: +[1-9]"
    r"|BUILD FAIL|^# fail [1-9]",
    re.MULTILINE,
)
_TESTS_PASSED = lazily(
    r"\b[1-9]\d* (?:passed|passing)\b|^OK(?:$| \()|\bok\b\s+\S+\s+(?:[\d.]+s|\(cached\))|test result: ok|[Aa]ll tests? (?:have )?passed"
    r"|\b[1-9]\d* (?:examples|specs|tests|runs|assertions), (?:\d+ \w+, )*0 failures\b|Failures: 0, Errors: 0|Failed: +0, Passed: +[1-9]|BUILD SUCCESS"
    r"|^# fail 0$",
    re.MULTILINE,
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


class Call(NamedTuple):
    """A tool was called.

    :ivar words: name and arguments
    """

    words: tuple[str, str]
    tests: bool
    edits: bool


class Result(NamedTuple):
    """A tool, or a command, has answered.

    :ivar exited: it tells an exit code
    :ivar ends: of what was printed
    """

    characters: int
    failed: bool
    traceback: bool
    exited: bool
    ends: str


class Words(NamedTuple):
    """The assistant has said something."""

    gave_up: bool


Step = Call | Result | Words


class _Outcome(NamedTuple):
    """What a result says of its call.

    :ivar exited: it tells an exit code
    :ivar ends: what it was told by
    """

    failed: bool
    traceback: bool
    exited: bool
    ends: str


class FlightReader:
    """Reads the parts of conversations, and remembers what it read in them: each call of an agent brings all earlier ones along."""

    def __init__(self) -> None:
        self._calls: RememberedTexts[tuple[bool, bool]] = RememberedTexts()
        self._timeless: RememberedTexts[str] = RememberedTexts()
        self._tools: RememberedTexts[bool] = RememberedTexts()
        self._verdicts: RememberedTexts[tuple[bool, bool]] = RememberedTexts()
        self._results: RememberedTexts[_Outcome] = RememberedTexts(_MOST_RESULTS, _MOST_RESULTS * 2 * ENDS)
        self._answers: RememberedTexts[tuple[bool, tuple[str, ...]]] = RememberedTexts()

    def call(self, arguments: str) -> tuple[bool, bool]:
        """Whether a command runs tests, and whether it changes files."""
        head = arguments[:_READ]
        found = self._calls.get(head)
        if found is None:
            tests = bool(_TEST_COMMAND.search(head))
            found = self._calls.put(head, (tests, not tests and bool(_EDIT_COMMAND.search(head))))
        return found

    def step(self, tool: str, arguments: str) -> Call:
        """A call of a tool; its name too tells whether it changes files."""
        tests, edits = self.call(arguments)
        return Call(
            (tool, arguments), tests, edits or (not tests and self._edits(tool) and not _ONLY_VIEWS.search(arguments[:200]))
        )

    def _edits(self, tool: str) -> bool:
        found = self._tools.get(tool)
        return found if found is not None else self._tools.put(tool, _EDIT_TOOL.match(tool) is not None)

    def answer_of(self, text: str, *, is_error: bool) -> Result:
        """What a tool answered."""
        outcome = self.result(text)
        return Result(len(text), is_error or outcome.failed, outcome.traceback, outcome.exited, outcome.ends)

    def result(self, text: str) -> _Outcome:
        """What a result says, by its ends."""
        ends = _ends(text)
        found = self._results.get(ends)
        if found is None:
            code = _exit_of(ends)
            failed = code != 0 if code is not None else _says_it_failed(ends)
            found = self._results.put(ends, _Outcome(failed, bool(_TRACEBACK.search(ends)), code is not None, ends))
        return found

    def passed(self, result: Result) -> bool | None:
        """Whether tests passed that a call ran; ``None`` when that cannot be told."""
        if result.failed:
            return False
        verdict = self._verdicts.get(result.ends)
        if verdict is None:
            passed = result.exited or bool(_TESTS_PASSED.search(result.ends))
            verdict = self._verdicts.put(result.ends, (bool(_TESTS_FAILED.search(result.ends)), passed))
        failed, passed = verdict
        return False if failed else (passed or None)

    def waits(self, call: Call) -> bool:
        """Whether a call looks if something is done."""
        return any(_WAITS.search(text[:_READ]) for text in call.words)

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
    if begins == "{":
        # What stands deeper inside is what was asked for: a list of runs of which some failed is no failure.
        return bool(_JSON_FAILED.search(f"{ends[:_JSON_HEAD]}\n{ends[-_JSON_TAIL:]}"))
    return begins != "[" and bool(_FAILED.match(ends))


_JSON_HEAD, _JSON_TAIL = 200, 60
"""Characters of an object in which it says whether it is a failure's."""

_MOST_RESULTS = 4096

_TIMES_DIFFER = 16
"""Characters by which two answers may differ in length that come to the same."""

_LONGEST_ANSWER = 4400
"""Characters; of longer ones what is read stands in their beginning and their end."""


def steps_of(message: Message, reader: FlightReader) -> Iterator[Step]:
    """What was done in a message, in order; commands of agents without tool calls stand in fences, and what they printed in a user's words."""
    for part in message.parts:
        if isinstance(part, ToolCallPart):
            yield reader.step(part.name, part.arguments)
        elif isinstance(part, ToolCallResponsePart):
            texts = [item.text for item in part.content if isinstance(item, TextPart)]
            yield reader.answer_of(texts[0] if len(texts) == 1 else "\n".join(texts), is_error=part.is_error)
        elif isinstance(part, TextPart):
            if message.role == "assistant":
                gave_up, commands = reader.answer(part.text)
                yield Words(gave_up)
                for command in commands:
                    yield reader.step("", command)
            elif message.role == "user" and OBSERVATION.match(part.text):
                yield reader.answer_of(part.text, is_error=False)


def _ends(text: str) -> str:
    return text if len(text) <= 2 * ENDS else f"{text[:ENDS]}\n{text[-ENDS:]}"

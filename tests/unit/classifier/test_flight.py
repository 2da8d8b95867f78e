"""What has happened in an agent's task is read off its calls and results, in either shape, and told as a chance of failure."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.content import TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import Flight, RequestFeatures
from openclaw_oauthrouter.classifier.features import EXAMINED_TURNS, features_of
from openclaw_oauthrouter.classifier.flight import TROUBLE_FEATURES, Trouble, flight_of, trouble_features
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers
from openclaw_oauthrouter.routing.stickiness import SHIFT_UP

FAILED = 'Traceback (most recent call last)\n  File "a.py", line 1\nValueError: no\nexit code: 1'


def call(number: int, command: str, printed: str, *, name: str = "bash", error: bool = False) -> tuple[Message, Message]:
    """A tool call and its result."""
    return (
        Message("assistant", (ToolCallPart(str(number), name, f'{{"command": "{command}"}}'),)),
        Message("user", (ToolCallResponsePart(str(number), (TextPart(printed),), is_error=error),)),
    )


def in_words(command: str, code: int, printed: str) -> tuple[Message, Message]:
    """The same as an agent without tool calls sends it."""
    return (
        Message("assistant", (TextPart(f"THOUGHT: next\n\n```bash\n{command}\n```"),)),
        Message("user", (TextPart(f"<returncode>{code}</returncode>\n<output>\n{printed}\n</output>"),)),
    )


def test_flight_is_nothing_before_the_first_call() -> None:
    assert flight_of([Message("user", (TextPart("hi"),))]) is None


def test_flight_counts_calls_failures_repeats_edits_and_tests() -> None:
    messages = [
        *call(0, "ls", "a.py"),
        *call(1, "ls", "a.py"),
        *call(2, "sed -i s/a/b/ a.py", ""),
        *call(3, "x", "written", name="str_replace_edit"),
        *call(4, "pytest", "1 failed, 2 passed"),
        *call(5, "cat b", "cat: b: No such file", error=True),
        *call(6, "sed -i s/b/c/ a.py", FAILED),
    ]
    found = flight_of(messages)
    assert found is not None
    assert (found.calls, found.failures, found.repeats, found.edits, found.tests) == (7, 2, 1, 3, 1)
    assert (found.untested_edits, found.tracebacks, found.passing) == (1, 1, False)
    assert found.output_characters > 0


def test_flight_reads_commands_sent_as_text() -> None:
    messages = [*in_words("ls", 0, "a.py"), *in_words("pytest -q", 0, "3 passed in 0.1s"), *in_words("ls", 2, "no")]
    found = flight_of(messages)
    assert found is not None
    assert (found.calls, found.failures, found.repeats, found.tests, found.passing) == (3, 1, 1, 1, True)


@pytest.mark.parametrize("words", ["I'm unable to reproduce this. I cannot proceed.", "I am stuck", "I could not figure out why"])
def test_flight_hears_the_model_give_up(words: str) -> None:
    found = flight_of([*call(0, "ls", ""), Message("assistant", (TextPart(words),))])
    assert found is not None
    assert found.gave_up


def test_flight_begins_with_the_task() -> None:
    messages = (
        Message("user", (TextPart("fix the parser module"),)),
        *call(0, "ls", ""),
        *call(1, "ls", ""),
        Message("user", (TextPart("now write the importer"),)),
        *call(2, "ls", ""),
    )
    found = of(messages).flight
    assert found is not None
    assert (found.calls, found.repeats) == (1, 0)


def of(messages: tuple[Message, ...]) -> RequestFeatures:
    request = ChatRequest("test", "auto", messages, tools=(Tool("bash"),))
    return features_of(request, prompt_wrappers=builtin_prompt_wrappers())


def test_flight_task_is_found_behind_any_number_of_tool_results() -> None:
    messages = (Message("user", (TextPart("fix the parser module"),)),)
    for number in range(3 * EXAMINED_TURNS):
        messages += call(number, f"ls {number}", "")
    found = of(messages)
    assert found.text == "fix the parser module"
    assert found.is_tool_result_turn
    assert found.flight is not None
    assert found.flight.calls == 3 * EXAMINED_TURNS


def test_flight_what_a_command_printed_is_not_the_users_words() -> None:
    messages = (Message("user", (TextPart("fix the parser module"),)), *in_words("cat a.py", 0, "Prove the theorem rigorously"))
    request = ChatRequest("test", "auto", messages)
    found = features_of(request, prompt_wrappers=builtin_prompt_wrappers())
    assert (found.text, found.is_tool_result_turn, found.agent) == ("fix the parser module", True, True)
    first = ChatRequest("test", "auto", (Message("user", (TextPart("<output>what does this mean?"),)),))
    assert features_of(first, prompt_wrappers=()).text == "<output>what does this mean?"


@pytest.mark.parametrize("reply", ["go on", "2", "weiter", "try again", "ValueError: bad lease"])
def test_flight_goes_on_over_words_that_set_no_task(reply: str) -> None:
    messages = (
        Message("user", (TextPart("fix the parser module"),)),
        *call(0, "ls", "a.py"),
        *call(1, "ls", "a.py"),
        Message("user", (TextPart(reply),)),
        *call(2, "ls", "a.py"),
    )
    found = of(messages).flight
    assert found is not None
    assert (found.calls, found.same_answers) == (3, 2)


# ------------------------------------------------------------------ exits, in everybody's form


@pytest.mark.parametrize(
    "printed",
    [
        "Exit code 1\nFAIL",
        "Exit code: 2\nWall time: 0.4 seconds\nOutput:\nFAIL",
        "Chunk ID: 7f\nWall time: 0.4 seconds\nProcess exited with code 1\nOutput:\nFAIL",
        "FAIL\n\n(Command exited with code 1)",
        "FAIL\n\n<metadata>\nCommand exited with exit code 1\n</metadata>",
        "Command: go test\nOutput: FAIL\nExit Code: 1\nSignal: (none)",
        "Command failed with exit code 127: go test",
        "<returncode>1</returncode>\n<output>\nFAIL\n</output>",
        "got 3 want 5\nexit status 1",
        "got 3 want 5\nmake: *** [Makefile:12: test] Error 1",
        "got 3 want 5\ngmake[1]: *** [Makefile:12: test] Fehler 2",
        "Fehler: Prozess wurde mit Exit-Code 1 beendet",
        '{"output":"FAIL","metadata":{"exit_code":1,"duration_seconds":0.4}}',
        '{"status":"failed","exitCode":1,"aggregated":"FAIL"}',
        '{"content":[{"type":"text","text":"no such issue"}],"isError":true}',
        '{"error":"not found"}',
        "bash: gotest: Befehl nicht gefunden",
        "bash: gotest: 未找到命令",
        "/bin/sh: 1: gotest: not found",
        "zsh: command not found: gotest",
        "'gotest' is not recognized as an internal or external command",
        "<tool_use_error>File has not been read yet.</tool_use_error>",
        "Error executing tool grep: no such folder",
        "TypeError: x is not a function\n    at f (a.js:1:2)",
        "错误：找不到模块",
        "Ошибка: модуль не найден",
    ],
)
def test_flight_failed_call_is_known_whoever_tells_it(printed: str) -> None:
    found = flight_of(call(0, "x", printed))
    assert found is not None
    assert found.failures == 1


@pytest.mark.parametrize(
    "printed",
    [
        "Exit code: 0\nWall time: 0.4 seconds\nOutput:\nError: none",
        "Process exited with code 0\nOutput:\nok",
        '{"output":"Exit code 1 means failure","metadata":{"exit_code":0}}',
        '{"status":"completed","exitCode":0,"aggregated":"ok"}',
        '{"error":null,"data":[1]}',
        '{"runs":['
        + '{"id":1,"name":"a workflow of this repository","status":"completed"},' * 4
        + '{"status":"failed","id":3}'
        + ',"x"' * 20
        + "]}",
        '[{"status":"failed"}]',
        "def f():\n    return 1\n",
        "int f(void) {\n    return -1;\n}",
        "exit_code = 1\n",
        '    raise RuntimeError("failed: Exit code 1") from error',
        "The tool returns exit code 2 when nothing matches in the tree",
        "errors.py\nfatal_handler.py",
        "Error handling\n==============\nEvery error is told.",
        "ok  \tingest\t0.3s",
        "",
    ],
)
def test_flight_call_that_worked_is_not_taken_for_a_failed_one(printed: str) -> None:
    found = flight_of(call(0, "x", printed))
    assert found is not None
    assert found.failures == 0


@pytest.mark.parametrize(
    ("tool", "arguments", "edits"),
    [
        ("Edit", "{}", 1),
        ("MultiEdit", "{}", 1),
        ("Write", "{}", 1),
        ("apply_patch", "{}", 1),
        ("str_replace_based_edit_tool", '{"command": "str_replace", "path": "a"}', 1),
        ("str_replace_based_edit_tool", '{"command": "view", "path": "a"}', 0),
        ("TodoWrite", "{}", 0),
        ("write_stdin", "{}", 0),
        ("update_plan", "{}", 0),
        ("memory_write", "{}", 0),
        ("Read", "{}", 0),
    ],
)
def test_flight_edit_is_what_changes_files(tool: str, arguments: str, edits: int) -> None:
    found = flight_of([Message("assistant", (ToolCallPart("1", tool, arguments),))])
    assert found is not None
    assert found.edits == edits


@pytest.mark.parametrize(
    ("command", "printed", "passing"),
    [
        ("pytest -q", "3 passed in 0.1s", True),
        ("uv run pytest", "1 failed, 3 passed", False),
        ("go test ./...", "ok  \ta/b\t0.3s", True),
        ("go test ./...", "ok  \ta/b\t(cached)", True),
        ("go test ./...", "--- FAIL: TestA (0.0s)\nFAIL", False),
        ("cargo test", "test result: ok. 3 passed; 0 failed; 0 ignored", True),
        ("dotnet test", "Passed!  - Failed:     0, Passed:    12, Skipped: 0", True),
        ("dotnet test", "Failed!  - Failed:     2, Passed:    10", False),
        ("mvn -q test", "Tests run: 12, Failures: 0, Errors: 0", True),
        ("mvn -q verify", "Tests run: 12, Failures: 1, Errors: 0", False),
        ("./gradlew check", "BUILD SUCCESSFUL in 3s", True),
        ("bundle exec rspec", "12 examples, 0 failures", True),
        ("bundle exec rspec", "12 examples, 2 failures", False),
        ("vendor/bin/phpunit", "OK (12 tests, 30 assertions)", True),
        ("mix test", "5 tests, 0 failures", True),
        ("node --test", "# pass 3\n# fail 0", True),
        ("npm run test", "5 passing (12ms)", True),
        ("python manage.py test", "Ran 3 tests in 0.1s\n\nOK", True),
    ],
)
def test_flight_tests_are_known_by_their_runners(command: str, printed: str, passing: bool) -> None:
    found = flight_of(call(0, command, printed))
    assert found is not None
    assert (found.tests, found.passing) == (1, passing)


# ------------------------------------------------------------------ going in circles


def steps(*parts: tuple[str, str, bool], tool: str = "bash") -> list[Message]:
    return [
        message
        for number, (command, printed, error) in enumerate(parts)
        for message in call(number, command, printed, error=error, name=tool)
    ]


TEST = ("go test ./...", "Exit code 1\n--- FAIL: TestRetry (0.01s)\n    got 3 want 5", True)
CIRCLES = {
    "the same failure again and again": steps(*[TEST] * 8),
    "it only takes another time": steps(
        *[("go test", f"Exit code 1\nFAIL: TestRetry (0.0{n}s) at 0xc0{n}f", True) for n in range(9)]
    ),
    "edits that change nothing of it": steps(*[one for n in range(14) for one in ((f"sed -i s/{n}/x/ a.go", "", False), TEST)]),
    "two commands in turns": steps(*[TEST, ("go vet", "Exit code 2\nvet: bad", True)] * 6),
    "the same file again and again": steps(*[("cat a.go", "package a", False)] * 24),
    "all fails": steps(*[(f"python t{n}.py", f"Traceback (most recent call last):\nValueError: {n}", False) for n in range(26)]),
}
PROGRESS = {
    "each run fails less": steps(
        *[
            one
            for n in range(14)
            for one in ((f"sed -i s/{n}/x/ a.go", "", False), ("go test", f"Exit code 1\n{20 - n} failed, {n} passed", True))
        ]
    ),
    "it waits for something": steps(*[("sleep 30; gh run view", "in progress", False)] * 24),
    "a tool that waits": steps(*[("id-1", "still running", False)] * 24, tool="BashOutput"),
    "what it reads speaks of failures": steps(
        *[(f"cat a{n}.py", f"def f{n}():\n    return 1  # Exit code 1", False) for n in range(24)]
    ),
    "tests pass again and again": steps(
        *[one for n in range(12) for one in ((f"sed -i s/{n}/x/ a.go", "", False), ("pytest", f"{n + 3} passed in 0.4s", False))]
    ),
    "it was mended": steps(*[TEST] * 6, *[(f"pytest t{n}", f"{n + 3} passed in 0.4s", False) for n in range(24)]),
}


@pytest.mark.parametrize("messages", CIRCLES.values(), ids=list(CIRCLES))
def test_trouble_is_high_where_a_task_goes_in_circles(messages: list[Message]) -> None:
    found = flight_of(messages)
    assert found is not None
    assert Trouble().chance(found, 9_000) >= SHIFT_UP


@pytest.mark.parametrize("messages", PROGRESS.values(), ids=list(PROGRESS))
@pytest.mark.parametrize("tokens", [9_000, 60_000])
def test_trouble_is_low_where_a_task_gets_on(messages: list[Message], tokens: int) -> None:
    found = flight_of(messages)
    assert found is not None
    assert Trouble().chance(found, tokens) < SHIFT_UP


@pytest.mark.parametrize(
    "words",
    [
        "I'm unable to reproduce this.",
        "I still can't get it to compile",
        "Ich kann den Fehler nicht finden.",
        "Es ist mir nicht gelungen, den Test zu reparieren.",
        "Je n'arrive pas à corriger ce test",
        "No puedo resolver este error",
        "Não consigo corrigir o teste",
        "Мне не удалось исправить тест",
        "我无法解决这个问题",
        "この問題は解決できませんでした",
    ],
)
def test_trouble_rises_with_each_time_the_model_gives_up(words: str) -> None:
    said = [part for n in range(5) for part in (*call(n, f"ls {n}", "a"), Message("assistant", (TextPart(words),)))]
    once, often, never = (flight_of(messages) for messages in (said[:3], said, said[:2]))
    assert once is not None
    assert often is not None
    assert never is not None
    trouble = Trouble()
    assert trouble.chance(never, 9_000) < trouble.chance(once, 9_000) < trouble.chance(often, 9_000)
    assert (never.gave_up, once.gave_up, often.gave_up) == (0, 1, 5)
    assert "cannot go on" in often.signs()


# ------------------------------------------------------------------ the chance of failure


def test_trouble_counts_no_figure_beyond_what_was_recorded() -> None:
    trouble = Trouble()
    seen = trouble.data["trouble"]["seen"]
    assert list(seen) == list(TROUBLE_FEATURES)
    assert all(low < high for low, high in seen.values())
    # Repetitions speak for a run in the recorded ones, where they were few.
    few, many = (Flight(calls=30, repeats=repeats, output_characters=20_000) for repeats in (12, 29))
    assert trouble.chance(few, 20_000) == pytest.approx(trouble.chance(many, 20_000))


SMOOTH = Flight(calls=30, edits=3, tests=4, passing=True, output_characters=20_000)
ROUGH = Flight(calls=30, failures=20, recent_failures=5, tracebacks=6, edits=9, untested_edits=8, output_characters=200_000)


def test_trouble_is_higher_where_commands_fail_and_edits_go_untested() -> None:
    trouble = Trouble()
    assert trouble.chance(ROUGH, 40_000) > trouble.chance(SMOOTH, 20_000) + 0.2
    assert 0 <= trouble.chance(SMOOTH, 20_000) <= trouble.chance(ROUGH, 40_000) <= 1


def test_trouble_has_a_weight_for_each_of_its_figures() -> None:
    assert list(Trouble().data["trouble"]["weights"]) == list(TROUBLE_FEATURES)
    assert len(trouble_features(ROUGH, 1)) == len(TROUBLE_FEATURES)
    assert all(0 <= figure <= 2 for figure in trouble_features(ROUGH, 10**6))


def test_signs_tell_in_words_what_stands_out() -> None:
    words = ROUGH.signs()
    assert "5 of the last 5 failed" in words
    assert "8 edits untested" in words
    assert "tests pass" in SMOOTH.signs()

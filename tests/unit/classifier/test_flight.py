"""What has happened in an agent's task is read off its calls and results, in either shape, and told as a chance of failure."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.content import TextPart, ToolCallPart, ToolCallResponsePart
from openclaw_oauthrouter.canonical.request import ChatRequest, Message, Tool
from openclaw_oauthrouter.canonical.routing import Flight, RequestFeatures
from openclaw_oauthrouter.classifier.features import EXAMINED_TURNS, features_of
from openclaw_oauthrouter.classifier.flight import TROUBLE_FEATURES, Trouble, flight_of, signs_of, trouble_features
from openclaw_oauthrouter.classifier.prompt_wrappers import builtin_prompt_wrappers

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


# ------------------------------------------------------------------ the chance of failure

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
    words = ", ".join(signs_of(ROUGH))
    assert "5 of the last 5 failed" in words
    assert "8 edits untested" in words
    assert "tests pass" in ", ".join(signs_of(SMOOTH))

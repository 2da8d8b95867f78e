"""The demo answers with the least that fits what was asked for, in both of its dialects."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from openclaw_oauthrouter.providers.demo import messages, responses
from openclaw_oauthrouter.providers.demo.script import Reply, answer

CITY = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "at": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
    },
    "required": ["city", "at"],
}


def body(dialect: ModuleType, words: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages" if dialect is messages else "input": [{"role": "user", "content": words}], **more}


def asked(dialect: ModuleType, words: str, **more: Any) -> Reply:
    return answer(dialect.read(body(dialect, words, **more), 100))


@pytest.mark.parametrize("dialect", [messages, responses])
def test_demo_answers_by_a_schema(dialect: ModuleType) -> None:
    shape = {"format": {"type": "json_schema", "schema": CITY, "name": "city"}}
    reply = asked(dialect, "where", **({"output_config": shape} if dialect is messages else {"text": shape}))
    assert json.loads(reply.text) == {"city": "demo", "at": {"x": 1}}


@pytest.mark.parametrize(
    ("dialect", "choice", "called"),
    [
        (messages, {"type": "any"}, "a"),
        (messages, {"type": "tool", "name": "b"}, "b"),
        (messages, {"type": "auto"}, None),
        (messages, None, None),
        (responses, "required", "a"),
        (responses, {"type": "function", "name": "b"}, "b"),
        (responses, "auto", None),
        (responses, None, None),
    ],
)
def test_demo_calls_a_tool_that_must_be_called(dialect: ModuleType, choice: Any, called: str | None) -> None:
    tools = [{"name": name, "type": "function", "input_schema": CITY, "parameters": CITY} for name in "ab"]
    reply = asked(dialect, "hello", tools=tools, tool_choice=choice)
    assert (reply.tool and reply.tool[0]) == called


@pytest.mark.parametrize("dialect", [messages, responses])
def test_demo_counts(dialect: ModuleType) -> None:
    assert asked(dialect, "COUNT_TO 5").text == "1 2 3 4 5"


def test_demo_reads_the_users_words_among_what_a_host_sends_with_them() -> None:
    parts = [{"type": "input_text", "text": text} for text in ("<system-reminder>x</system-reminder>", "COUNT_TO 2")]
    question = responses.read({"model": "m", "input": [{"role": "user", "content": parts}]}, 10)
    assert answer(question).text == "1 2"

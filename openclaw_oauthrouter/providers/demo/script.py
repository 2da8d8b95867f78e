"""What the demo says: the same for every dialect, decided by the words of the prompt.

``USE_TOOL [name] [{json arguments}]`` makes it call a tool, ``COUNT_TO number`` count, ``FAIL status [model]`` refuse (only models whose id
holds the word). Where a schema is asked for or a tool must be called, it answers with the least that fits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value

_USE_TOOL = lazily(r"USE_TOOL(?:[ \t]+([\w-]+))?(?:[ \t]+(\{.*\}))?")
_COUNT = lazily(r"COUNT_TO (\d{1,5})")
_FAIL = lazily(r"FAIL (\d{3})(?: ([\w.-]+))?")
_SAMPLES: Mapping[str, object] = {"string": "demo", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


@value(frozen=True, slots=True)
class Turn:
    """One thing the conversation holds, oldest first.

    :ivar kind: ``user`` (words), ``assistant`` (words) or ``tool`` (a tool's answer)
    """

    kind: str
    text: str


@value(frozen=True, slots=True)
class Question:
    """A request, as far as the demo cares.

    :ivar tools: name -> JSON Schema of the arguments
    :ivar schema: of the answer
    :ivar must_call: a tool has to be called: its name, or ``""`` for any; ``None`` where it is up to the model
    """

    model: str
    turns: Sequence[Turn]
    tools: Mapping[str, Mapping[str, Any]]
    stream: bool
    thinks: bool
    prompt_bytes: int
    schema: Mapping[str, Any] | None = None
    must_call: str | None = None


@value(frozen=True, slots=True)
class Reply:
    """What the demo answers.

    :ivar status: not 200 for a refusal; ``text`` is then its message
    :ivar tool: name and JSON arguments of a tool call, instead of text
    """

    text: str = ""
    thinking: str = ""
    tool: tuple[str, str] | None = None
    status: int = 200
    input_tokens: int = 0
    output_tokens: int = 0


def pieces(text: str) -> list[str]:
    """A text in pieces as a model would stream it."""
    return re.findall(r"\S+\s*|\s+", text)


def answer(question: Question) -> Reply:
    """Decide."""
    asked = _asked(question)
    tokens = max(1, question.prompt_bytes // 4)
    fail = _FAIL.search(asked)
    if fail and (fail[2] is None or fail[2] in question.model):
        return Reply(f"the demo was asked to fail with {fail[1]}", status=int(fail[1]))
    call = _wanted_call(question)
    if call is not None:
        return Reply(tool=call, input_tokens=tokens, output_tokens=len(call[1]) // 4 + 8)
    text = _words(question, asked)
    thinking = "The demo thinks about this for a moment." if question.thinks else ""
    return Reply(text, thinking, input_tokens=tokens, output_tokens=len(text) // 4 + 1)


def _asked(question: Question) -> str:
    """The user's latest words; what hosts add around them begins with a tag."""
    spoken = (turn.text for turn in reversed(question.turns) if turn.kind == "user")
    return next((text for text in spoken if text.strip() and not text.startswith("<")), "")


def _wanted_call(question: Question) -> tuple[str, str] | None:
    for turn in reversed(question.turns):
        if turn.kind == "tool":
            return None  # the call was made and answered
        match = _USE_TOOL.search(turn.text) if turn.kind == "user" else None
        if match and question.tools:
            name = match[1] if match[1] in question.tools else next(iter(question.tools))
            return name, match[2] or json.dumps(_sample_object(question.tools[name]))
    if question.must_call is not None and question.tools:
        name = question.must_call if question.must_call in question.tools else next(iter(question.tools))
        return name, json.dumps(_sample_object(question.tools[name]))
    return None


def _sample_object(schema: Mapping[str, Any]) -> dict[str, object]:
    properties = schema.get("properties") or {}
    return {name: _sample(properties.get(name) or {}) for name in schema.get("required") or ()}


def _sample(schema: Mapping[str, Any]) -> object:
    if schema.get("enum"):
        return schema["enum"][0]
    if schema.get("properties"):
        return _sample_object(schema)
    kind = schema.get("type")
    return _SAMPLES.get(kind if isinstance(kind, str) else "string", "demo")


def _words(question: Question, asked: str) -> str:
    tool = next((turn.text for turn in reversed(question.turns) if turn.kind == "tool"), None)
    if tool is not None and (question.turns[-1].kind == "tool" or "USE_TOOL" in asked):
        return f"The tool answered: {tool[:200]}"
    if question.schema is not None:
        return json.dumps(_sample_object(question.schema))
    count = _COUNT.search(asked)
    if count:
        return " ".join(str(number + 1) for number in range(int(count[1])))
    excerpt = " ".join(asked.split())[-80:]
    return f"This is the demo speaking as {question.model}. You wrote: {excerpt}"

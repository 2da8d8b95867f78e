"""A conversation of twelve turns costs through us what it costs a client that marks its prompts itself."""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.model_info import ModelInfo
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from tests.support.fitted import encoded_for
from tests.support.prompt_cache import Bill, PromptCache
from tests.support.recordings import SHARED

Json = dict[str, Any]
MESSAGES = AnthropicMessages(lambda: 0.0)
CHAT = ChatCompletions(lambda: 0.0)
INFO = ModelInfo("anthropic", "claude-sonnet-5")
CAPTURES = SHARED / "openclaw-captures"
CLAUDE_CODE = SHARED / "client-captures" / "claude-code-01.json"

SYSTEM = "You are a careful assistant. " * 200
TOOLS = [
    {"name": f"tool_{number}", "description": "Does its work. " * 20, "schema": {"type": "object", "properties": {}}}
    for number in range(12)
]
PASSING = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nActive sessions: {turn}\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>"


def chat_turns(passing: bool) -> list[Json]:
    """Twelve requests of a Chat client that sets no marks: questions, calls, answers; each holds all that went before."""
    tools = [
        {"type": "function", "function": {"name": tool["name"], "description": tool["description"], "parameters": tool["schema"]}}
        for tool in TOOLS
    ]
    history: list[Json] = [{"role": "system", "content": SYSTEM}]
    requests = []
    for turn in range(6):
        history.append({"role": "user", "content": f"Question {turn}. " * 50})
        now = [{"role": "user", "content": PASSING.format(turn=turn)}] if passing else []
        requests.append({"model": "auto", "tools": tools, "messages": [*history, *now]})
        call = {"id": f"c{turn}", "type": "function", "function": {"name": "tool_1", "arguments": "{}"}}
        history += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{turn}", "content": f"Answer {turn}. " * 400},
        ]
        requests.append({"model": "auto", "tools": tools, "messages": [*history, *now]})
        history.append({"role": "assistant", "content": f"So it is {turn}."})
    return requests


def bills(bodies: list[Json]) -> list[Bill]:
    cache = PromptCache()
    return [cache.bill(body) for body in bodies]


def sent(dialect: Any, requests: list[Json]) -> list[Json]:
    return [encoded_for(MESSAGES, dialect.decode_request(copy.deepcopy(body), {}), INFO).body for body in requests]


def share(found: list[Bill]) -> float:
    """How much of the prompts is read from the cache, the first request aside."""
    later = found[1:]
    return sum(bill.read for bill in later) / sum(bill.read + bill.written + bill.new for bill in later)


@pytest.mark.parametrize("passing", [False, True])
def test_marks_make_a_conversation_read_what_was_sent_before(passing: bool) -> None:
    found = bills(sent(CHAT, chat_turns(passing)))
    for before, after in itertools.pairwise(found):
        # All of the last request but what its host put in for that moment only.
        assert after.read >= (before.read + before.written) * 0.99
        assert after.new < 200
    assert share(found) > 0.85


def test_marks_reach_back_over_a_turn_of_many_blocks() -> None:
    """Thirty calls in one turn are more than the vendor looks back; the mark of the turn before is found all the same."""
    calls = [{"id": f"c{number}", "type": "function", "function": {"name": "tool_1", "arguments": "{}"}} for number in range(30)]
    start = chat_turns(False)[0]
    later = copy.deepcopy(start)
    later["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in calls),
    ]
    first, second = bills(sent(CHAT, [start, later]))
    assert second.read == first.written


def test_marks_are_not_set_for_a_lone_question() -> None:
    lone = {"model": "auto", "messages": [{"role": "user", "content": "A long text. " * 2000}]}
    assert "cache_control" not in json.dumps(sent(CHAT, [lone])[0])
    short = {
        "model": "auto",
        "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "x"}],
    }
    assert "cache_control" not in json.dumps(sent(CHAT, [short])[0])


def test_marks_of_the_client_are_the_only_ones() -> None:
    (request,) = chat_turns(False)[:1]
    request["messages"][-1]["content"] = [{"type": "text", "text": "x " * 3000, "cache_control": {"type": "ephemeral"}}]
    body = sent(CHAT, [request])[0]
    assert json.dumps(body).count("cache_control") == 1
    assert body["messages"][-1]["content"][0]["cache_control"] == {"type": "ephemeral"}


def test_messages_prompt_cache_mark_of_the_whole_request_marks_its_end() -> None:
    (request,) = chat_turns(False)[:1]
    request["cache_control"] = {"type": "ephemeral"}
    body = sent(CHAT, [request])[0]
    assert body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    assert json.dumps(body).count("cache_control") == 1


def captured(name: str) -> Json:
    found = json.loads((CAPTURES / name).read_text())
    body: Json = found.get("body") or found
    return body


def grown(body: Json, turns: int, marked: bool) -> list[Json]:
    """A captured conversation going on, as its host would send it: marks on the last two turns where the host sets marks."""
    requests: list[Json] = []
    history = copy.deepcopy(body["messages"])
    while isinstance(history[-1].get("content"), list) and str(history[-1]["content"][-1].get("text", "")).startswith(
        "<<<BEGIN_OPENCLAW"
    ):
        passing = history[-1]["content"].pop()
        if not history[-1]["content"]:
            history.pop()
        break
    else:
        passing = {"type": "text", "text": PASSING.format(turn=0)}
    for turn in range(turns):
        current = copy.deepcopy(history)
        if marked:
            _mark_as_host(current)
            current[-1]["content"].append(passing)
        else:
            current.append({"role": "user", "content": [passing]})
        requests.append({**body, "messages": current})
        history += [
            {"role": "assistant", "content": [{"type": "text", "text": f"Said {turn}. " * 30}]},
            {"role": "user", "content": [{"type": "text", "text": f"Asked {turn}. " * 30}]},
        ]
    return requests


def _mark_as_host(messages: list[Json]) -> None:
    users = [message for message in messages if message["role"] == "user"]
    for message in users:
        for block in message["content"]:
            block.pop("cache_control", None)
    for message in users[-2:]:
        message["content"][-1]["cache_control"] = {"type": "ephemeral"}


@pytest.mark.skipif(not CAPTURES.exists(), reason="needs openclaw-captures")
def test_marks_read_as_much_of_openclaws_conversation_as_its_own_do() -> None:
    direct = bills(grown(captured("anth-02.json"), 12, marked=True))
    ours = bills(sent(CHAT, grown(captured("comp-03.json"), 12, marked=False)))
    assert share(ours) >= share(direct) - 0.002
    assert share(ours) > 0.95


@pytest.mark.skipif(not CLAUDE_CODE.exists(), reason="needs client-captures")
@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-5"])
def test_marks_of_claude_code_pass_as_they_are(model: str) -> None:
    body = json.loads(Path(CLAUDE_CODE).read_text())["body"]
    own = encoded_for(MESSAGES, MESSAGES.decode_request(copy.deepcopy(body), {}), ModelInfo("anthropic", model)).body
    assert _marks(own) == _marks(body)


def _marks(body: Json) -> int:
    return json.dumps(body).count('"cache_control"')

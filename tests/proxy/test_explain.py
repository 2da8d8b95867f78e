"""An explanation says what the gateway then does, whatever the request is written in and whatever conversation it belongs to."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.proxy.test_money import ByMode, messages

LONG = "def handler(x):\n    return x\n" * 400
DESIGN = f"Design an event pipeline with exactly-once delivery; compare three stores.\n{LONG}"
VERSION = {"anthropic-version": "2023-06-01"}
USAGE = {"input_tokens": 10, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 4000, "output_tokens": 120}
TOOLS = [{"name": name, "description": "d", "input_schema": {"type": "object"}} for name in ("Bash", "Edit")]


def turns(*words: str) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    for text in words:
        said += [{"role": "user", "content": text}, {"role": "assistant", "content": "done"}]
    return said[:-1]


def call(name: str, result: str) -> list[dict[str, Any]]:
    return [
        {"role": "assistant", "content": [{"type": "tool_use", "id": name, "name": "Bash", "input": {"command": "pytest"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": result}]},
    ]


AGENT = {"max_tokens": 900, "system": "You are an agent.", "tools": TOOLS}
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
CONVERSATIONS: dict[str, tuple[str, dict[str, str], list[dict[str, Any]]]] = {
    "chat": (
        CHAT,
        {},
        [{"messages": turns(DESIGN)}, {"messages": turns(DESIGN, "go on")}, {"messages": turns(DESIGN, "x", "hi")}],
    ),
    "messages": (
        MESSAGES,
        VERSION,
        [{"max_tokens": 900, "messages": turns(DESIGN)}, {"max_tokens": 900, "messages": turns(DESIGN, "go on")}],
    ),
    "an agent at work": (
        MESSAGES,
        {**VERSION, "x-claude-code-session-id": "s-1"},
        [
            {**AGENT, "messages": turns(DESIGN)},
            {**AGENT, "messages": turns(DESIGN) + call("a", "1 failed")},
            {**AGENT, "messages": turns(DESIGN) + call("a", "1 failed") + call("b", "Traceback")},
        ],
    ),
    "a side request": (
        MESSAGES,
        {**VERSION, "x-claude-code-session-id": "s-1", "x-claude-code-request-class": "auxiliary"},
        [{"max_tokens": 90, "messages": turns(f"Write a title for: {DESIGN}")}],
    ),
    "responses": (RESPONSES, {"session_id": "r-1"}, [{"input": turns(DESIGN)}, {"input": turns(DESIGN, "go on")}]),
    "a profile": (CHAT, {"x-oauthrouter-profile": "economy"}, [{"messages": turns(DESIGN)}]),
    "a tier": (CHAT, {"x-oauthrouter-tier": "COMPLEX"}, [{"messages": turns("hi")}]),
}


async def anthropic(stack: Any) -> Any:
    return await stack.enter_async_context(ByMode(*messages(USAGE)))


async def newest(http: Any, count: int) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while len(events := (await http.get("/debug/routing-trace")).json()["events"]) < count:
            await asyncio.sleep(0.02)
    record: dict[str, Any] = events[-1]
    return record


def decided(routing: dict[str, Any]) -> dict[str, Any]:
    """What an explanation and the trace have in common; a plan's shadow price moves with the clock, a paid key's does not."""
    hops = [(hop["model"], hop["reason"], hop["cost"]) for hop in routing["hops"][:8]]
    return {
        "hops": hops,
        **{name: routing[name] for name in ("skipped", "score", "floors", "kind", "turn", "trouble", "forecast")},
    }


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("kind", CONVERSATIONS)
async def test_explain_says_what_is_then_done(kind: str, recorded: bool, gateway: Any, stack: Any, client: Any) -> None:
    http = await client(await gateway(await anthropic(stack)))
    path, headers, bodies = CONVERSATIONS[kind]
    for number, body in enumerate(({"model": "auto", **one} for one in bodies), 1):
        if recorded:
            told = {
                "path": f"{path}?beta=true",
                "headers": {name.title(): value for name, value in headers.items()},
                "body": body,
            }
            explained = await http.post("/v1/route/explain", json=told)
        else:
            explained = await http.post("/v1/route/explain", json=body, headers=headers)
        assert (await http.post(path, json=body, headers=headers)).status_code == 200
        record = await newest(http, number)
        assert decided(explained.json()) == decided(record["routing"])
        assert explained.json()["model"] == record["modelIdResolved"]
        assert explained.json()["conversation"]["key"] == record["conversation"]
        assert explained.json()["conversation"]["known"] == (number > 1)
        if number > 1:
            assert explained.json()["hops"][0]["reason"].startswith("kept: ")


async def test_explain_of_a_first_turn_is_not_the_next_turn_of_one_that_began_alike(
    gateway: Any, stack: Any, client: Any
) -> None:
    http = await client(await gateway(await anthropic(stack)))
    body = {"model": "auto", "messages": turns(DESIGN)}
    await http.post(CHAT, json=body)
    explained = (await http.post("/v1/route/explain", json=body)).json()
    assert explained["conversation"]["known"] is False
    assert not explained["hops"][0]["reason"].startswith("kept: ")


async def test_explain_goes_on_from_a_kept_response(gateway: Any, stack: Any, client: Any) -> None:
    http = await client(await gateway(await anthropic(stack)))
    first = await http.post(RESPONSES, json={"model": "auto", "input": DESIGN})
    body = {"model": "auto", "input": "go on", "previous_response_id": first.json()["id"]}
    explained = (await http.post("/v1/route/explain", json=body)).json()
    await http.post(RESPONSES, json=body)
    assert decided(explained) == decided((await newest(http, 2))["routing"])
    missing = await http.post("/v1/route/explain", json={**body, "previous_response_id": "resp_gone"})
    assert missing.status_code == 400
    assert missing.json()["error"]["code"] == "previous_response_not_found"


async def test_explain_prompt_as_next_turn_counts_what_came_before(gateway: Any, stack: Any, client: Any) -> None:
    http = await client(await gateway(await anthropic(stack)))
    body = {"model": "auto", "max_tokens": 900, "messages": turns(DESIGN)}
    await http.post(MESSAGES, json=body, headers=VERSION)
    key = (await newest(http, 1))["conversation"]
    known = (await http.post("/v1/route/explain", json={"prompt": "go on", "conversation": key})).json()
    assert known["conversation"] == {
        "key": key,
        "known": True,
        "model": known["model"],
        "tier": known["tier"],
        "turns": 1,
        "inputTokens": 4010,
        "idleSeconds": known["conversation"]["idleSeconds"],
        "cached": {known["model"]: 4000},
    }
    assert 4130 <= known["forecast"]["inputTokens"] < 4200
    assert known["hops"][0]["cost"]["cachedTokens"] == 4000
    fresh = (await http.post("/v1/route/explain", json={"prompt": "go on", "conversation": "0" * 24})).json()
    assert fresh["conversation"] == {"key": "0" * 24, "known": False}
    assert fresh["forecast"]["inputTokens"] < 100


@pytest.mark.parametrize(
    ("told", "param"),
    [
        ({}, "prompt"),
        ({"contents": []}, "prompt"),
        ({"path": "/v1/messages", "headers": {}}, "prompt"),
        ({"prompt": "hi", "conversation": "mine"}, "conversation"),
        ({"prompt": "hi", "conversation": 7}, "conversation"),
        ({"path": "/v1/nothing", "body": {"messages": turns("hi")}}, "path"),
        ({"path": "/v1/messages", "body": 7}, "body"),
        ({"path": "/v1/messages", "body": "{"}, None),
        ({"path": "/v1/messages", "headers": "none", "body": {}}, "headers"),
        ({"path": "/v1/messages", "headers": [["a"]], "body": {}}, "headers"),
        ({"path": "/v1/messages", "headers": {}, "body": {"max_tokens": 5}}, "messages"),
    ],
)
async def test_explain_of_nothing_is_refused(told: Any, param: str | None, gateway: Any, client: Any) -> None:
    http = await client(await gateway())
    answer = await http.post("/v1/route/explain", json=told)
    assert answer.status_code == 400
    assert answer.json()["error"].get("param") == param


async def test_explain_takes_captures_with_headers_as_pairs_and_the_body_as_text(gateway: Any, stack: Any, client: Any) -> None:
    http = await client(await gateway(await anthropic(stack)))
    body = json.dumps({"model": "auto", "messages": turns("hi"), "max_tokens": 9})
    told = {"path": MESSAGES, "headers": [["X-Claude-Code-Request-Class", "auxiliary"], ["X-Api-Key", "k"]], "body": body}
    assert (await http.post("/v1/route/explain", json=told)).json()["kind"] == "side"


async def test_explain_leaves_a_conversation_of_the_vendors_own_to_the_dialect(gateway: Any, stack: Any, client: Any) -> None:
    http = await client(await gateway(await anthropic(stack)))
    for conversation in ("conv_123", {"id": "conv_123"}):
        body = {"model": "auto", "input": "hi", "conversation": conversation}
        explained = await http.post("/v1/route/explain", json=body)
        assert explained.status_code == (await http.post(RESPONSES, json=body)).status_code


async def test_explain_of_another_clients_request_is_for_the_owner(gateway: Any, stack: Any, client: Any) -> None:
    keys = {"nightly": {"token": "nightly-token-of-the-test"}, "other": {"token": "other-token-of-the-test"}}
    http = await client(await gateway(await anthropic(stack), server={"client_keys": keys}))
    body = {"model": "auto", "messages": turns(DESIGN)}
    theirs = {"authorization": "Bearer nightly-token-of-the-test"}
    assert (await http.post(CHAT, json=body, headers=theirs)).status_code == 200
    told = {"body": {"model": "auto", "messages": turns(DESIGN, "go on")}}
    for extra, headers, known in (
        ({}, {}, False),
        ({"client": "nightly"}, {}, True),
        ({"client": "other"}, {}, False),
        ({}, theirs, True),
    ):
        explained = (await http.post("/v1/route/explain", json={**told, **extra}, headers=headers)).json()
        assert explained["conversation"]["known"] is known, extra
    refused = await http.post("/v1/route/explain", json={**told, "client": "other"}, headers=theirs)
    assert refused.status_code == 403
    unknown = await http.post("/v1/route/explain", json={**told, "client": "nobody"})
    assert (unknown.status_code, unknown.json()["error"]["param"]) == (400, "client")

"""A provider that reports nonsense about tokens spoils neither the answer nor what is recorded of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.answers import Answer, play
from tests.support.conversations import CHAT, MESSAGES, RESPONSES
from tests.support.upstream import Piece, Play

FIELDS = {
    CHAT: ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"),
    MESSAGES: ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation", "service_tier"),
    RESPONSES: ("input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"),
}
MODELS = {CHAT: "house/m", MESSAGES: "anthropic/claude-haiku-4-5", RESPONSES: "answers/m"}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    CHAT: ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
    MESSAGES: ("/v1/messages", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 40}),
    RESPONSES: ("/v1/responses", {"input": "hi"}),
}
NONSENSE: tuple[Any, ...] = (
    1e300,
    2**64 - 1,
    -1_000_000,
    2.5,
    "many",
    True,
    [1],
    {"cached_tokens": [1], "reasoning_tokens": "x", "ephemeral_1h_input_tokens": {}},
)


def lie(told: Any, dialect: str, value: Any) -> Any:
    """The same JSON, ``value`` in every field of every ``usage``."""
    if isinstance(told, list):
        return [lie(entry, dialect, value) for entry in told]
    if not isinstance(told, dict):
        return told
    usage = {"usage": dict.fromkeys(FIELDS[dialect], value)} if told.get("usage") else {}
    return {key: lie(entry, dialect, value) for key, entry in told.items()} | usage


def lying(dialect: str, value: Any, *, stream: bool) -> Play:
    """An answer whose usage is nonsense."""
    told = play(dialect, Answer("fine words"), stream=stream)
    if not stream:
        return Play.json(lie(json.loads(b"".join(piece for piece in told.pieces if isinstance(piece, bytes))), dialect, value))
    return Play([_lying_event(piece, dialect, value) for piece in told.pieces])


def _lying_event(piece: Piece, dialect: str, value: Any) -> Piece:
    assert isinstance(piece, bytes)
    head, mark, data = piece.partition(b"data: ")
    if not data.startswith(b"{"):
        return piece
    return b"%b%b%b\n\n" % (head, mark, json.dumps(lie(json.loads(data), dialect, value)).encode())


@pytest.mark.parametrize("value", [-5, "5", True, None, [1]], ids=str)
@pytest.mark.parametrize("provider", MODELS)
async def test_nonsense_is_no_report_so_the_estimate_is_booked(
    provider: str, value: Any, gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(lying(provider, value, stream=False))
    own = {"api_base": f"{upstream.url}/v1", "models": ["m"]}
    http = await client(await gateway(upstream, providers={"house": own, "answers": {**own, "dialect": RESPONSES}}))
    body = {"model": MODELS[provider], "messages": [{"role": "user", "content": "hi " * 1000}], "max_tokens": 40}
    assert (await http.post("/v1/chat/completions", json=body)).status_code == 200
    [event] = (await http.get("/debug/routing-trace")).json()["events"]
    assert event["tokens"]["input"] > 500
    assert event["tokens"]["output"] > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("spoken", CALLS)
@pytest.mark.parametrize("provider", MODELS)
async def test_usage_that_lies_answer_arrives_and_is_on_record(
    provider: str, spoken: str, stream: bool, gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(*(lying(provider, value, stream=stream) for value in NONSENSE))
    own = {"api_base": f"{upstream.url}/v1", "models": ["m"]}
    providers = {"house": own, "answers": {**own, "dialect": RESPONSES}}
    http = await client(await gateway(upstream, providers=providers, spend_controls={"daily_cost_budget": 1e300}))
    path, body = CALLS[spoken]
    for value in NONSENSE:
        answer = await http.post(path, json={**body, "model": MODELS[provider], "stream": stream})
        assert answer.status_code == 200, (value, answer.text)
        assert "words" in answer.text, value
        assert '"error"' not in re.sub(r'"error": ?null', "", answer.text), value
    trace = await http.get("/debug/routing-trace")
    assert trace.status_code == 200
    events = trace.json()["events"]
    assert [event["status"] for event in events] == [200] * len(NONSENSE)
    for value, event in zip(NONSENSE, events, strict=True):
        assert all(0 <= count < 2**55 for count in event["tokens"].values()), (value, event["tokens"])
        assert event.get("cost", {}).get("actual", 0) >= 0, value

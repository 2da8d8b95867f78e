"""A provider's refusal reaches a client of its own dialect as it is, and other clients in the fields that their own code reads."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from openclaw_oauthrouter.wire.retry_after import wait_in_words
from tests.support.upstream import Play

RESETS = 1_895_912_345
LIMIT = {
    "error": {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": "plus",
        "resets_at": RESETS,
    }
}
METERS = {"x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "300", "x-codex-turn-state": "t1"}
KEY = "sk-ant-api03-test"
SAYS_WAIT = "Rate limit reached for gpt-5.4. Please try again in 90.5s."


def event(kind: str, **fields: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps({"type": kind, **fields}))


def failed(code: str, message: str, **fields: Any) -> Play:
    """A Responses stream that breaks off before it has said anything."""
    response = {"id": "resp_1", "object": "response", "status": "in_progress", "output": [], "model": "m"}
    error = {"code": code, "message": message, **fields}
    return Play(
        [
            event("response.created", response=response, sequence_number=0),
            event("response.failed", response={**response, "status": "failed", "error": error}, sequence_number=1),
        ]
    )


@pytest.fixture
def lane(gateway: Any, scripted: Any, client: Any) -> Any:
    """A gateway with one upstream behind every provider, whose play is given."""

    async def begin(*plays: Play) -> Any:
        upstream = await scripted(*plays)
        providers = {
            "openai-codex": {"api_base": upstream.url, "auth_header": "Bearer codex-secret-token"},
            "openai": {"api_base": f"{upstream.url}/v1", "api_key": "sk-openai-secret-key"},
            "anthropic": {"api_base": upstream.url, "api_key": KEY},
        }
        http = await client(await gateway(upstream, providers=providers, upstream={"retry": {"attempts": 1}}))
        return http, upstream

    return begin


BODIES = {
    "/v1/responses": ("openai-codex/gpt-5.4", {"input": "hi"}),
    "/v1/chat/completions": ("openai/gpt-4o", {"messages": [{"role": "user", "content": "hi"}]}),
    "/v1/messages": ("anthropic/claude-haiku-4-5", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}),
}
OBJECTS = {
    "/v1/responses": {
        "error": {"message": "no", "type": "odd", "code": "odd_code", "param": None, "plan_type": "x", "extra": [1]}
    },
    "/v1/chat/completions": {"error": {"message": "no", "type": "odd", "code": 17, "metadata": {"raw": "cause"}}},
    "/v1/messages": {
        "type": "error",
        "error": {"type": "odd_error", "message": "no", "details": {"a": 1}},
        "request_id": "req_9",
    },
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 409, 413, 422, 429, 500, 503, 529])
@pytest.mark.parametrize("path", BODIES)
async def test_refusal_of_the_clients_dialect_passes_as_it_is(path: str, status: int, stream: bool, lane: Any) -> None:
    headers = {
        "x-ratelimit-reset-requests": "6m0s",
        "anthropic-ratelimit-unified-status": "rejected",
        **METERS,
        "retry-after": "77",
    }
    http, _ = await lane(Play.json(OBJECTS[path], status, **headers))
    model, body = BODIES[path]
    answer = await http.post(path, json={**body, "model": model, "stream": stream})
    assert answer.status_code == status
    assert answer.json() == OBJECTS[path]
    assert {name: answer.headers.get(name) for name in headers} == headers


@pytest.mark.parametrize("path", BODIES)
async def test_unknown_model_passes_as_it_is(path: str, lane: Any) -> None:
    said = {
        "/v1/responses": {
            "error": {"message": "The model 'x' does not exist", "type": "odd", "code": "model_not_found", "param": "model"}
        },
        "/v1/chat/completions": {"error": {"message": "The model 'x' does not exist", "code": "model_not_found", "extra": 1}},
        "/v1/messages": {"type": "error", "error": {"type": "not_found_error", "message": "model: claude-x"}, "request_id": "r"},
    }[path]
    http, _ = await lane(Play.json(said, 404))
    model, body = BODIES[path]
    answer = await http.post(path, json={**body, "model": model})
    assert (answer.status_code, answer.json()) == (404, said)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("path", BODIES)
async def test_refusal_of_the_gateways_credential_stays_here(path: str, status: int, lane: Any) -> None:
    http, _ = await lane(*[Play.json(OBJECTS[path], status, **METERS)] * 3)
    model, body = BODIES[path]
    answer = await http.post(path, json={**body, "model": model})
    assert answer.status_code == 503
    assert answer.headers["x-should-retry"] == "false"
    assert "x-codex-turn-state" not in answer.headers


@pytest.mark.parametrize("path", BODIES)
async def test_refusal_tells_no_credential(path: str, lane: Any) -> None:
    secrets = ["codex-secret-token", "sk-openai-secret-key", KEY]
    http, _ = await lane(Play.json({"error": {"message": " ".join(secrets), "type": "t", "quoted": secrets}}, 400))
    model, body = BODIES[path]
    answer = await http.post(path, json={**body, "model": model})
    sent = {"/v1/responses": secrets[0], "/v1/chat/completions": secrets[1], "/v1/messages": secrets[2]}[path]
    assert sent not in answer.text
    assert "[redacted]" in answer.text


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"", b"[1]", b'{"message": "no"}'])
@pytest.mark.parametrize("path", BODIES)
async def test_refusal_without_an_error_object_gets_an_envelope(path: str, body: bytes, lane: Any) -> None:
    http, _ = await lane(Play([body], status=500, content_type="application/json"))
    model, asked = BODIES[path]
    answer = await http.post(path, json={**asked, "model": model})
    assert answer.status_code == 500
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_codex_plan_limit_keeps_type_plan_and_reset(stream: bool, lane: Any) -> None:
    http, _ = await lane(Play.json(LIMIT, 429, **METERS))
    answer = await http.post("/v1/responses", json={"model": "openai-codex/gpt-5.4", "input": "hi", "stream": stream})
    assert answer.status_code == 429
    assert answer.json() == LIMIT
    assert {name: answer.headers[name] for name in METERS} == METERS


@pytest.mark.parametrize(
    "code", ["rate_limit_exceeded", "context_length_exceeded", "insufficient_quota", "usage_not_included", "odd"]
)
async def test_failed_stream_reaches_a_streaming_client_as_stream(code: str, lane: Any) -> None:
    http, _ = await lane(failed(code, SAYS_WAIT, plan_type="plus"))
    answer = await http.post("/v1/responses", json={"model": "openai-codex/gpt-5.4", "input": "hi", "stream": True})
    assert answer.status_code == 200
    events = [orjson.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"] == {"code": code, "message": SAYS_WAIT, "plan_type": "plus"}


async def test_failed_stream_reaches_a_whole_client_as_status(lane: Any) -> None:
    http, _ = await lane(failed("rate_limit_exceeded", SAYS_WAIT, plan_type="plus"))
    answer = await http.post("/v1/responses", json={"model": "openai-codex/gpt-5.4", "input": "hi"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "91")
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    assert answer.json()["error"]["plan_type"] == "plus"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", BODIES)
async def test_wait_in_words_becomes_retry_after(path: str, stream: bool, lane: Any) -> None:
    for said in ({"error": {"message": SAYS_WAIT, "type": "requests", "code": "rate_limit_exceeded"}},):
        http, _ = await lane(*[Play.json(said, 429)] * 3)
        for model, _ in BODIES.values():
            answer = await http.post(path, json={**BODIES[path][1], "model": model, "stream": stream})
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "91"


async def test_limit_that_is_remembered_tells_codex_the_same(lane: Any) -> None:
    http, upstream = await lane(Play.json({"error": {**LIMIT["error"], "resets_in_seconds": 7200}}, 429, **METERS))
    body = {"model": "openai-codex/gpt-5.4", "input": "hi", "stream": True}
    for _ in range(3):
        answer = await http.post("/v1/responses", json=body, headers={"originator": "codex_exec"})
        error = answer.json()["error"]
        assert (answer.status_code, error["type"]) == (429, "usage_limit_reached")
        assert error["resets_at"] > 1_700_000_000
    assert len(upstream.seen) == 1


async def test_limit_of_another_maker_tells_codex_when_to_come_back(lane: Any) -> None:
    said = {"type": "error", "error": {"type": "rate_limit_error", "message": "weekly limit"}}
    http, _ = await lane(Play.json(said, 429, **{"retry-after": "7200"}))
    answer = await http.post("/v1/responses", json={"model": BODIES["/v1/messages"][0], "input": "hi", "stream": True})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["resets_in_seconds"]) == (429, "usage_limit_reached", 7200)
    assert error["resets_at"] > RESETS - 400_000_000


@pytest.mark.parametrize(("originator", "status"), [("codex_exec", 200), ("codex_cli_rs", 200), ("", 429)])
async def test_short_limit_of_another_maker_is_a_pause_to_codex(originator: str, status: int, lane: Any) -> None:
    said = {"type": "error", "error": {"type": "rate_limit_error", "message": "too fast"}}
    http, _ = await lane(Play.json(said, 429, **{"retry-after": "44"}))
    body = {"model": BODIES["/v1/messages"][0], "input": "hi", "stream": True}
    answer = await http.post("/v1/responses", json=body, headers={"originator": originator})
    assert answer.status_code == status
    if status == 200:
        assert '"code":"rate_limit_exceeded","message":"too fast. Please try again in 44.000s."' in answer.text


async def test_turn_headers_travel_both_ways(lane: Any) -> None:
    http, upstream = await lane(Play.json(LIMIT, 429, **METERS, **{"x-codex-routing-hint": "r1"}))
    sent = {"x-codex-turn-state": "t0", "x-codex-routing-hint": "r0"}
    answer = await http.post("/v1/responses", json={"model": "openai-codex/gpt-5.4", "input": "hi"}, headers=sent)
    assert {name: upstream.seen[0].headers.get(name) for name in sent} == sent
    assert (answer.headers["x-codex-turn-state"], answer.headers["x-codex-routing-hint"]) == ("t1", "r1")


async def test_turn_headers_go_to_no_other_provider(lane: Any) -> None:
    http, upstream = await lane(*[Play.json(LIMIT, 429)] * 2)
    for model in ("openai/gpt-4o", "anthropic/claude-haiku-4-5"):
        await http.post("/v1/responses", json={"model": model, "input": "hi"}, headers={"x-codex-turn-state": "t0"})
    assert len(upstream.seen) == 2
    assert not [request for request in upstream.seen if "x-codex-turn-state" in request.headers]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 3.054s.", 3.054),
        ("Please try again in 250ms", 0.25),
        ("Please retry after 20 seconds.", 20),
        ("Please retry in 36.5s.", 36.5),
        ("try again in 1m30s", 90),
        ("Try again in 2 minutes and 5 seconds", 125),
        ("Retry your request after 1 hour", 3600),
        ("Your limit resets in 2h", 7200),
        ("try again later", None),
        ("try again in 5 bananas", None),
        ("try again in 1.2.3s", None),
        ("try again in 99999999 days", None),
        ("there were 3 tries again in 5 rooms", None),
    ],
)
def test_wait_in_words_reads_what_providers_write(words: str, seconds: float | None) -> None:
    assert wait_in_words(words) == (None if seconds is None else pytest.approx(seconds))

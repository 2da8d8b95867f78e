"""Paths that no dialect covers go to the model's provider as they are."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.proxy.passed_routes import PASSED_FORMS
from openclaw_oauthrouter.wire.form import Form
from tests.support.upstream import CUT, Play

ANSWER = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "vendor_field": 1}


async def test_embeddings_reach_the_provider_with_its_own_model_name(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json(ANSWER))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    http = await client(handle)
    body = {"model": "openai/text-embedding-3-small", "input": ["a"], "unknown": {"kept": True}}
    answer = await http.post("/v1/embeddings", json=body)
    assert answer.json() == ANSWER
    assert upstream.seen[0].path == "/v1/embeddings"
    assert upstream.seen[0].body == {**body, "model": "text-embedding-3-small"}
    assert upstream.seen[0].headers["authorization"] == "Bearer sk-test"
    event = (await http.get("/debug/routing-trace")).json()["events"][-1]
    assert (event["path"], event["status"], event["providerId"]) == ("/v1/embeddings", 200, "openai")


async def test_refusals_are_told_in_our_words(gateway: Any, scripted: Any, client: Any) -> None:
    refusal = Play.json({"error": {"message": "slow down", "type": "rate_limit_error"}}, 429, **{"retry-after": "7"})
    handle = await gateway(providers={"openai": {"api_base": (await scripted(refusal)).url, "api_key": "sk-test"}})
    http = await client(handle)
    refused = await http.post("/v1/embeddings", json={"model": "openai/e", "input": "a"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    for model, status in ((None, 400), ("auto", 400), ("nobody", 404), ("anthropic/claude-haiku-4-5", 400)):
        assert (await http.post("/v1/embeddings", json={"model": model, "input": "a"})).status_code == status


COMPLETION = {"object": "text_completion", "choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 2000}}


async def test_pass_through_what_an_answer_used_is_booked(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json(COMPLETION))
    model = {"id": "m", "input_price": 10.0, "output_price": 100.0}
    handle = await gateway(
        providers={"openai": {"api_base": upstream.url, "api_key": "sk-test", "models": [model]}},
        spend_controls={"daily_cost_budget": 0.3},
    )
    http = await client(handle)
    body = {"model": "openai/m", "prompt": "x", "max_tokens": 2000}
    assert (await http.post("/v1/completions", json=body)).status_code == 200
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    assert used == {"requests": 1, "input_tokens": 1000, "output_tokens": 2000, "microdollars": 210_000, "unpriced": 0}
    refused = await http.post("/v1/completions", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "DAILY_BUDGET_EXCEEDED")


async def test_pass_through_body_that_cannot_be_sent_holds_no_budget(gateway: Any, scripted: Any, client: Any) -> None:
    handle = await gateway(
        providers={"openai": {"api_base": (await scripted(Play.json(ANSWER))).url, "api_key": "sk-test"}},
        spend_controls={"daily_request_budget": 1},
    )
    http = await client(handle)
    deep: Any = "x"
    for _ in range(600):
        deep = [deep]
    for _ in range(3):
        assert (await http.post("/v1/embeddings", json={"model": "openai/e", "input": deep})).status_code == 400
    assert (await http.post("/v1/embeddings", json={"model": "openai/e", "input": "a"})).status_code == 200


async def test_pass_through_provider_that_refuses_is_noted_as_out_of_order(gateway: Any, scripted: Any, client: Any) -> None:
    refusal = Play.json({"error": {"message": "slow down", "type": "rate_limit_error"}}, 429, **{"retry-after": "60"})
    handle = await gateway(providers={"openai": {"api_base": (await scripted(refusal)).url, "api_key": "sk-test"}})
    http = await client(handle)
    await http.post("/v1/embeddings", json={"model": "openai/e", "input": "a"})
    (cooldown,) = (await http.get("/debug/provider-health")).json()["cooldowns"]
    assert (cooldown["scope"], cooldown["provider"]) == ("credential", "openai")


async def test_pass_through_what_a_model_or_key_may_not_do_here_it_may_do_elsewhere(
    gateway: Any, scripted: Any, client: Any
) -> None:
    refusals = [
        Play.json({"error": {"message": "You are not allowed to generate embeddings from this model"}}, 403),
        Play.json({"error": {"message": "Missing scopes: api.model.images.request", "type": "invalid_request_error"}}, 401),
        Play.json({"error": {"message": "This is a chat model and not supported here", "code": "model_not_found"}}, 404),
    ]
    handle = await gateway(providers={"openai": {"api_base": (await scripted(*refusals)).url, "api_key": "sk-test"}})
    http = await client(handle)
    for _ in refusals:
        assert (await http.post("/v1/embeddings", json={"model": "openai/e", "input": "a"})).status_code >= 400
    assert (await http.get("/debug/provider-health")).json()["cooldowns"] == []


# ------------------------------------------------------------------ forms

SPEECH = {"file": ("speech.wav", bytes(range(256)) * 100, "audio/wav")}


@pytest.mark.parametrize("path", PASSED_FORMS)
async def test_pass_through_form_reaches_the_provider_of_its_model_as_it_came(
    gateway: Any, scripted: Any, client: Any, path: str
) -> None:
    used = {"input_tokens": 14, "output_tokens": 101, "type": "tokens"}
    upstream = await scripted(Play.json({"text": "hello", "usage": used}))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    http = await client(handle)
    answer = await http.post(f"/v1/{path}", data={"model": "openai/m-1", "prompt": "p"}, files=SPEECH)
    assert (answer.status_code, answer.json()["text"]) == (200, "hello")
    seen = upstream.seen[0]
    assert seen.path == f"/v1/{path}"
    form = Form(seen.body, seen.headers["content-type"])
    assert (form.field("model"), form.field("prompt")) == ("m-1", "p")
    assert SPEECH["file"][1] in seen.body
    event = (await http.get("/debug/routing-trace")).json()["events"][-1]
    assert (event["path"], event["modelIdRouted"], event["tokens"]["output"]) == (f"/v1/{path}", "openai/m-1", 101)


async def test_pass_through_form_without_a_model_or_one_that_is_broken_is_refused(
    gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(Play.json({}))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    http = await client(handle)
    for fields in ({}, {"model": "auto"}, {"model": "anthropic/claude-haiku-4-5"}):
        assert (await http.post("/v1/audio/transcriptions", data=fields, files=SPEECH)).status_code == 400
    broken = {"content-type": "multipart/form-data; boundary=b"}
    assert (await http.post("/v1/audio/transcriptions", content=b"--c", headers=broken)).status_code == 400
    assert not upstream.seen


async def test_image_edits_take_an_object_too(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json({"data": []}))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    body = {"model": "openai/gpt-image-2", "prompt": "p", "images": [{"file_id": "file-1"}]}
    assert (await (await client(handle)).post("/v1/images/edits", json=body)).status_code == 200
    assert upstream.seen[0].body == {**body, "model": "gpt-image-2"}


# ------------------------------------------------------------------ streams


async def test_pass_through_stream_comes_as_it_is_written_and_its_usage_is_booked(
    gateway: Any, scripted: Any, client: Any
) -> None:
    told = b'data: {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 20}}\n\ndata: [DONE]\n\n'
    upstream = await scripted(Play([b'data: {"choices": [{"text": "a"}]}\n\n', 0.3, told]))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    http = await client(handle)
    pieces = []
    async with http.stream("POST", "/v1/completions", json={"model": "openai/m", "prompt": "x", "stream": True}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for piece in answer.aiter_bytes():
            pieces.append(piece)
    assert len(pieces) > 1
    assert b"".join(pieces).endswith(told)
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    assert (used["input_tokens"], used["output_tokens"]) == (10, 20)


@pytest.mark.parametrize("content_type", ["text/event-stream", "audio/mpeg"])
async def test_pass_through_answer_that_breaks_off_does_not_look_whole(
    gateway: Any, scripted: Any, client: Any, content_type: str
) -> None:
    upstream = await scripted(Play([b"data: {}\n\n", CUT], content_type=content_type))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    http = await client(handle)
    body = {"model": "openai/m", "input": "x", "voice": "v"}
    if content_type == "audio/mpeg":
        with pytest.raises(httpx.HTTPError):
            await http.post("/v1/audio/speech", json=body)
    else:
        assert b'"error"' in (await http.post("/v1/audio/speech", json=body)).content
    event = (await http.get("/debug/routing-trace")).json()["events"][-1]
    assert "broke" in event["errorMessage"] or "dropped" in event["errorMessage"] or "failed" in event["errorMessage"]


# ------------------------------------------------------------------ what providers keep


async def test_files_go_to_the_provider_that_keeps_them(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play.json({"id": "file-1"}))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    http = await client(handle)
    answer = await http.post("/v1/files", data={"purpose": "batch"}, files={"file": ("a.jsonl", b"{}", "application/jsonl")})
    assert answer.json() == {"id": "file-1"}
    await http.get("/v1/files", params={"limit": 5, "after": "file-0", "provider": "openai"})
    await http.get("/v1/files/file-1/content")
    await http.delete("/v1/files/file-1")
    assert [seen.path for seen in upstream.seen] == [
        "/v1/files",
        "/v1/files?limit=5&after=file-0",
        "/v1/files/file-1/content",
        "/v1/files/file-1",
    ]
    assert {seen.headers["authorization"] for seen in upstream.seen} == {"Bearer sk-test"}
    assert (await http.get("/v1/files/..%2fmodels")).status_code == 404
    assert (await http.put("/v1/files")).headers["allow"]


async def test_several_keepers_have_to_be_told_apart(gateway: Any, scripted: Any, client: Any) -> None:
    first, second, claude = [await scripted(Play.json({"data": [n]})) for n in range(3)]
    handle = await gateway(
        providers={
            "mistral": {"api_base": first.url, "api_key": "sk-1"},
            "house": {"api_base": second.url, "api_key": "sk-2"},
            "anthropic": {"api_base": claude.url, "api_key": "sk-ant-api03-x"},
        }
    )
    http = await client(handle)
    refused = await http.get("/v1/files")
    assert (refused.status_code, "x-oauthrouter-provider" in refused.text, "house" in refused.text) == (400, True, True)
    assert (await http.get("/v1/files", headers={"x-oauthrouter-provider": "house"})).json() == {"data": [1]}
    assert (await http.get("/v1/files", params={"provider": "nobody"})).status_code == 400
    assert (await http.get("/v1/files", headers={"anthropic-version": "2023-06-01"})).json() == {"data": [2]}
    assert claude.seen[-1].headers["x-api-key"] == "sk-ant-api03-x"
    assert not first.seen


LINES = [{"custom_id": str(n), "body": {"model": "m", "max_tokens": 1000, "messages": []}} for n in range(3)]
FILE = Play(["\n".join(json.dumps(line) for line in LINES).encode()], content_type="application/octet-stream")
PRICED = [{"id": "m", "input_price": 10.0, "output_price": 100.0}]


async def test_pass_through_batch_is_booked_by_its_file_at_half_the_price(gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(FILE, Play.json({"id": "batch_1"}))
    provider = {"api_base": upstream.url, "api_key": "sk-test", "models": PRICED}
    handle = await gateway(providers={"openai": provider}, spend_controls={"daily_cost_budget": 0.5})
    http = await client(handle)
    body = {"input_file_id": "file-1", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    answer = await http.post("/v1/batches", json=body)
    assert answer.json() == {"id": "batch_1"}
    assert [seen.path for seen in upstream.seen] == ["/v1/files/file-1/content", "/v1/batches"]
    assert upstream.seen[-1].body == body
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    assert used["output_tokens"] == 3000
    assert 150_000 <= used["microdollars"] < 152_000
    upstream.plays = [FILE]
    refused = [await http.post("/v1/batches", json=body) for _ in range(2)][-1]
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "DAILY_BUDGET_EXCEEDED")


async def test_pass_through_batch_that_was_not_started_holds_no_budget(gateway: Any, scripted: Any, client: Any) -> None:
    refusal = Play.json({"error": {"message": "no"}}, 400)
    upstream = await scripted(FILE, refusal)
    provider = {"api_base": upstream.url, "api_key": "sk-test", "models": PRICED}
    handle = await gateway(providers={"openai": provider}, spend_controls={"daily_cost_budget": 0.5})
    http = await client(handle)
    assert (await http.post("/v1/batches", json={"input_file_id": "file-1"})).status_code == 400
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"]
    assert not used.get("", {}).get("microdollars")


@pytest.mark.parametrize("file_id", [None, 5, "", "../models", "a/b"])
async def test_pass_through_batch_without_a_file_is_refused(gateway: Any, scripted: Any, client: Any, file_id: Any) -> None:
    upstream = await scripted(Play.json({}))
    handle = await gateway(providers={"openai": {"api_base": upstream.url, "api_key": "sk-test"}})
    assert (await (await client(handle)).post("/v1/batches", json={"input_file_id": file_id})).status_code == 400
    assert not upstream.seen


async def test_pass_through_batch_of_messages_names_models_as_anthropic_does_and_keeps_to_lists(
    gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(Play.json({"id": "msgbatch_1"}))
    handle = await gateway(
        providers={"anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-x"}},
        spend_controls={"denylist_models": ["anthropic/claude-opus-4-6"]},
    )
    http = await client(handle)

    def batch(*models: Any) -> Any:
        requests = [{"custom_id": str(at), "params": {"model": name, "max_tokens": 5}} for at, name in enumerate(models)]
        return {"requests": requests}

    answer = await http.post("/v1/messages/batches", json=batch("anthropic/claude-haiku-4-5", "claude-sonnet-4-5"))
    assert answer.json() == {"id": "msgbatch_1"}
    sent = upstream.seen[0]
    assert [entry["params"]["model"] for entry in sent.body["requests"]] == ["claude-haiku-4-5", "claude-sonnet-4-5"]
    assert (sent.path, sent.headers["anthropic-version"]) == ("/v1/messages/batches", "2023-06-01")
    for bad, status in ((batch("claude-opus-4-6"), 403), (batch(None), 400), ({"requests": []}, 400), ({"requests": "x"}, 400)):
        assert (await http.post("/v1/messages/batches", json=bad)).status_code == status
    assert len(upstream.seen) == 1
    await http.get("/v1/messages/batches/msgbatch_1/results")
    assert upstream.seen[-1].path == "/v1/messages/batches/msgbatch_1/results"

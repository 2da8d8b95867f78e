"""Paths that no dialect covers go to the model's provider as they are."""

from __future__ import annotations

from typing import Any

from tests.support.upstream import Play

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


async def test_what_an_answer_used_is_booked(gateway: Any, scripted: Any, client: Any) -> None:
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


async def test_a_body_that_cannot_be_sent_holds_no_budget(gateway: Any, scripted: Any, client: Any) -> None:
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


async def test_a_provider_that_refuses_is_noted_as_out_of_order(gateway: Any, scripted: Any, client: Any) -> None:
    refusal = Play.json({"error": {"message": "slow down", "type": "rate_limit_error"}}, 429, **{"retry-after": "60"})
    handle = await gateway(providers={"openai": {"api_base": (await scripted(refusal)).url, "api_key": "sk-test"}})
    http = await client(handle)
    await http.post("/v1/embeddings", json={"model": "openai/e", "input": "a"})
    (cooldown,) = (await http.get("/debug/provider-health")).json()["cooldowns"]
    assert (cooldown["scope"], cooldown["provider"]) == ("credential", "openai")


async def test_what_a_model_or_key_may_not_do_here_it_may_do_elsewhere(gateway: Any, scripted: Any, client: Any) -> None:
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

"""``/v1/route/explain`` names the model that the next request is sent to, whatever budgets, lists and waits say; and nobody where nobody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.test_money import CHEAP, CHEAP_RESPONSE, ByMode, chat, messages, responses
from tests.support.upstream import Play

ASKED = {"messages": [{"role": "user", "content": "Prove that sqrt(2) is irrational"}], "max_tokens": 300}
OPUS, SOL = "anthropic/claude-opus-5-5", "openai/gpt-6.2-sol"
LIMITED = Play.json(
    {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}, 429, **{"retry-after": "600"}
)


@pytest.mark.parametrize(
    ("settings", "before", "model", "code", "downgraded"),
    [
        ({}, 1, OPUS, None, False),
        ({"budgets": [{"provider": "anthropic", "requests": 1}]}, 1, SOL, "DAILY_BUDGET_EXCEEDED", False),
        ({"budgets": [{"model": OPUS, "requests": 1}]}, 1, SOL, "DAILY_BUDGET_EXCEEDED", False),
        ({"budgets": [{"provider": "anthropic", "cost": 0.0001}]}, 0, SOL, "DAILY_BUDGET_EXCEEDED", False),
        ({"budgets": [{"provider": "openai", "requests": 0}]}, 1, OPUS, None, False),
        ({"daily_request_budget": 1}, 1, None, "DAILY_BUDGET_EXCEEDED", False),
        ({"daily_cost_budget": 0.004}, 1, None, "DAILY_BUDGET_EXCEEDED", False),
        (
            {"daily_cost_budget": 0.008, "on_exceeded": "downgrade"},
            1,
            "anthropic/claude-haiku-5-5",
            "DAILY_BUDGET_EXCEEDED",
            True,
        ),
        ({"denylist_models": [OPUS]}, 1, SOL, "MODEL_NOT_ALLOWED", False),
        ({"allowlist_models": [SOL]}, 1, SOL, "MODEL_NOT_ALLOWED", False),
        ({"max_request_input_tokens": 2}, 0, None, "REQUEST_TOKENS_TOO_HIGH", False),
    ],
)
async def test_explain_names_who_is_asked_next_under_any_rule(
    settings: dict[str, Any],
    before: int,
    model: str | None,
    code: str | None,
    downgraded: bool,
    gateway: Any,
    stack: Any,
    client: Any,
) -> None:
    anthropic = await stack.enter_async_context(ByMode(*messages({"input_tokens": 900, "output_tokens": 200})))
    openai = await stack.enter_async_context(ByMode(*chat(CHEAP), responses(CHEAP_RESPONSE)))
    providers = {
        "anthropic": {"api_base": anthropic.url, "api_key": "sk-ant-api03-test"},
        "openai": {"api_base": f"{openai.url}/v1", "api_key": "sk-test"},
    }
    http = await client(await gateway(providers=providers, spend_controls={"warn_at": [], **settings}))
    for _ in range(before):
        await http.post("/v1/messages", json={**ASKED, "model": "auto"})
    explained = (await http.post("/v1/route/explain", json={**ASKED, "system": "S", "model": "auto"})).json()
    assert explained["model"] == model
    assert (explained["refusal"] or {}).get("code") == code
    assert (explained["refusal"] or {}).get("downgraded", False) == downgraded
    told = {one["model"]: one["reason"] for one in explained["skipped"]}
    assert code is None or told[OPUS] == explained["refusal"]["message"]
    if model is not None:
        assert explained["hops"][0]["model"] == model

    counted = len(anthropic.seen), len(openai.seen)
    reply = await http.post("/v1/messages", json={**ASKED, "system": "S", "model": "auto"})
    asked = [f"anthropic/{seen.body['model']}" for seen in anthropic.seen[counted[0] :]]
    asked += [f"openai/{seen.body['model']}" for seen in openai.seen[counted[1] :]]
    assert asked == ([model] if model else [])
    assert (reply.status_code == 200) == (model is not None)


async def test_explain_names_nobody_while_the_wait_runs_that_a_provider_asked_for(gateway: Any, stack: Any, client: Any) -> None:
    anthropic = await stack.enter_async_context(ByMode(LIMITED, LIMITED))
    http = await client(await gateway(providers={"anthropic": {"api_base": anthropic.url, "api_key": "sk-ant-api03-test"}}))
    for name in ("auto", OPUS, "claude-opus-5-5"):
        await http.post("/v1/messages", json={**ASKED, "model": name})
        counted = len(anthropic.seen)
        explained = (await http.post("/v1/route/explain", json={**ASKED, "model": name})).json()
        assert explained["model"] is None
        assert "asked to be left alone for another" in explained["refusal"]["message"]
        reply = await http.post("/v1/messages", json={**ASKED, "model": name})
        assert (reply.status_code, len(anthropic.seen)) == (429, counted)


FULL = Play.json({"type": "error", "error": {"type": "rate_limit_error", "message": "limit reached"}}, 429)
FULL.headers |= {"anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "9000"}


@pytest.mark.parametrize(
    ("fallback", "model"),
    [(False, OPUS), (True, SOL)],  # nobody else may answer for it, so it is asked all the same
)
async def test_explain_names_who_answers_for_a_model_by_name_whose_plan_is_full(
    fallback: bool, model: str, gateway: Any, stack: Any, client: Any
) -> None:
    anthropic = await stack.enter_async_context(ByMode(FULL, FULL))
    openai = await stack.enter_async_context(ByMode(*chat(CHEAP), responses(CHEAP_RESPONSE)))
    providers = {
        "anthropic": {"api_base": anthropic.url, "api_key": "sk-ant-oat01-test"},
        "openai": {"api_base": f"{openai.url}/v1", "api_key": "sk-test"},
    }
    chain = {"enabled": fallback, "chain": [{"provider": "openai", "default_model": "gpt-6.2-sol"}]}
    http = await client(await gateway(providers=providers, rate_limit_fallback=chain))
    await http.post("/v1/messages", json={**ASKED, "model": OPUS})
    counted = len(anthropic.seen), len(openai.seen)
    explained = (await http.post("/v1/route/explain", json={**ASKED, "model": OPUS})).json()
    assert explained["model"] == model
    await http.post("/v1/messages", json={**ASKED, "model": OPUS})
    assert (len(anthropic.seen) - counted[0], len(openai.seen) - counted[1]) == ((0, 1) if fallback else (1, 0))

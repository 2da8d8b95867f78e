"""Who is asked next when an upstream fails, who is not, and what the client and the trace are told of it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import pytest

from tests.faults.answers import ANTHROPIC, CHAT, CODEX
from tests.proxy.test_streams_that_break import says_error
from tests.support.anthropic_streams import START, TEXT_START, text
from tests.support.upstream import STALL, Piece, Play

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 40}
PRIMARY, SECOND = "anthropic/claude-haiku-4-5", "house/house-model"
ROUTING = {"tiers": {"SIMPLE": {"primary": PRIMARY, "fallback": [SECOND]}}}
QUICK = {"timeouts": {"connect": 2.0, "first_byte": 1.5, "idle": 0.6}, "retry": {"attempts": 1}}


def refusal(status: int, kind: str, message: str = "scripted", **headers: str) -> Play:
    """Anthropic says no."""
    return Play.json({"type": "error", "error": {"type": kind, "message": message}}, status, **headers)


def whole(answer: Any = CHAT) -> Play:
    return Play([answer.whole], content_type="application/json")


FAILURES: dict[str, tuple[Play, int, str]] = {
    "rate limit": (refusal(429, "rate_limit_error"), 429, "rate_limit_exceeded"),
    "server error": (refusal(500, "api_error"), 500, "server_error"),
    "overloaded": (refusal(529, "overloaded_error"), 503, "overloaded"),
    "wrong credential": (refusal(401, "authentication_error"), 503, "upstream_authentication"),
    "no credit": (refusal(402, "billing_error"), 429, "upstream_billing"),
    "forbidden": (refusal(403, "permission_error"), 503, "upstream_permission"),
    "unknown model": (refusal(404, "not_found_error", "model: claude-haiku-4-5"), 404, "model_not_found"),
    "silence": (Play([STALL], status=0), 504, "upstream_timeout"),
    "dropped": (Play(raw=b""), 502, "upstream_connection"),
    "error event in a 200": (Play([ANTHROPIC.error]), 503, "overloaded"),
}


@pytest.fixture
def pair(gateway: Any, scripted: Any, client: Any) -> Any:
    """A gateway whose simple requests go to Anthropic first, then to a house model."""

    async def begin(first: Any, *others: Play, **settings: Any) -> tuple[Any, Any, Any]:
        upstream = await scripted(*([first] if isinstance(first, Play) else first))
        house = await scripted(*(others or (whole(),)))
        named = {
            "routing": ROUTING,
            "upstream": QUICK,
            "providers": {"house": {"api_base": f"{house.url}/v1", "models": ["house-model"]}},
            **settings,
        }
        handle = await gateway(upstream, **named)
        return await client(handle), upstream, house

    return begin


async def trace(http: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = (await http.get("/debug/routing-trace")).json()["events"]
    return events


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", FAILURES)
async def test_auto_goes_on_to_the_next_model(name: str, stream: bool, pair: Any) -> None:
    play, _, _ = FAILURES[name]
    http, upstream, house = await pair(play, Play(CHAT.events) if stream else whole())
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto", "stream": stream})
    assert answer.status_code == 200, answer.text
    assert (len(upstream.seen), len(house.seen)) == (1, 1)
    assert "Hel" in answer.text
    assert answer.headers["x-oauthrouter-model"] == SECOND
    assert answer.headers["x-oauthrouter-attempts"].startswith(f"{PRIMARY}: Upstream")
    assert answer.headers["x-oauthrouter-attempts"].endswith(f"{SECOND}: ok")
    (event,) = await trace(http)
    assert [attempt["outcome"] == "ok" for attempt in event["attempts"]] == [False, True]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("name", FAILURES)
async def test_failover_model_the_client_chose_stays(name: str, path: str, pair: Any) -> None:
    play, status, code = FAILURES[name]
    http, upstream, house = await pair(play)
    body = {"input": "hi"} if path == "/v1/responses" else HELLO
    answer = await http.post(path, json={**body, "model": PRIMARY})
    own_lane = path == "/v1/messages" and name == "overloaded"  # a client of the provider's dialect gets its very status
    assert answer.status_code == (529 if own_lane else status), answer.text
    assert answer.status_code not in (401, 402, 403)
    if path != "/v1/messages":
        assert (answer.json()["error"]["code"] or answer.json()["error"]["type"]) == code
    assert (len(upstream.seen), len(house.seen)) == (1, 0)


async def test_failover_refused_connection_leads_to_the_next_model(gateway: Any, scripted: Any, client: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        house = await scripted(whole())
        providers = {
            "anthropic": {"api_base": nobody, "api_key": "sk-ant-api03-test"},
            "house": {"api_base": f"{house.url}/v1", "models": ["house-model"]},
        }
        http = await client(await gateway(providers=providers, routing=ROUTING, upstream=QUICK))
        assert (await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})).status_code == 200
        answer = await http.post("/v1/chat/completions", json={**HELLO, "model": PRIMARY})
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")


async def test_failover_bad_request_is_nobody_elses_business(pair: Any) -> None:
    http, _, house = await pair(refusal(400, "invalid_request_error", "messages.0: no such thing"))
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})
    assert answer.status_code == 400
    assert "no such thing" in answer.json()["error"]["message"]
    assert house.seen == []


@pytest.mark.parametrize(("window", "status"), [(10_000_000, 200), (1000, 400)])
async def test_failover_prompt_that_is_too_long_goes_to_a_larger_window_only(
    window: int, status: int, pair: Any, scripted: Any
) -> None:
    large = await scripted(whole())
    providers = {"house": {"api_base": f"{large.url}/v1", "models": [{"id": "house-model", "context_window": window}]}}
    refused = refusal(400, "invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum")
    http, _, _ = await pair(refused, providers=providers)
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})
    assert answer.status_code == status, answer.text
    assert len(large.seen) == (status == 200)
    if status == 400:
        assert answer.json()["error"]["code"] == "context_length_exceeded"


FALLBACKS = [
    ("claude-haiku-4-5", "gpt-6-luna", "deepseek-flash"),
    ("claude-sonnet-4-5", "gpt-6.1-terra", "deepseek-flash"),
    ("claude-opus-4-6", "gpt-6.2-sol", "deepseek-flash"),
]


@pytest.mark.parametrize("status", [429, 529])
@pytest.mark.parametrize(("model", "codex_model", "deepseek_model"), FALLBACKS)
async def test_failover_limited_model_is_stood_in_for_by_one_of_its_class(
    model: str, codex_model: str, deepseek_model: str, status: int, gateway: Any, scripted: Any, client: Any
) -> None:
    limited = refusal(status, "rate_limit_error" if status == 429 else "overloaded_error")
    upstream, codex = await scripted(limited), await scripted(Play(CODEX.events), Play.json({"detail": "later"}, 429))
    deepseek = await scripted(whole())
    providers = {
        "openai-codex": {"api_base": codex.url, "auth_header": "Bearer test"},
        "deepseek": {"api_base": deepseek.url, "api_key": "sk-test-deepseek"},
    }
    settings = {"providers": providers, "upstream": QUICK, "rate_limit_fallback": {"enabled": True}}
    http = await client(await gateway(upstream, **settings))
    first = await http.post("/v1/chat/completions", json={**HELLO, "model": model})
    assert first.status_code == 200, first.text
    assert first.json()["model"] == f"openai-codex/{codex_model}"
    assert codex.seen[0].body["model"] == codex_model
    second = await http.post("/v1/chat/completions", json={**HELLO, "model": model})
    assert second.status_code == 200, second.text
    assert deepseek.seen[0].body["model"] == deepseek_model


async def test_failover_fallback_chain_is_for_limits_only(gateway: Any, scripted: Any, client: Any) -> None:
    upstream, codex = await scripted(refusal(400, "invalid_request_error")), await scripted(Play(CODEX.events))
    providers = {"openai-codex": {"api_base": codex.url, "auth_header": "Bearer test"}}
    settings = {"providers": providers, "upstream": QUICK, "rate_limit_fallback": {"enabled": True}}
    http = await client(await gateway(upstream, **settings))
    assert (await http.post("/v1/chat/completions", json={**HELLO, "model": PRIMARY})).status_code == 400
    assert codex.seen == []


async def test_retry_after_goes_to_the_next_model_at_once(pair: Any) -> None:
    limited = refusal(429, "rate_limit_error", **{"retry-after-ms": "1500"})
    http, upstream, house = await pair([limited, whole(ANTHROPIC)], upstream={**QUICK, "retry": {"attempts": 2}})
    began = time.monotonic()
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})
    assert answer.headers["x-oauthrouter-model"] == SECOND
    assert time.monotonic() - began < 1.5
    assert (len(upstream.seen), len(house.seen)) == (1, 1)


async def test_short_retry_after_is_waited_out_where_nobody_else_is_left(pair: Any) -> None:
    limited = refusal(429, "rate_limit_error", **{"retry-after-ms": "300"})
    http, upstream, house = await pair([limited, whole(ANTHROPIC)], upstream={**QUICK, "retry": {"attempts": 2}})
    began = time.monotonic()
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": PRIMARY})
    assert time.monotonic() - began >= 0.3
    assert answer.headers["x-oauthrouter-model"] == PRIMARY
    assert (len(upstream.seen), len(house.seen)) == (2, 0)


async def test_failover_retry_after_beyond_the_cap_is_not_waited_for_but_told(pair: Any) -> None:
    limited = refusal(429, "rate_limit_error", **{"retry-after": "600"})
    http, upstream, house = await pair(limited, upstream={**QUICK, "retry": {"attempts": 3}})
    assert (await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})).status_code == 200
    assert (len(upstream.seen), len(house.seen)) == (1, 1)
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": PRIMARY})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "600")


async def test_failover_every_candidate_is_held_against_the_lists(pair: Any) -> None:
    http, _, house = await pair(FAILURES["overloaded"][0], spend_controls={"denylist_models": [SECOND]})
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
    assert house.seen == []


async def test_budget_in_requests_counts_every_call_of_an_upstream(pair: Any) -> None:
    http, _, house = await pair(FAILURES["overloaded"][0], spend_controls={"daily_request_budget": 2})
    assert (await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})).status_code == 200
    (budget,) = (await http.get("/debug/spend")).json()["budgets"]
    assert budget["used"] == 2
    refused = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "DAILY_BUDGET_EXCEEDED")
    assert len(house.seen) == 1


async def test_failover_next_model_gets_the_very_same_body(gateway: Any, scripted: Any, client: Any) -> None:
    first, second = await scripted(Play.json({"error": {"message": "no"}}, 500)), await scripted(Play(CHAT.events))
    providers = {
        name: {"api_base": f"{upstream.url}/v1", "models": ["m"]} for name, upstream in (("one", first), ("two", second))
    }
    tier = {"primary": "one/m", "fallback": ["two/m"]}
    tiers = dict.fromkeys(("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"), tier)
    http = await client(await gateway(providers=providers, routing={"tiers": tiers}, upstream=QUICK))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    body = {
        "model": "auto",
        "stream": True,
        "messages": [
            {"role": "system", "content": "brief"},
            {"role": "user", "content": [{"type": "text", "text": "what is this?"}, image]},
            {
                "role": "assistant",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "see", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c", "content": "a cat\u2028"},
        ],
        "tools": [{"type": "function", "function": {"name": "see", "parameters": {"type": "object", "properties": {}}}}],
        "temperature": 0.3,
        "vendor_field": {"kept": [1, None]},
    }
    answer = await http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert first.seen[0].body == second.seen[0].body
    assert {**body, "model": "m"}.items() <= {**second.seen[0].body}.items()


async def test_failover_what_is_cooling_down_is_skipped_with_a_reason(pair: Any) -> None:
    http, upstream, _ = await pair(FAILURES["overloaded"][0])
    for _ in range(2):
        assert (await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})).status_code == 200
    assert len(upstream.seen) == 1
    explained = (await http.post("/v1/route/explain", json={"prompt": "hi"})).json()
    assert explained["hops"][0]["model"] == SECOND
    assert explained["skipped"][0]["model"] == PRIMARY
    assert "left alone" in explained["skipped"][0]["reason"]


@pytest.mark.parametrize("stream", [False, True])
async def test_failover_answer_that_breaks_off_counts_as_a_failure(stream: bool, pair: Any) -> None:
    http, upstream, house = await pair(Play([START, TEXT_START, text("Hel")]), Play(CHAT.events))
    await http.post("/v1/chat/completions", json={**HELLO, "model": "auto", "stream": stream})
    (cooldown,) = (await http.get("/debug/provider-health")).json()["cooldowns"]
    assert (cooldown["scope"], cooldown["provider"]) == ("provider", "anthropic")
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto", "stream": True})
    assert answer.headers["x-oauthrouter-model"] == SECOND
    # A client that waits for the whole answer has seen nothing of the first: the second provider answers it, too.
    assert (len(upstream.seen), len(house.seen)) == (1, 1 if stream else 2)


async def test_failover_used_up_plan_window_skips_its_credential_until_the_reset(
    gateway: Any, scripted: Any, client: Any
) -> None:
    window = "anthropic-ratelimit-unified"
    headers = {f"{window}-status": "rejected", f"{window}-reset": str(time.time() + 1.5), f"{window}-5h-status": "rejected"}
    limited = refusal(429, "rate_limit_error", **headers, **{"retry-after": "1"})
    ample = {f"{window}-status": "allowed", f"{window}-5h-status": "allowed"}
    upstream = await scripted(limited, Play([ANTHROPIC.whole or b""], 200, ample, "application/json"))
    key, plan = "sk-ant-api03-spare", "sk-ant-api03-first"
    provider = {"api_base": upstream.url, "api_key": key, "auth_header": {"name": "x-api-key", "value": plan}}
    http = await client(await gateway(providers={"anthropic": provider}, upstream=QUICK))

    async def used() -> str:
        assert (await http.post("/v1/chat/completions", json={**HELLO, "model": PRIMARY})).status_code == 200
        return str(upstream.seen[-1].headers["x-api-key"])

    assert await used() == key
    assert await used() == key
    assert [seen.headers["x-api-key"] for seen in upstream.seen] == [plan, key, key]
    await asyncio.sleep(1.6)
    assert await used() == plan


@pytest.mark.parametrize("most", [1, 3, 8])
async def test_calls_are_counted_over_all_candidates(most: int, pair: Any) -> None:
    retry = {"attempts": 2, "base_seconds": 0, "max_total_attempts": most}
    failing = Play.json({"error": {"message": "no"}}, 500)
    http, upstream, house = await pair(refusal(500, "api_error"), failing, upstream={**QUICK, "retry": retry})
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})
    assert answer.status_code == 500, answer.text
    assert len(upstream.seen) + len(house.seen) == most


async def test_failover_whole_request_has_one_time_limit(pair: Any) -> None:
    limits = {"timeouts": {"connect": 2.0, "first_byte": 30.0, "idle": 30.0, "total": 0.4}}
    http, upstream, house = await pair(Play([STALL], status=0), upstream=limits)
    answer = await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "request_time_limit")
    assert "upstream.timeouts.total" in answer.json()["error"]["message"]
    assert (len(upstream.seen), len(house.seen)) == (1, 0)
    assert (await http.get("/debug/provider-health")).json()["cooldowns"] == []


async def test_failover_no_wait_goes_beyond_the_time_limit(pair: Any) -> None:
    limits = {"timeouts": {"total": 2.0}, "retry": {"attempts": 2}}
    http, upstream, house = await pair(refusal(429, "rate_limit_error", **{"retry-after": "5"}), upstream=limits)
    assert (await http.post("/v1/chat/completions", json={**HELLO, "model": "auto"})).status_code == 200
    assert (len(upstream.seen), len(house.seen)) == (1, 1)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_failover_stream_that_never_ends_is_cut_with_an_error(path: str, pair: Any) -> None:
    drip: list[Piece] = [START, TEXT_START, *[piece for _ in range(100) for piece in (text("la "), 0.05)]]
    limits = {"timeouts": {"first_byte": 5.0, "idle": 5.0, "total": 0.5}}
    http, upstream, _ = await pair(Play(drip), upstream=limits)
    body = {"input": "hi"} if path == "/v1/responses" else HELLO
    answer = await http.post(path, json={**body, "model": PRIMARY, "stream": True})
    assert answer.status_code == 200
    assert "la " in answer.text
    assert says_error(path, answer.text), answer.text[-300:]
    assert "upstream.timeouts.total" in answer.text
    await asyncio.wait_for(upstream.seen[0].left.wait(), 5)


QUOTED = "Incorrect API key provided: sk-ant-api03-test"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_failover_credential_that_a_provider_quotes_is_read_by_nobody(
    path: str, stream: bool, gateway: Any, scripted: Any, client: Any
) -> None:
    event = {"type": "error", "error": {"type": "authentication_error", "message": QUOTED}}
    told = b"event: error\ndata: " + json.dumps(event).encode() + b"\n\n"
    for play in (Play([START, TEXT_START, text("one "), told]), Play([told]), Play.json(event), Play.json(event, 401)):
        http = await client(await gateway(await scripted(play)))
        answer = await http.post(path, json={**HELLO, "model": PRIMARY, "stream": stream})
        trace = await http.get("/debug/routing-trace")
        assert "provided" in trace.text or "not its own protocol" in trace.text
        assert "sk-ant-api03-test" not in answer.text + trace.text

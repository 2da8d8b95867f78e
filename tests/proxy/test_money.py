"""What a request cost is one number wherever it is shown; budgets hold against clients that leave, calls that fail and answers that grow."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import httpx
import pytest
from genai_prices import Usage as Tokens
from genai_prices import calc_price

from openclaw_oauthrouter.hookspecs import hookimpl
from openclaw_oauthrouter.telemetry.reader import decode_line
from openclaw_oauthrouter.telemetry.report import TraceReport
from openclaw_oauthrouter.telemetry.trace_files import trace_path
from tests.support.upstream import STALL, Play, ScriptedUpstream, Seen

HI = {"messages": [{"role": "user", "content": "hi"}]}
PATIENT = {"timeouts": {"first_byte": 60, "idle": 60}, "retry": {"attempts": 1}}
Json = dict[str, Any]


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def messages(usage: Json, text: str = "Hello") -> tuple[Play, Play]:
    """A Messages answer, whole and streamed."""
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    at_start = {**usage, "output_tokens": 1}
    stream = [
        event("message_start", message={**answer, "content": [], "stop_reason": None, "usage": at_start}),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}),
        event("content_block_stop", index=0),
        event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": usage["output_tokens"]},
        ),
        event("message_stop"),
    ]
    return Play.json(answer), Play(stream)


def chat(usage: Json, **fields: Any) -> tuple[Play, Play]:
    """A Chat Completions answer, whole and streamed."""
    head = {"id": "c1", "created": 1, "model": "m", **fields}
    message = {"role": "assistant", "content": "Hello"}
    whole = {
        **head,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }
    chunk = {**head, "object": "chat.completion.chunk"}
    pieces = [
        {**chunk, "choices": [{"index": 0, "delta": message, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**chunk, "choices": [], "usage": usage},
    ]
    return Play.json(whole), Play([*(f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces), b"data: [DONE]\n\n"])


def responses(usage: Json, *items: Json, **fields: Any) -> tuple[Play, Play]:
    """A Responses answer, whole and streamed."""
    text = {"type": "output_text", "text": "Hello", "annotations": []}
    output = [*items, {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}]
    answer = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": "completed",
        "output": output,
        "usage": usage,
    }
    answer |= fields
    stream = [event("response.created", response={**answer, "status": "in_progress", "output": [], "usage": None})]
    for at, item in enumerate(output):
        stream.append(event("response.output_item.added", output_index=at, item={**item, "content": []}))
        if item["type"] == "message":
            stream.append(
                event("response.content_part.added", output_index=at, content_index=0, item_id="msg_1", part={**text, "text": ""})
            )
            stream.append(event("response.output_text.delta", output_index=at, content_index=0, item_id="msg_1", delta="Hello"))
        stream.append(event("response.output_item.done", output_index=at, item=item))
    return Play.json(answer), Play([*stream, event("response.completed", response=answer)])


class ByMode(ScriptedUpstream):
    """Answers whole or streamed, as it is asked.

    :param responses: what to answer at the path of the Responses API
    """

    def __init__(self, whole: Play, streamed: Play, responses: tuple[Play, Play] | None = None) -> None:
        super().__init__(whole)
        self._plays = (whole, streamed)
        self._responses = responses or self._plays

    def choose(self, seen: Seen) -> Play:
        plays = self._responses if seen.path.endswith("/responses") else self._plays
        return plays[bool(seen.body.get("stream"))]


SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}}
OPENED = {"type": "web_search_call", "id": "ws_2", "status": "completed", "action": {"type": "open_page", "url": "https://x"}}
LONG_CACHE = {
    "input_tokens": 100,
    "output_tokens": 50,
    "cache_read_input_tokens": 120_000,
    "cache_creation_input_tokens": 3000,
    "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
    "server_tool_use": {"web_search_requests": 2},
    "service_tier": "standard",
}
CHEAP = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
CHEAP_RESPONSE = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
DETAILS = {
    "input_tokens": 300_000,
    "input_tokens_details": {"cached_tokens": 200_000},
    "output_tokens": 1000,
    "output_tokens_details": {"reasoning_tokens": 900},
    "total_tokens": 301_000,
}
CHAT_DETAILS = {
    "prompt_tokens": 300_000,
    "completion_tokens": 1000,
    "total_tokens": 301_000,
    "prompt_tokens_details": {"cached_tokens": 200_000},
    "completion_tokens_details": {"reasoning_tokens": 900},
}
PRIORITY = {"input_tokens": 4000, "output_tokens": 500, "total_tokens": 4500, "input_tokens_details": {"cached_tokens": 3000}}
INVOICES: dict[str, tuple[str, str, tuple[Any, ...], Json, Json]] = {
    "caches of both lifetimes, a long prompt and searches": (
        "anthropic",
        "claude-haiku-5-5",
        messages(LONG_CACHE),
        {
            "input_tokens": 123_100,
            "output_tokens": 50,
            "cache_read_tokens": 120_000,
            "cache_write_tokens": 3000,
            "cache_write_1h_tokens": 2000,
            "web_searches": 2,
        },
        {},
    ),
    "fast mode": (
        "anthropic",
        "claude-opus-5-5",
        messages({"input_tokens": 300_000, "output_tokens": 1000, "speed": "fast"}),
        {"input_tokens": 300_000, "output_tokens": 1000},
        {"speed": "fast"},
    ),
    "priority and cached": (
        "openai",
        "gpt-4o",
        (
            *chat(
                {
                    "prompt_tokens": 4000,
                    "completion_tokens": 500,
                    "total_tokens": 4500,
                    "prompt_tokens_details": {"cached_tokens": 3000},
                },
                service_tier="priority",
            ),
            responses(PRIORITY, service_tier="priority"),
        ),
        {"input_tokens": 4000, "output_tokens": 500, "cache_read_tokens": 3000},
        {"service_tier": "priority"},
    ),
    "long, flex, reasoning": (
        "openai",
        "gpt-6.1-sol",
        (*chat(CHAT_DETAILS, service_tier="flex"), responses(DETAILS, service_tier="flex")),
        {"input_tokens": 300_000, "output_tokens": 1000, "cache_read_tokens": 200_000},
        {"service_tier": "flex"},
    ),
}
PATHS = {
    "/v1/chat/completions": HI,
    "/v1/messages": {**HI, "max_tokens": 2000},
    "/v1/responses": {"input": "hi"},
}


class Spans:
    """A plugin that keeps what OpenTelemetry would send."""

    def __init__(self) -> None:
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        from openclaw_oauthrouter.telemetry.otlp import OtlpExporter

        self.memory = InMemorySpanExporter()
        tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.memory))
        self.sink = OtlpExporter(tracers, MeterProvider())

    @hookimpl
    def oauthrouter_register_trace_sinks(self) -> list[Any]:
        return [self.sink]

    @property
    def cost(self) -> float:
        return sum(float(span.attributes["oauthrouter.cost"]) for span in self.memory.get_finished_spans())


PLACES = ("trace", "dashboard", "models panel", "metrics", "ledger", "report and top", "spans")


async def shown(http: httpx.AsyncClient, home: Any, spans: Spans) -> dict[str, float]:
    """The cost of everything so far, wherever it is told."""
    async with asyncio.timeout(5):
        while not (events := (await http.get("/debug/routing-trace")).json()["events"]):
            await asyncio.sleep(0.01)
    panels = {panel["name"]: panel for panel in (await http.get("/debug/panels")).json()["panels"]}
    figures = {item["label"]: item["value"] for item in panels["overview"]["items"]}
    metrics = (await http.get("/metrics")).text
    spend = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    report = TraceReport()
    for line in trace_path(home).read_bytes().splitlines():
        read = decode_line(line)
        assert read is not None
        report.add(read)
    assert "oauthrouter_unpriced_requests_total{" not in metrics
    told = (
        sum(one["cost"]["actual"] for one in events),
        figures["Cost"],
        sum(row[2] for row in panels["models"]["rows"]),
        sum(float(found) for found in re.findall(r"^oauthrouter_cost_dollars_total\{.*\} (\S+)", metrics, re.MULTILINE)),
        spend["microdollars"] / 1e6,
        report.total.paid,
        spans.cost,
    )
    return dict(zip(PLACES, told, strict=True))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", INVOICES)
async def test_cost_is_the_vendors_invoice_and_one_number_everywhere(
    name: str, path: str, stream: bool, gateway: Any, stack: Any, client: Any, tmp_path: Any
) -> None:
    provider, model, plays, tokens, context = INVOICES[name]
    upstream = await stack.enter_async_context(ByMode(*plays))
    base = upstream.url if provider == "anthropic" else f"{upstream.url}/v1"
    spans = Spans()
    handle = await gateway(providers={provider: {"api_base": base, "api_key": "sk-test"}}, plugins=[spans])
    http = await client(handle)
    answer = await http.post(path, json={**PATHS[path], "model": f"{provider}/{model}", "stream": stream})
    assert answer.status_code == 200, answer.text
    expected = float(
        calc_price(Tokens(**tokens), model_ref=model, provider_id=provider, price_context=context or None).total_price
    )
    told = await shown(http, tmp_path / "state", spans)
    assert told == pytest.approx(dict.fromkeys(PLACES, expected), abs=1e-6)


# ------------------------------------------------------------------ savings


USED = {"input_tokens": 9, "output_tokens": 3}


async def test_saved_is_the_same_whether_the_first_model_failed_or_not(
    gateway: Any, scripted: Any, stack: Any, client: Any
) -> None:
    broken = await scripted(Play.json({"type": "error", "error": {"type": "api_error", "message": "no"}}, 500))
    good = await stack.enter_async_context(ByMode(*chat(CHEAP), responses(CHEAP_RESPONSE)))
    providers = {
        "anthropic": {"api_base": broken.url, "api_key": "sk-ant-api03-x"},
        "openai": {"api_base": f"{good.url}/v1", "api_key": "sk-x"},
    }
    tiers = {
        "SIMPLE": {"primary": "anthropic/claude-haiku-4-5", "fallback": ["openai/gpt-4o"]},
        "REASONING": {"primary": "anthropic/claude-opus-4-6"},
    }
    http = await client(await gateway(providers=providers, routing={"tiers": tiers}, upstream=PATIENT))
    for _ in range(2):
        answer = await http.post("/v1/chat/completions", json={**HI, "model": "auto"})
        assert answer.headers["x-oauthrouter-model"].startswith("openai/")
    events: list[Json] = []
    async with asyncio.timeout(5):
        while len(events) < 2:
            events = (await http.get("/debug/routing-trace")).json()["events"]
    assert len(broken.seen) >= 1
    costs = [one["cost"] for one in events]
    assert [cost["baseline"] for cost in costs] == pytest.approx([(9 * 5 + 3 * 25) / 1e6] * 2)
    assert [cost["saved"] for cost in costs] == pytest.approx([cost["baseline"] - cost["actual"] for cost in costs])
    metrics = (await http.get("/metrics")).text
    (saved,) = re.findall(r"^oauthrouter_saved_dollars (\S+)", metrics, re.M)
    assert float(saved) == pytest.approx(sum(cost["saved"] for cost in costs))


async def test_demo_saves_what_its_tokens_would_have_cost_at_the_baseline(tmp_path: Any, stack: Any, client: Any) -> None:
    from openclaw_oauthrouter.proxy.demo import demo_upstream
    from openclaw_oauthrouter.proxy.start import start_proxy

    settings = await stack.enter_async_context(demo_upstream())
    handle = await stack.enter_async_context(await start_proxy(port=0, home=tmp_path, **settings))
    http = await client(handle)
    prompts = [
        "hi",
        "what is a monad",
        "Refactor this module into three services with tests and a migration plan.",
        "Prove that sqrt(2) is irrational, step by step.",
    ]
    for number in range(40):
        body = {"model": "auto", "messages": [{"role": "user", "content": prompts[number % 4]}], "stream": bool(number % 3)}
        assert (await http.post("/v1/chat/completions", json=body)).status_code == 200
    events: list[Json] = []
    async with asyncio.timeout(10):
        while len(events) < 40:
            events = (await http.get("/debug/routing-trace", params={"n": 100})).json()["events"]
    expected = paid = 0.0
    for one in events:
        provider, _, model = one["routing"]["baselineModel"].partition("/")
        tokens = Tokens(input_tokens=one["tokens"]["input"], output_tokens=one["tokens"]["output"])
        vendor = {"openai-codex": "openai"}.get(provider, provider)
        expected += float(calc_price(tokens, model_ref=model, provider_id=vendor).total_price)
        paid += one["cost"]["actual"]
    panels = {panel["name"]: panel for panel in (await http.get("/debug/panels")).json()["panels"]}
    saved = next(item["value"] for item in panels["overview"]["items"] if item["label"] == "Saved")
    assert saved == pytest.approx(expected - paid, abs=1e-4)


# ------------------------------------------------------------------ budgets


async def test_money_small_budget_serves_small_answers_and_tells_the_upstream_what_it_pays_for(
    gateway: Any, stack: Any, client: Any
) -> None:
    upstream = await stack.enter_async_context(ByMode(*messages(USED)))
    http = await client(await gateway(upstream, spend_controls={"daily_cost_budget": 0.5}))
    for model in ("claude-haiku-4-5", "claude-opus-4-6"):
        answer = await http.post("/v1/chat/completions", json={**HI, "model": f"anthropic/{model}"})
        assert answer.status_code == 200, answer.text
    caps = [seen.body["max_tokens"] for seen in upstream.seen]
    assert caps[1] <= 20_000, "half a dollar pays for no more of this model"


async def test_parallel_requests_are_all_answered_by_their_model(gateway: Any, stack: Any, client: Any) -> None:
    whole, streamed = messages(USED)
    slow = Play([0.5, *whole.pieces], content_type="application/json")
    upstream = await stack.enter_async_context(ByMode(slow, streamed))
    http = await client(await gateway(upstream, spend_controls={"daily_cost_budget": 5.0}))
    body = {**HI, "model": "auto"}
    headers = {"x-oauthrouter-tier": "REASONING"}
    answers = await asyncio.gather(*(http.post("/v1/chat/completions", json=body, headers=headers) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["x-oauthrouter-model"] for answer in answers}) == 1


async def test_refuse_refuses_and_downgrade_says_so(gateway: Any, stack: Any, client: Any) -> None:
    upstream = await stack.enter_async_context(ByMode(*messages(USED)))
    tiers = {"REASONING": {"primary": "anthropic/claude-opus-4-6", "fallback": ["anthropic/claude-haiku-4-5"]}}
    body = {**HI, "model": "auto"}
    headers = {"x-oauthrouter-tier": "REASONING"}
    spend = {"daily_cost_budget": 0.003}
    refusing = await client(await gateway(upstream, routing={"tiers": tiers}, spend_controls=spend))
    refused = await refusing.post("/v1/chat/completions", json=body, headers=headers)
    assert refused.status_code == 429
    assert "more than the $0.0030 a day altogether" in refused.json()["error"]["message"]
    assert upstream.seen == []
    lenient = await client(
        await gateway(upstream, routing={"tiers": tiers}, spend_controls={**spend, "on_exceeded": "downgrade"})
    )
    answer = await lenient.post("/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == 200
    assert "haiku" in answer.headers["x-oauthrouter-model"]
    assert answer.headers["x-oauthrouter-downgraded-from"] == "anthropic/claude-opus-4-6"


async def test_unpriced_models_are_refused_with_the_remedy_and_shown_as_unknown(gateway: Any, stack: Any, client: Any) -> None:
    upstream = await stack.enter_async_context(ByMode(*chat(CHEAP), responses(CHEAP_RESPONSE)))
    providers = {"openai": {"api_base": f"{upstream.url}/v1", "api_key": "sk-x"}}
    body = {**HI, "model": "openai/gpt-9-made-up"}
    strict = await client(await gateway(providers=providers, spend_controls={"daily_cost_budget": 0.0}))
    refused = await strict.post("/v1/chat/completions", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "MODEL_UNPRICED")
    assert "input_price" in refused.json()["error"]["message"]
    free = await client(await gateway(providers=providers))
    answer = await free.post("/v1/chat/completions", json=body)
    assert answer.headers["x-oauthrouter-cost"] == "unknown"
    async with asyncio.timeout(5):
        while not (events := [one for one in (await free.get("/debug/routing-trace")).json()["events"] if one["status"] == 200]):
            await asyncio.sleep(0.01)
    assert (events[0]["cost"]["actual"], events[0]["cost"]["unpriced"]) == (None, "openai/gpt-9-made-up")
    assert (
        'oauthrouter_unpriced_requests_total{model="openai/gpt-9-made-up",provider="openai"} 1.0'
        in (await free.get("/metrics")).text
    )
    assert (await free.get("/debug/spend")).json()["periods"]["day"]["unpriced"] == {"openai/gpt-9-made-up": 1}


async def test_models_on_the_own_machine_are_free_under_an_overdrawn_budget(gateway: Any, stack: Any, client: Any) -> None:
    upstream = await stack.enter_async_context(ByMode(*chat(CHEAP), responses(CHEAP_RESPONSE)))
    providers = {"my-llama": {"api_base": f"{upstream.url}/v1", "models": ["llama"]}}
    http = await client(await gateway(providers=providers, spend_controls={"daily_cost_budget": 0.0}))
    answer = await http.post("/v1/chat/completions", json={**HI, "model": "my-llama/llama"})
    assert (answer.status_code, answer.headers["x-oauthrouter-cost"]) == (200, "0.000000")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_clients_that_leave_use_up_a_budget_in_requests(stream: bool, gateway: Any, scripted: Any, client: Any) -> None:
    upstream = await scripted(Play([STALL], status=0))
    handle = await gateway(upstream, upstream=PATIENT, spend_controls={"daily_request_budget": 3})
    http = await client(handle)
    body = {**HI, "model": "claude-haiku-4-5", "stream": stream}
    statuses = []
    for _ in range(6):
        try:
            statuses.append((await http.post("/v1/chat/completions", json=body, timeout=0.3)).status_code)
        except httpx.TimeoutException:
            statuses.append(0)
    assert statuses == [0, 0, 0, 429, 429, 429]
    assert len(upstream.seen) == 3
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    assert used["requests"] == 3
    assert used["input_tokens"] >= 3, "the provider has read the prompt"
    assert used["microdollars"] >= 3


@pytest.mark.parametrize(
    ("play", "tokens"),
    [
        (Play.json({"type": "error", "error": {"type": "api_error", "message": "no"}}, 500), False),
        (Play.json({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, 400), False),
        (Play([STALL], status=0), True),
        (
            Play(
                [
                    event(
                        "message_start",
                        message={"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": USED},
                    )
                ]
            ),
            True,
        ),
    ],
    ids=["500", "400", "silence", "cut"],
)
async def test_failed_calls_bound_by_a_budget_in_requests(
    play: Play, tokens: bool, gateway: Any, scripted: Any, client: Any
) -> None:
    upstream = await scripted(play)
    haste = {"timeouts": {"connect": 2.0, "first_byte": 0.2, "idle": 0.2}, "retry": {"attempts": 1}}
    http = await client(await gateway(upstream, upstream=haste, spend_controls={"daily_request_budget": 2}))
    for _ in range(6):
        await http.post("/v1/chat/completions", json={**HI, "model": "anthropic/claude-haiku-4-5"})
    assert len(upstream.seen) <= 2
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    assert used["requests"] == len(upstream.seen)
    assert bool(used["input_tokens"]) == tokens


async def test_money_stream_ends_when_nothing_is_left_and_is_booked_as_far_as_it_came(
    gateway: Any, scripted: Any, client: Any
) -> None:
    start = event(
        "message_start",
        message={
            "id": "m",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "stop_reason": None,
            "usage": USED,
        },
    )
    block = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    words = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "word " * 800})
    upstream = await scripted(Play([start, block, *([words, 0.02] * 60)]))
    budget = {"budgets": [{"period": "day", "output_tokens": 6000}]}
    http = await client(await gateway(upstream, upstream=PATIENT, spend_controls=budget))
    body = {**HI, "model": "anthropic/claude-haiku-4-5", "stream": True}
    answers = await asyncio.gather(*(http.post("/v1/chat/completions", json=body) for _ in range(3)))
    assert any("budget" in answer.text or "limit reached" in answer.text for answer in answers if answer.status_code == 200)
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    assert used["output_tokens"] <= 2.5 * 6000 + 3 * 1000, "though the upstream does not keep to what it is told"


async def test_expected_cost_is_told_from_what_answers_were(gateway: Any, stack: Any, client: Any) -> None:
    upstream = await stack.enter_async_context(ByMode(*messages({"input_tokens": 9, "output_tokens": 20})))
    http = await client(await gateway(upstream))
    body = {**HI, "model": "anthropic/claude-opus-4-6"}
    for _ in range(5):
        answer = await http.post("/v1/chat/completions", json=body)
    assert float(answer.headers["x-oauthrouter-cost"]) < 0.001


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_searches_of_the_responses_api_are_billed_and_opened_pages_are_not(
    stream: bool, gateway: Any, stack: Any, client: Any
) -> None:
    upstream = await stack.enter_async_context(ByMode(*responses(CHEAP_RESPONSE, SEARCH, OPENED)))
    http = await client(await gateway(providers={"openai": {"api_base": f"{upstream.url}/v1", "api_key": "sk-x"}}))
    await http.post("/v1/responses", json={"model": "openai/gpt-6.1-sol", "input": "hi", "stream": stream})
    async with asyncio.timeout(5):
        while not (events := (await http.get("/debug/routing-trace")).json()["events"]):
            await asyncio.sleep(0.01)
    assert events[0]["tokens"]["webSearches"] == 1
    assert events[0]["cost"]["actual"] == pytest.approx(0.01 + (9 * 2 + 3 * 10) / 1e6)


# ------------------------------------------------------------------ three currencies


class Plan(ByMode):
    """A Claude plan whose window fills by two per cent a call, and is refused beyond a share while extra usage pays."""

    def __init__(self, first: float, extra: bool) -> None:
        super().__init__(*messages({"input_tokens": 1000, "output_tokens": 200}))
        self.used, self.extra = first, extra

    def choose(self, seen: Seen) -> Play:
        self.used += 0.02
        play = super().choose(seen)
        head = "anthropic-ratelimit-unified-"
        told = {
            f"{head}status": "rejected" if self.extra else "allowed",
            f"{head}overage-status": "allowed",
            f"{head}representative-claim": "overage" if self.extra else "five_hour",
            f"{head}5h-status": "allowed",
            f"{head}5h-utilization": f"{self.used:.2f}",
            f"{head}5h-reset": f"{time.time() + 9000:.0f}",
        }
        return Play(play.pieces, 200, {**play.headers, **told}, play.content_type)


@pytest.mark.parametrize("extra", [False, True], ids=["windows", "extra usage"])
async def test_money_plan_pays_by_its_windows_and_extra_usage_is_money(
    extra: bool, gateway: Any, stack: Any, client: Any, tmp_path: Any
) -> None:
    upstream = await stack.enter_async_context(Plan(0.10, extra))
    http = await client(await gateway(providers={"anthropic": {"api_base": upstream.url, "api_key": "sk-ant-oat01-test"}}))
    for _ in range(3):
        answer = await http.post("/v1/messages", json={**HI, "model": "anthropic/claude-opus-5-5", "max_tokens": 500})
        assert answer.status_code == 200, answer.text
    cost = 3 * float(
        calc_price(Tokens(input_tokens=1000, output_tokens=200), "claude-opus-5-5", provider_id="anthropic").total_price
    )

    events = (await http.get("/debug/routing-trace")).json()["events"]
    report = TraceReport()
    for one in events:
        report.add(one)
    figures = {panel["name"]: panel for panel in (await http.get("/debug/panels")).json()["panels"]}
    overview = {item["label"]: item for item in figures["overview"]["items"]}["Cost"]
    used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"][""]
    metrics = (await http.get("/metrics")).text
    assert {one["paidBy"] for one in events} == ({"extra"} if extra else {"plan"})
    if extra:
        assert (report.total.paid, report.total.extra_usage) == (pytest.approx(cost), pytest.approx(cost))
        assert report.total.on_plans == 0
        assert overview["value"] == pytest.approx(cost)
        assert used["microdollars"] / 1e6 == pytest.approx(cost)
        assert 'paid_by="extra_usage"' in metrics
        assert not any("windows" in one for one in events)
    else:
        assert (report.total.paid, report.total.on_plans) == (0, pytest.approx(cost))
        assert overview["value"] == 0
        assert used["microdollars"] == 0
        newest = max(events, key=lambda one: one["ts"])
        assert newest["windows"] == [{"window": "5h", "used": 0.16, "estimatedShare": pytest.approx(0.02, rel=0.01)}]
        assert report.as_json()["planWindows"]["anthropic 5h"]["unknown"] == 1
        assert 'oauthrouter_plan_window_share_total{provider="anthropic",window="5h"}' in metrics

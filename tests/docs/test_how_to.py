"""Every recipe of docs/how-to is followed in a running gateway, and keeps what it promises."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import httpx
import orjson
import pytest

from tests.docs.conftest import Open
from tests.docs.pages import DOCS, blocks, plugin
from tests.support.upstream import Play, ScriptedUpstream

HOW_TO = DOCS / "how-to"
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"


def ask(model: str, words: str = "hi", **more: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": words}], **more}


def completion(words: str) -> Play:
    message = {"role": "assistant", "content": words}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    return Play.json({"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage})


async def said(client: httpx.AsyncClient, model: str, words: str = "hi") -> str:
    answer = await client.post(CHAT, json=ask(model, words))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def test_how_to_index_lists_every_recipe() -> None:
    index = (HOW_TO / "README.md").read_text(encoding="utf-8")
    recipes = {page.name for page in HOW_TO.glob("*.md")} - {"README.md"}
    assert {name for name in recipes if f"({name})" in index} == recipes


# ------------------------------------------------------------------ providers


async def test_how_to_endpoint_by_configuration_alone(gateway: Open, stack: AsyncExitStack) -> None:
    upstream = await stack.enter_async_context(ScriptedUpstream(completion("hello from llama")))
    toml = blocks(HOW_TO / "add-a-provider.md", "toml")[0]
    client = await gateway(toml=toml.replace("http://127.0.0.1:11434", upstream.url))

    models = {model["id"]: model for model in (await client.get("/v1/models")).json()["data"]}
    assert {"my-endpoint/llama-4", "my-endpoint/qwen-3"} <= set(models)
    assert models["my-endpoint/qwen-3"]["context_window"] == 32768
    assert await said(client, "my-endpoint/llama-4") == "hello from llama"
    [seen] = upstream.seen
    assert (seen.path, seen.body["model"]) == ("/v1/chat/completions", "llama-4")
    assert "authorization" not in seen.headers
    assert (await client.post(CHAT, json=ask("my-endpoint/another"))).status_code == 404


@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings"])
async def test_how_to_its_key_is_sent_where_it_has_one(path: str, gateway: Open, stack: AsyncExitStack) -> None:
    upstream = await stack.enter_async_context(ScriptedUpstream(completion("hello")))
    endpoint = {"api_base": upstream.url, "api_key": "sk-mine"}
    client = await gateway(providers={"my-endpoint": endpoint})
    assert (await client.post(path, json=ask("my-endpoint/anything"))).status_code == 200
    assert upstream.seen[0].headers["authorization"] == "Bearer sk-mine"


async def test_how_to_endpoint_with_a_quirk(gateway: Open, stack: AsyncExitStack) -> None:
    upstream = await stack.enter_async_context(ScriptedUpstream(completion("hello from quirky")))
    page = HOW_TO / "add-a-provider.md"
    toml = blocks(page, "toml")[1].replace("https://api.quirky.example", upstream.url) + 'api_key = "quirky-key"\n'
    client = await gateway(plugin(page, 0), toml=toml)

    system = [{"role": "system", "content": words} for words in ("a", "b")]
    history = [*system, {"role": "user", "content": "hi"}]
    answer = await client.post(CHAT, json={"model": "quirky/m", "max_completion_tokens": 9, "messages": history})
    assert answer.status_code == 200, answer.text
    [seen] = upstream.seen
    assert (seen.path, seen.headers["x-team"]) == ("/v1/chat/completions", "routing")
    assert seen.body["messages"] == [{"role": "system", "content": "a\n\nb"}, {"role": "user", "content": "hi"}]
    assert (seen.body["max_new_tokens"], "max_completion_tokens" in seen.body) == (9, False)


async def test_how_to_provider_of_ones_own_class(gateway: Open, stack: AsyncExitStack) -> None:
    upstream = await stack.enter_async_context(ScriptedUpstream(completion("hello from corp")))
    page = HOW_TO / "add-a-provider.md"
    toml = blocks(page, "toml")[2].replace("https://llm.corp.example", upstream.url) + 'api_key = "corp-key"\n'
    client = await gateway(plugin(page, 1), toml=toml)

    assert "corp" in (await client.get("/health")).json()["providers"]
    assert await said(client, "corp/fast") == "hello from corp"
    [seen] = upstream.seen
    assert seen.path == "/deployments/fast/chat/completions"
    assert seen.headers["api-key"] == "corp-key"
    assert "model" not in seen.body


# ------------------------------------------------------------------ a dialect


GENERATED = {"model": "llama-4", "response": "hello from ollama", "done": True, "done_reason": "stop"}
COUNTS = {"prompt_eval_count": 11, "eval_count": 4}


async def ollama(gateway: Open, stack: AsyncExitStack, *plays: Play) -> tuple[httpx.AsyncClient, ScriptedUpstream]:
    upstream = await stack.enter_async_context(ScriptedUpstream(*plays))
    page = HOW_TO / "add-a-dialect.md"
    [toml] = blocks(page, "toml")
    return await gateway(plugin(page, 0), toml=toml.replace("http://127.0.0.1:11434", upstream.url)), upstream


async def test_how_to_new_dialect_serves_clients_of_all_three(gateway: Open, stack: AsyncExitStack) -> None:
    client, upstream = await ollama(gateway, stack, Play.json(GENERATED | COUNTS))
    body = ask("ollama/llama-4", "how are you?", temperature=0.5)

    chat = (await client.post(CHAT, json=body)).json()
    assert chat["choices"][0]["message"]["content"] == "hello from ollama"
    assert (chat["usage"]["prompt_tokens"], chat["usage"]["completion_tokens"]) == (11, 4)
    messages = (await client.post(MESSAGES, json={**body, "system": "Be kind."})).json()
    assert messages["content"][0]["text"] == "hello from ollama"
    responses = (await client.post(RESPONSES, json={"model": "ollama/llama-4", "input": "hi"})).json()
    assert responses["output"][0]["content"][0]["text"] == "hello from ollama"

    assert upstream.seen[0].path == "/api/generate"
    options = {"num_predict": 100, "temperature": 0.5}
    wanted = {"model": "llama-4", "prompt": "how are you?", "system": "Be kind.", "stream": False, "options": options}
    assert upstream.seen[1].body == wanted


async def test_how_to_its_stream_comes_all_at_once(gateway: Open, stack: AsyncExitStack) -> None:
    client, _ = await ollama(gateway, stack, Play.json(GENERATED | COUNTS))
    answer = await client.post(CHAT, json=ask("ollama/llama-4", stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "hello from ollama" in answer.text
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_how_to_its_errors_and_limits_reach_the_client(gateway: Open, stack: AsyncExitStack) -> None:
    client, upstream = await ollama(gateway, stack, Play.json({"error": "the prompt is odd"}, status=400))
    refused = await client.post(CHAT, json=ask("ollama/llama-4"))
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "the prompt is odd")
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": [call]}]
    unsaid = await client.post(CHAT, json={"model": "ollama/llama-4", "messages": history})
    assert (unsaid.status_code, unsaid.json()["error"]["param"]) == (400, "messages")
    assert len(upstream.seen) == 1


async def test_clients_of_another_api_are_answered_on_its_path(gateway: Open) -> None:
    client = await gateway(plugin(HOW_TO / "add-a-dialect.md", 1))
    whole = (await client.post("/api/generate", json={"model": "auto", "prompt": "hi", "stream": False})).json()
    assert (whole["done"], bool(whole["response"])) == (True, True)
    streamed = await client.post("/api/generate", json={"model": "auto", "prompt": "hi"})
    lines = [orjson.loads(line) for line in streamed.content.splitlines()]
    assert ("".join(line["response"] for line in lines), lines[-1]["done"]) == (whole["response"], True)
    refused = await client.post("/api/generate", json={"model": "auto", "prompt": 3})
    assert (refused.status_code, refused.json()) == (400, {"error": "prompt: expected a string, not a number"})
    assert "/api/generate" in (await client.get("/openapi.json")).json()["paths"]


# ------------------------------------------------------------------ decisions and rules


async def test_how_to_dimension_lifts_the_tier(gateway: Open) -> None:
    page = HOW_TO / "add-a-classifier-dimension.md"
    prompt = {"prompt": "why is there a ledger drift after the netting run?"}
    before = (await (await gateway()).post("/v1/route/explain", json=prompt)).json()
    after = (await (await gateway(plugin(page))).post("/v1/route/explain", json=prompt)).json()
    assert "houseWords" not in {dimension["name"] for dimension in before["dimensions"]}
    [added] = [dimension for dimension in after["dimensions"] if dimension["name"] == "houseWords"]
    assert added["signal"] in after["reasoning"]
    order = ["SIMPLE", "MEDIUM", "COMPLEX", "REASONING"]
    assert order.index(after["tier"]) > order.index(before["tier"])


async def test_how_to_budget_refuses_the_third_request_and_interns(gateway: Open) -> None:
    keys = {"interns": {"token": "interns-token"}}
    client = await gateway(plugin(HOW_TO / "add-a-budget.md"), server={"client_keys": keys})
    opus = ask("anthropic/claude-opus-4-6")
    answers = [await client.post(CHAT, json=opus) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["retry-after"]) <= 24 * 3600

    intern = {"authorization": "Bearer interns-token"}
    refused = await client.post(CHAT, json=opus, headers=intern)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "MODEL_NOT_ALLOWED")
    assert (await client.post(CHAT, json=ask("auto"), headers=intern)).status_code == 200
    hard = await client.post(CHAT, json=ask("auto"), headers={"x-oauthrouter-tier": "REASONING"})
    assert hard.status_code == 200
    assert hard.headers["x-oauthrouter-model"] != "anthropic/claude-opus-4-6"


async def test_tiers_by_configuration_plugin_and_header(gateway: Open) -> None:
    page = HOW_TO / "override-tiers.md"
    [toml] = blocks(page, "toml")
    configured = await gateway(toml=toml)
    answer = await configured.post(CHAT, json=ask("auto"))
    assert answer.headers["x-oauthrouter-model"] == "openai-codex/gpt-6-luna"

    client = await gateway(plugin(page), toml=toml)
    by_plugin = await client.post(CHAT, json=ask("auto"))
    assert (by_plugin.headers["x-oauthrouter-tier"], by_plugin.headers["x-oauthrouter-model"]) == (
        "SIMPLE",
        "openai-codex/gpt-6.1-terra",
    )
    by_header = await client.post(CHAT, json=ask("auto"), headers={"x-oauthrouter-tier": "REASONING"})
    assert (
        by_header.headers["x-oauthrouter-model"] == "openai-codex/gpt-6.2-sol"
    )  # a plan serves the tier as well as the paid key


# ------------------------------------------------------------------ observers


async def test_how_to_panel_counts_programs(gateway: Open) -> None:
    client = await gateway(plugin(HOW_TO / "add-a-dashboard-panel.md"))
    for _ in range(2):
        await client.post(CHAT, json=ask("auto"), headers={"user-agent": "my-editor/1.2"})
    panels = {panel["name"]: panel for panel in (await client.get("/debug/panels")).json()["panels"]}
    assert panels["programs"]["items"] == [{"label": "my-editor", "value": 2}]


async def test_how_to_sink_logs_failures_only(gateway: Open, caplog: pytest.LogCaptureFixture) -> None:
    client = await gateway(plugin(HOW_TO / "add-a-trace-sink.md"))
    await said(client, "anthropic/claude-haiku-4-5")
    failed = await client.post(CHAT, json=ask("anthropic/claude-haiku-4-5", "FAIL 400"))
    [line] = [record.getMessage() for record in caplog.records if record.name == "llm.failures"]
    assert line.startswith(f"{failed.headers['x-request-id']} 400 UpstreamStatusError for 'default', tried ")
    assert "anthropic/claude-haiku-4-5: UpstreamStatusError" in line

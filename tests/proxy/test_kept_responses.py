"""Conversations kept by the client's wish: gone on from by id at any provider, and read, counted, compacted and forgotten."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, NotFoundError

from tests.faults.answers import ANTHROPIC, CHAT, CODEX
from tests.support.upstream import Play

MODELS = {"openai-codex/gpt-5.4": CODEX, "anthropic/claude-haiku-4-5": ANTHROPIC, "house/house-model": CHAT}


@pytest.fixture
def house(gateway: Any, scripted: Any, client: Any) -> Any:
    async def begin(*plays: Play, **settings: Any) -> tuple[Any, Any, Any]:
        upstream = await scripted(*plays)
        providers = {
            "openai-codex": {"api_base": upstream.url, "auth_header": "Bearer codex-secret"},
            "anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-test"},
            "house": {"api_base": f"{upstream.url}/v1", "models": ["house-model"]},
        }
        handle = await gateway(upstream, providers=providers, upstream={"retry": {"attempts": 1}}, **settings)
        return await client(handle), upstream, handle

    return begin


def play(model: str, *, stream: bool) -> Play:
    answer = MODELS[model]
    if stream or model.startswith("openai-codex"):
        return Play(answer.events)
    return Play([answer.whole], content_type="application/json")


def ended(answer: httpx.Response, *, stream: bool) -> dict[str, Any]:
    import orjson

    if not stream:
        return dict(answer.json())
    events = [orjson.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    return dict(events[-1]["response"])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("second", MODELS)
@pytest.mark.parametrize("first", MODELS)
async def test_conversation_goes_on_by_id_at_any_provider(first: str, second: str, stream: bool, house: Any) -> None:
    http, upstream, _ = await house(play(first, stream=stream), play(second, stream=stream))
    begun = await http.post("/v1/responses", json={"model": first, "input": "the first words", "stream": stream})
    id_ = ended(begun, stream=stream)["id"]
    call = next((item for item in ended(begun, stream=stream)["output"] if item["type"] == "function_call"), None)
    more: list[dict[str, Any]] = [{"type": "message", "role": "user", "content": "and more"}]
    if call is not None:
        more.insert(0, {"type": "function_call_output", "call_id": call["call_id"], "output": "seven degrees"})
    body = {"model": second, "input": more, "stream": stream, "previous_response_id": id_}
    answer = await http.post("/v1/responses", json=body)
    assert answer.status_code == 200, answer.text
    asked = str(upstream.seen[-1].body)
    for words in ("the first words", "Hel", "and more", *(["seven degrees"] if call else [])):
        assert words in asked
    assert "previous_response_id" not in upstream.seen[-1].body


@pytest.mark.parametrize("stream", [False, True])
async def test_openai_sdk_goes_on_retrieves_and_deletes(stream: bool, house: Any) -> None:
    model = "anthropic/claude-haiku-4-5"
    _, upstream, handle = await house(*[play(model, stream=stream)] * 2)
    async with AsyncOpenAI(base_url=f"{handle.base_url}/v1", api_key=handle.auth_token, max_retries=0) as sdk:
        if stream:
            async with sdk.responses.stream(model=model, input="one") as events:
                first = await events.get_final_response()
        else:
            first = await sdk.responses.create(model=model, input="one")
        await sdk.responses.create(model=model, input="two", previous_response_id=first.id, stream=stream)
        found = await sdk.responses.retrieve(first.id)
        assert (found.id, found.output_text) == (first.id, first.output_text)
        items = await sdk.responses.input_items.list(first.id)
        assert items.data[0].content[0].text == "one"  # type: ignore[union-attr]
        await sdk.responses.delete(first.id)
        with pytest.raises(NotFoundError):
            await sdk.responses.retrieve(first.id)
        counted = await sdk.responses.input_tokens.count(model=model, input="some words to be counted")
        assert counted.input_tokens > 3
    assert len(upstream.seen) == 2


async def test_answer_that_is_not_to_be_kept_is_not_there(house: Any) -> None:
    model = "anthropic/claude-haiku-4-5"
    http, upstream, _ = await house(*[play(model, stream=False)] * 3)
    first = (await http.post("/v1/responses", json={"model": model, "input": "one", "store": False})).json()
    assert (await http.get(f"/v1/responses/{first['id']}")).status_code == 404
    body = {"model": model, "input": "two", "previous_response_id": first["id"]}
    answer = await http.post("/v1/responses", json=body)
    assert answer.status_code == 400
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (
        "previous_response_not_found",
        "previous_response_id",
    )
    assert len(upstream.seen) == 1


async def test_switched_off_nothing_is_kept(house: Any) -> None:
    model = "anthropic/claude-haiku-4-5"
    http, _, handle = await house(play(model, stream=False), kept_responses={"enabled": False})
    first = (await http.post("/v1/responses", json={"model": model, "input": "one"})).json()
    assert (await http.get(f"/v1/responses/{first['id']}")).status_code == 404
    assert (await http.delete(f"/v1/responses/{first['id']}")).status_code == 404
    answer = await http.post("/v1/responses", json={"model": model, "input": "two", "previous_response_id": first["id"]})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "previous_response_id")
    assert not list(handle.live.runtime.settings.home.glob("kept*"))


async def test_client_finds_only_its_own(house: Any) -> None:
    model = "anthropic/claude-haiku-4-5"
    keys = {"other": {"token": "another-token-of-24-characters"}}
    http, _, handle = await house(play(model, stream=False), server={"client_keys": keys})
    first = (await http.post("/v1/responses", json={"model": model, "input": "one"})).json()
    headers = {"authorization": "Bearer another-token-of-24-characters"}
    async with httpx.AsyncClient(base_url=handle.base_url, headers=headers, trust_env=False) as other:
        assert (await other.get(f"/v1/responses/{first['id']}")).status_code == 404
        assert (await other.delete(f"/v1/responses/{first['id']}")).status_code == 404
        body = {"model": model, "input": "two", "previous_response_id": first["id"]}
        assert (await other.post("/v1/responses", json=body)).status_code == 400
    assert (await http.get(f"/v1/responses/{first['id']}")).json()["id"] == first["id"]


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", "house/house-model"])
async def test_compact_gives_the_users_messages_and_one_item(model: str, house: Any) -> None:
    http, upstream, handle = await house(*[play(model, stream=False)] * 2)
    items = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "yo"}]
    async with AsyncOpenAI(base_url=f"{handle.base_url}/v1", api_key=handle.auth_token, max_retries=0) as sdk:
        compacted = await sdk.responses.compact(model=model, input=items)  # type: ignore[arg-type]
    assert compacted.object == "response.compaction"
    assert [item.type for item in compacted.output if item.type] == ["compaction"]
    assert "summary of our conversation" in str(upstream.seen[0].body)
    raw = (await http.post("/v1/responses/compact", json={"model": model})).json()
    assert raw["output"][-1]["type"] == "compaction" or "error" in raw

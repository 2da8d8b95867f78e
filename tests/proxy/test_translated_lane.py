"""A Responses client at a Responses endpoint of another maker: what only OpenAI's models understand is translated there and back."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.support.upstream import Play

PAGE = {
    "type": "function",
    "name": "find_page",
    "description": "Finds pages.",
    "parameters": {"type": "object", "properties": {}},
}
DOCS = {"type": "namespace", "name": "mcp__docs", "tools": [PAGE]}
FINDER = {"type": "tool_search", "execution": "client", "description": "Finds tools."}
ADDED = {"type": "additional_tools", "role": "developer", "tools": [DOCS, {"type": "custom", "name": "apply_patch"}]}
HI = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
USAGE = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


def answer(*items: dict[str, Any], stream: bool) -> Play:
    response = {
        "id": "resp_1",
        "object": "response",
        "model": "qwen3",
        "status": "completed",
        "output": list(items),
        "usage": USAGE,
    }
    if not stream:
        return Play.json(response)
    events = [{"type": "response.created", "response": {**response, "status": "in_progress", "output": []}}]
    events += [{"type": "response.output_item.done", "output_index": at, "item": item} for at, item in enumerate(items)]
    events.append({"type": "response.completed", "response": response})
    return Play([b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in events])  # type: ignore[attr-defined]


def call(name: str, arguments: str) -> dict[str, Any]:
    return {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": name, "arguments": arguments, "status": "completed"}


@pytest.fixture
def endpoint(gateway: Any, scripted: Any, client: Any) -> Any:
    """A gateway with an endpoint of the user's own that speaks Responses."""

    async def begin(*plays: Play) -> tuple[Any, Any]:
        upstream = await scripted(*plays)
        house = {"api_base": f"{upstream.url}/v1", "models": ["qwen3"], "dialect": "openai_responses"}
        return await client(await gateway(upstream, providers={"house": house})), upstream

    return begin


async def output_of(http: Any, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The items a client gets, checked to be the same in the stream and at its end."""
    answered = await http.post("/v1/responses", json={"model": "house/qwen3", **body})
    assert answered.status_code == 200, answered.text
    if not body["stream"]:
        return list(answered.json()["output"])
    events = [orjson.loads(line[6:]) for line in answered.text.splitlines() if line.startswith("data: {")]
    items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert events[-1]["response"]["output"] == items
    return items


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("asked", "wanted", "found"),
    [
        ({"input": [ADDED, HI]}, call("mcp__docs__find_page", "{}"), {"name": "find_page", "namespace": "mcp__docs"}),
        (
            {"input": [ADDED, HI]},
            call("apply_patch", '{"input": "*** Begin"}'),
            {"type": "custom_tool_call", "input": "*** Begin"},
        ),
        (
            {"input": [HI], "tools": [FINDER]},
            call("tool_search", '{"query": "docs"}'),
            {"type": "tool_search_call", "execution": "client", "arguments": {"query": "docs"}},
        ),
    ],
)
async def test_call_comes_back_as_the_client_knows_it(
    asked: dict[str, Any], wanted: dict[str, Any], found: dict[str, Any], stream: bool, endpoint: Any
) -> None:
    http, upstream = await endpoint(answer(wanted, stream=stream))
    (item,) = await output_of(http, {**asked, "stream": stream})
    assert found.items() <= item.items()
    assert item["call_id"] == "c1"
    sent = upstream.seen[0].body
    assert wanted["name"] in [tool["name"] for tool in sent["tools"]]
    assert "additional_tools" not in str(sent)
    assert "tool_search_output" not in str(sent)


@pytest.mark.parametrize("stream", [False, True])
async def test_compaction_is_one_item(stream: bool, endpoint: Any) -> None:
    said = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "They said hi."}]}
    http, upstream = await endpoint(answer(said, stream=stream), answer(said, stream=stream))
    (item,) = await output_of(http, {"input": [HI, {"type": "compaction_trigger"}], "stream": stream})
    assert item["type"] == "compaction"
    await output_of(http, {"input": [item, HI], "stream": stream})
    assert "They said hi." in str(upstream.seen[1].body["input"])


@pytest.mark.parametrize("stream", [False, True])
async def test_ordinary_request_passes_as_it_is(stream: bool, endpoint: Any) -> None:
    said = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "odd": 1,
        "content": [{"type": "output_text", "text": "hi", "x": 2}],
    }
    http, upstream = await endpoint(answer(said, stream=stream))
    body = {"input": [{**HI, "extra": 1}], "stream": stream, "some_field": {"a": 1}}
    assert await output_of(http, body) == [said]
    assert upstream.seen[0].body == {"model": "qwen3", **body}

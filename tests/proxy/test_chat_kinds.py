"""Kinds of faults that gateways had on lanes that lead to or from Chat Completions, each over every pair of dialects, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from tests.proxy.matrix import Bench, open_bench
from tests.support.answers import Answer, play
from tests.support.conversations import CHAT, DIALECTS, MESSAGES, PATHS, RESPONSES, Conversation, Json, go_on, say
from tests.support.readings import Reading, read
from tests.support.upstream import Play

MODELS = {CHAT: "elsewhere/some-model", MESSAGES: "anthropic/claude-haiku-4-5", RESPONSES: "openai-codex/gpt-5.6-terra"}
OTHERS = {**MODELS, CHAT: "somewhere/some-model"}
"""Where a conversation moves to: nobody there made anything of it."""

every_client = pytest.mark.parametrize("client", DIALECTS)
every_provider = pytest.mark.parametrize("provider", DIALECTS)
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    def more(url: str) -> dict[str, Any]:
        return {
            "somewhere": {"api_base": f"{url.replace('127.0.0.1', 'localhost')}/v1", "models": ["some-model"]},
            "blind": {"api_base": f"{url}/v1", "models": [{"id": "words-1", "images": False}]},
        }

    async with open_bench(tmp_path_factory.mktemp("kinds"), more) as opened:
        yield opened


pytestmark = pytest.mark.asyncio(loop_scope="module")


def chat_answer(message: Json, finish: str, *, stream: bool, deltas: list[Json] | None = None) -> Play:
    """What a Chat provider says; ``deltas`` where its stream is more than its message at once."""
    head = {"id": "chatcmpl-1", "created": 1, "model": "some-model"}
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    if not stream:
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
        return Play.json({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    numbered = dict(message)
    if "tool_calls" in message:
        numbered["tool_calls"] = [{"index": index, **call} for index, call in enumerate(message["tool_calls"])]
    choices: list[Json] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas or [numbered]]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [{**head, "object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    chunks.append({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    return Play([b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"])


def call(arguments: str, id_: str = "call_1", name: str = "get_weather", **more: Any) -> Json:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def strings(value: object) -> Iterator[str]:
    """Every string anywhere in a body."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def body(client: str, provider_model: str, *, stream: bool, **said: Any) -> Json:
    return say(client, Conversation(**said), provider_model, stream=stream)


async def asked(bench: Bench, client: str, request: Json, answer: Play) -> tuple[Reading, Json]:
    bench.upstream.plays = [answer]
    bench.upstream.seen.clear()
    reply = await bench.http.post(PATHS[client], json=request)
    assert reply.status_code == 200, reply.text
    return read(client, reply), bench.upstream.seen[-1].body


# ------------------------------------------------------------------ what a maker sealed

SEAL = "U0VBTEVE/+=="
SIGNED = {"extra_content": {"google": {"thought_signature": SEAL}}}
DETAILS = [
    {"type": "reasoning.summary", "summary": "hm", "format": "openai-responses-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": SEAL, "id": "rs_1", "format": "openai-responses-v1", "index": 1},
]
SEALED = {
    "signature of a call": {
        "content": None,
        "tool_calls": [call('{"city":"Oslo"}', **SIGNED), call('{"city":"Bern"}', "call_2")],
    },
    "signature of a call behind words": {"content": "I look.", "tool_calls": [call('{"city":"Oslo"}', **SIGNED)]},
    "reasoning details": {
        "content": None,
        "reasoning": "hm",
        "reasoning_details": DETAILS,
        "tool_calls": [call('{"city":"Oslo"}')],
    },
}


async def two_turns(bench: Bench, client: str, sealed: str, model: str, *, stream: bool) -> Json:
    """A tool loop begun at a Chat provider: what the provider of ``model`` is sent in its second turn."""
    first = body(client, MODELS[CHAT], stream=stream, tools=("get_weather",), thinks=True)
    reading, _ = await asked(bench, client, first, chat_answer(SEALED[sealed], "tool_calls", stream=stream))
    assert len(reading.calls) == len(SEALED[sealed]["tool_calls"])
    then = go_on(client, first, reading.turn, {made.id: "7 degrees" for made in reading.calls})
    provider = next((dialect for dialect, known in OTHERS.items() if known == model), CHAT)
    answer = play(provider, Answer("Done."), stream=stream or provider == RESPONSES)
    _, sent = await asked(bench, client, {**then, "model": model}, answer)
    return sent


@both_ways
@every_client
@pytest.mark.parametrize("sealed", SEALED)
async def test_chat_kinds_what_a_chat_provider_sealed_comes_back_to_it(
    bench: Bench, sealed: str, client: str, stream: bool
) -> None:
    sent = await two_turns(bench, client, sealed, MODELS[CHAT], stream=stream)
    [said] = [message for message in sent["messages"] if message["role"] == "assistant" and message.get("tool_calls")]
    expected = SEALED[sealed]
    assert said.get("reasoning_details") == expected.get("reasoning_details")
    assert [made.get("extra_content") for made in said["tool_calls"]] == [
        made.get("extra_content") for made in expected["tool_calls"]
    ]


@both_ways
@every_client
@every_provider
@pytest.mark.parametrize("sealed", SEALED)
async def test_chat_kinds_what_a_chat_provider_sealed_goes_to_nobody_else(
    bench: Bench, sealed: str, client: str, provider: str, stream: bool
) -> None:
    sent = await two_turns(bench, client, sealed, OTHERS[provider], stream=stream)
    assert not [text for text in strings(sent) if SEAL in text or text.startswith("oar1.")]


# ------------------------------------------------------------------ calls told apart

TWICE: dict[str, tuple[list[Json], list[Json]]] = {
    "one id": (
        [call('{"city":"Oslo"}'), call('{"city":"Bern"}')],
        [{"tool_calls": [{"index": 0, **call('{"city":"Oslo"}')}]}, {"tool_calls": [{"index": 0, **call('{"city":"Bern"}')}]}],
    ),
    "no ids": (
        [call('{"city":"Oslo"}', ""), call('{"city":"Bern"}', "")],
        [{"tool_calls": [{"index": 0, **call('{"city":"Oslo"}', ""), "id": ""}, {"index": 0, **call('{"city":"Bern"}', "")}]}],
    ),
}


@both_ways
@every_client
@pytest.mark.parametrize("twice", TWICE)
async def test_calls_are_told_apart_for_every_client(bench: Bench, twice: str, client: str, stream: bool) -> None:
    if client == CHAT:
        pytest.skip("the transparent lane forwards what the provider numbers")
    whole, deltas = TWICE[twice]
    answer = chat_answer({"content": None, "tool_calls": whole}, "tool_calls", stream=stream, deltas=deltas)
    reading, _ = await asked(bench, client, body(client, MODELS[CHAT], stream=stream, tools=("get_weather",)), answer)
    assert [json.loads(made.arguments) for made in reading.calls] == [{"city": "Oslo"}, {"city": "Bern"}]
    assert len({made.id for made in reading.calls}) == 2


# ------------------------------------------------------------------ tools

SCHEMAS: dict[str, Any] = {
    "no properties": {"type": "object"},
    "no type": {"properties": {"a": {"type": "string"}}},
    "null type": {"type": None, "properties": {"a": {"type": "string"}}},
    "anyOf": {"anyOf": [{"type": "object", "properties": {"a": {}}, "required": ["a"]}, {"type": "object", "properties": {"b": {}}}]},
    "oneOf without type": {"oneOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]},
    "reference": {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": {}}}}},
}  # fmt: skip


def with_tool(client: str, request: Json, schema: Any, *, strict: bool | None = None) -> Json:
    marked = {} if strict is None else {"strict": strict}
    if client == CHAT:
        tool: Json = {"type": "function", "function": {"name": "f", "parameters": schema, **marked}}
    elif client == MESSAGES:
        tool = {"name": "f", "input_schema": schema, **marked}
    else:
        tool = {"type": "function", "name": "f", "parameters": schema, **marked}
    return {**request, "tools": [tool]}


def tool_in(provider: str, sent: Json) -> Json:
    [tool] = sent["tools"]
    tool = tool.get("function", tool)
    return {"schema": tool.get("parameters") or tool.get("input_schema"), "strict": tool.get("strict")}


@both_ways
@every_client
@every_provider
@pytest.mark.parametrize("shape", SCHEMAS)
async def test_root_of_a_tool_s_schema_is_an_object_with_properties(
    bench: Bench, shape: str, client: str, provider: str, stream: bool
) -> None:
    request = with_tool(client, body(client, MODELS[provider], stream=stream), SCHEMAS[shape])
    _, sent = await asked(bench, client, request, play(provider, Answer("ok"), stream=stream or provider == RESPONSES))
    schema = tool_in(provider, sent)["schema"]
    assert schema["type"] == "object"
    assert isinstance(schema["properties"], dict)
    assert not {"anyOf", "oneOf", "allOf", "$ref"} & schema.keys()


OPTIONAL = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@both_ways
@every_client
@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
async def test_strictness_does_not_turn_an_optional_property_into_a_refusal(
    bench: Bench, client: str, provider: str, stream: bool
) -> None:
    if client == provider:
        pytest.skip("a client of the provider's own dialect is told by the provider")
    request = with_tool(client, body(client, MODELS[provider], stream=stream), OPTIONAL, strict=True)
    _, sent = await asked(bench, client, request, play(provider, Answer("ok"), stream=stream or provider == RESPONSES))
    tool = tool_in(provider, sent)
    assert not tool["strict"] or set(tool["schema"]["required"]) == set(tool["schema"]["properties"])


# ------------------------------------------------------------------ images, ends, names


@both_ways
@every_client
async def test_image_is_told_in_words_where_the_model_sees_none(bench: Bench, client: str, stream: bool) -> None:
    request = body(client, "blind/words-1", stream=stream, words="What is this?", image=True)
    _, sent = await asked(bench, client, request, play(CHAT, Answer("ok"), stream=stream))
    assert not [text for text in strings(sent) if text.startswith("data:image")]
    assert any("image" in text for text in strings(sent["messages"]))
    assert any("What is this?" in text for text in strings(sent["messages"]))


@both_ways
@every_client
async def test_calls_announced_and_not_made_do_not_end_the_turn_for_tools(bench: Bench, client: str, stream: bool) -> None:
    if client == CHAT:
        pytest.skip("the transparent lane forwards the provider's word")
    request = body(client, MODELS[CHAT], stream=stream, tools=("get_weather",))
    reading, _ = await asked(bench, client, request, chat_answer({"content": "Hello."}, "tool_calls", stream=stream))
    assert reading.words == "Hello."
    assert reading.finish in ("end_turn", "completed")


@both_ways
@pytest.mark.parametrize("provider", [CHAT, RESPONSES])
async def test_long_name_of_a_user_is_cut(bench: Bench, provider: str, stream: bool) -> None:
    request = {**body(MESSAGES, MODELS[provider], stream=stream), "metadata": {"user_id": "u" * 191}}
    _, sent = await asked(bench, MESSAGES, request, play(provider, Answer("ok"), stream=stream or provider == RESPONSES))
    assert len(sent.get("user") or "") <= 64


# ------------------------------------------------------------------ other dialects' shapes in a Chat request

PIXEL_SOURCE = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
FOREIGN: dict[str, list[Json]] = {
    "responses parts": [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
    ],
    "messages blocks": [{"type": "text", "text": "look"}, {"type": "image", "source": PIXEL_SOURCE}],
}


@both_ways
@every_provider
@pytest.mark.parametrize("shape", FOREIGN)
async def test_foreign_parts_in_a_chat_message_arrive(bench: Bench, shape: str, provider: str, stream: bool) -> None:
    request = {"model": MODELS[provider], "stream": stream, "messages": [{"role": "user", "content": FOREIGN[shape]}]}
    _, sent = await asked(bench, CHAT, request, play(provider, Answer("ok"), stream=stream or provider == RESPONSES))
    found = list(strings(sent))
    assert "look" in found
    assert any("AAAA" in text for text in found)


@both_ways
@every_provider
async def test_foreign_tool_round_in_chat_messages_arrives(bench: Bench, provider: str, stream: bool) -> None:
    history = [
        {"role": "user", "content": "weather?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "seven degrees"}]},
    ]
    tools = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]
    request = {"model": MODELS[provider], "stream": stream, "messages": history, "tools": tools}
    _, sent = await asked(bench, CHAT, request, play(provider, Answer("ok"), stream=stream or provider == RESPONSES))
    found = list(strings(sent))
    assert found.count("toolu_1") == 2
    assert {"get_weather", "seven degrees"} <= set(found)

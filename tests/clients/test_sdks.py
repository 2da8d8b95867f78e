"""The official SDKs and an agent framework take their turns through a real gateway, in front of the demo upstream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from openai.lib.streaming.chat import ContentDoneEvent

from openclaw_oauthrouter.proxy.demo import demo_upstream
from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy

# One model that the demo serves in each upstream dialect: both SDKs have to meet their own and a foreign one.
MODELS = ("auto", "anthropic/claude-haiku-4-5", "openai-codex/gpt-5.6-terra")
SAID = "You wrote: hello there"

WEATHER: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASK_WEATHER = 'USE_TOOL get_weather {"city": "Oslo"}'


@pytest.fixture
async def handle(tmp_path: Path) -> AsyncIterator[ProxyHandle]:
    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(demo_upstream())
        yield await stack.enter_async_context(
            await start_proxy(port=0, home=tmp_path / "state", auth_token="local-test-token", **settings)
        )


@pytest.fixture
async def openai_async(handle: ProxyHandle) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{handle.base_url}/v1", api_key=handle.auth_token, max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic_async(handle: ProxyHandle) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=handle.base_url, api_key=handle.auth_token, max_retries=0) as client:
        yield client


# ------------------------------------------------------------------ OpenAI, Chat Completions


def openai_tool() -> Any:
    return {"type": "function", "function": {"name": "get_weather", "description": "weather", "parameters": WEATHER}}


async def test_sdks_synchronous_openai_client_in_a_thread_of_its_own(handle: ProxyHandle) -> None:
    def ask() -> tuple[str | None, str]:
        with openai.OpenAI(base_url=f"{handle.base_url}/v1", api_key=handle.auth_token, max_retries=0) as client:
            messages: Any = [{"role": "user", "content": "hello there"}]
            whole = client.chat.completions.create(model="auto", messages=messages)
            with client.chat.completions.create(model="auto", messages=messages, stream=True) as chunks:
                streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            return whole.choices[0].message.content, streamed

    whole, streamed = await asyncio.to_thread(ask)
    assert whole == streamed == f"This is the demo speaking as gpt-6-luna. {SAID}"


@pytest.mark.parametrize("model", MODELS)
async def test_chat_whole_and_with_the_stream_helper(openai_async: openai.AsyncOpenAI, model: str) -> None:
    messages: Any = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello there"}]
    whole = await openai_async.chat.completions.create(model=model, messages=messages, max_completion_tokens=200)
    assert (whole.choices[0].message.content or "").endswith(SAID)
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0

    done: list[str] = []
    include = {"include_usage": True}
    async with openai_async.chat.completions.stream(model=model, messages=messages, stream_options=include) as stream:
        async for event in stream:
            if isinstance(event, ContentDoneEvent):
                done.append(event.content)
        final = await stream.get_final_completion()
    assert done == [final.choices[0].message.content] == [whole.choices[0].message.content]
    assert final.choices[0].finish_reason == "stop"
    assert final.usage
    assert final.usage.completion_tokens == whole.usage.completion_tokens


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stream", [False, True])
async def test_sdks_chat_tool_goes_there_and_back(openai_async: openai.AsyncOpenAI, model: str, stream: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": ASK_WEATHER}]
    if stream:
        async with openai_async.chat.completions.stream(model=model, messages=messages, tools=[openai_tool()]) as events:
            message = (await events.get_final_completion()).choices[0].message
    else:
        answer = await openai_async.chat.completions.create(model=model, messages=messages, tools=[openai_tool()])
        assert answer.choices[0].finish_reason == "tool_calls"
        message = answer.choices[0].message
    [call] = message.tool_calls or ()
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Oslo"})
    messages += [message.to_dict(), {"role": "tool", "tool_call_id": call.id, "content": "7 degrees"}]
    last = await openai_async.chat.completions.create(model=model, messages=messages, tools=[openai_tool()])
    assert last.choices[0].message.content == "The tool answered: 7 degrees"
    assert last.choices[0].finish_reason == "stop"


async def test_openai_errors_are_the_classes_the_sdk_has_for_them(handle: ProxyHandle, openai_async: openai.AsyncOpenAI) -> None:
    messages: Any = [{"role": "user", "content": "x"}]
    with pytest.raises(openai.NotFoundError) as missing:
        await openai_async.chat.completions.create(model="no-such-model", messages=messages)
    assert missing.value.code == "model_not_found"
    failing: Any = [{"role": "user", "content": "FAIL 400"}]
    with pytest.raises(openai.BadRequestError):
        await openai_async.chat.completions.create(model=MODELS[1], messages=failing, stream=True)
    with pytest.raises(openai.AuthenticationError):
        await openai_async.with_options(api_key="wrong").chat.completions.create(model="auto", messages=messages)


async def test_sdks_openai_client_lists_models(openai_async: openai.AsyncOpenAI) -> None:
    models = [model.id async for model in openai_async.models.list()]
    assert {"auto", "anthropic/claude-haiku-4-5"} <= set(models)
    assert (await openai_async.models.retrieve("auto")).id == "auto"


# ------------------------------------------------------------------ OpenAI, Responses


@pytest.mark.parametrize("model", MODELS)
async def test_responses_whole_and_streamed(openai_async: openai.AsyncOpenAI, model: str) -> None:
    whole = await openai_async.responses.create(model=model, input="hello there", instructions="Be brief.", store=False)
    assert whole.status == "completed"
    assert whole.output_text.endswith(SAID)
    assert whole.usage
    assert whole.usage.output_tokens > 0
    async with openai_async.responses.stream(model=model, input="hello there", store=False) as stream:
        pieces = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        final = await stream.get_final_response()
    assert "".join(pieces) == final.output_text == whole.output_text
    assert len(pieces) > 1


@pytest.mark.parametrize("model", MODELS)
async def test_sdks_responses_tool_goes_there_and_back(openai_async: openai.AsyncOpenAI, model: str) -> None:
    tools: Any = [{"type": "function", "name": "get_weather", "description": "w", "parameters": WEATHER, "strict": False}]
    items: list[Any] = [{"role": "user", "content": ASK_WEATHER}]
    first = await openai_async.responses.create(model=model, input=items, tools=tools, store=False)
    [call] = [item for item in first.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Oslo"})
    items += [item.to_dict() for item in first.output]
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "7 degrees"})
    last = await openai_async.responses.create(model=model, input=items, tools=tools, store=False)
    assert last.output_text == "The tool answered: 7 degrees"


# ------------------------------------------------------------------ Anthropic


@pytest.mark.parametrize("model", MODELS)
async def test_messages_whole_and_streamed(anthropic_async: anthropic.AsyncAnthropic, model: str) -> None:
    messages: Any = [{"role": "user", "content": "hello there"}]
    whole = await anthropic_async.messages.create(model=model, max_tokens=200, system="Be brief.", messages=messages)
    [block] = whole.content
    assert block.type == "text"
    assert block.text.endswith(SAID)
    assert whole.stop_reason == "end_turn"
    assert whole.usage.input_tokens > 0
    async with anthropic_async.messages.stream(model=model, max_tokens=200, messages=messages) as stream:
        words = "".join([text async for text in stream.text_stream])
        final = await stream.get_final_message()
    assert words == block.text
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens == whole.usage.output_tokens


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("stream", [False, True])
async def test_sdks_messages_tool_goes_there_and_back(
    anthropic_async: anthropic.AsyncAnthropic, model: str, stream: bool
) -> None:
    tools: Any = [{"name": "get_weather", "description": "weather", "input_schema": WEATHER}]
    messages: list[Any] = [{"role": "user", "content": ASK_WEATHER}]
    asked: dict[str, Any] = {"model": model, "max_tokens": 200, "tools": tools}
    if stream:
        async with anthropic_async.messages.stream(messages=messages, **asked) as events:
            first = await events.get_final_message()
    else:
        first = await anthropic_async.messages.create(messages=messages, **asked)
    assert first.stop_reason == "tool_use"
    [call] = [block for block in first.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("get_weather", {"city": "Oslo"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "7 degrees"}
    messages += [{"role": "assistant", "content": first.to_dict()["content"]}, {"role": "user", "content": [result]}]
    last = await anthropic_async.messages.create(messages=messages, **asked)
    assert [block.text for block in last.content if block.type == "text"] == ["The tool answered: 7 degrees"]


async def test_sdks_synchronous_anthropic_client_counts_tokens_and_lists_models(handle: ProxyHandle) -> None:
    def ask() -> tuple[int, int, list[str]]:
        with anthropic.Anthropic(base_url=handle.base_url, api_key=handle.auth_token, max_retries=0) as client:
            short, long = (
                client.messages.count_tokens(model="auto", messages=[{"role": "user", "content": words}]).input_tokens
                for words in ("hi", "word " * 400)
            )
            return short, long, [model.id for model in client.models.list()]

    short, long, models = await asyncio.to_thread(ask)
    assert 0 < short < 50 < 300 < long < 900
    assert {"auto", "anthropic/claude-haiku-4-5"} <= set(models)


async def test_anthropic_errors_are_the_classes_the_sdk_has_for_them(anthropic_async: anthropic.AsyncAnthropic) -> None:
    messages: Any = [{"role": "user", "content": "FAIL 429"}]
    with pytest.raises(anthropic.RateLimitError) as limited:
        await anthropic_async.messages.create(model=MODELS[2], max_tokens=20, messages=messages)
    body: Any = limited.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "rate_limit_error")
    with pytest.raises(anthropic.NotFoundError):
        await anthropic_async.messages.create(model="no-such-model", max_tokens=20, messages=messages)


# ------------------------------------------------------------------ an agent framework


async def test_sdks_pydantic_ai_agent_calls_a_tool_through_auto(handle: ProxyHandle, openai_async: openai.AsyncOpenAI) -> None:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    asked: list[str] = []
    agent = Agent(OpenAIChatModel("auto", provider=OpenAIProvider(openai_client=openai_async)))

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return f"7 degrees in {city}"

    result = await agent.run(ASK_WEATHER)
    assert asked == ["Oslo"]
    assert result.output == "The tool answered: 7 degrees in Oslo"
    entries = handle.live.observers.ring.latest(10)
    assert [entry.record.tool_count for entry in entries] == [1, 1]
    assert len({entry.record.conversation for entry in entries}) == 1


# ------------------------------------------------------------------ Anthropic, threads


@pytest.mark.parametrize("model", ["auto", "openai-codex/gpt-5.6-terra"])
async def test_sdks_tool_runner_sends_the_whole_conversation_where_no_thread_can_be_kept(
    anthropic_async: anthropic.AsyncAnthropic, model: str
) -> None:
    @anthropic.beta_async_tool
    async def get_weather(city: str) -> str:
        """Say what the weather is."""
        return f"rain in {city}"

    sent: list[dict[str, Any]] = []

    async def watch(request: Any) -> None:
        sent.append(json.loads(request.content))

    anthropic_async._client.event_hooks["request"].append(watch)
    messages: Any = [{"role": "user", "content": ASK_WEATHER}]
    runner = anthropic_async.beta.messages.tool_runner(model=model, max_tokens=500, tools=[get_weather], messages=messages)
    said = [message async for message in runner]
    assert [message.stop_reason for message in said] == ["tool_use", "end_turn"]
    assert said[-1].content[-1].text == "The tool answered: rain in Oslo"
    assert "thread" in sent[0], "the runner no longer asks for a thread: this test has nothing to show"
    assert [len(body["messages"]) for body in sent if "thread" not in body] == [1, 3]

"""What a client understands does not depend on whose dialect the provider speaks, nor on whether it streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from tests.proxy.matrix import CASES, Bench, Case, open_bench, streams
from tests.proxy.matrix_page import PAGE, observe, table, with_table
from tests.support.answers import INPUT_TOKENS, OUTPUT_TOKENS
from tests.support.conversations import CHAT, DIALECTS, MESSAGES, RESPONSES, Conversation
from tests.support.readings import Reading

pytestmark = pytest.mark.asyncio(loop_scope="module")

FINISH = {
    CHAT: {"stop": "stop", "tool_call": "tool_calls", "length": "length", "refusal": "content_filter"},
    MESSAGES: {"stop": "end_turn", "tool_call": "tool_use", "length": "max_tokens", "refusal": "refusal"},
    RESPONSES: {
        "stop": "completed",
        "tool_call": "completed",
        "length": "incomplete: max_output_tokens",
        "refusal": "incomplete: content_filter",
    },
}
OVERLOADED = {CHAT: "overloaded", MESSAGES: "overloaded_error", RESPONSES: "overloaded"}
OVERLOADED_BY_STATUS = {
    (CHAT, False): "overloaded",
    (CHAT, True): "server_error",
    (MESSAGES, False): "overloaded_error",
    (MESSAGES, True): "overloaded_error",
    (RESPONSES, False): "overloaded",
    (RESPONSES, True): "server_error",
}
# The Codex backend has a word of its own, which OpenAI clients get to see.
OVERLOADED_IN_STREAM = {
    (CHAT, RESPONSES): "server_is_overloaded",
    (RESPONSES, CHAT): "server_error",
    (RESPONSES, MESSAGES): "server_error",
    (RESPONSES, RESPONSES): "server_is_overloaded",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with open_bench(tmp_path_factory.mktemp("matrix") / "state") as opened:
        yield opened


def asked(case: Case, client: str) -> Conversation:
    """What the provider must have been asked; thinking and limits have tests of their own."""
    return replace(case.said, thinks=False, max_tokens=Conversation.max_tokens)


def expected(name: str, case: Case, client: str, provider: str, *, stream: bool) -> Reading:
    answer = case.answer
    if case.fails is not None:
        status = case.fails[0]
        own = client == provider  # a refusal in the client's dialect passes as it is
        return Reading(error=(status, "invalid_request_error" if status == 400 else OVERLOADED_BY_STATUS[client, own]))
    if answer.breaks and stream:
        return Reading(words=answer.words, error=(200, OVERLOADED_IN_STREAM.get((client, provider), OVERLOADED[client])))
    if answer.breaks:
        word = OVERLOADED[client] if client == MESSAGES else "server_is_overloaded"
        return Reading(error=(503, word))
    reading = Reading(
        answer.words,
        answer.thinking,
        answer.refusal,
        answer.calls,
        FINISH[client][answer.finish],
        (INPUT_TOKENS, OUTPUT_TOKENS),
    )
    if answer.refusal and provider != MESSAGES:
        # OpenAI says a refusal in words and calls the turn finished; Messages has no block for such words but text, and a word for the end.
        if client == MESSAGES:
            return replace(reading, words=answer.refusal, refusal="")
        return replace(reading, finish=FINISH[client]["stop"])
    return reading


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
async def test_matrix_client_understands(bench: Bench, client: str, provider: str, name: str) -> None:
    case = CASES[name]
    for stream in streams(name, provider):
        reading, heard = await bench.run(client, provider, case, stream=stream)
        assert heard == asked(case, client)
        assert replace(reading, seals=(), turn=()) == expected(name, case, client, provider, stream=stream)


@pytest.mark.parametrize("provider", DIALECTS)
@pytest.mark.parametrize("client", DIALECTS)
async def test_thinking_is_asked_for_in_the_providers_own_way(bench: Bench, client: str, provider: str) -> None:
    await bench.run(client, provider, CASES["thinking"], stream=True)
    body = bench.upstream.seen[-1].body
    wanted = {
        CHAT: lambda: body["reasoning_effort"] == "medium",
        MESSAGES: lambda: {"type": "enabled", "budget_tokens": 2048}.items() <= body["thinking"].items(),
        RESPONSES: lambda: body["reasoning"]["effort"] == "medium" and "reasoning.encrypted_content" in body["include"],
    }
    assert wanted[provider](), body


@pytest.mark.parametrize("provider", [CHAT, MESSAGES])
@pytest.mark.parametrize("client", DIALECTS)
async def test_matrix_limit_on_the_answer_reaches_the_provider(bench: Bench, client: str, provider: str) -> None:
    await bench.run(client, provider, CASES["max tokens"], stream=False)
    body = bench.upstream.seen[-1].body
    assert (body.get("max_completion_tokens") or body.get("max_tokens")) == CASES["max tokens"].said.max_tokens


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("provider", DIALECTS)
async def test_matrix_answer_of_the_provider_goes_back_to_it_in_the_next_turn(bench: Bench, client: str, provider: str) -> None:
    """The assistant's turn as the client keeps it, sent back with the tools' answers, is what the provider itself said."""
    case = CASES["parallel tools"]
    reading, _ = await bench.run(client, provider, case, stream=True)
    assert [call.id for call in reading.calls] == ["call_1", "call_2"]
    again = Case(replace(case.said, calls=reading.calls, results=("7 degrees", "noon")), CASES["text"].answer)
    after, heard = await bench.run(client, provider, again, stream=True)
    assert heard.calls == case.answer.calls
    assert heard.results == ("7 degrees", "noon")
    assert after.words == "Hello, world."


async def test_matrix_table_in_the_docs_is_what_happens(bench: Bench) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page, table(await observe(bench))), "run python -m tests.proxy.matrix_page --write"

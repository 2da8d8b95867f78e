"""Large bodies are read in a process of their own, with the outcome that reading them at once would have had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import orjson
import pytest

from openclaw_oauthrouter.errors import InvalidRequestError
from openclaw_oauthrouter.parsing.body import parse_body
from openclaw_oauthrouter.parsing.process import ParsingProcess


@pytest.fixture
async def process() -> AsyncGenerator[ParsingProcess, None]:
    found = ParsingProcess()
    yield found
    await found.aclose()


LARGE = orjson.dumps(
    {
        "model": "m",
        "messages": [{"role": "user", "content": "línea \n" * 9_000, "at": number} for number in range(40)],
        "tools": [],
        "stop": ["a", 1, None],
        "metadata": {"messages": [1, 2]},
    }
)


async def test_bodies_are_read_as_they_are_at_once_one_after_another(process: ParsingProcess) -> None:
    odd = LARGE[:-1] + b',"n":123456789012345678901234567890}'
    found = await asyncio.gather(*(process.parse(body) for body in (LARGE, b"{}", odd)))
    assert [orjson.dumps(value) for value in found] == [orjson.dumps(parse_body(body)) for body in (LARGE, b"{}", odd)]


@pytest.mark.parametrize("body", [b"[" * 2_000_000, b"[1]", b'{"a":' * 400 + b"1" + b"}" * 400])
async def test_what_cannot_be_read_is_refused_in_the_same_words(body: bytes, process: ParsingProcess) -> None:
    with pytest.raises(InvalidRequestError) as at_once:
        parse_body(body)
    with pytest.raises(InvalidRequestError) as apart:
        await process.parse(body)
    assert apart.value.message == at_once.value.message


async def test_a_client_that_leaves_takes_no_answer_of_others_along(process: ParsingProcess) -> None:
    leaving = asyncio.create_task(process.parse(LARGE))
    await asyncio.sleep(0.01)
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    assert await process.parse(b'{"mine":true}') == {"mine": True}


async def test_a_process_that_died_is_replaced_and_nobody_refused(process: ParsingProcess) -> None:
    assert await process.parse(b"{}") == {}
    assert process._process is not None
    process._process.kill()
    assert await process.parse(LARGE) == parse_body(LARGE)
    assert await process.parse(b"{}") == {}


async def test_others_go_on_while_a_large_body_is_read(process: ParsingProcess) -> None:
    reading = asyncio.create_task(process.parse(LARGE))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10

"""Sealed thinking goes back to its maker unchanged, through any client, and to nobody else; a tool loop survives the switch."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from openclaw_oauthrouter.canonical.credential import Credential, Secret
from openclaw_oauthrouter.credentials.chain import REMEMBERED_SECONDS
from openclaw_oauthrouter.hookspecs import hookimpl
from tests.proxy.matrix import MODELS, TIME, WEATHER, Bench, open_bench
from tests.support.answers import Answer, play, refusal
from tests.support.conversations import CHAT, DIALECTS, MESSAGES, RESPONSES, Conversation, Json, go_on, say
from tests.support.readings import Reading

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECOND = {MESSAGES: "second-claude/claude-haiku-4-5", RESPONSES: "second-codex/gpt-5.6-terra"}
"""Another provider of the same dialect."""

POOL = "pool/claude-haiku-4-5"
"""A provider with two accounts."""

SAID = Conversation("What is it like?", tools=("get_weather", "get_time"), thinks=True)
RESULT = {"call_1": "7 degrees"}

_ids = iter(range(1_000_000))


class TwoAccounts:
    """A credential source; ``order`` names the accounts there are, best first."""

    name = "two"

    def __init__(self) -> None:
        self.order = ["ann", "bob"]

    def find(self, provider: str) -> Sequence[Credential]:
        if provider != "pool":
            return ()
        return [Credential(f"two:{name}", provider, "api_key", Secret(f"sk-ant-api03-{name}"), "two") for name in self.order]

    async def become(self, *order: str) -> None:
        """Change the accounts, and wait until what was remembered of the former ones is forgotten."""
        self.order = list(order)
        await asyncio.sleep(REMEMBERED_SECONDS + 0.05)

    @hookimpl
    def oauthrouter_register_credential_sources(self) -> Sequence[Any]:
        return [self]


@pytest.fixture(scope="module")
def accounts() -> TwoAccounts:
    return TwoAccounts()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory, accounts: TwoAccounts) -> AsyncIterator[Bench]:
    def more(url: str) -> dict[str, Any]:
        return {
            "second-claude": {"kind": "anthropic", "api_base": url, "api_key": "sk-ant-api03-other"},
            "second-codex": {"kind": "openai-codex", "api_base": url, "auth_header": "Bearer other"},
            "pool": {"kind": "anthropic", "api_base": url},
        }

    async with open_bench(tmp_path_factory.mktemp("opaque") / "state", more, plugins=[accounts]) as opened:
        yield opened


def new_seal() -> str:
    """A seal nobody has seen: the gateway remembers makers by it."""
    return f"c2VhbGVk{next(_ids):08d}"


def thinking(seal: str, *, redacted: bool = False, call: Any = WEATHER) -> Answer:
    return Answer(thinking="Let me look.", seal=seal, redacted=redacted, calls=(call,), finish="tool_call")


async def turn(bench: Bench, client: str, provider: str, body: Json, answer: Answer, model: str = "") -> Reading:
    """One request; the provider answers as told, in the way it was asked."""
    body = {**body, "model": model or MODELS[provider]}
    reading, _ = await bench.ask(client, provider, body, play(provider, answer, stream=body["stream"] or provider == RESPONSES))
    assert reading.error is None
    return reading


def sent_seals(bench: Bench, provider: str) -> list[tuple[str, str]]:
    """What the provider was sent sealed, with what stands right behind it."""
    body = bench.upstream.seen[-1].body
    if provider == RESPONSES:
        rows, key = body["input"], "encrypted_content"
    else:
        rows = [b for m in body["messages"] if m["role"] == "assistant" and isinstance(m["content"], list) for b in m["content"]]
        key = "signature"
    kinds = ("thinking", "redacted_thinking", "reasoning")
    return [(row.get(key) or row.get("data"), following["type"]) for row, following in pairwise(rows) if row.get("type") in kinds]


CALL_TYPE = {MESSAGES: "tool_use", RESPONSES: "function_call"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("redacted", [False, True])
@pytest.mark.parametrize("maker", [MESSAGES, RESPONSES])
@pytest.mark.parametrize("client", DIALECTS)
async def test_opaque_reasoning_it_goes_back_to_its_maker(
    bench: Bench, client: str, maker: str, redacted: bool, stream: bool
) -> None:
    seal = new_seal()
    asked = say(client, SAID, "", stream=stream)
    first = await turn(bench, client, maker, asked, thinking(seal, redacted=redacted))
    assert len(first.seals) == 1
    last = await turn(bench, client, maker, go_on(client, asked, first.turn, RESULT), Answer("Cold."))
    assert sent_seals(bench, maker) == [(seal, CALL_TYPE[maker])]
    sent = bench.upstream.seen[-1].body
    assert ("Let me look." in json.dumps(sent)) is not redacted
    if maker == RESPONSES:
        assert next(item for item in sent["input"] if item.get("type") == "reasoning")["id"] == "rs_1"
    assert last.words == "Cold."


@pytest.mark.parametrize(
    ("maker", "other", "model"),
    [
        (MESSAGES, CHAT, ""),
        (MESSAGES, RESPONSES, ""),
        (MESSAGES, MESSAGES, SECOND[MESSAGES]),
        (RESPONSES, CHAT, ""),
        (RESPONSES, MESSAGES, ""),
        (RESPONSES, RESPONSES, SECOND[RESPONSES]),
    ],
)
@pytest.mark.parametrize("client", DIALECTS)
async def test_opaque_reasoning_nobody_else_gets_it(bench: Bench, client: str, maker: str, other: str, model: str) -> None:
    seal = new_seal()
    asked = say(client, SAID, "", stream=True)
    first = await turn(bench, client, maker, asked, thinking(seal))
    body = go_on(client, asked, first.turn, RESULT)
    last = await turn(bench, client, other, body, Answer("Cold."), model)
    sent = json.dumps(bench.upstream.seen[-1].body)
    assert seal not in sent
    assert "oar1." not in sent
    assert RESULT["call_1"] in sent
    assert last.words == "Cold."
    dropped = [note.subject for note in bench.record.notes if note.action == "dropped"]
    assert any("thinking" in subject or subject == "reasoning" for subject in dropped), dropped


@pytest.mark.parametrize(("first", "second"), [(MESSAGES, RESPONSES), (RESPONSES, MESSAGES), (MESSAGES, CHAT), (RESPONSES, CHAT)])
@pytest.mark.parametrize("client", DIALECTS)
async def test_opaque_reasoning_tool_loop_goes_there_and_back_again(bench: Bench, client: str, first: str, second: str) -> None:
    mine, theirs = new_seal(), new_seal()
    asked = say(client, SAID, "", stream=True)
    one = await turn(bench, client, first, asked, thinking(mine))
    asked = go_on(client, asked, one.turn, RESULT)
    two = await turn(bench, client, second, asked, thinking(theirs, call=TIME))
    assert mine not in json.dumps(bench.upstream.seen[-1].body)
    assert [call.name for call in two.calls] == ["get_time"]
    three = await turn(bench, client, first, go_on(client, asked, two.turn, {"call_2": "noon"}), Answer("Cold at noon."))
    assert sent_seals(bench, first) == [(mine, CALL_TYPE[first])]
    assert theirs not in json.dumps(bench.upstream.seen[-1].body)
    assert three.words == "Cold at noon."


@pytest.mark.parametrize("client", DIALECTS)
async def test_opaque_reasoning_another_account_of_the_same_provider_does_not_get_it(
    bench: Bench, accounts: TwoAccounts, client: str
) -> None:
    seal = new_seal()
    # A conversation keeps its account, and is known by its first words.
    asked = say(client, replace(SAID, words=f"Asking through {client}"), "", stream=True)
    one = await turn(bench, client, MESSAGES, asked, thinking(seal), POOL)
    assert bench.record.credential == "two:ann"
    asked = go_on(client, asked, one.turn, RESULT)
    await turn(bench, client, MESSAGES, asked, Answer("Cold."), POOL)
    assert sent_seals(bench, MESSAGES) == [(seal, "tool_use")]
    await accounts.become("bob")
    await turn(bench, client, MESSAGES, asked, Answer("Cold."), POOL)
    assert bench.record.credential == "two:bob"
    assert seal not in json.dumps(bench.upstream.seen[-1].body)
    await accounts.become("ann", "bob")


async def test_opaque_reasoning_switch_of_accounts_within_one_request_drops_it_too(bench: Bench, accounts: TwoAccounts) -> None:
    """The first account runs out while the conversation goes on: the second one answers, without the first one's thinking."""
    seal = new_seal()
    asked = say(MESSAGES, Conversation("And now?", tools=("get_weather",), thinks=True), POOL, stream=False)
    one = await turn(bench, MESSAGES, MESSAGES, asked, thinking(seal), POOL)
    body = {**go_on(MESSAGES, asked, one.turn, RESULT), "model": POOL}
    bench.upstream.seen.clear()
    bench.upstream.plays = [refusal(MESSAGES, 429, "rate_limit_error", "too many"), play(MESSAGES, Answer("Cold."), stream=False)]
    answer = await bench.http.post("/v1/messages", json=body)
    assert answer.status_code == 200
    sent = [json.dumps(seen.body) for seen in bench.upstream.seen]
    assert [seal in text for text in sent] == [True, False]
    assert [attempt.credential for attempt in bench.record.attempts] == ["two:ann", "two:bob"]

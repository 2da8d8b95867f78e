"""Every client dialect against every provider dialect, over one set of conversations, through a real gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from openclaw_oauthrouter.canonical.trace import RequestRecord
from openclaw_oauthrouter.proxy.start import ProxyHandle, start_proxy
from tests.support.answers import Answer, play, refusal
from tests.support.conversations import CHAT, MESSAGES, PATHS, RESPONSES, Call, Conversation, Json, hear, say
from tests.support.readings import Reading, read
from tests.support.upstream import Play, ScriptedUpstream

MODELS = {CHAT: "elsewhere/some-model", MESSAGES: "anthropic/claude-haiku-4-5", RESPONSES: "openai-codex/gpt-5.6-terra"}
"""Provider dialect -> a model of a provider that speaks it."""

WEATHER = Call("call_1", "get_weather", '{"city":"Oslo"}')
TIME = Call("call_2", "get_time", '{"city":"Oslo"}')

# An unsigned token whose claims name an account.
_CODEX_TOKEN = (
    "eyJhbGciOiJub25lIn0.eyJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsiY2hhdGdwdF9hY2NvdW50X2lkIjoiZGVtby1hY2NvdW50In19.ZGVtbw"
)


@dataclass(frozen=True)
class Case:
    """One conversation and what the provider answers.

    :ivar fails: the HTTP status and each vendor's word for the error, instead of an answer
    """

    said: Conversation
    answer: Answer = field(default_factory=Answer)
    fails: tuple[int, dict[str, str]] | None = None


_BAD_REQUEST = dict.fromkeys((CHAT, MESSAGES, RESPONSES), "invalid_request_error")
_OVERLOADED = {CHAT: "server_error", MESSAGES: "overloaded_error", RESPONSES: "server_error"}

CASES = {
    "text": Case(Conversation(), Answer("Hello, world.")),
    "one tool": Case(Conversation(tools=("get_weather",)), Answer(calls=(WEATHER,), finish="tool_call")),
    "parallel tools": Case(
        Conversation(tools=("get_weather", "get_time")), Answer("One moment.", calls=(WEATHER, TIME), finish="tool_call")
    ),
    "tools answered": Case(
        Conversation(tools=("get_weather", "get_time"), calls=(WEATHER, TIME), results=("7 degrees", "noon")),
        Answer("7 at noon."),
    ),
    "image": Case(Conversation("What is this?", image=True), Answer("A pixel.")),
    "thinking": Case(Conversation(thinks=True), Answer("Two.", thinking="One and one.")),
    "refusal": Case(Conversation("Do harm."), Answer(refusal="I cannot help with that.", finish="refusal")),
    "max tokens": Case(Conversation(max_tokens=16), Answer("Hello, wor", finish="length")),
    "bad request": Case(Conversation(), fails=(400, _BAD_REQUEST)),
    "overloaded": Case(Conversation(), fails=(503, _OVERLOADED)),
    "error in the stream": Case(Conversation(), Answer("Hello", breaks=True)),
}


def streams(case: str, provider: str) -> tuple[bool, ...]:
    """The ways a client may ask; an error within a stream needs an upstream that streams."""
    return (True,) if case == "error in the stream" and provider != RESPONSES else (False, True)


@dataclass(frozen=True)
class Bench:
    """A gateway in front of one scripted upstream that plays all vendors."""

    http: httpx.AsyncClient
    upstream: ScriptedUpstream
    handle: ProxyHandle

    @property
    def record(self) -> RequestRecord:
        """The trace of the last request."""
        return self.handle.live.observers.ring.latest(1)[0].record

    async def run(self, client: str, provider: str, case: Case, *, stream: bool) -> tuple[Reading, Conversation]:
        """What the client understood, and what the provider was asked."""
        return await self.ask(
            client, provider, say(client, case.said, MODELS[provider], stream=stream), _play(provider, case, stream)
        )

    async def ask(self, client: str, provider: str, body: Json, answer: Play) -> tuple[Reading, Conversation]:
        """Send a body of the caller's; ``answer`` is played."""
        self.upstream.plays = [answer]
        self.upstream.seen.clear()
        reply = await self.http.post(PATHS[client], json=body)
        return read(client, reply), hear(provider, self.upstream.seen[-1].body)


def _play(provider: str, case: Case, stream: bool) -> Play:
    if case.fails is not None:
        status, words = case.fails
        return refusal(provider, status, words[provider], "the provider's own words")
    # The Codex backend only streams.
    return play(provider, case.answer, stream=stream or provider == RESPONSES)


@asynccontextmanager
async def open_bench(home: Path, more: Callable[[str], dict[str, Any]] = lambda _: {}, **settings: Any) -> AsyncIterator[Bench]:
    """Start everything.

    :param more: given the upstream's address, further providers or replacements
    """
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(ScriptedUpstream())
        providers = {
            "anthropic": {"api_base": upstream.url, "api_key": "sk-ant-api03-test"},
            "openai-codex": {"api_base": upstream.url, "auth_header": f"Bearer {_CODEX_TOKEN}"},
            "elsewhere": {"api_base": f"{upstream.url}/v1", "models": ["some-model"]},
            **more(upstream.url),
        }
        named = {
            "port": 0,
            "home": home,
            "auth_token": "local-test-token",
            "providers": providers,
            "credentials": {"order": ["config"]},
            "upstream": {"retry": {"attempts": 1}},
            **settings,
        }
        handle = await stack.enter_async_context(await start_proxy(**named))
        headers = {"authorization": f"Bearer {handle.auth_token}"}
        http = httpx.AsyncClient(base_url=handle.base_url, headers=headers, timeout=10, trust_env=False)
        yield Bench(await stack.enter_async_context(http), upstream, handle)

"""Answers that do not end, at full speed: the client gets an error in time, memory stays flat, the budget is settled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from openclaw_oauthrouter.upstream import bounds
from tests.support.memory import Peak
from tests.support.upstream import Play

pytestmark = pytest.mark.timeout(120)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(delta: dict[str, Any]) -> bytes:
    told = {"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [{"index": 0, "delta": delta}]}
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def arguments(text: str, **more: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, **more, "function": {"arguments": text, **({"name": "t"} if more else {})}}]}


def numbered(make: Callable[[str], dict[str, Any]]) -> Callable[[int], bytes]:
    return lambda number: b"".join(chunk(make(f"{number}-{piece} ")) for piece in range(300))


ENDLESS: dict[str, Callable[[int], bytes]] = {
    "one token": lambda _: chunk({"content": "ha"}) * 300,
    "one token of reasoning": lambda _: chunk({"reasoning_content": "hm"}) * 300,
    "white space in arguments": lambda n: (b"" if n else chunk(arguments("{", id="call_1"))) + chunk(arguments("\n")) * 300,
    "ever new text": numbered(lambda text: {"content": text}),
    "ever new reasoning": numbered(lambda text: {"reasoning_content": text}),
    "ever new arguments": lambda n: (b"" if n else chunk(arguments("{", id="call_1"))) + b"".join(chunk(arguments(f"{n}{i}")) for i in range(300)),
    "comments": lambda _: b": keep-alive\n\n" * 2000,
    "empty pieces": lambda _: chunk({"content": ""}) * 300,
    "roles": lambda _: chunk({"role": "assistant"}) * 300,
    "one line": lambda n: (b"data: " if not n else b"") + b"a" * 60_000,
}  # fmt: skip


class Endless:
    """Sends one kind of thing for as long as it is taken."""

    def __init__(self, make: Callable[[int], bytes], head: bytes = HEAD % b"text/event-stream", *, chunked: bool = True) -> None:
        self._make, self._head, self._chunked = make, head, chunked
        self.left = asyncio.Event()

    async def __aenter__(self) -> Endless:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self._head)
            for number in range(10**9):
                data = self._make(number)
                writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.left.set()
            writer.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that are met sooner; that they are met at all is what matters."""
    monkeypatch.setattr(bounds, "MOST_BEFORE_CONTENT", 1 << 19)
    monkeypatch.setattr(bounds, "MOST_KEPT", 2 << 20)
    monkeypatch.setattr(bounds, "MOST_CHARACTERS", 1 << 18)


async def ask(gateway: Any, client: Any, url: str, stream: bool) -> tuple[httpx.AsyncClient, httpx.Response]:
    providers = {"house": {"api_base": url, "models": ["m"], "api_key": "sk-test"}}
    timeouts = {"first_byte": 50.0, "idle": 20.0}
    handle = await gateway(
        providers=providers,
        upstream={"timeouts": timeouts, "retry": {"attempts": 2}},
        spend_controls={"daily_request_budget": 50},
    )
    http = await client(handle)
    body = {"model": "house/m", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    return http, await http.post("/v1/chat/completions", json=body, timeout=60)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", ENDLESS)
async def test_endless_answer_ends_in_an_error(name: str, stream: bool, gateway: Any, client: Any, small: None) -> None:
    async with Endless(ENDLESS[name]) as upstream:
        with Peak() as peak:
            http, answer = await ask(gateway, client, upstream.url, stream)
        async with asyncio.timeout(5):
            await upstream.left.wait()
    if answer.status_code == 200:
        assert stream
        events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line.startswith("data: {")]
        assert json.loads(events[-1])["error"]["code"] in ("endless_answer", "upstream_protocol")
    else:
        assert answer.status_code == 502, answer.text
    assert peak.grown_mib < 150
    if answer.status_code == 200:
        used = (await http.get("/debug/spend")).json()["periods"]["day"]["used"]
        assert used["model:house/m"]["requests"] == 1
        assert used["model:house/m"]["output_tokens"] > 0


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_endless_trailer_is_cut_off(stream: bool, content_type: str, gateway: Any, client: Any) -> None:
    whole = b'{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}'
    body = chunk({"content": "hi"}) if content_type.startswith("text") else whole
    head = HEAD % content_type.encode() + b"%x\r\n%b\r\n0\r\nX-Trailer: " % (len(body), body)
    async with Endless(lambda _: b"a" * 60_000, head, chunked=False) as upstream:
        began = asyncio.get_running_loop().time()
        _, answer = await ask(gateway, client, upstream.url, stream)
        assert asyncio.get_running_loop().time() - began < 10
        async with asyncio.timeout(5):
            await upstream.left.wait()
    assert answer.status_code == 502 or "error" in answer.text


async def test_many_headers_of_limits_are_not_all_passed_on(gateway: Any, client: Any, scripted: Any) -> None:
    limits = {f"x-ratelimit-odd-{number}": "v" * 600 if number % 2 else "1" for number in range(150)}
    whole = {
        "id": "x",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],
    }
    upstream = await scripted(Play.json(whole, 200, **limits))
    _, answer = await ask(gateway, client, f"{upstream.url}/v1", stream=False)
    assert answer.status_code == 200, answer.text
    assert len(answer.headers) < 100
    assert max(len(value) for value in answer.headers.values()) <= 500

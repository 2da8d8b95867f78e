"""Requests through the whole gateway without sockets: bytes in at the client's end, an answer at the provider's, bytes out; only our own
work is measured."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from openclaw_oauthrouter.builder import assemble
from openclaw_oauthrouter.canonical.credential import Secret
from openclaw_oauthrouter.config.loading import load_settings
from openclaw_oauthrouter.plugins import create_plugin_manager
from openclaw_oauthrouter.proxy.connections import Connections
from openclaw_oauthrouter.proxy.gateway import Gateway
from openclaw_oauthrouter.proxy.http1 import Http1Connection
from openclaw_oauthrouter.proxy.live import Live, create_observers
from openclaw_oauthrouter.tasks import take_all
from openclaw_oauthrouter.upstream.http_connection import HttpConnection
from openclaw_oauthrouter.upstream.http_pool import HttpPool, Origin
from openclaw_oauthrouter.upstream.proxies import Proxy

TOKEN = "bench-token"
TOKENS = 200
"""Deltas of a streamed answer."""

TOGETHER = b"[[ten events a read]]"
"""In a request: the provider is so fast that a network read brings ten events, each a chunk of its own."""

PROVIDERS = {
    "anthropic": {"api_base": "http://127.0.0.1:9", "api_key": "sk-ant-api03-bench"},
    "openai-codex": {"api_base": "http://127.0.0.1:9", "auth_header": "Bearer bench.bench.bench"},
    "house": {"api_base": "http://127.0.0.1:9/v1", "api_key": "bench", "models": ["m"]},
}

TIERS = {tier: {"primary": "anthropic/claude-haiku-4-5"} for tier in ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")}
"""``auto`` always ends at one model: which it prefers is not what is measured here."""


@dataclass(frozen=True)
class Workload:
    """One kind of request.

    :ivar path: where the client sends it
    :ivar body: the request's JSON
    """

    path: str
    body: bytes

    @cached_property
    def message(self) -> bytes:
        """The whole request."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:8402\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self.body)}\r\nAuthorization: Bearer {TOKEN}\r\nUser-Agent: bench/1\r\n\r\n"
        )
        return head.encode() + self.body


def workloads() -> dict[str, Workload]:
    """All of them by name; ``same`` are those whose client and provider speak one dialect.

    Codex CLI sends ``store: false``; an answer to a client that does not is kept, which no translated lane does.
    """
    chat, messages, responses = "/v1/chat/completions", "/v1/messages", "/v1/responses"
    words = [{"role": "user", "content": "What is 2+2? Answer in one word."}]
    haiku, codex, house = "anthropic/claude-haiku-4-5", "openai-codex/gpt-5.6-sol", "house/m"
    return {
        "small": _load(chat, model=haiku, max_tokens=256, messages=words),
        "auto": _load(chat, model="auto", max_tokens=256, messages=words),
        "stream": _load(chat, model=haiku, max_tokens=256, messages=words, stream=True),
        "stream in tens": _load(
            chat, model=haiku, max_tokens=256, messages=[{"role": "user", "content": TOGETHER.decode()}], stream=True
        ),
        "stream to messages": _load(messages, model=codex, max_tokens=256, messages=words, stream=True),
        "stream to responses": _load(responses, model=haiku, max_output_tokens=256, input=words, stream=True),
        "agent": _load(chat, model=haiku, max_tokens=256, messages=_conversation(), tools=_tools()),
        "same chat": _load(chat, model=house, max_tokens=256, messages=_conversation(), tools=_tools()),
        "same messages": _load(messages, model=haiku, max_tokens=256, messages=_messages(), tools=_message_tools()),
        "chat to codex": _load(chat, model=codex, messages=_conversation(), tools=_tools(), stream=True),
        "same responses": _load(responses, model=codex, input=_items(), tools=_flat_tools(), stream=True, store=False),
        "kept responses": _load(responses, model=codex, input=_items(), tools=_flat_tools(), stream=True),
    }


def _load(path: str, **body: Any) -> Workload:
    return Workload(path, json.dumps(body, separators=(",", ":")).encode())


def _function(number: int) -> dict[str, Any]:
    properties = {
        f"arg{n}": {"type": "string", "description": "an argument that says at some length what it is"} for n in range(5)
    }
    schema = {"type": "object", "properties": properties, "required": ["arg0", "arg1"]}
    return {"name": f"tool_{number}", "description": "Does something with files. " * 12, "parameters": schema}


def _tools() -> list[dict[str, Any]]:
    return [{"type": "function", "function": _function(number)} for number in range(25)]


def _flat_tools() -> list[dict[str, Any]]:
    return [{"type": "function", **_function(number)} for number in range(25)]


def _message_tools() -> list[dict[str, Any]]:
    found = [_function(number) for number in range(25)]
    return [{"name": f["name"], "description": f["description"], "input_schema": f["parameters"]} for f in found]


def _turns() -> Iterator[tuple[str, str, str, str]]:
    for number in range(15):
        ask = f'Step {number}: look at the file and "explain" it.\n' + "lorem ipsum dolor sit amet " * 20
        arguments = json.dumps({"arg0": "src/main.py", "arg1": "x" * 120})
        yield ask, arguments, "def f(x):\n    return x + 1  # línea\n" * 90, "The file does this and that. " * 20


def _conversation() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"role": "system", "content": "You are an agent. Follow the rules. " * 60}]
    for number, (ask, arguments, result, said) in enumerate(_turns()):
        call = {"id": f"call_{number}", "type": "function", "function": {"name": f"tool_{number}", "arguments": arguments}}
        found += [
            {"role": "user", "content": ask},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{number}", "content": result},
            {"role": "assistant", "content": said},
        ]
    return [*found, {"role": "user", "content": "Now summarise."}]


def _messages() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, (ask, arguments, result, said) in enumerate(_turns()):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": f"tool_{number}", "input": json.loads(arguments)}
        found += [
            {"role": "user", "content": ask},
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": result}]},
            {"role": "assistant", "content": said},
        ]
    return [*found, {"role": "user", "content": "Now summarise."}]


def _items() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, (ask, arguments, result, said) in enumerate(_turns()):
        found += [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ask}]},
            {"type": "function_call", "call_id": f"call_{number}", "name": f"tool_{number}", "arguments": arguments},
            {"type": "function_call_output", "call_id": f"call_{number}", "output": result},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}]},
        ]
    return [*found, {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Now summarise."}]}]


# ------------------------------------------------------------------ the stub upstream


def _sse(events: list[dict[str, Any]]) -> list[bytes]:
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def _message_stream() -> list[bytes]:
    usage = {"input_tokens": 25, "output_tokens": 1}
    head = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "usage": usage,
    }
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f" token{n}"}} for n in range(TOKENS)
    ]
    return _sse(
        [
            {"type": "message_start", "message": head},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *deltas,
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": TOKENS},
            },
            {"type": "message_stop"},
        ]
    )


def _response_stream() -> list[bytes]:
    part = {"type": "output_text", "text": "", "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    text = "".join(f" token{n}" for n in range(TOKENS))
    done = {**item, "status": "completed", "content": [{**part, "text": text}]}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    head = {"id": "resp_1", "object": "response", "model": "m", "output": [], "status": "in_progress", "usage": None}
    usage = {"input_tokens": 25, "output_tokens": TOKENS, "total_tokens": 25 + TOKENS}
    return _sse(
        [
            {"type": "response.created", "response": head},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.content_part.added", **place, "part": part},
            *({"type": "response.output_text.delta", **place, "delta": f" token{n}"} for n in range(TOKENS)),
            {"type": "response.output_text.done", **place, "text": text},
            {"type": "response.content_part.done", **place, "part": {**part, "text": text}},
            {"type": "response.output_item.done", "output_index": 0, "item": done},
            {"type": "response.completed", "response": {**head, "status": "completed", "output": [done], "usage": usage}},
        ]
    )


_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "A small static answer from the stub."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 25, "output_tokens": 14},
}
_COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A small static answer."}}],
    "usage": {"prompt_tokens": 25, "completion_tokens": 14, "total_tokens": 39},
}


class StubPool(HttpPool):
    """The gateway's own pool, whose connections lead to a provider that answers at once, each network read one event."""

    def __init__(self) -> None:
        super().__init__(1000, 60.0, ssl.create_default_context)

    async def _connect(self, origin: Origin, proxy: Proxy | None, seconds: float | None) -> HttpConnection:
        connection = HttpConnection()
        connection.connection_made(_Provider(connection))
        return connection


class _Transport(asyncio.Transport):
    """One end of a connection without a socket."""

    def __init__(self) -> None:
        super().__init__()
        self._closed = False

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def get_write_buffer_size(self) -> int:
        return 0


class _Provider(_Transport):
    def __init__(self, connection: HttpConnection) -> None:
        super().__init__()
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    def write(self, data: Any) -> None:
        beginning = bytes(data[:1024])  # a provider's time is not ours: it does not look through 100 kB
        path, streams = beginning.split(b" ", 2)[1], b"accept: text/event-stream" in beginning
        self._loop.call_soon(self._answer, iter(_answers(path, streams, 10 if TOGETHER in beginning else 1)))

    def _answer(self, pieces: Iterator[bytes]) -> None:
        piece = next(pieces, None)
        if piece is not None:
            self._connection.data_received(piece)
            self._loop.call_soon(self._answer, pieces)


@lru_cache
def _answers(path: bytes, streams: bool, together: int) -> list[bytes]:
    if not streams:
        body = json.dumps(_MESSAGE if path == b"/v1/messages" else _COMPLETION).encode()
        return [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)]
    events = _message_stream() if path == b"/v1/messages" else _response_stream()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    reads = [b"".join(chunks[at : at + together]) for at in range(0, len(chunks), together)]
    return [head, *reads, b"0\r\n\r\n"]


# ------------------------------------------------------------------ the gateway


@asynccontextmanager
async def gateway(**settings: Any) -> AsyncGenerator[Gateway, None]:
    """A gateway in an empty home, over the stub.

    :param settings: other than the default ones
    """
    with tempfile.TemporaryDirectory() as folder:
        overrides = {"providers": PROVIDERS, "auth_token": TOKEN, "home": Path(folder), "routing": {"tiers": TIERS}, **settings}
        settings = load_settings(environ={"HOME": folder}, overrides=overrides).settings
        runtime = assemble(settings, create_plugin_manager(load_entry_points=False))
        object.__setattr__(runtime.pipeline.upstream.sender, "transport", StubPool())
        secret = Secret(TOKEN)
        live = Live(runtime, create_observers(runtime, secret), secret)
        try:
            yield Gateway(live)
        finally:
            await take_all(live.aclose, runtime.persistent.aclose, live.observers.recorder.close)


class _Client(_Transport):
    """A client's end: keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes] = []

    def write(self, data: Any) -> None:
        self.told.append(data)


async def play(app: Gateway, load: Workload) -> int:
    """One request, from the bytes that come in to those that go out; returns the status."""
    protocol, client = _connected(app)
    client.told.clear()
    protocol.data_received(load.message)
    assert protocol.task is not None
    await protocol.task
    return int(client.told[0][9:12])


def _connected(app: Gateway) -> tuple[Http1Connection, _Client]:
    """A client that has been here before; one a gateway, as in a process that serves."""
    known: tuple[Http1Connection, _Client] | None = getattr(app, "bench_client", None)
    if known is None:
        client = _Client()
        protocol = Connections(app, app.live.runtime.settings.server, time.time).protocol()
        protocol.connection_made(client)
        known = (protocol, client)
        app.bench_client = known  # type: ignore[attr-defined] # nobody else's
    return known

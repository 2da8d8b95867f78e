"""The demo upstream as an ASGI application; whoever runs it chooses the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import MappingProxyType, ModuleType
from typing import Any

import orjson

from openclaw_oauthrouter.providers.demo import messages, responses
from openclaw_oauthrouter.providers.demo.script import Question, Reply, answer
from openclaw_oauthrouter.wire.sse import encode_event

_DIALECTS: Mapping[str, ModuleType] = MappingProxyType(
    {"/v1/messages": messages, "/v1/responses": responses, "/backend-api/codex/responses": responses}
)
_PAUSE_SECONDS = 0.005
"""Between two pieces of a streamed answer; enough to see that it streams."""

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

# An unsigned token whose claims name a made-up account, as the Codex backend's tokens do.
_DEMO_TOKEN = (
    "eyJhbGciOiJub25lIn0.eyJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsiY2hhdGdwdF9hY2NvdW50X2lkIjoiZGVtby1hY2NvdW50In19.ZGVtbw"
)


def demo_settings(origin: str) -> dict[str, Any]:
    """Settings that send every default model to the demo, and look for no other credential.

    :param origin: where the demo listens
    """
    return {
        "providers": {
            "anthropic": {"api_base": origin, "api_key": "demo"},
            "openai-codex": {"api_base": origin, "auth_header": f"Bearer {_DEMO_TOKEN}"},
        },
        "credentials": {"order": ["config"]},
    }


async def demo_app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    dialect = _DIALECTS.get(scope["path"])
    body = await _body(receive)
    if dialect is None:
        await _send_json(send, 404, {"error": {"message": f"the demo knows no {scope['path']}"}})
        return
    question: Question = dialect.read(orjson.loads(body), len(body))
    reply = answer(question)
    if reply.status != 200:
        await _send_json(send, reply.status, dialect.error(reply))
    elif question.stream:
        await _send_stream(send, dialect, reply, question)
    else:
        await _send_json(send, 200, dialect.whole(reply, question))


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


async def _send_json(send: Send, status: int, value: object) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": orjson.dumps(value)})


async def _send_stream(send: Send, dialect: ModuleType, reply: Reply, question: Question) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for event, data in dialect.stream(reply, question):
        await send({"type": "http.response.body", "body": encode_event(orjson.dumps(data), event), "more_body": True})
        await asyncio.sleep(_PAUSE_SECONDS)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return

"""What the tests of this dialect share: a dialect with a stopped clock and counted ids, streams from event lists, folding."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import orjson

from openclaw_oauthrouter.canonical.content import Part, TextPart
from openclaw_oauthrouter.canonical.events import Frame, StreamEvent
from openclaw_oauthrouter.canonical.request import ChatRequest, Message
from openclaw_oauthrouter.canonical.response import ChatResponse, ResponseFold
from openclaw_oauthrouter.canonical.routing import ModelInfo
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses

NOW = 1_700_000_000.0
CARD = ModelInfo("openai", "gpt-5.6-sol")


def make_dialect() -> OpenAIResponses:
    """A dialect whose answers are the same every time."""
    numbers = itertools.count(1)
    return OpenAIResponses(clock=lambda: NOW, new_id=lambda: f"{next(numbers):04d}")


def foreign(*messages: Message, **fields: Any) -> ChatRequest:
    """A request as the decoder of another dialect would make it."""
    return ChatRequest("openai_chat_completions", "auto", messages, **fields)


def user(*parts: Part | str) -> Message:
    return Message("user", tuple(TextPart(part) if isinstance(part, str) else part for part in parts))


def assistant(*parts: Part | str) -> Message:
    return Message("assistant", tuple(TextPart(part) if isinstance(part, str) else part for part in parts))


def system(text: str) -> Message:
    return Message("system", (TextPart(text),))


def wire(*events: dict[str, Any]) -> bytes:
    """Events as an upstream streams them."""
    return b"".join(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), orjson.dumps(event)) for event in events)


def unwire(raw: bytes) -> list[dict[str, Any]]:
    """A stream's events; checks that each SSE event is named like its JSON."""
    events = []
    for block in raw.decode().strip().split("\n\n"):
        if block.startswith(":"):
            continue
        name, data = block.split("\n")
        event = orjson.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def decode(raw: bytes, dialect: OpenAIResponses | None = None) -> list[StreamEvent]:
    """All events of a stream that ends."""
    decoder = (dialect or make_dialect()).stream_decoder()
    return [*decoder.receive(raw).events, *decoder.finish().events]


def fold(events: Iterable[StreamEvent]) -> ChatResponse:
    """The whole answer."""
    folding = ResponseFold()
    for event in events:
        folding.receive(event)
    return folding.result()


def encode(events: Iterable[StreamEvent], request: ChatRequest) -> bytes:
    """A client's stream, one event a frame."""
    encoder = make_dialect().stream_encoder(request, "p/model")
    return b"".join(encoder.send(Frame(b"", (event,))) for event in events)


def from_client(**body: Any) -> ChatRequest:
    """A Responses client's request."""
    return make_dialect().decode_request({"model": "auto", "input": "hi", **body}, {})

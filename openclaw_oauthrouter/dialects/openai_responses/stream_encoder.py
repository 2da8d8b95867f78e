"""One client stream: the writer's events as bytes."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from openclaw_oauthrouter.canonical.events import (
    Frame,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.dialects.openai_responses.response_writer import ResponseWriter
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import encode_event

CONTENT_TYPE = "text/event-stream"

KEEP_ALIVE = b": keep-alive\n\n"
"""All that is legal before ``response.created``, whose id another encoder may yet decide."""


class ResponsesStreamEncoder:
    """A ``StreamEncoder``; ends with a terminal event, never with ``[DONE]``."""

    content_type = CONTENT_TYPE

    def __init__(self, writer: ResponseWriter) -> None:
        self._writer = writer

    def send(self, frame: Frame) -> bytes:
        """Encode a frame."""
        return b"".join(encode(self._writer.receive(event)) for event in frame.events)

    def keep_alive(self) -> bytes:
        """``response.in_progress`` once more, as not all clients count a comment; a comment before the first event."""
        return encode(self._writer.wait()) or KEEP_ALIVE

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with ``response.failed``."""
        return encode(self._writer.fail(error))


def encode(events: Iterable[JsonObject]) -> bytes:
    """Events as bytes; the SSE event is named like the JSON's ``type``."""
    return b"".join(encode_event(orjson.dumps(event), event["type"]) for event in events)

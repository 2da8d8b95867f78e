"""Writes single events of a Messages stream."""

from __future__ import annotations

import orjson

from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.dialects.anthropic_messages.errors import encode_error
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import encode_event

CONTENT_TYPE = "text/event-stream"
PING = encode_event(b'{"type":"ping"}', "ping")


def write_event(type_: str, **fields: object) -> bytes:
    """One event; its type is said twice, as the vendor does."""
    return encode_event(orjson.dumps({"type": type_, **fields}), type_)


def write_failure(error: OAuthRouterError) -> bytes:
    """The event that ends a stream that broke off."""
    envelope: JsonObject = encode_error(error, "")
    return write_event("error", error=envelope["error"])

"""Where the prompt is to be cached: at most four marks, the last ones; the system prompt when the client set none."""

from __future__ import annotations

from collections.abc import Iterator

from openclaw_oauthrouter.canonical.json import JsonObject

MAX_MARKS = 4


def place_cache_marks(body: JsonObject) -> None:
    """Bring a body's cache marks within the limit; mark the system prompt if there is none at all."""
    marked = [block for block in _blocks(body) if "cache_control" in block]
    for block in marked[:-MAX_MARKS]:
        del block["cache_control"]
    system = body.get("system")
    if not marked and system:
        system[-1]["cache_control"] = {"type": "ephemeral"}


def _blocks(body: JsonObject) -> Iterator[JsonObject]:
    """Everything that may carry a mark, in the order the provider reads it."""
    yield from body.get("tools", ())
    yield from body.get("system", ())
    for message in body["messages"]:
        for block in message["content"]:
            yield block
            if isinstance(block.get("content"), list):
                yield from block["content"]

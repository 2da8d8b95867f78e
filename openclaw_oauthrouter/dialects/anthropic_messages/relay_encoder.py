"""Passes an upstream's Messages stream on as the bytes it came in; only tool names may have to change back."""

from __future__ import annotations

import orjson

from openclaw_oauthrouter.canonical.events import Frame, ResponseFailed
from openclaw_oauthrouter.canonical.json import FrozenObject
from openclaw_oauthrouter.dialects.anthropic_messages import frames
from openclaw_oauthrouter.dialects.anthropic_messages.relay import rename_block
from openclaw_oauthrouter.errors import OAuthRouterError
from openclaw_oauthrouter.wire.sse import ServerSentEvent, ServerSentEventDecoder, closed, encode_event, raw_before


class MessagesRelayEncoder:
    """One client stream; implements ``interfaces.StreamEncoder``.

    :param tool_names: name on the wire -> name the client knows
    """

    content_type = frames.CONTENT_TYPE

    def __init__(self, tool_names: FrozenObject) -> None:
        self._names = tool_names
        self._ended = False

    def send(self, frame: Frame) -> bytes:
        """Pass a frame on."""
        raw = self._renamed(frame.raw) if self._names and b"tool_use" in frame.raw else frame.raw
        for event in frame.events:
            if isinstance(event, ResponseFailed):
                # The last event may have lost its blank line with the connection.
                return closed(raw) + self.fail(event.error)
        return raw

    def keep_alive(self) -> bytes:
        """A ``ping``."""
        return frames.PING

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with an ``error`` event; nothing if it has ended already."""
        if self._ended:
            return b""
        self._ended = True
        return frames.write_failure(error)

    def _renamed(self, raw: bytes) -> bytes:
        _, events = ServerSentEventDecoder().feed(raw)
        # From the back, so that the positions before stay what they are.
        for position in reversed(range(len(events))):
            changed = self._rename(events[position])
            if changed is not None:
                raw = raw_before(raw, position) + changed + raw[len(raw_before(raw, position + 1)) :]
        return raw

    def _rename(self, event: ServerSentEvent) -> bytes | None:
        """The event with the client's tool name in it; ``None`` when it stays as it is."""
        if b"tool_use" not in event.data:
            return None
        data = orjson.loads(event.data)
        block = data.get("content_block") if isinstance(data, dict) else None
        if not isinstance(block, dict):
            return None
        renamed = rename_block(block, self._names)
        return None if renamed is block else encode_event(orjson.dumps({**data, "content_block": renamed}), event.event)

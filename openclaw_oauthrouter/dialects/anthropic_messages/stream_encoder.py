"""Writes the canonical event stream as a Messages stream.

Blocks of a Messages stream never overlap, while canonical parts may: the first open part is written as it comes, the others wait their
turn. A part that says nothing gets no block, because a client that sent an empty block back would be refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from openclaw_oauthrouter.canonical.events import (
    CitationAdded,
    Frame,
    PartDelta,
    PartFinished,
    PartStarted,
    ResponseFailed,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageReported,
)
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.canonical.usage import Usage
from openclaw_oauthrouter.dialects.anthropic_messages import frames
from openclaw_oauthrouter.dialects.anthropic_messages.block_writers import BlockWriter, block_writer
from openclaw_oauthrouter.dialects.anthropic_messages.finish_reasons import encode_finish
from openclaw_oauthrouter.dialects.anthropic_messages.responses_out import message_id
from openclaw_oauthrouter.dialects.anthropic_messages.usage import encode_usage
from openclaw_oauthrouter.errors import OAuthRouterError

_PartEvent = PartDelta | CitationAdded | PartFinished


@dataclass(slots=True)
class _WaitingPart:
    writer: BlockWriter
    events: list[_PartEvent] = field(default_factory=list)


class MessagesStreamEncoder:
    """One client stream; implements ``interfaces.StreamEncoder``.

    :param model: the name the client shall see
    """

    content_type = frames.CONTENT_TYPE

    def __init__(self, model: str) -> None:
        self._model = model
        self._usage = Usage()
        self._ended = False
        self._blocks = 0
        self._queue: deque[int] = deque()
        self._parts: dict[int, _WaitingPart] = {}

    def send(self, frame: Frame) -> bytes:
        """Encode a frame."""
        return b"".join(chunk for event in frame.events for chunk in self._write(event))

    def keep_alive(self) -> bytes:
        """A ``ping``."""
        return frames.PING

    def fail(self, error: OAuthRouterError) -> bytes:
        """End the stream with an ``error`` event; nothing if it has ended already."""
        return b"" if self._ended else self._end(frames.write_failure(error))

    def _write(self, event: StreamEvent) -> Iterator[bytes]:
        if not self._ended:
            yield from _STEPS[type(event)](self, event)

    def _start(self, event: ResponseStarted) -> Iterator[bytes]:
        message: JsonObject = {
            "id": message_id(event.id),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": encode_usage(self._usage),
        }
        yield frames.write_event("message_start", message=message)

    def _report(self, event: UsageReported) -> Iterator[bytes]:
        self._usage = event.usage
        return iter(())

    def _open(self, event: PartStarted) -> Iterator[bytes]:
        self._parts[event.index] = _WaitingPart(block_writer(event))
        self._queue.append(event.index)
        return self._advance()

    def _take(self, event: _PartEvent) -> Iterator[bytes]:
        part = self._parts.get(event.index)
        if part is None:
            # Its block is closed: what is said that late (a source, mostly) can no longer be put into it.
            return iter(())
        part.events.append(event)
        return self._advance()

    def _advance(self) -> Iterator[bytes]:
        """Write what the first part in the queue has said; when it is closed, go on with the next."""
        while self._queue:
            part = self._parts[self._queue[0]]
            events, part.events = part.events, []
            for event in events:
                if not part.writer.closed:
                    yield from part.writer.write(event, self._blocks)
            if not part.writer.closed:
                return
            self._blocks += part.writer.announced
            del self._parts[self._queue.popleft()]

    def _finish(self, event: ResponseFinished) -> Iterator[bytes]:
        for index in tuple(self._queue):
            yield from self._take(PartFinished(index))
        finish = encode_finish(event.finish_reason, event.stop_sequence, event.explanation)
        yield frames.write_event("message_delta", delta=finish, usage=encode_usage(self._usage))
        yield self._end(frames.write_event("message_stop"))

    def _break_off(self, event: ResponseFailed) -> Iterator[bytes]:
        yield self.fail(event.error)

    def _end(self, last: bytes) -> bytes:
        self._ended = True
        return last


_STEPS: dict[type, Callable[[MessagesStreamEncoder, Any], Iterator[bytes]]] = {
    ResponseStarted: MessagesStreamEncoder._start,
    UsageReported: MessagesStreamEncoder._report,
    PartStarted: MessagesStreamEncoder._open,
    PartDelta: MessagesStreamEncoder._take,
    CitationAdded: MessagesStreamEncoder._take,
    PartFinished: MessagesStreamEncoder._take,
    ResponseFinished: MessagesStreamEncoder._finish,
    ResponseFailed: MessagesStreamEncoder._break_off,
}

"""Reads an Anthropic stream: server-sent events in, canonical events out.

IDLE -> OPEN -> DONE; every pair of state and event that means something is a row of ``TRANSITIONS``. Any other event is passed over:
the vendor adds event types as it likes, and some servers leave ``message_start`` or ``content_block_start`` out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import orjson

from openclaw_oauthrouter.canonical.events import ResponseStarted, StreamEvent, UsageReported
from openclaw_oauthrouter.canonical.json import JsonObject
from openclaw_oauthrouter.dialects.anthropic_messages.block_readers import BlockReader, open_block
from openclaw_oauthrouter.dialects.anthropic_messages.errors import decode_stream_error
from openclaw_oauthrouter.dialects.anthropic_messages.finish_reasons import decode_finish
from openclaw_oauthrouter.dialects.anthropic_messages.usage import decode_usage
from openclaw_oauthrouter.wire.sse import ServerSentEvent

State = Literal["IDLE", "OPEN", "DONE"]


class MessagesEventMachine:
    """What the events of one answer mean; an ``EventMachine``.

    :ivar done: the answer is complete
    """

    def __init__(self) -> None:
        self.done = False
        self._state: State = "IDLE"
        self._blocks: dict[int, BlockReader] = {}
        self._usage: JsonObject = {}
        self._finish: JsonObject = {}
        self._opened = 0
        self._text_length = 0

    def receive(self, event: ServerSentEvent) -> Iterable[StreamEvent]:
        """Turn one event into canonical ones.

        :raises UpstreamError: the provider broke off
        """
        data = orjson.loads(event.data)
        return self.receive_json(event.event or data["type"], data)

    def receive_json(self, name: str, data: JsonObject) -> Iterable[StreamEvent]:
        """Turn one parsed event into canonical ones."""
        row = TRANSITIONS.get((self._state, name))
        if row is None:
            return ()
        self._state, step = row
        self.done = self._state == "DONE"
        return step(self, data)

    def finish(self) -> Iterable[StreamEvent]:
        """Nothing can be made up for a missing ``message_stop``."""
        return ()

    def _start(self, data: JsonObject) -> Iterator[StreamEvent]:
        message = data["message"]
        yield ResponseStarted(str(message.get("id") or ""), str(message.get("model") or ""))
        yield from self._report_usage(message)

    def _restart(self, data: JsonObject) -> Iterator[StreamEvent]:
        yield from self._report_usage(data["message"])

    def _open_block(self, data: JsonObject) -> Iterator[StreamEvent]:
        yield from self._close_block(data)
        block = open_block(self._opened, data["content_block"], self._text_length)
        self._blocks[data["index"]] = block
        self._opened += 1
        yield from block.start()

    def _extend_block(self, data: JsonObject) -> Iterable[StreamEvent]:
        block = self._blocks.get(data["index"])
        return self._extend_unopened(data) if block is None else block.extend(data["delta"])

    def _extend_unopened(self, data: JsonObject) -> Iterator[StreamEvent]:
        index = data["index"]
        yield from self._open_block({"index": index, "content_block": {"type": "text", "text": ""}})
        yield from self._blocks[index].extend(data["delta"])

    def _close_block(self, data: JsonObject) -> Iterator[StreamEvent]:
        block = self._blocks.pop(data["index"], None)
        if block is not None:
            yield from block.finish()
            self._text_length += block.text_length

    def _take_delta(self, data: JsonObject) -> Iterator[StreamEvent]:
        self._finish.update(data.get("delta") or {})
        yield from self._report_usage(data)

    def _stop(self, _data: JsonObject) -> Iterator[StreamEvent]:
        for index in sorted(self._blocks):
            yield from self._close_block({"index": index})
        yield decode_finish(self._finish)

    def _fail(self, data: JsonObject) -> Iterator[StreamEvent]:
        raise decode_stream_error(data)

    def _report_usage(self, holder: JsonObject) -> Iterator[StreamEvent]:
        usage = {key: value for key, value in (holder.get("usage") or {}).items() if value is not None}
        if usage:
            # The figures are cumulative: each report replaces what it names and says nothing of the rest.
            self._usage.update(usage)
            yield UsageReported(decode_usage(self._usage))


Step = Callable[[MessagesEventMachine, JsonObject], Iterable[StreamEvent]]


def _unannounced(step: Step) -> Step:
    """A step of an answer whose ``message_start`` was left out."""

    def start(machine: MessagesEventMachine, data: JsonObject) -> Iterator[StreamEvent]:
        yield ResponseStarted("", "")
        yield from step(machine, data)

    return start


# The table is the class's own other half, hence its reach into the private steps.
TRANSITIONS: dict[tuple[State, str], tuple[State, Step]] = {
    ("IDLE", "message_start"): ("OPEN", MessagesEventMachine._start),
    ("IDLE", "content_block_start"): ("OPEN", _unannounced(MessagesEventMachine._open_block)),
    ("IDLE", "content_block_delta"): ("OPEN", _unannounced(MessagesEventMachine._extend_block)),
    ("IDLE", "message_delta"): ("OPEN", _unannounced(MessagesEventMachine._take_delta)),
    ("IDLE", "error"): ("DONE", MessagesEventMachine._fail),
    ("OPEN", "message_start"): ("OPEN", MessagesEventMachine._restart),
    ("OPEN", "content_block_start"): ("OPEN", MessagesEventMachine._open_block),
    ("OPEN", "content_block_delta"): ("OPEN", MessagesEventMachine._extend_block),
    ("OPEN", "content_block_stop"): ("OPEN", MessagesEventMachine._close_block),
    ("OPEN", "message_delta"): ("OPEN", MessagesEventMachine._take_delta),
    ("OPEN", "message_stop"): ("DONE", MessagesEventMachine._stop),
    ("OPEN", "error"): ("DONE", MessagesEventMachine._fail),
}
"""(state, event) -> (next state, step)."""


def decode_message(body: JsonObject) -> Iterator[StreamEvent]:
    """Read a whole message as the stream it would have been, through the same machine.

    :raises KeyError, TypeError, AttributeError: the body is not a message
    """
    machine = MessagesEventMachine()
    yield from machine.receive_json("message_start", {"message": body})
    for index, block in enumerate(body["content"]):
        yield from machine.receive_json("content_block_start", {"index": index, "content_block": block})
        yield from machine.receive_json("content_block_stop", {"index": index})
    finish = {key: body.get(key) for key in ("stop_reason", "stop_sequence", "stop_details")}
    yield from machine.receive_json("message_delta", {"delta": finish})
    yield from machine.receive_json("message_stop", {})
